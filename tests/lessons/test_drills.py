"""Every way through a drill or a challenge ends as it says: good ones in every variant, bad ones caught; mistakes are located."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lessons.course import read_course
from lessons.judge import judge
from lessons.load import load_lesson, read_lesson
from lessons.model import Lesson, Run
from lessons.page import as_message
from lessons.rehearse import rehearse, rehearse_ways
from sim.errors import ScenarioError
from sim.inputs import Attempt, Line
from sim.simulation import Simulation

COURSE = read_course()
SEEDS = range(1, 21)


def test_there_are_ten_drills_and_eight_challenges_and_all_can_be_read_and_done_in_either_language() -> None:
    assert COURSE.mistakes == ()
    assert len(COURSE.drills) >= 10 and len(COURSE.challenges) >= 8
    assert all(one.languages == ("iptables", "nft") for one in (*COURSE.drills, *COURSE.challenges))
    assert all(challenge.varies for challenge in COURSE.challenges)


@pytest.mark.parametrize("drill", COURSE.drills, ids=[drill.id for drill in COURSE.drills])
def test_a_drill_has_good_ways_and_naive_ones_in_each_language_and_is_not_passed_by_doing_nothing(drill: Lesson) -> None:
    for language in drill.languages:
        spoken = {block.way for block in drill.blocks() if isinstance(block, Run) and block.language in (None, language)}
        reached = [way.reached for way in drill.ways() if way.id in spoken]
        assert reached.count(True) >= 2 and reached.count(False) >= 1
    assert not judge(drill, ()).reached


@pytest.mark.parametrize("lesson", COURSE.drills, ids=[drill.id for drill in COURSE.drills])
def test_every_way_out_of_a_drill_brings_the_score_it_says(lesson: Lesson) -> None:
    assert {way.reached for way in lesson.ways()} == {True, False}, "the naive way is there, and is shown to fail"
    assert [str(mistake) for gone in rehearse(lesson) for mistake in gone.mistakes] == []


@pytest.mark.parametrize("lesson", COURSE.challenges, ids=[one.id for one in COURSE.challenges])
def test_the_wrong_solutions_of_a_challenge_fail_and_the_right_one_passes_in_every_variant(lesson: Lesson) -> None:
    assert [str(mistake) for gone in rehearse(lesson) for mistake in gone.mistakes] == []
    seen = {lesson.scenario.model_dump_json()}
    for seed in SEEDS:
        variant = COURSE.lesson(lesson.id, seed)
        seen.add(variant.scenario.model_dump_json())
        good = [way for way in variant.ways() if way.reached]
        spoken = replace(variant, languages=(variant.languages[seed % 2],))
        assert [str(mistake) for gone in rehearse_ways(spoken, good) for mistake in gone.mistakes] == []
    assert len(seen) == len(SEEDS) + 1, "each learner has their own"


@pytest.mark.parametrize("lesson", COURSE.challenges, ids=[one.id for one in COURSE.challenges])
def test_a_challenge_is_not_passed_by_doing_nothing_and_its_answers_stay_here(lesson: Lesson) -> None:
    assert not judge(lesson, ()).reached
    message = str(as_message(lesson))
    for block in lesson.blocks():
        if getattr(block, "way", ""):
            assert block.lines[0] not in message  # type: ignore[union-attr]


def test_a_failure_shows_the_packet_that_decided_and_the_future_in_which_it_can_be_seen() -> None:
    lesson = COURSE.lesson("who-may-come")
    judged = judge(lesson, [(1_000_000, Line("server", "iptables -P INPUT DROP"))])
    failure = judged.failure
    assert failure is not None and failure.packet is not None
    assert "policy DROP" in " ".join(failure.way)
    asked = [value for _, value in failure.inputs if isinstance(value, Attempt)]
    assert len(asked) == 1, "no other test is given away"
    future = Simulation(lesson.scenario, inputs=failure.inputs)
    future.run(judged.at + 10_000_000)
    assert any(getattr(record.event, "packet", None) == failure.packet and record.event.kind == "dropped" for record in future.records)


def test_what_is_to_hold_at_the_end_can_be_said_in_a_sentence() -> None:
    file, text = GOOD
    held = "- holds: {policy: {machine: router, chain: FORWARD, is: DROP}, says: FORWARD drops by default}\n"
    asked = read_lesson(text.replace("- lives:", held + "- lives:", 1), file).asked()
    assert next(one.text for one in asked if one.kind == "holds") == "FORWARD drops by default"
    with pytest.raises(ScenarioError, match="`says` is a sentence"):
        read_lesson(text.replace("- lives:", held.replace("FORWARD drops by default", "3") + "- lives:", 1), file)


def test_every_drill_and_challenge_is_read_under_its_own_variant_alone() -> None:
    first, second = (load_lesson(Path(COURSE.lesson("quarantine").file), seed) for seed in (5, 5))
    assert first.scenario == second.scenario


GOOD = (Path(COURSE.lesson("quarantine").file), Path(COURSE.lesson("quarantine").file).read_text(encoding="utf-8"))
MISTAKES = [
    ("{{who.2}}'s machine (10", "{{woh.2}}'s machine (10", "nothing is drawn under the name 'woh.2'"),
    ("- cut: {from", "- cutt: {from", "did you mean 'cut'?"),
    ("name: sync}\n- may-not", "name: snyc}\n- may-not", "did you mean 'sync'?"),
    ("tcp: 80}\n", "tcp: 80, udp: 80}\n", "say one of tcp: PORT"),
    ("tcp: 80}\n", "tcp: 0}\n", "a port from 1 to 65535"),
    ("ping: yes", "pong: yes", "did you mean 'ping'?"),
    ("way=good lang=nft", "way=goood lang=nft", "there is no way 'goood'"),
    ("end: 30s\n", "", "a challenge has an `end:`"),
    ("kind: challenge\n", "", "`judge` is for kind: drill or challenge"),
    ("number: [10, 250]", "number: [250, 10]", "number is [least, most]"),
    ("reached: true", "reached: perhaps", "reached"),
]


@pytest.mark.parametrize(("old", "new", "words"), MISTAKES, ids=[mistake[2][:40] for mistake in MISTAKES])
def test_a_mistake_in_a_challenge_is_reported_where_it_stands(old: str, new: str, words: str) -> None:
    file, text = GOOD
    assert old in text
    with pytest.raises(ScenarioError) as caught:
        read_lesson(text.replace(old, new, 1), file)
    assert words in str(caught.value) and "lesson.md:" in str(caught.value)
