"""`conntrack -L expect` and `-E expect`: the lines that the real tool printed for the same datagrams."""

from __future__ import annotations

from tests.conntrack.talk import datagram
from tests.shell.one_machine import OneMachine

REQUEST = b"\0\1file\0octet\0"
LINE = (
    "300 proto=17 src=192.168.1.20 dst=192.168.1.10 sport=0 dport=4000 mask-src=255.255.255.255 mask-dst=255.255.255.255 "
    "sport=0 dport=65535 master-src=192.168.1.10 master-dst=192.168.1.20 sport=4000 dport=69 class=0 helper=tftp\n"
)


def served() -> OneMachine:
    machine = OneMachine()
    machine.type("iptables -t raw -A PREROUTING -p udp --dport 69 -j CT --helper tftp")
    return machine


def ask(machine: OneMachine) -> None:
    machine.receive(datagram("192.168.1.10 4000", "192.168.1.20 69", REQUEST))


def test_expectations_are_listed_counted_and_flushed() -> None:
    machine = served()
    ask(machine)
    assert machine.type("conntrack -L expect").startswith(LINE)
    assert machine.type("conntrack -C expect").startswith("1\n")
    machine.type("conntrack -F expect")
    assert machine.type("conntrack -C expect").startswith("0\n")


def test_expectations_that_come_and_go_are_told() -> None:
    machine = served()
    machine.type("conntrack -E expect")
    before = len(machine.screen())
    ask(machine)
    ask(machine)
    assert machine.screen()[before:] == f"    [NEW] {LINE}[DESTROY] {LINE}    [NEW] {LINE}"
    assert "3 expectation events have been shown." in machine.key("^C")


def test_an_event_mask_is_not_for_expectations() -> None:
    assert "Illegal option `--event-mask' with this command" in served().type("conntrack -E expect -e NEW")
