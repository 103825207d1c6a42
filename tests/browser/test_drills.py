"""Drills, challenges, repeating and the summary in a real browser: judged by what was done, the failed packet shown, progress kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lessons.course import read_course
from lessons.model import Predict
from tests.browser.tab import NARROW, Page

LESSON = "four-labels"


def learner_of(page: Page) -> str:
    page.course()
    page.until("Boolean(localStorage.getItem('ctlab.learner'))")
    return str(page.tab.evaluate("localStorage.getItem('ctlab.learner')"))


def begin(page: Page, title: str) -> None:
    page.tab.get_by_role("button", name=f"Begin: {title}").click()
    page.tab.locator(".xterm-helper-textarea").wait_for(state="attached")
    page.until("window.ctlab?.length > 0")


def hand_in(page: Page) -> Any:
    page.tab.get_by_role("button", name="Hand in").click()
    found = page.tab.get_by_role("region", name="What the judge found")
    found.wait_for(timeout=60_000)
    return found


def test_a_drill_that_went_wrong_shows_its_score_the_packet_and_the_ways_out(page: Page) -> None:
    learner_of(page)
    begin(page, "Shut the door, and stay inside")
    page.until("window.ctlab.t >= 1900000")
    page.type("laptop", "sudo iptables -P INPUT DROP")
    page.lab("seekTime(40000000)")
    page.tab.get_by_text(re.compile("not reached, .* s of downtime")).first.wait_for()
    found = hand_in(page)
    assert "0 points." in found.inner_text()
    assert "laptop can reach tcp port 22" in found.inner_text()
    assert "policy DROP" in found.locator("ol").inner_text()
    page.tab.get_by_role("button", name="The ways through it").click()
    page.tab.get_by_text("The rules first, the policy last").click()
    assert page.axe() == []
    page.shoot("drill-lost")
    found.get_by_role("button", name="Go to this packet").click()
    page.until("window.ctlab.chosen !== null && window.ctlab.t > 170000000")
    page.tab.locator("svg text.by", has_text="dropped by policy of INPUT").wait_for()
    page.shoot("drill-packet")


def test_a_drill_that_went_well_brings_its_points_to_the_course_page_and_the_summary(page: Page) -> None:
    learner_of(page)
    begin(page, "Shut the door, and stay inside")
    page.until("window.ctlab.t >= 1900000")
    page.type("laptop", "sudo iptables-restore < /home/admin/good.v4")
    found = hand_in(page)
    assert "100 points. 0 s of downtime, no live connection lost." in found.inner_text()
    page.shoot("drill-won")
    page.course()
    page.tab.get_by_text("✓ 100 points.").wait_for()
    page.tab.get_by_role("link", name="Summary").click()
    page.tab.get_by_text("100 points (0 s of downtime, 0 lost)").wait_for()
    assert page.axe() == []
    page.shoot("summary")


def test_a_challenge_is_handed_in_and_its_answers_are_not_in_the_page(page: Page) -> None:
    learner_of(page)
    begin(page, "Who may come")
    page.type("server", "iptables -P INPUT DROP")
    found = hand_in(page)
    assert re.search(r"Not yet: \d+ of 10 tests passed", found.inner_text())
    assert page.axe() == []
    page.shoot("challenge")
    assert page.tab.get_by_role("button", name="The ways through it").count() == 0
    assert "dport 22 -j ACCEPT" not in page.tab.content()


def test_a_wrong_prediction_comes_again_is_answered_by_keyboard_and_progress_leaves_and_comes_back(
    page_with: Callable[..., Page],
) -> None:
    page = page_with(viewport=NARROW, color_scheme="dark")
    key = learner_of(page)
    asked = next(block for block in read_course().lesson(LESSON).blocks() if isinstance(block, Predict))
    wrong = next(i for i, option in enumerate(asked.options) if not option.right)
    kept = {"choice": wrong, "right": False, "on": "2020-01-01", "box": 1, "due": "2020-01-02"}
    file = {"ctlab_progress": 1, "answers": {f"{LESSON}/{asked.id}": kept}, "lessons": {LESSON: {"on": "2020-01-01"}}, "judged": {}}
    page.tab.get_by_label("Bring from a file").set_input_files(
        {"name": "ctlab-progress.json", "mimeType": "application/json", "buffer": __import__("json").dumps(file).encode()}
    )
    page.tab.get_by_text("What was in the file has been added.").wait_for()
    page.tab.get_by_text("1 prediction is due to be repeated.").wait_for()
    assert page.axe() == []
    page.shoot("course-progress")
    page.tab.get_by_role("link", name="Repeat now").click()
    right = next(i for i, option in enumerate(asked.options) if option.right)
    option = page.tab.locator(".option").nth(right)
    option.focus()
    page.tab.keyboard.press("Enter")
    page.tab.get_by_text("(box 2 of 5)").wait_for()
    assert page.axe() == []
    page.shoot("repeat")
    page.tab.get_by_role("button", name="Go on").click()
    page.tab.get_by_text("That was all for today.").wait_for()
    answer = page.tab.request.get(f"{page.url}/api/learners/{key}/file")
    assert answer.json()["answers"][f"{LESSON}/{asked.id}"]["box"] == 2


def test_a_what_if_names_the_misconception_and_shows_both_futures(page: Page) -> None:
    page.open(lesson="after-the-flush")
    page.lab("setSpeed(64)")
    for _ in range(2):
        for button in page.tab.get_by_role("button", name="Run on ").all():
            button.click()
            page.settle()
        if page.tab.get_by_text("had been 0 when the laptop spoke").count() == 0:
            page.tab.get_by_role("button", name="Next", exact=True).click()
    asked = page.tab.locator(".predict", has_text="had been 0 when the laptop spoke")
    asked.locator(".option").first.click()
    asked.get_by_text("A common belief: “Whatever is unknown is NEW”.").wait_for()
    before = page.lab("length")
    asked.get_by_role("button", name="both futures").click()
    page.tab.locator("#stage tr.parts").wait_for()
    assert "INVALID" in page.tab.locator("#stage table").inner_text()
    assert page.lab("length") == before, "the lesson goes on in the future that it speaks of"
    assert page.axe() == []
    page.shoot("whatif")
    page.tab.set_viewport_size(NARROW)
    page.tab.evaluate("scrollTo(0, 0)")
    asked.get_by_role("button", name="both futures").click()
    page.until("document.getElementById('stage').getBoundingClientRect().top < innerHeight - 100")


def test_a_lesson_leads_to_a_free_lab_of_this_moment(page: Page) -> None:
    key = page.open(lesson=LESSON)
    page.lab("seekTime(100000)")
    page.tab.get_by_role("button", name="Try things of your own").click()
    page.tab.wait_for_url(lambda url: "/s/" in url and key not in url)
    page.tab.get_by_text("Free lab").first.wait_for()
    page.until("window.ctlab?.length > 0")
    assert page.tab.get_by_role("button", name="Try things of your own").count() == 0
