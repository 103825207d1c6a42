"""The IP layer alone, without a clock of its own: what it forwards, delivers, drops, answers, and what conntrack calls that."""

from __future__ import annotations

from typing import Any

import pytest

from sim import wire
from sim.craft import craft
from sim.machine.describe import about, headers
from sim.machine.errors import SocketError
from sim.machine.ip import IpLayer
from sim.machine.routes import Kind, Route
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.iptables import tool
from sim.trace import Dropped, Event, HookEntered, Labelled, Routed
from sim.units import parse_address, parse_interface


class Router:
    """lan 192.168.1.1/24, wan 203.0.113.2/24 with a default route; what left it, what it kept, what it said."""

    def __init__(self, *, forward: bool = True, told: bool = True) -> None:
        self.now = 0
        self.out: list[tuple[str, Packet]] = []
        self.kept: list[Packet] = []
        self.events: list[Event] = []
        heard = self.events.append if told else None
        self.ip = IpLayer("router", lambda: self.now, lambda dev, via, packet: self.out.append((dev, packet)), self.keep, heard)
        self.ip.add_interface("lo", ["127.0.0.1/8", "::1/128"])
        self.ip.add_interface("lan", ["192.168.1.1/24", "fd00:1::1/64"])
        self.ip.add_interface("wan", ["203.0.113.2/24", "fd00:2::1/64"], mtu=1400)
        self.ip.routes.add(Route.through("default", "203.0.113.1"))
        self.ip.forward(forward)

    def keep(self, skb: Skb) -> None:
        self.kept.append(skb.packet)

    def take(self, text: str, dev: str = "lan") -> list[tuple[str, str]]:
        """Let a packet in; gives (device, name) of what left because of it."""
        self.out.clear()
        self.ip.receive(craft(text), dev, 1)
        return [(dev, about(packet)) for dev, packet in self.out]

    def last(self) -> dict[str, Any]:
        return dict(headers(self.out[-1][1]))

    def why(self) -> tuple[str, str]:
        event = [event for event in self.events if isinstance(event, Dropped)][-1]
        return event.where, event.reason.code

    def hooks(self) -> list[str]:
        return [event.hook for event in self.events if isinstance(event, HookEntered)]

    def labels(self) -> list[tuple[str, str]]:
        return [(event.hook, event.label) for event in self.events if isinstance(event, Labelled)]

    def rule(self, text: str) -> None:
        result = tool.run(text.split(), self.ip.rules)
        assert not result.status, result.err


UDP = "udp 192.168.1.10:1000 > 8.8.8.8:53"


def test_a_packet_for_somebody_else_goes_through_three_hooks_and_loses_one_hop() -> None:
    router = Router()
    assert router.take(f"{UDP} ttl 9") == [("wan", "DNS query")] or router.out[0][0] == "wan"
    assert router.hooks() == ["PREROUTING", "FORWARD", "POSTROUTING"]
    assert router.last()["ttl"] == 8
    assert wire.checksum(router.out[0][1].data[:20]) == 0
    assert [event.decision for event in router.events if isinstance(event, Routed)] == ["forward"]


def test_a_packet_for_the_machine_itself_goes_through_two_hooks_and_stays() -> None:
    router = Router()
    assert router.take("udp 192.168.1.10:1000 > 203.0.113.2:53") == []
    assert router.hooks() == ["PREROUTING", "INPUT"] and len(router.kept) == 1


@pytest.mark.parametrize("ttl", [0, 1])
def test_a_packet_whose_ttl_runs_out_is_answered_before_forward(ttl: int) -> None:
    router = Router()
    assert router.take(f"{UDP} ttl {ttl}") == [("lan", "time exceeded")]
    assert router.last()["src"] == "192.168.1.1" and router.last()["inner"]["dport"] == 53
    assert "FORWARD" not in router.hooks() and router.why() == ("ip", "ttl")


def test_what_is_too_large_and_must_not_be_cut_is_answered_with_the_mtu() -> None:
    router = Router()
    assert router.take(f"{UDP} len 1450") == [("lan", "fragmentation needed")]
    assert router.last()["mtu"] == 1400 and router.why() == ("ip", "mtu")
    assert router.take("udp [fd00:1::9]:1 > [fd00:2::9]:2 len 1450") == [("lan", "packet too big")]
    assert router.last()["mtu"] == 1400


def test_what_may_be_cut_is_cut_and_the_pieces_make_the_whole_again() -> None:
    router, far = Router(), Router()
    whole = wire.ipv4(parse_address("192.168.1.10"), parse_address("203.0.113.9"), 17, bytes(range(250)) * 8, dont_fragment=False, ident=7)
    router.ip.receive(whole, "lan", 1)
    pieces = [packet for _, packet in router.out]
    assert [len(piece.data) for piece in pieces] == [1396, 644] and [piece.more for piece in pieces] == [True, False]
    far.ip.interfaces["wan"].addresses.append(parse_interface("203.0.113.9/24"))
    far.ip.addresses_changed()
    for piece in reversed(pieces):
        far.ip.receive(piece.data, "wan", piece.id)
    assert [packet.data[20:] for packet in far.kept] == [whole[20:]]


def test_a_host_that_does_not_forward_keeps_silent() -> None:
    host = Router(forward=False)
    assert host.take(UDP) == [] and host.why() == ("routing", "not-forwarding")


def test_a_router_without_a_way_says_so() -> None:
    router = Router()
    router.ip.routes.delete(bytes(4), 0)
    assert router.take(UDP) == [("lan", "net unreachable")]
    assert router.take("udp [fd00:1::9]:1 > [fd00:9::9]:2") == [("lan", "no route")]
    with pytest.raises(SocketError, match="Network is unreachable"):
        router.ip.route_to(parse_address("8.8.8.8"))


@pytest.mark.parametrize(
    ("kind", "answer", "error"),
    [
        (Kind.UNREACHABLE, [("lan", "host unreachable")], "No route to host"),
        (Kind.PROHIBIT, [("lan", "admin prohibited")], "Permission denied"),
        (Kind.BLACKHOLE, [], "Invalid argument"),
    ],
)
def test_routes_that_refuse_answer_in_their_own_way(kind: Kind, answer: list[tuple[str, str]], error: str) -> None:
    router = Router()
    router.ip.routes.add(Route(parse_address("8.8.8.0"), 24, "", kind=kind))
    assert router.take(UDP) == answer
    with pytest.raises(SocketError, match=error):
        router.ip.route_to(parse_address("8.8.8.8"))


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ("udp 127.0.0.1:1 > 8.8.8.8:2", "martian"),
        ("udp 192.168.1.1:1 > 8.8.8.8:2", "martian"),
        ("udp 224.0.0.5:1 > 8.8.8.8:2", "martian"),
        ("udp 192.168.1.10:1 > 127.0.0.1:2", "martian"),
        ("udp 192.168.1.10:1 > 224.0.0.5:2", "multicast"),
    ],
)
def test_addresses_that_no_wire_brings_are_dropped_behind_prerouting(packet: str, code: str) -> None:
    router = Router()
    assert router.take(packet) == [] and router.kept == []
    assert router.why() == ("routing", code) and router.hooks() == ["PREROUTING"]


def test_bytes_that_are_no_packet_are_dropped_ahead_of_all_hooks() -> None:
    router = Router()
    data = bytearray(craft(UDP))
    data[10] ^= 1
    router.ip.receive(bytes(data), "lan", 1)
    assert router.why() == ("ip", "checksum") and router.hooks() == []


def test_the_broadcast_of_a_network_is_delivered_and_never_answered_with_an_error() -> None:
    router = Router()
    router.rule("iptables -A INPUT -p udp --dport 9 -j REJECT")
    assert router.take("udp 192.168.1.10:1 > 192.168.1.255:8") == [] and len(router.kept) == 1
    assert router.take("udp 192.168.1.10:1 > 192.168.1.255:9") == []


def test_rp_filter_drops_what_came_from_where_the_way_back_does_not_lead() -> None:
    router = Router()
    assert router.take("udp 192.168.1.10:1 > 8.8.8.8:2", dev="wan") != []
    router.ip.sysctls.set("net.ipv4.conf.wan.rp_filter", "1")
    assert router.take("udp 192.168.1.10:1 > 8.8.8.8:2", dev="wan") == [] and router.why() == ("routing", "rp_filter")
    router.ip.sysctls.set("net.ipv4.conf.wan.rp_filter", "2")
    assert router.take("udp 192.168.1.10:1 > 8.8.8.8:2", dev="wan") != []


def test_errors_to_one_address_come_six_at_once_and_then_one_a_second() -> None:
    router = Router()
    answers = [len(router.take(f"{UDP} ttl 1")) for _ in range(8)]
    assert answers == [1, 1, 1, 1, 1, 1, 0, 0]
    router.now += 1_000_000
    assert [len(router.take(f"{UDP} ttl 1")) for _ in range(2)] == [1, 0]
    assert router.take("udp 192.168.1.11:1 > 8.8.8.8:2 ttl 1") != []


def test_a_sender_without_a_way_is_told_twice_at_once_and_then_every_other_second() -> None:
    router = Router()
    router.ip.routes.delete(bytes(4), 0)
    assert [len(router.take(UDP)) for _ in range(4)] == [1, 1, 0, 0]
    router.now += 2_000_000
    assert [len(router.take(UDP)) for _ in range(2)] == [1, 0]


def test_what_reject_sends_is_related_although_the_packet_it_answers_never_got_an_entry() -> None:
    router = Router()
    router.rule("iptables -A INPUT -m conntrack --ctstate NEW -p udp -j REJECT")
    assert router.take("udp 192.168.1.10:1000 > 192.168.1.1:53") == [("lan", "port unreachable")]
    assert router.labels() == [("PREROUTING", "NEW"), ("OUTPUT", "RELATED")]
    assert list(router.ip.tracker.entries()) == []
    router.rule("iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset")
    assert router.take("tcp 192.168.1.10:1000 > 192.168.1.1:22 S") == [("lan", "RST")]
    assert router.labels()[-1] == ("OUTPUT", "RELATED")


def test_an_error_of_the_machine_itself_is_related_to_what_it_is_about() -> None:
    router = Router()
    router.ip.track_always = True
    router.ip.arrange_conntrack()
    router.take(f"{UDP} ttl 1")
    assert router.labels() == [("PREROUTING", "NEW"), ("OUTPUT", "RELATED")]


def test_a_packet_to_oneself_goes_round_by_lo_and_conntrack_sees_it_once() -> None:
    router = Router()
    router.ip.track_always = True
    router.ip.arrange_conntrack()
    router.ip.send(craft("udp 192.168.1.1:1000 > 192.168.1.1:53"))
    assert router.hooks() == ["OUTPUT", "POSTROUTING", "PREROUTING", "INPUT"]
    assert router.labels() == [("OUTPUT", "NEW")] and len(router.kept) == 1 and router.out == []


def test_conntrack_stands_in_the_hooks_of_a_family_only_while_a_rule_of_it_needs_it() -> None:
    router = Router()
    router.take(UDP)
    assert router.labels() == []
    router.rule("iptables -A FORWARD -m conntrack --ctstate NEW -j ACCEPT")
    router.take(UDP)
    router.take("udp [fd00:1::9]:1 > [fd00:2::9]:2")
    assert router.labels() == [("PREROUTING", "NEW")]
    router.rule("iptables -F FORWARD")
    router.take(UDP)
    assert len(router.labels()) == 1 and len(list(router.ip.tracker.entries())) == 1


def test_without_anybody_listening_the_same_packets_leave() -> None:
    told, quiet = Router(), Router(told=False)
    for text in (UDP, f"{UDP} ttl 1", f"{UDP} len 1450", "tcp 192.168.1.10:5 > 192.168.1.1:22 S"):
        told.take(text)
        quiet.take(text)
        assert [packet.data for _, packet in told.out] == [packet.data for _, packet in quiet.out]


def test_a_rule_that_drops_what_the_machine_sends_is_told_to_the_sender() -> None:
    router = Router()
    router.rule("iptables -A OUTPUT -p udp -j DROP")
    assert router.ip.send(craft("udp 192.168.1.1:1 > 192.168.1.10:2")) is False and router.out == []
