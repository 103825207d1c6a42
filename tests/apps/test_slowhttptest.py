"""slowhttptest: connections that stand, and a server that others still reach, or do not."""

from __future__ import annotations

import pytest

from sim.units import SECOND
from tests.apps.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab(http={})


def test_connections_stand_and_their_requests_never_end(lab: Lab) -> None:
    printed = lab.type("slowhttptest -c 20 -r 10 -l 12 -u http://server/", 13 * SECOND)
    assert "connected:           20\n" in printed and "service available:   YES\n" in printed
    assert "Exit status: Hit test time limit\n" in printed
    assert lab.labels().count("l half a request") == 20
    assert lab.labels().count("s HTTP 200") == 3  # the probes


def test_a_server_that_takes_nobody_is_not_available(lab: Lab) -> None:
    lab.root("iptables -A INPUT -p tcp --syn -j DROP")
    printed = lab.type("slowhttptest -c 5 -l 12 -u http://server/", 13 * SECOND)
    assert "pending:             5\n" in printed and "service available:   NO\n" in printed


def test_control_c_ends_it_and_its_connections(lab: Lab) -> None:
    lab.type("slowhttptest -c 3 -u http://server/")
    assert "Cancelled by user" in lab.key("^C")
    assert lab.root("ss -tn state established").count("192.168.1.10") == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("slowhttptest -c 5", "slowhttptest: -u wants the URL of a page: http://HOST[:PORT]/\n"),
        ("slowhttptest -c x -u http://server/", "slowhttptest: -c takes a number from 1 to 2000, not 'x'\n"),
        ("slowhttptest -X -u http://server/", "slowhttptest: -X: right, but not simulated here\n"),
        ("slowhttptest -u http://nosuch/", "slowhttptest: nosuch: Temporary failure in name resolution\n"),
    ],
)
def test_a_wrong_line_says_so(lab: Lab, line: str, said: str) -> None:
    assert lab.type(line, 30 * SECOND) == said
