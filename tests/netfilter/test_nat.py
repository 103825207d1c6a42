"""NAT on an IP layer of ours alone: what is rewritten, told, remembered, forgotten. Beside the kernel: tests/kernel."""

from __future__ import annotations

import pytest

from sim.conntrack.conn import Conn
from sim.conntrack.tuples import pack
from sim.craft import craft
from sim.edges.replay.console import Console
from sim.edges.replay.rules import load_rules
from sim.edges.replay.wall import Wall
from sim.machine.ip import IpLayer
from sim.netfilter.nat.addresses import to_redirect_to, to_speak_from
from sim.netfilter.nat.choice import SRC, Chooser
from sim.netfilter.nat.ranges import NatRange, jhash2
from sim.netfilter.words import Hook
from sim.packet import Packet, Tuple, describe
from sim.ruleset.iptables import tool
from sim.trace import Event, Labelled, Translated
from sim.units import parse_address, show_address

DEVICES = {"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]}
SYN = craft("tcp 192.168.1.10:1000 > 203.0.113.9:80 S seq 1")
SYN_ACK = craft("tcp 203.0.113.9:80 > 203.0.113.2:1000 S. seq 9 ack 2")


class Firewall(Wall):
    """A wall that keeps what it was told."""

    def __init__(self, *rules: str) -> None:
        self.events: list[Event] = []
        super().__init__(DEVICES, told=True)
        for rule in rules:
            assert tool.run(["iptables", *rule.split()], self.ip.rules) == tool.Result()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        super()._hear(event)

    def passes(self, data: bytes, dev: str = "lan") -> list[str]:
        """What left, described."""
        return [f"{out}: {describe(Packet(sent))}" for out, sent in self.receive(data, dev, 1).out]

    def entries(self) -> list[Conn]:
        return list(self.ip.tracker.entries())


MASQUERADE = "-t nat -A POSTROUTING -o wan -j MASQUERADE"


def test_a_packet_out_and_its_answer_are_rewritten_and_the_entry_shows_both_sides() -> None:
    wall = Firewall(MASQUERADE)
    assert wall.passes(SYN) == ["wan: TCP 203.0.113.2:1000 > 203.0.113.9:80 S"]
    assert wall.passes(SYN_ACK, "wan") == ["lan: TCP 203.0.113.9:80 > 192.168.1.10:1000 S."]
    (conn,) = wall.entries()
    assert (show_address(conn.original.src), show_address(conn.reply.dst), conn.nat) == ("192.168.1.10", "203.0.113.2", "wan")


def test_the_trace_tells_what_became_of_the_packet_behind_its_label() -> None:
    wall = Firewall(MASQUERADE)
    wall.passes(SYN)
    wall.passes(SYN_ACK, "wan")
    told = [event for event in wall.events if isinstance(event, Translated)]
    assert [(event.hook, event.what, event.before, event.after) for event in told] == [
        ("POSTROUTING", "snat", "TCP 192.168.1.10:1000 > 203.0.113.9:80 S", "TCP 203.0.113.2:1000 > 203.0.113.9:80 S"),
        ("PREROUTING", "snat", "TCP 203.0.113.9:80 > 203.0.113.2:1000 S.", "TCP 203.0.113.9:80 > 192.168.1.10:1000 S."),
    ]
    assert wall.events.index(told[0]) > next(place for place, event in enumerate(wall.events) if isinstance(event, Labelled))


def test_nat_stands_in_the_hooks_only_while_a_nat_chain_does() -> None:
    wall = Firewall(MASQUERADE)
    hooks = wall.ip.hooks
    assert (100, "nat ipv4") in hooks.names(Hook.POSTROUTING) and (-100, "nat ipv4") in hooks.names(Hook.PREROUTING)
    assert not any(name == "nat ipv6" for _, name in hooks.names(Hook.POSTROUTING))
    table = wall.ip.rules.ruleset.table("iptables", "ip", "nat")
    assert table is not None
    wall.ip.rules.load(wall.ip.rules.ruleset.without_table(table.key), "gone")
    assert not any(name == "nat ipv4" for hook in Hook for _, name in hooks.names(hook))


def test_the_same_run_draws_the_same_ports() -> None:
    rule = "-t nat -A POSTROUTING -o wan -p tcp -j SNAT --to-source 203.0.113.2:2000-60000 --random"
    runs = [Firewall(rule).passes(SYN) + Firewall(rule).passes(SYN) for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_rule_counts_the_first_packet_of_a_connection_alone() -> None:
    wall = Firewall(MASQUERADE)
    for data, dev in ((SYN, "lan"), (SYN_ACK, "wan"), (craft("tcp 192.168.1.10:1000 > 203.0.113.9:80 . seq 2 ack 10"), "lan")):
        wall.passes(data, dev)
    ((_, _, _, rule),) = wall.ip.rules.ruleset.rules()
    assert wall.ip.rules.counters(rule.id) == (1, 40)


def test_mappings_are_forgotten_with_their_entries_and_with_packets_that_never_made_one() -> None:
    wall = Firewall("-t nat -A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.2:2000")
    for host in (10, 11):
        wall.passes(craft(f"udp 192.168.1.{host}:1000 > 203.0.113.9:53 data x"))
    assert len(wall.entries()) == 1  # the second had no port left
    wall.ip.tracker.flush(wall.now)
    wall.passes(craft("udp 192.168.1.12:7 > 203.0.113.9:53 data x"))
    held = wall.ip.nat._by_source  # nothing outside can see a leak
    assert [show_address(key[0]) for key in held] == ["192.168.1.12"]


def test_a_udp_checksum_of_zero_stays_zero() -> None:
    wall = Firewall(MASQUERADE)
    plain = craft("udp 192.168.1.10:1000 > 203.0.113.9:53 data x")
    ((_, out),) = wall.receive(plain[:26] + b"\0\0" + plain[28:], "lan", 1).out
    assert out[26:28] == b"\0\0"


@pytest.mark.parametrize(("client", "persistent", "address"), [(10, False, 132), (11, False, 42), (10, True, 183), (11, True, 191)])
def test_the_address_of_a_range_is_the_one_that_linux_chose(client: int, persistent: bool, address: int) -> None:
    """Seen on Linux 6.18: SNAT --to-source 203.0.113.2-203.0.113.200 for 192.168.1.CLIENT:1000 > 203.0.113.9:53."""
    src, dst = bytes((192, 168, 1, client)), bytes((203, 0, 113, 9))
    conn = Conn(1, pack(Tuple(src, dst, 1000, 53, 17)), pack(Tuple(dst, src, 53, 1000, 17)), 0)
    wanted = NatRange(bytes((203, 0, 113, 2)), bytes((203, 0, 113, 200)), persistent=persistent)
    engine = IpLayer("fw", lambda: 0, lambda dev, via, packet: None, lambda skb: None).nat
    assert isinstance(engine.chooser, Chooser)
    assert engine.chooser.choose(conn, wanted, SRC, ()).src == bytes((203, 0, 113, address))


def test_jhash_of_nothing_is_its_beginning() -> None:
    assert jhash2([], 5) == 0xDEADBEEF + 5


def devices(**texts: str) -> dict[str, list[tuple[bytes, int]]]:
    found = {}
    for dev, text in texts.items():
        pairs = [word.split("/") for word in text.split()]
        found[dev] = [(parse_address(address), int(length)) for address, length in pairs]
    return found


@pytest.mark.parametrize(("have", "near", "wanted"), [
    ("10.0.0.1/24 10.1.0.1/24", "10.1.0.9", "10.1.0.1"),
    ("10.0.0.1/24 10.1.0.1/24", "8.8.8.8", "10.0.0.1"),
    ("10.0.0.1/24 10.0.0.2/24", "10.0.0.9", "10.0.0.1"),
    ("fd00::1/64 fd00::2/64", "fd00::9", "fd00::2"),
    ("fd00::1/64 2001:db8::1/64", "2001:db8:5::1", "2001:db8::1"),
    ("fe80::1/64 fd00::1/64", "fe80::9", "fe80::1"),
])  # fmt: skip
def test_masquerade_speaks_from_the_address_that_the_kernel_would_choose(have: str, near: str, wanted: str) -> None:
    found = to_speak_from(devices(lo="127.0.0.1/8", wan=have), "wan", parse_address(near))
    assert found is not None and show_address(found) == wanted


def test_a_device_without_an_address_borrows_one_but_loopbacks_own_never() -> None:
    assert to_speak_from(devices(lo="127.0.0.1/8", lan="10.0.0.1/24", wan=""), "wan", parse_address("8.8.8.8")) == parse_address("10.0.0.1")
    assert to_speak_from(devices(lo="127.0.0.1/8", wan=""), "wan", parse_address("8.8.8.8")) is None
    assert to_redirect_to(devices(lo="127.0.0.1/8", wan=""), "wan", 4, parse_address("8.8.8.8")) is None


def test_without_an_address_masquerade_drops_the_packet_and_the_kernel_log_says_why() -> None:
    wall = Firewall(MASQUERADE)
    for interface in wall.ip.interfaces.values():
        interface.addresses.clear()
    wall.ip.addresses_changed()
    assert wall.passes(SYN) == []
    assert [text for _, text in wall.ip.kernel_log_lines] == ["wan ate my IP address"]


def test_what_was_masqueraded_on_a_device_ends_with_it() -> None:
    wall = Wall({"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]})
    load_rules(wall.ip.rules, "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n", "rules")
    for line in ("udp 192.168.1.10:1000 > 203.0.113.9:53", "udp 192.168.1.10:7 > 192.168.1.1:53"):
        wall.receive(craft(line), "lan", 1)
    Console(wall).run("ip link set wan down")
    assert [conn.original.sport for conn in wall.ip.tracker.entries()] == [7]
