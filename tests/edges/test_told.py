"""A capture told as a trace: every packet of it, its label and its end, in order of time, as the replay says them too."""

from __future__ import annotations

import pytest

from sim.craft import craft
from sim.edges.capture import Frame
from sim.edges.replay import Outcome, Replay, load_rules
from sim.edges.replay.told import MOST_PACKETS, tell
from sim.errors import LanguageError, UsageError
from sim.trace import Dropped, EntryExpired, Labelled, Noted, PacketArrived, PacketSent, RulesLoaded, RuleTried
from sim.units import SECOND

RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p udp --dport 53 -j ACCEPT
-A FORWARD -p tcp -j REJECT
COMMIT
"""
QUESTION = "udp 192.168.1.10:4000 > 198.51.100.7:53"
ANSWER = "udp 198.51.100.7:53 > 192.168.1.10:4000"
SYN = "tcp 192.168.1.10:4001 > 198.51.100.7:80 S"


def frames(*said: tuple[float, str]) -> list[Frame]:
    return [Frame(n, 1_700_000_000 * SECOND + round(at * SECOND), None, craft(words), "") for n, (at, words) in enumerate(said, 1)]


def test_every_packet_has_its_label_its_rules_and_its_end_at_the_captures_time_and_a_millisecond() -> None:
    capture = frames((0, QUESTION), (0.02, ANSWER), (0.5, SYN))
    told = tell(capture, [("rules.v4", RULES)], {"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]})
    assert [record.n for record in told.records] == list(range(len(told.records)))
    assert [record.time for record in told.records] == sorted(record.time for record in told.records)
    labels = [(r.time, r.event.packet, r.event.label) for r in told.records if isinstance(r.event, Labelled) and r.event.packet <= 3]
    assert labels == [(1000, 1, "NEW"), (21_000, 2, "ESTABLISHED"), (501_000, 3, "NEW")]
    sent = [(record.machine, record.event.to) for record in told.records if isinstance(record.event, PacketSent)]
    lan, wall, wan = "behind-lan", "firewall", "behind-wan"
    assert sent == [(lan, wall), (wall, wan), (wan, wall), (wall, lan), (lan, wall), (wall, lan)]  # the last: REJECT's answer
    assert sum(isinstance(record.event, PacketArrived) for record in told.records) == len(sent)
    tried = [record.event for record in told.records if isinstance(record.event, RuleTried) and record.event.packet == 3]
    assert [(rule.number, rule.matched) for rule in tried] == [(1, False), (2, False), (3, True)]
    assert [record.event.packet for record in told.records if isinstance(record.event, Dropped)] == [3]
    assert any(isinstance(record.event, RulesLoaded) for record in told.records)


def test_it_says_the_same_as_the_replay() -> None:
    capture = frames((0, ANSWER), (1, QUESTION), (2, ANSWER), (3, SYN), (40, QUESTION))
    replay = Replay({})
    load_rules(replay.wall.ip.rules, RULES, "rules.v4")
    outcomes = {done.number: done.label for done in replay.run(capture) if isinstance(done, Outcome)}
    told = tell(capture, [("rules.v4", RULES)])
    assert {r.event.packet: r.event.label for r in told.records if isinstance(r.event, Labelled) and r.event.packet <= 5} == outcomes
    assert [record.time for record in told.records if isinstance(record.event, EntryExpired)] == [32_001_000]


def test_what_does_not_go_through_the_firewall_is_said() -> None:
    broken = craft(QUESTION)[:10] + b"\0\0" + craft(QUESTION)[12:]
    capture = [Frame(1, 5, None, broken, ""), Frame(2, 6, None, None, "not IP: ARP"), Frame(3, 7, None, craft(QUESTION), "")]
    told = tell(capture)
    assert told.skipped == {"not IP: ARP": 1}
    assert next(record.event.text for record in told.records if isinstance(record.event, Noted)).endswith("1 × not IP: ARP")
    assert [record.event.packet for record in told.records if isinstance(record.event, Dropped)] == [1]


def test_the_firewall_has_the_addresses_and_devices_that_are_said() -> None:
    told = tell(frames((0, QUESTION)), addresses={"eth1": ["192.168.1.1/24"], "ppp0": ["203.0.113.2/24"], "dmz": ["10.0.0.1/24"]})
    assert list(told.scenario.machines) == ["firewall", "behind-eth1", "behind-ppp0", "behind-dmz"]
    assert next((r.machine, r.event.dev) for r in told.records if isinstance(r.event, PacketArrived)) == ("firewall", "eth1")


def test_too_much_nothing_and_wrong_rules_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 2000 packets"):
        tell(frames(*[(0, QUESTION)]) * (MOST_PACKETS + 1))
    with pytest.raises(UsageError, match="no IP packet"):
        tell([Frame(1, 0, None, None, "not IP: ARP")])
    with pytest.raises(LanguageError, match=r"rules\.v4:1"):
        tell(frames((0, QUESTION)), [("rules.v4", "*filtre\nCOMMIT\n")])
