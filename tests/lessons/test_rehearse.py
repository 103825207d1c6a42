"""What a lesson's test says where the lesson is wrong: the fields that differ, what a terminal printed, and for which learners."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.course import HERE
from lessons.load import read_lesson
from lessons.model import Hint, Lesson, Predict
from lessons.page import as_message
from lessons.rehearse import rehearse
from sim.errors import ScenarioError

FILE = HERE / "00-example" / "lesson.md"
HEAD = """\
---
title: An example
part: Examples
summary: One line.
minutes: 5
scenario: laptop-and-server
---
# First

"""


def lesson(body: str, file: Path = FILE) -> Lesson:
    return read_lesson(HEAD + body, file)


def said(body: str) -> str:
    """All that rehearsing says, in every language."""
    return "\n".join(str(mistake) for one in rehearse(lesson(body)) for mistake in one.mistakes)


def test_where_no_record_fits_the_fields_asked_for_are_shown_with_those_of_the_packet() -> None:
    told = said("```run laptop\nping -c 1 192.168.1.20\n```\n\n```expect\n- label: {label: NEW, packet: {protocol: icmp, type: 0}}\n```\n")
    assert "{label: NEW, packet: {protocol: icmp, type: 8}}" in told


def test_an_unmet_goal_says_what_stands_instead() -> None:
    told = said("```goal shut\ntext: Shut\nchecks:\n  - policy: {machine: server, table: filter, chain: INPUT, is: DROP}\n```\n")
    assert "is not met at the end" in told and "but at the end there stood" in told


def test_what_was_no_command_is_told_ahead_of_what_followed_from_it() -> None:
    told = said("```run laptop\npnig 192.168.1.20\n```\n\n```output laptop\n1 packets transmitted\n```\n")
    assert told.index("pnig: command not found") < told.index("did not print this line")


def test_a_line_that_differs_in_white_space_alone_is_shown_with_it() -> None:
    body = "```run laptop\necho '  a   b'\n```\n\n```output laptop\na b\n```\n"
    assert "did not print this line: 'a b'\nit printed: '  a   b'" in said(body)


IN_NFT = (
    "```run laptop lang=iptables\nls\n```\n\n"
    "```whatif other before=ls lang=nft\nWhat then?\n> laptop: id\n- [x] This\n  So.\n- [ ] That\n  No.\n```\n"
)


def test_a_what_if_of_one_language_is_for_its_learners_alone() -> None:
    made = lesson("```run laptop\nls\n```\n\n" + IN_NFT + "\n```hint lang=nft\nThere.\n```\n")
    assert {type(block): block.language for block in made.blocks() if isinstance(block, Predict | Hint)} == {Predict: "nft", Hint: "nft"}
    assert {block["type"]: block["language"] for block in as_message(made)["steps"][0]["blocks"] if "language" in block}["predict"] == "nft"
    assert {one.language: len(one.futures) for one in rehearse(made)} == {"iptables": 0, "nft": 1}


@pytest.mark.parametrize("block", ["goal done", "judge", "way one"])
def test_what_holds_for_learners_of_both_languages_takes_no_lang(block: str) -> None:
    with pytest.raises(ScenarioError, match="has no setting 'lang'"):
        lesson(f"```{block} lang=nft\n- x\n```\n")


def test_a_solution_in_one_language_wants_its_twin_in_the_other() -> None:
    body = "```run laptop lang=iptables\nls\n```\n\n```run laptop lang=nft\nls\n```\n\n```solution laptop lang=nft\nls\n```\n"
    with pytest.raises(ScenarioError, match="no twin for learners of iptables"):
        lesson(body)
    assert lesson(body + "\n```solution laptop lang=iptables\nls\n```\n").languages == ("iptables", "nft")
