"""`conntrack`, the real one and ours, over tables made by the same packets: what they print, and their exit statuses."""

from __future__ import annotations

import re

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6

from sim.edges.kernel import KernelFirewall, ToolFailed
from tests.kernel.asking import CLIENT, HANDSHAKE, SERVER, Open, tcp, udp
from tests.kernel.conftest import DEVICES
from tests.shell.one_machine import OneMachine

PACKETS = [
    *HANDSHAKE,
    ("lan", tcp("S", 9, dport=81)),
    ("lan", udp()),
    ("wan", udp(SERVER, CLIENT, 53, 40000)),
    ("lan", udp(sport=40002, dport=5060)),
]

COMMANDS = """
conntrack -L
conntrack -L conntrack
conntrack -L -o extended
conntrack -L -o id,extended
conntrack -L -o timestamp
conntrack -L -o xml
conntrack -L -o save
conntrack -L -o bogus
conntrack -L -p udp --dport 5060
conntrack -L -p tcp
conntrack -L -p TCP
conntrack -L -p 17
conntrack -L -p icmp
conntrack -L -p bogus
conntrack -L -p 256
conntrack -L -f ipv6
conntrack -L -f ipv4 -s 192.168.1.10
conntrack -L -f bogus
conntrack -L -s 192.168.1.11
conntrack -L -s 192.168.1.0/24
conntrack -L -s 192.168.1.99 --mask-src 255.255.255.0
conntrack -L -s 192.168.1.10/33
conntrack -L -s bogus
conntrack -L -s ::1 -d 1.2.3.4
conntrack -L --orig-src 192.168.1.10 -p tcp
conntrack -L --orig-s 192.168.1.10
conntrack -L --orig 192.168.1.10
conntrack -L -r 198.51.100.7
conntrack -L --reply-src 198.51.100.7 --reply-dst 192.168.1.10
conntrack -L -p tcp --sport 40000
conntrack -L --dport 80
conntrack -L --dport 80 -p tcp
conntrack -L -p tcp --orig-port-dst 80
conntrack -L -p tcp --reply-port-src 81
conntrack -L -p tcp --state ESTABLISHED
conntrack -L -p tcp --state SYN_SENT
conntrack -L -p tcp --state BOGUS
conntrack -L -p udp --state ESTABLISHED
conntrack -L -p icmp --dport 8
conntrack -L -p tcp --dport
conntrack -L -p tcp --dport x
conntrack -L -p tcp --dport http
conntrack -L -u ASSURED
conntrack -L -u assured
conntrack -L -u UNREPLIED
conntrack -L -u SEEN_REPLY,ASSURED
conntrack -L -u BOGUS
conntrack -L -m 0
conntrack -L -m 1
conntrack -L -m x
conntrack -L -m 0/1
conntrack -L -w 0
conntrack -L -w 1
conntrack -L -n 1.2.3.4
conntrack -L -g 1.2.3.4
conntrack -L -j 1.2.3.4
conntrack -L -x
conntrack -L --bogus
conntrack -L -D
conntrack --dump
conntrack -Lp udp
conntrack -L expect
conntrack -L expect -p tcp
conntrack -L dying
conntrack -L unconfirmed
conntrack -L bogus
conntrack -L -t 3
conntrack -L -e NEW
conntrack -E -e BOGUS
conntrack -E -e
conntrack -E -t 5
conntrack -E expect -p tcp
conntrack -C
conntrack -C expect
conntrack -C -p tcp
conntrack -S -p tcp
conntrack -F -p tcp
conntrack -F bogus
conntrack -V
conntrack -p tcp
conntrack -G
conntrack -G -p tcp -s 192.168.1.10
conntrack -G -p tcp -s 192.168.1.10 -d 198.51.100.7
conntrack -G -p tcp -s 192.168.1.10 -d 198.51.100.7 --sport 40000 --dport 80
conntrack -G -p tcp -s 192.168.1.10 -d 198.51.100.7 --sport 40000 --dport 82
conntrack -G -p icmp -s 192.168.1.10 -d 198.51.100.7
conntrack -D expect -s 1.1.1.1
conntrack -D -p tcp --dport 80 --orig-src 192.168.1.11
conntrack -D -p tcp --dport 80 --orig-src 192.168.1.10
conntrack -D -p tcp -c 1
conntrack -L -p tcp
conntrack -D -p udp -o extended
conntrack -D
conntrack -D
conntrack -C
conntrack -F expect
conntrack -F
conntrack -L
""".strip().splitlines()  # fmt: skip


def masked(text: str) -> list[str]:
    """Lines without what must differ: ids, and the seconds left (a namespace's clock goes on while it is asked)."""
    text = re.sub(r"\bid=\d+", "id=ID", re.sub(r"<id>\d+", "<id>ID", text))
    text = re.sub(r"^((?:ipv\d +\d+ )?\w+ +\d+) \d+", r"\1 SECONDS", text, flags=re.MULTILINE)
    text = re.sub(r"(-A -t|<timeout>) ?\d+", r"\1 SECONDS", text)
    return sorted(
        line for line in text.splitlines() if not line.startswith(("Command line interface", "nfct_labelmap"))
    )


def real_answer(kernel: KernelFirewall, argv: list[str]) -> tuple[int, list[str]]:
    try:
        return 0, masked(kernel.command(argv))
    except ToolFailed as error:
        return error.code, masked(error.output)


def ours(packets: list[tuple[str, bytes]]) -> OneMachine:
    machine = OneMachine(interfaces=DEVICES)
    machine.type("sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    machine.type("ip route add default dev wan && ip -6 route add default dev wan")
    for dev, data in packets:
        machine.receive(data, dev)
    return machine


def test_every_command_prints_what_the_real_tool_prints(real: Open) -> None:
    kernel, machine = real(), ours(PACKETS)
    kernel.feed_batch(PACKETS)
    for line in COMMANDS:
        expected = real_answer(kernel, line.split())
        printed = machine.type(line)
        assert (machine.shell.status, masked(printed)) == expected, line


@pytest.mark.parametrize("options", ["-L", "-D"])
def test_entries_of_ipv6_look_the_same(real: Open, options: str) -> None:
    packets = [("lan", bytes(IPv6(src="fd00:1::10", dst="2001:db8::7") / UDP(sport=4000, dport=53) / b"hello"))]
    kernel, machine = real(), ours(packets)
    kernel.feed_batch(packets)
    line = f"conntrack {options} -f ipv6 -o extended"
    assert (0, masked(machine.type(line))) == real_answer(kernel, line.split())
