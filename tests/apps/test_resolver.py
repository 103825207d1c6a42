"""Names that only the DNS server knows: what programs ask it, how long they wait for it, and what they say when it does not help."""

from __future__ import annotations

import pytest

from sim.trace import PacketSent
from sim.units import SECOND
from tests.apps.lab import Lab

ZONE = {
    "www.example.test": "192.168.1.20", "al.test": {"CNAME": "www.example.test"}, "six.test": "fd00::20",
    "mail.test": {"MX": "5 www.example.test"},
}  # fmt: skip


@pytest.fixture
def lab() -> Lab:
    return Lab(http={"pages": {"/": "hello\n"}}, dns={"zone": ZONE})


def questions(lab: Lab) -> list[str]:
    return [r.event.about for r in lab.trace if isinstance(r.event, PacketSent) and r.machine == "laptop" and r.event.about]


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("curl http://www.example.test/", "hello\n"),
        ("curl http://al.test/", "hello\n"),
        ("curl -6 http://six.test/", "hello\n"),
        ("curl -4 http://six.test/", "curl: (6) Could not resolve host: six.test\n"),
        ("ping -c1 mail.test", "ping: mail.test: No address associated with hostname\n"),
        ("ping -c1 nosuch.test", "ping: nosuch.test: Name or service not known\n"),
        ("ping -4 -c1 fd00::20", "ping: fd00::20: Address family for hostname not supported\n"),
        ("nc -zv www.example.test 80", "Connection to www.example.test (192.168.1.20) 80 port [tcp/http] succeeded!\n"),
        ("ssh a..b", "ssh: Could not resolve hostname a..b: Name or service not known\n"),
        ("dig AAAA six.test +short", "fd00::20\n"),
    ],
)
def test_a_name_is_asked_of_the_dns_server(lab: Lab, line: str, printed: str) -> None:
    assert lab.type(line) == printed


def test_a_dns_server_that_does_not_answer_is_asked_twice_and_given_up_after_ten_seconds(lab: Lab) -> None:
    lab.type("iptables -A INPUT -p udp -j DROP", terminal="server")
    begun = lab.now
    assert lab.type("ping -c1 www.example.test", wait=9 * SECOND) == ""
    assert lab.type("", wait=2 * SECOND).startswith("ping: www.example.test: Temporary failure in name resolution\n")
    asked = [text for text in questions(lab) if text.startswith("DNS")]
    assert asked == 2 * ["DNS query A www.example.test", "DNS query AAAA www.example.test"]
    assert lab.now - begun == 11 * SECOND


def test_a_closed_dns_port_is_a_temporary_failure() -> None:
    assert Lab().type("ping -c1 www.example.test") == "ping: www.example.test: Temporary failure in name resolution\n"
