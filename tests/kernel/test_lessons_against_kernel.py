"""Each lesson beside this machine's own kernel, rules from files and NAT included: what the learner sees is what Linux says.

The comparison is `ctlab lesson test --kernel` (lessons/against_kernel.py): labels, drops, entries, what leaves, what the real tools list.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lessons.against_kernel import Comparison, compare_lesson, compare_run
from lessons.course import read_course
from lessons.load import load_lesson
from lessons.model import Lesson
from sim.scenario import Scenario

COURSE = read_course()
LESSONS = COURSE.lessons
JUDGED = [(lesson, seed) for lesson in (*COURSE.drills, *COURSE.challenges) for seed in ((4243,) if lesson.varies else (0,))]
CLASH = """\
title: Two machines behind one address choose the same port
firewall: router
machines:
  one: {interfaces: {eth0: 192.168.1.10/24}, routes: {default: 192.168.1.1}}
  two: {interfaces: {eth0: 192.168.2.10/24}, routes: {default: 192.168.2.1}}
  router:
    kind: firewall
    interfaces: {a: 192.168.1.1/24, b: 192.168.2.1/24, wan: 203.0.113.7/24}
    rules: {iptables: "*nat\\n-A POSTROUTING -o wan -j MASQUERADE\\nCOMMIT\\n"}
    sysctls: {net.netfilter.nf_conntrack_udp_timeout: 7}
  server: {interfaces: {eth0: 203.0.113.99/24}, services: [sink]}
links:
  - {between: [one.eth0, router.a]}
  - {between: [two.eth0, router.b]}
  - {between: [router.wan, server.eth0]}
traffic:
  - {at: 1s, machine: one, packet: "tcp 192.168.1.10:5000 > 203.0.113.99:9 S seq 1"}
  - {at: 2s, machine: two, packet: "tcp 192.168.2.10:5000 > 203.0.113.99:9 S seq 1"}
  - {at: 3s, machine: two, packet: "udp 192.168.2.10:5000 > 203.0.113.99:9 data closed"}
"""


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_what_a_lesson_shows_is_what_the_kernel_does(lesson: Lesson) -> None:
    """And what its what-ifs show in iptables; `ctlab lesson test --kernel` compares those in nft, too."""
    told = list(compare_lesson(lesson, futures=["iptables"]))
    assert [difference for one in told for difference in one.differences] == []
    assert sum(one.labels for one in told) > 5


@pytest.mark.parametrize(("judged", "seed"), JUDGED, ids=[f"{lesson.id} {seed}" for lesson, seed in JUDGED])
def test_what_a_drill_or_a_challenge_shows_is_what_the_kernel_does(judged: Lesson, seed: int) -> None:
    """On the first way that reaches its end; `ctlab lesson test --kernel` goes all of them."""
    lesson = load_lesson(Path(judged.file), seed)
    way = next(way for way in lesson.ways() if way.reached)
    told = list(compare_lesson(replace(lesson, languages=lesson.languages[seed % 2 :][:1]), [way]))
    assert [difference for one in told for difference in one.differences] == []
    assert sum(one.labels for one in told) > 5


def compared(text: str) -> Comparison:
    return next(one for one in compare_run("clash", Scenario.from_text(text), ()) if one.machine == "router")


def test_ports_drawn_by_chance_and_sysctls_of_the_scenario_do_not_disturb_the_comparison() -> None:
    one = compared(CLASH)
    assert one.differences == () and (one.machine, one.packets, one.labels) == ("router", 8, 8)


def test_a_firewall_is_compared_anew_from_each_boot_on_and_what_stood_in_memory_before_is_in_neither() -> None:
    power = "  - {at: 2500ms, machine: router, power: reset}\n"
    later = '  - {at: 40s, machine: one, packet: "tcp 192.168.1.10:5000 > 203.0.113.99:9 . seq 2 ack 1"}\n'
    told = list(compare_run("clash", Scenario.from_text(CLASH + power + later), (), 60_000_000))
    assert [one.name for one in told if one.machine == "router"] == ["clash", "clash, after a boot"]
    assert [one.differences for one in told] == [()] * len(told)
    assert told[-1].labels >= 1 and told[0].packets > told[-1].packets


WRITTEN_BY_HAND = """\
title: Entries that a person makes and changes
firewall: server
machines:
  laptop: {interfaces: {eth0: 192.168.1.10/24}}
  server:
    interfaces: {eth0: 192.168.1.20/24}
    rules: {iptables: "*filter\\n-A INPUT -m connmark --mark 1 -j DROP\\n-A INPUT -m conntrack --ctstate INVALID -j DROP\\nCOMMIT\\n"}
links: [{between: [laptop.eth0, server.eth0]}]
terminals: [{id: root, machine: server, user: root}]
traffic:
  - at: 1s
    terminal: root
    type: conntrack -I -p udp -s 192.168.1.10 -d 192.168.1.20 --sport 6000 --dport 9 -t 60 -u SEEN_REPLY
  - {at: 2s, machine: laptop, packet: "udp 192.168.1.10:6000 > 192.168.1.20:9 data one"}
  - {at: 3s, terminal: root, type: conntrack -U -p udp -s 192.168.1.10 --mark 1}
  - {at: 3500ms, terminal: root, type: conntrack -F expect}
  - {at: 4s, machine: laptop, packet: "udp 192.168.1.10:6000 > 192.168.1.20:9 data two"}
"""


def test_what_is_typed_at_the_conntrack_tool_is_typed_at_the_kernels_too() -> None:
    scenario = Scenario.from_text(WRITTEN_BY_HAND)
    (told,) = compare_run("by hand", scenario, ())
    assert told.differences == () and told.labels == 3, "a packet, the error that answers it, and one that the mark stops"
    lies = WRITTEN_BY_HAND.replace("--mark 1}", "--mark 2}")
    (other,) = compare_run("by hand", Scenario.from_text(lies), ())
    assert other.differences == () and other.packets > told.packets, "what is not dropped is answered"


def test_a_trace_that_lies_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.against_kernel._labels", lambda *_: [(1, ("INVALID", None))])
    monkeypatch.setattr("lessons.against_kernel._drops", lambda *_: {2})
    found = compared(CLASH).differences
    assert found[0] == "packet 1: the trace shows INVALID, the kernel says NEW original"
    assert "the trace shows 1 labels, the kernel gave 8" in found
    assert "packet 2: dropped in the trace, let through by the kernel" in found


SLOWED = """\
title: A limit that refills while nothing comes
firewall: server
machines:
  laptop: {interfaces: {eth0: 192.168.1.10/24}}
  server:
    interfaces: {eth0: 192.168.1.20/24}
    conntrack: always
    rules: {iptables: "*filter\\n-A INPUT -m limit --limit 1/second --limit-burst 1 -j ACCEPT\\n-A INPUT -j DROP\\nCOMMIT\\n"}
links: [{between: [laptop.eth0, server.eth0]}]
traffic:
  - {at: 1s, machine: laptop, packet: "tcp 192.168.1.10:6000 > 192.168.1.20:9 S seq 1"}
  - {at: 1100ms, machine: laptop, packet: "tcp 192.168.1.10:6001 > 192.168.1.20:9 S seq 1"}
  - {at: 4s, machine: laptop, packet: "tcp 192.168.1.10:6002 > 192.168.1.20:9 S seq 1"}
"""


def test_where_a_limit_has_refilled_in_a_pause_the_kernel_is_given_the_pause() -> None:
    said: list[str] = []
    (told,) = compare_run("slowed", Scenario.from_text(SLOWED), (), say=said.append)
    assert (told.differences, told.left_out) == ((), "") and told.labels >= 3
    assert said == ["slowed: server: its rules count in real time: once more, with 4 s of real pauses ..."]


def test_what_comes_after_a_pause_too_long_to_wait_for_is_left_out_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.real_time.LONGEST", 2_000_000)
    (told,) = compare_run("slowed", Scenario.from_text(SLOWED), ())
    assert told.differences == () and told.left_out.endswith(" after 4s not compared: `limit` counts in real time")
    assert told.packets >= 2
