"""What helpers read, and what becomes of what they expect: on one machine with rules, and in single lines."""

from __future__ import annotations

import pytest

from sim.conntrack.helpers import HELPERS, find
from sim.conntrack.helpers.ftp import SEARCHES, Lines, Named
from sim.conntrack.helpers.ftp import find as find_line
from sim.conntrack.helpers.numbers import ANY, address
from sim.conntrack.show import conntrack_line
from sim.conntrack.words import LABEL, Status
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.trace import Dropped, Event, Expectation, Labelled
from sim.units import SECOND
from tests.conntrack.talk import Talk, datagram, syn

DEVICES = {"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]}
CLIENT, SERVER = "192.168.1.10", "203.0.113.9"
FTP = """*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
COMMIT
"""


class Router:
    """A router with helpers assigned by rules; `events` is its trace, `hear` feeds packets and gives the labels they got."""

    def __init__(self, rules: str = FTP) -> None:
        self.wall = Wall(DEVICES, told=True)
        self.events: list[Event] = []
        ip = self.wall.ip
        ip.emit = ip.tracker.emit = ip.tracking._emit = self.events.append
        load_rules(ip.rules, rules, "rules")
        self.tracker = ip.tracker

    def hear(self, *packets: tuple[str, bytes]) -> list[str | None]:
        return [self.wall.receive(data, dev, number).label for number, (dev, data) in enumerate(packets, 1)]

    def told(self) -> list[tuple[str, str]]:
        return [(event.action, event.reason.code) for event in self.events if isinstance(event, Expectation)]


def ftp(*said: tuple[int, str]) -> list[tuple[str, bytes]]:
    talk = Talk(f"{CLIENT} 1000", f"{SERVER} 21")
    return [*talk.open(), talk.say(1, "220 ready\r\n"), talk.say(0, "NOOP\r\n"), *(talk.say(side, text) for side, text in said)]


PORT = (0, "PORT 192,168,1,10,200,10\r\n")


def test_the_data_connection_that_port_announces_is_related_and_its_trace_says_why() -> None:
    router = Router()
    assert router.hear(*ftp(PORT), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")))[-1] == "RELATED"
    created, used = (event for event in router.events if isinstance(event, Expectation))
    assert (created.action, used.action) == ("created", "used") and created.expectation == used.expectation
    assert created.reason.text == "The client's PORT names 192.168.1.10 port 51210: the server will open the data connection to it."
    assert created.expectation["dport"] == 51210 and created.expectation["sport"] is None
    control, data = router.tracker.entries()
    assert data.master is control and data.status & Status.EXPECTED and data.helper is None and control.children == 1
    assert "helper=ftp use=2" in conntrack_line(control, router.wall.now)


def test_without_a_rule_there_is_no_helper_and_the_same_connection_is_new() -> None:
    router = Router("*filter\n-A FORWARD -m conntrack --ctstate RELATED\nCOMMIT\n")
    assert router.hear(*ftp(PORT), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")))[-1] == "NEW"
    assert router.told() == []


def test_what_is_expected_waits_five_minutes_to_the_instant() -> None:
    router = Router()
    *before, later = ftp(PORT, (1, "200 ok\r\n"))
    router.hear(*before)
    router.wall.advance(SECOND)
    router.hear(later)
    router.wall.advance(300 * SECOND - 1)
    assert router.tracker.expectations.count == 1
    router.wall.advance(300 * SECOND)
    assert router.tracker.expectations.count == 0 and router.told() == [("created", "helper"), ("expired", "expired")]


def test_a_second_port_takes_the_place_of_the_first_and_all_goes_with_the_control_connection() -> None:
    router = Router()
    router.hear(*ftp(PORT, (0, "PORT 192,168,1,10,200,11\r\n")))
    (control,) = router.tracker.entries()
    router.tracker.delete(control, router.wall.now)
    assert router.told() == [("created", "helper"), ("removed", "evicted"), ("created", "helper"), ("removed", "master-gone")]


def test_no_room_for_expectations_drops_the_line_with_the_kernels_words() -> None:
    router = Router()
    router.tracker.settings.set("nf_conntrack_expect_max", "0")
    router.hear(*ftp(PORT))
    texts = [text for _, text in router.wall.ip.kernel_log_lines]
    assert texts[0] == "nf_conntrack: expectation table full"
    assert texts[1].startswith("nf_ct_ftp: dropping packet: cannot add expectation IN= OUT= SRC=192.168.1.10")


def test_a_line_cut_off_is_dropped_by_the_helper_with_a_reason() -> None:
    router = Router()
    labels = router.hear(*ftp((1, "227 Entering")))
    (dropped,) = (event for event in router.events if isinstance(event, Dropped))
    assert labels[-1] == "ESTABLISHED" and dropped.by == "helper ftp" and dropped.reason.code == "helper-drop"
    assert "begins with 227" in dropped.reason.text


def test_what_a_dropped_first_packet_announced_is_forgotten() -> None:
    rules = FTP.replace("COMMIT", "COMMIT\n*filter\n-A FORWARD -p udp -m udp --dport 69 -j DROP\nCOMMIT")
    router = Router(rules)
    router.hear(("lan", datagram(f"{CLIENT} 4000", f"{SERVER} 69", b"\0\1file\0octet\0")))
    assert router.told() == []  # the helper runs behind every rule
    router.tracker.settings.set("nf_conntrack_expect_max", "0")
    assert router.tracker.expectations.count == 0


def test_tftp_answers_come_from_a_port_that_nobody_knows() -> None:
    router = Router()
    labels = router.hear(
        ("lan", datagram(f"{CLIENT} 4000", f"{SERVER} 69", b"\0\1file\0octet\0")), ("wan", datagram(f"{SERVER} 3333", f"{CLIENT} 4000")),
        ("lan", datagram(f"{CLIENT} 4000", f"{SERVER} 3333")),
    )  # fmt: skip
    assert labels == ["NEW", "RELATED", "ESTABLISHED"]
    assert [event.label for event in router.events if isinstance(event, Labelled)] == labels


@pytest.mark.parametrize(
    ("side", "line", "found"),
    [
        (0, b"PORT 10,0,0,1,1,2\r\n", (b"\n\0\0\1", 258)),
        (0, b"PORT 10,0,0,1,1\r\n", "partial"),
        (0, b"PORT 10,0,0,1,1,2", "partial"),
        (0, b"POR", "partial"),
        (0, b"PASV\r\n", None),
        (1, b"227 Passive (10,0,0,1,4,1).\r\n", (b"\n\0\0\1", 1025)),
        (1, b"227 Passive\r\n", "partial"),
        (1, b"226 done\r\n", None),
    ],
)
def test_lines_are_read_whole_or_not_at_all(side: int, line: bytes, found: tuple[bytes, int] | str | None) -> None:
    named = Named(bytes(4))
    match = find_line(line, SEARCHES[side][0], named)
    said = None if match is None else "partial" if match.at < 0 else (named.address, named.port)
    assert said == found


def test_only_the_two_youngest_line_ends_are_remembered_and_an_older_one_never_comes_back() -> None:
    lines = Lines()
    for seq in (100, 200, 150, 300):
        lines.learn(0, seq)
    assert [lines.begins(0, seq) for seq in (100, 150, 200, 300)] == [False, False, True, True]
    assert not lines.begins(1, 200)
    wrapped = Lines()
    for seq in (0xFFFFFFF0, 0xFFFFFFFF, 16):
        wrapped.learn(0, seq)
    assert wrapped.begins(0, 16) and not wrapped.begins(0, 0xFFFFFFF0)


@pytest.mark.parametrize(
    ("text", "size", "read"),
    [
        (b"1.2.3.4;", 4, (b"\1\2\3\4", 7)), (b"1.2.3.4", 4, (b"\1\2\3\4", 7)), (b"1.2.3.256", 4, None), (b"1.2.3", 4, None),
        (b"1.2.3.4.5", 4, None),
        (b"::1]", 16, (bytes(15) + b"\1", 3)), (b"::", 16, (bytes(16), 2)), (b"1::2::3", 16, None), (b"::1.2.3.4",
        16, (bytes(12) + b"\1\2\3\4", 9)),
        (b"1:2:3:4:5:6:7:8", 16, (bytes.fromhex("00010002000300040005000600070008"), 15)), (b"1:2", 16, None),
    ],
)  # fmt: skip
def test_addresses_are_read_as_the_kernel_reads_them(text: bytes, size: int, read: tuple[bytes, int] | None) -> None:
    assert address(text, 0, len(text), size, ANY) == read


def test_every_helper_is_found_for_its_families_alone() -> None:
    assert sorted({name for name, _ in HELPERS}) == [
        "amanda", "ftp", "irc", "netbios-ns", "pptp", "sane", "sip", "snmp", "snmp_trap", "tftp",
    ]
    assert find("irc", "ip", 6) is not None and find("irc", "ip6", 6) is None and find("ftp", "ip6", 17) is None
    assert {LABEL[1], LABEL[4]} == {"RELATED"}
