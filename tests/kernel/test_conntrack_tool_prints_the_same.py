"""`conntrack`, the real one and ours, over tables made by the same packets: what they print, and their exit statuses."""

from __future__ import annotations

import re

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6

from sim.edges.kernel import KernelFirewall, ToolFailed
from tests.kernel.asking import CLIENT, HANDSHAKE, SERVER, Open, tcp, udp
from tests.kernel.conftest import DEVICES
from tests.kernel.conntrack_sessions import BATCHES, MANY, SESSIONS
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
    text = re.sub(r"^\d+ proto=", "SECONDS proto=", text, flags=re.MULTILINE)
    text = re.sub(r"(-[AUD] -t|<timeout>) ?\d+", r"\1 SECONDS", text)
    text = text.replace("/usr/sbin/conntrack", "conntrack")
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


def typed(machine: OneMachine, line: str) -> tuple[int, list[str]]:
    """The same of ours."""
    printed = machine.type(line.replace("!", "'!'"))
    return machine.shell.status, masked(printed)


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions_that_make_and_change_entries_print_the_same(real: Open, name: str) -> None:
    kernel, machine = real(), ours([])
    for line in SESSIONS[name].strip().splitlines():
        assert typed(machine, line) == real_answer(kernel, line.split()), line


COUNTED = (
    "-L", "-L -o xml", "-L -o ktimestamp", "-L -o xml,ktimestamp", "-L -o extended,id,ktimestamp,timestamp", "-L -z", "-L",
    "-D -o extended",
)  # fmt: skip


def test_counters_and_times_of_entries_print_the_same(real: Open) -> None:
    kernel = real(sysctls={"net.netfilter.nf_conntrack_acct": 1, "net.netfilter.nf_conntrack_timestamp": 1})
    machine = OneMachine(interfaces=DEVICES)
    machine.type("sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1 net.ipv4.ip_forward=1")
    machine.type("ip route add default dev wan")
    kernel.feed_batch(PACKETS)
    for dev, data in PACKETS:
        machine.receive(data, dev)
    for options in COUNTED:
        expected, printed = real_answer(kernel, f"conntrack {options}".split()), typed(machine, f"conntrack {options}")
        assert [_timeless(line) for line in printed[1]] == [_timeless(line) for line in expected[1]], options


def _timeless(line: str) -> str:
    """Without the calendar: each has its own."""
    line = re.sub(r"\[start=\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]", "[start=]", line)
    return re.sub(r"<start>\d{19}</start>", "<start>", re.sub(r"(delta-?time[=>])\d+", r"\1", line))


def test_of_many_updated_at_once_as_many_are_printed(real: Open) -> None:
    """Which ones depends on the order of the table: by the kernel's random hash, by age here."""
    kernel, machine = real(), ours([])
    for line in MANY.strip().splitlines():
        expected, printed = real_answer(kernel, line.split()), typed(machine, line)
        assert (printed[0], len(printed[1])) == (expected[0], len(expected[1])), line


def test_files_of_commands_are_run_by_both(real: Open) -> None:
    kernel, machine = real(), ours([])
    for batch in BATCHES:
        try:
            expected = 0, masked(kernel.command(["conntrack", "-R", "-"], batch))
        except ToolFailed as error:
            expected = error.code, masked(error.output)
        machine.files["/etc/batch"] = batch
        assert (typed(machine, "conntrack -R /etc/batch")) == expected, batch
        listed = real_answer(kernel, "conntrack -L -o extended".split())
        assert typed(machine, "conntrack -L -o extended") == listed, batch


EXPECTING = """
conntrack -I expect {master} -t 30 {tuple} --mask-port-src 10 --mask-port-dst 300 --tuple-port-src 10 --tuple-port-dst 1600
conntrack -I expect {master} -t 30 {tuple} --mask-port-src 10 --mask-port-dst 300 --tuple-port-src 10 --tuple-port-dst 1600
conntrack -I expect {master} -t 30 {tuple} --mask-port-src 10 --mask-port-dst 300 --tuple-port-src 10 --tuple-port-dst 300
conntrack -I expect {master} -t 30 {tuple} --mask-port-src 10 --mask-port-dst 300 --tuple-port-src 10 --tuple-port-dst 70
conntrack -L expect
conntrack -L expect -o xml
conntrack -L expect -f ipv6
conntrack -C expect
conntrack -G expect -s 4.4.4.4 -d 5.5.5.5 -p tcp --sport 10 --dport 1600 --reply-port-src 1 --reply-port-dst 2
conntrack -G expect -s 4.4.4.9 -d 5.5.5.5 -p tcp --sport 10 --dport 1601 --reply-port-src 1 --reply-port-dst 2
conntrack -D expect -s 4.4.4.4 -d 5.5.5.5 -p tcp --sport 10 --dport 1600 --reply-port-src 1 --reply-port-dst 2
conntrack -D expect -s 4.4.4.4 -d 5.5.5.5 -p tcp --sport 10 --dport 1600 --reply-port-src 1 --reply-port-dst 2
conntrack -L expect
conntrack -F expect
"""


def test_expectations_are_made_shown_and_deleted_as_the_real_tool_does_it(real: Open) -> None:
    helped = "*raw\n-A PREROUTING -p tcp -m tcp --dport 80 -j CT --helper ftp\nCOMMIT\n"
    kernel, machine = real(iptables=helped), ours([])
    machine.type("iptables -t raw -A PREROUTING -p tcp --dport 80 -j CT --helper ftp")
    kernel.feed_batch(HANDSHAKE)
    for dev, data in HANDSHAKE:
        machine.receive(data, dev)
    words = {
        "master": "-p tcp -s 192.168.1.10 -d 198.51.100.7 --sport 40000 --dport 80",
        "tuple": "--tuple-src 4.4.4.4 --tuple-dst 5.5.5.5 --mask-src 255.255.255.0 --mask-dst 255.255.255.255",
    }
    for line in EXPECTING.format(**words).strip().splitlines():
        assert typed(machine, line) == real_answer(kernel, line.split()), line


@pytest.mark.parametrize("options", ["-L", "-D"])
def test_entries_of_ipv6_look_the_same(real: Open, options: str) -> None:
    packets = [("lan", bytes(IPv6(src="fd00:1::10", dst="2001:db8::7") / UDP(sport=4000, dport=53) / b"hello"))]
    kernel, machine = real(), ours(packets)
    kernel.feed_batch(packets)
    line = f"conntrack {options} -f ipv6 -o extended"
    assert (0, masked(machine.type(line))) == real_answer(kernel, line.split())
