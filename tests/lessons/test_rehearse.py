"""What a lesson's test says where the lesson is wrong: the fields that differ, what a terminal printed, and for which learners."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.course import HERE
from lessons.model import Hint, Predict
from lessons.page import as_message
from lessons.rehearse import rehearse
from sim.errors import ScenarioError
from tests.lessons.written import lesson


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


def test_records_that_are_alike_are_shown_once_on_one_line_and_a_part_of_a_text_is_offered_with_has() -> None:
    told = said("```run laptop\nping -c 3 192.168.1.20\n```\n\n```expect\n- label: {label: RELATED, packet: {protocol: icmp}}\n```\n")
    assert "{label: NEW, packet: {protocol: icmp}}; {label: ESTABLISHED, packet: {protocol: icmp}} (5 times)" in told
    assert "expected label {label: RELATED, packet: {protocol: icmp}}, but" in told
    told = said("```run laptop\necho one two\n```\n\n```expect\n- output: {terminal: laptop, text: one two}\n```\n")
    assert "did you mean `text: has one two`?" in told and "echo one two\\n}" in told


def test_a_word_in_the_scenarios_traffic_that_is_no_command_is_told(tmp_path: Path) -> None:
    typing = "traffic:\n  - {at: 50s, terminal: laptop, type: pnig server}\n"
    whole = (HERE / "scenarios" / "laptop-and-server.yaml").read_text(encoding="utf-8") + typing
    (tmp_path / "laptop-and-server.yaml").write_text(whole, encoding="utf-8")
    made = lesson("```run laptop wait=60s\nnosuchcommand\n```\n", tmp_path / "lesson.md")
    told = [str(mistake) for one in rehearse(made) for mistake in one.mistakes]
    assert "the scenario types `pnig server` at laptop" in told[-1]
    assert sum("the scenario types" in one for one in told) == 1, "what the lesson types is its own affair"


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
