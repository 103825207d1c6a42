"""UDP and ICMP between two simulated machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sim.machine.errors import SocketError
from sim.machine.icmp import Echo
from sim.ruleset.iptables import tool
from sim.trace import PacketSent, SocketChanged
from sim.units import parse_address
from tests.machine.lab import LEFT, RIGHT, SECOND, Lab

Steps = Iterator[Any]


def test_a_datagram_is_answered_to_where_it_came_from() -> None:
    lab = Lab()
    heard: list[bytes] = []

    def serve() -> Steps:
        sock = lab.right.udp.open(53, program="dns")
        data, src, sport = yield sock.recv()
        assert (data, src) == (b"question", LEFT)
        sock.send(b"answer", src, sport)

    def ask() -> Steps:
        sock = lab.left.udp.open()
        sock.send(b"question", RIGHT, 53)
        heard.append((yield sock.recv())[0])
        sock.close()

    lab.run(serve(), ask())
    assert heard == [b"answer"] and lab.env.now == 10_000
    assert [event.state for _, event in lab.events(SocketChanged, "left")] == ["UNCONN", "CLOSED"]


@pytest.mark.parametrize(("remote", "refused"), [((RIGHT, 9), ["ECONNREFUSED"]), (None, [])])
def test_a_connected_socket_hears_that_nobody_listens_and_another_does_not(remote: Any, refused: list[str]) -> None:
    lab = Lab()
    errors: list[str] = []

    def ask() -> Steps:
        sock = lab.left.udp.open(remote=remote)
        sock.send(b"?", RIGHT, 9)
        try:
            yield sock.recv() | lab.left.env.timeout(SECOND)
        except SocketError as error:
            errors.append(error.code)

    lab.run(ask())
    assert errors == refused and lab.sent("right") == ["port unreachable"] and lab.drops("right") == ["no-socket"]


def test_a_large_datagram_travels_in_pieces() -> None:
    for there in (RIGHT, parse_address("fd00::20")):
        lab = Lab()
        heard: list[bytes] = []

        def serve(lab: Lab = lab, heard: list[bytes] = heard) -> Steps:
            heard.append((yield lab.right.udp.open(7).recv())[0])

        def send(lab: Lab = lab, there: bytes = there) -> Steps:
            lab.left.udp.open().send(b"x" * 4000, there, 7)
            yield lab.env.timeout(0)

        lab.run(serve(), send())
        assert heard == [b"x" * 4000]
        assert [event.headers["more"] for _, event in lab.events(PacketSent)] == [True, True, False]


def test_a_port_in_use_a_source_that_is_not_ours_and_a_dropping_rule_are_errors_of_the_call() -> None:
    lab = Lab()
    sock = lab.left.udp.open(53)
    with pytest.raises(SocketError, match="Address already in use"):
        lab.left.udp.open(53)
    with pytest.raises(SocketError, match="Cannot assign requested address"):
        lab.left.udp.open(address=RIGHT)
    with pytest.raises(SocketError, match="Network is unreachable"):
        sock.send(b"", parse_address("8.8.8.8"), 1)
    tool.run("iptables -A OUTPUT -j DROP".split(), lab.left.ip.rules)
    with pytest.raises(SocketError, match="Operation not permitted"):
        sock.send(b"", RIGHT, 1)


def ping(lab: Lab, dst: bytes, found: list[Echo], **options: Any) -> Steps:
    echo = lab.left.icmp.open()
    echo.send(dst, 1, **options)
    found.append((yield echo.recv()))


@pytest.mark.parametrize(("dst", "kind"), [("192.168.1.20", 0), ("fd00::20", 129), ("127.0.0.1", 0), ("192.168.1.10", 0), ("::1", 129)])
def test_an_echo_comes_back_with_its_sequence_size_and_payload(dst: str, kind: int) -> None:
    lab, found = Lab(), list[Echo]()
    lab.run(ping(lab, parse_address(dst), found, payload_size=100))
    (echo,) = found
    assert (echo.src, echo.sequence, echo.size, echo.type, echo.ttl, echo.error) == (parse_address(dst), 1, 108, kind, 64, False)
    assert lab.sent() == ["echo request", "echo reply"]


def test_a_machine_told_to_ignore_echoes_ignores_them() -> None:
    lab, found = Lab(), list[Echo]()
    lab.right.sysctls.set("net.ipv4.icmp_echo_ignore_all", "1")
    lab.run(ping(lab, RIGHT, found))
    assert found == [] and lab.sent() == ["echo request"]


def test_a_rejected_echo_comes_back_as_an_error_about_it() -> None:
    lab, found = Lab(), list[Echo]()
    tool.run("iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited".split(), lab.right.ip.rules)
    lab.run(ping(lab, RIGHT, found))
    assert (found[0].error, found[0].type, found[0].code, found[0].sequence, found[0].src) == (True, 3, 10, 1, RIGHT)
