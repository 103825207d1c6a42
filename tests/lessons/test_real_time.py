"""Which pauses a comparison with the kernel really waits for."""

from __future__ import annotations

import pytest

from lessons.real_time import counting, patient
from sim.edges.verify.plan import Age, Feed, Load, Plan, Wait

FEED = Feed("eth0", b"")
LIMIT = Load(iptables="*filter\n-A INPUT -m limit --limit 6/min -j ACCEPT\nCOMMIT\n")


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        (LIMIT, "limit"),
        (Load(nft="add rule ip x y limit rate 3/minute accept"), "limit"),
        (Load(iptables="-A INPUT -m hashlimit --hashlimit-upto 3/min --hashlimit-name x -j ACCEPT"), "hashlimit"),
        (Load(iptables="-A INPUT -m recent --update --seconds 60 --name x -j DROP"), "recent"),
        (Load(iptables="-A INPUT -m recent --set --name x -j DROP"), ""),
        (Load(nft="\tset x {\n\t\ttype ipv4_addr\n\t\ttimeout 10m\n\t}"), "timeout"),
        (Load(iptables="-A INPUT -m connlimit --connlimit-above 4 -j DROP"), ""),
        (Load(nft="ct state established accept"), ""),
    ],
)
def test_rules_that_count_in_real_time_are_known_by_what_they_say(rules: Load, word: str) -> None:
    assert counting(rules) == word


def test_pauses_are_real_only_while_such_rules_are_loaded_and_ahead_of_a_packet() -> None:
    age = Age(3_000_000)
    steps = [FEED, age, LIMIT, FEED, age, FEED, Load(), age, FEED, LIMIT, age]
    assert patient(Plan(), steps).steps == (FEED, age, LIMIT, FEED, Wait(3.0), FEED, Load(), age, FEED, LIMIT, age)
    assert patient(Plan(), steps).waits == 3_000_000


def test_what_cannot_be_waited_for_ends_it_with_the_packets_that_are_left_and_why() -> None:
    real = patient(Plan(rules=LIMIT), [FEED, Age(40_000_000), FEED, Age(10_000_000), FEED, FEED])
    assert real == ((FEED, Wait(40.0), FEED), 40_000_000, 50_000_000, 2, "limit")
