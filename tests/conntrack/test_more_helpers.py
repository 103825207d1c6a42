"""Helpers for PPTP, Amanda, SANE and questions to everybody: what they expect, without a kernel to compare with."""

from __future__ import annotations

import pytest

from sim.conntrack.expect import PERMANENT, Expectation
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.netfilter.nat.helpers.snmp import NotSnmp, addresses
from sim.packet import Tuple
from sim.units import SECOND, parse_address, show_address
from tests.conntrack.talk import datagram
from tests.kernel import helped_more as said
from tests.kernel.helped import CLIENT, SERVER

DEVICES = {"lan": ["192.168.1.1/24", "192.168.7.1/24"], "wan": ["203.0.113.1/24"]}


def fed(packets: said.Fed) -> Wall:
    """A firewall that has seen these packets."""
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, said.FOUR, "rules")
    for number, (dev, data) in enumerate(packets, 1):
        if dev is None:
            wall.send(data, number)
        else:
            wall.receive(data, dev, number)
    return wall


def expected(wall: Wall) -> list[str]:
    """What is expected, in short."""
    found = ((one.tuple, one.mask_port) for one in wall.ip.tracker.expectations.entries())
    return [f"{one.protonum} {show_address(one.src)}/{mask and one.sport} {show_address(one.dst)} {one.dport}" for one, mask in found]


def test_a_pptp_call_makes_both_directions_of_its_tunnel_expected() -> None:
    wall = fed(said.pptp(said.OUTGOING))
    assert expected(wall) == [f"47 {SERVER}/{said.PAC} {CLIENT} {said.PNS}", f"47 {CLIENT}/{said.PNS} {SERVER} {said.PAC}"]


def test_the_tunnel_is_related_to_its_call_and_its_other_direction_is_not_expected_any_more() -> None:
    wall = fed([*said.pptp(said.OUTGOING), said.there()])
    tunnel = next(conn for conn in wall.ip.tracker.entries() if conn.original.protonum == 47)
    assert tunnel.master is not None and (tunnel.original.sport, tunnel.original.dport) == (said.PNS, said.PAC)
    assert expected(wall) == []


def test_the_tunnel_ends_with_its_call() -> None:
    wall = fed([*said.pptp(said.OUTGOING), said.there()])
    (call,) = (conn for conn in wall.ip.tracker.entries() if conn.original.protonum == 6)
    wall.ip.tracker.delete(call, wall.now)
    assert list(wall.ip.tracker.entries()) == [] and not wall.ip.tracker.keymaps


def test_a_question_to_everybody_may_be_answered_by_the_whole_network_for_three_seconds() -> None:
    wall = fed([(None, datagram(f"{said.OWN} 5000", f"{said.EVERYBODY} 137"))])
    (one,) = wall.ip.tracker.expectations.entries()
    assert one.flags == PERMANENT and one.expires == 3 * SECOND
    assert [one.matches((parse_address(src), one.tuple.dst, 137, 5000, 17)) for src in ("192.168.7.200", "192.168.8.1")] == [True, False]


def test_amanda_s_four_streams_are_expected_at_once() -> None:
    wall = fed(said.amanda(said.ASK, (1, b"CONNECT DATA 1 MESG 2 INDEX 3 STATE 4\n")))
    assert sorted(line.split()[-1] for line in expected(wall)) == ["1", "2", "3", "4"]


def test_a_scanner_s_answer_names_the_port_of_its_picture() -> None:
    assert expected(fed(said.sane((0, said.SCAN), (1, said.READY)))) == [f"6 {CLIENT}/0 {SERVER} 4000"]


@pytest.mark.parametrize(
    ("mask", "other", "clash"),
    [
        ("255.255.255.0", "10.0.0.9", True), ("255.255.255.0", "10.0.1.9", False), ("0.0.0.0", "10.9.9.9", True),
        ("255.255.255.255", "10.0.0.9", False),
    ],
)  # fmt: skip
def test_expectations_clash_where_one_packet_could_meet_both(mask: str, other: str, clash: bool) -> None:
    (master,) = (conn for conn in fed(said.sane()).ip.tracker.entries())
    here = parse_address("10.1.1.1")
    one = Expectation(master, Tuple(parse_address("10.0.0.1"), here, 0, 80, 6), mask=parse_address(mask))
    another = Expectation(master, Tuple(parse_address(other), here, 0, 80, 6))
    assert (one.clashes(another), another.clashes(one)) == (clash, clash)


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x7f", b"\x30\x03\x02\x01\x05", bytes(range(64))])
def test_what_is_no_snmp_message_is_told_from_one(data: bytes) -> None:
    with pytest.raises(NotSnmp):
        addresses(data)
