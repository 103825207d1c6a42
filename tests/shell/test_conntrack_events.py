"""`conntrack -E` on one machine: lines as the real tool printed them for the same commands (conntrack-tools 1.4.7, Linux 6.18)."""

from __future__ import annotations

import re

import pytest

from sim.craft import craft
from tests.shell.one_machine import OneMachine

MAKE = "conntrack -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 50 -w 5 -m 3"
MAKE_TCP = "conntrack -I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1 --dport 21 -t 50 --state ESTABLISHED -u ASSURED,SEEN_REPLY"
ENDS = "src=1.1.1.1 dst=2.2.2.2 sport=1 dport={0} {1}src=2.2.2.2 dst=1.1.1.1 sport={0} dport=1"
SAVED = "-u UNSET -w 5 -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p udp --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1"
USER = "[USERSPACE] portid=PORT progname=conntrack"
META = (
    '<meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>1.1.1.1</src><dst>2.2.2.2</dst></layer3><layer4 protonum="17"'
    ' protoname="udp"><sport>1</sport><dport>2</dport></layer4></meta><meta direction="reply"><layer3 protonum="2" protoname="ipv4">'
    '<src>2.2.2.2</src><dst>1.1.1.1</dst></layer3><layer4 protonum="17" protoname="udp"><sport>2</sport><dport>1</dport></layer4></meta>'
)
WHEN = "<when><hour>9</hour><min>00</min><sec>00</sec><wday>2</wday><day>23</day><month>11</month><year>2026</year></when>"


def heard(options: str, *lines: str) -> list[str]:
    """What -E with these options printed while the lines were typed elsewhere on the machine."""
    machine = OneMachine()
    machine.type(f"conntrack -E {options} > /var/log/events &")
    for line in lines:
        machine.type(line)
    text = re.sub(r"portid=\d+", "portid=PORT", machine.files["/var/log/events"])
    return re.sub(r"\bid=\d+", "id=ID", re.sub(r"<id>\d+", "<id>ID", text)).splitlines()


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("", [
            f"    [NEW] udp      17 50 {ENDS.format(2, '[UNREPLIED] ')} mark=3 zone=5 {USER}",
            f"    [NEW] tcp      6 50 ESTABLISHED {ENDS.format(21, '')} [ASSURED] mark=0 {USER}",
            f"[DESTROY] udp      17 49 {ENDS.format(2, '[UNREPLIED] ')} mark=3 zone=5 {USER}",
        ]),
        ("-o extended,id -e NEW -p tcp", [
            f"    [NEW] ipv4     2 tcp      6 50 ESTABLISHED {ENDS.format(21, '')} [ASSURED] mark=0 id=ID {USER}",
        ]),
        ("-e DESTROY", [f"[DESTROY] udp      17 49 {ENDS.format(2, '[UNREPLIED] ')} mark=3 zone=5 {USER}"]),
        ("-o save", [
            f"-A -t 50 {SAVED} {USER}",
            "-A -t 50 -u SEEN_REPLY,ASSURED -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p tcp --sport 1 --dport 21 --reply-port-src 21"
            f" --reply-port-dst 1 --state ESTABLISHED {USER}",
            f"-D -t 49 {SAVED} {USER}",
        ]),
        ("-o xml,timestamp -p udp -e NEW", [
            '<?xml version="1.0" encoding="utf-8"?>', "<conntrack>",
            f'<flow type="new">{META}<meta direction="independent"><timeout>50</timeout><mark>3</mark><zone>5</zone><id>ID</id><unreplied/>'
            f"</meta>{WHEN}</flow> {USER}",
        ]),
    ],
)  # fmt: skip
def test_events_of_entries_that_a_program_makes_and_deletes(options: str, lines: list[str]) -> None:
    assert heard(options, MAKE, MAKE_TCP, "conntrack -D -w 5") == lines


def test_proc_tells_the_counters_as_the_kernel_does() -> None:
    machine = OneMachine()
    machine.type(MAKE)
    assert machine.type("cat /proc/net/stat/nf_conntrack").splitlines()[:2] == [
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new"
        " expect_create expect_delete search_restart",
        f"00000001  {'00000000 ' * 7}00000001 {'00000000 ' * 4} {'00000000 ' * 4}".rstrip(),
    ]
    assert machine.type("cat /proc/net/nf_conntrack_expect") == ""


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((), ["NEW", "UPDATE", "DESTROY"]),
        (("iptables -t raw -A PREROUTING -j CT --ctevents destroy",), ["DESTROY"]),
        (("iptables -t raw -A PREROUTING -j CT --ctevents reply,new",), ["NEW", "UPDATE"]),
        (("iptables -t raw -A PREROUTING -j CT --expevents new",), []),
        (("nft 'table t { chain c { type filter hook prerouting priority 0; ct event set new; }; }'",), ["NEW"]),
    ],
)  # fmt: skip
def test_a_rule_says_which_events_of_an_entry_are_told(rules: tuple[str, ...], told: list[str]) -> None:
    machine = OneMachine(interfaces={"lo": ["127.0.0.1/8"], "lan": ["10.0.0.1/24"]})
    for rule in rules:
        assert machine.type(rule) == ""
    machine.type("conntrack -E > /var/log/events &")
    for line in ("udp 10.0.0.9:5 > 10.0.0.1:7", "udp 10.0.0.9:5 > 10.0.0.1:7"):
        machine.ip.receive(craft(line), "lan")
    machine.ip.send(craft("udp 10.0.0.1:7 > 10.0.0.9:5"))
    machine.type("conntrack -F")
    assert re.findall(r"\[(\w+)\] udp", machine.files["/var/log/events"]) == told
