"""The single-file page in a real browser, opened from disk: it plays, steps and answers with no server, and asks nothing of anybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.tab import ROOT, WIDE, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def alone(tmp_path: Path, browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens what `ctlab export` with these arguments has written. A request to anywhere but the file fails the test."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    file = tmp_path / "alone.html"
    page = Page(context.new_page(), file.as_uri())

    def make(*arguments: str) -> Page:
        command = [sys.executable, "-c", "from web.cli import main; main()", "export", *arguments, "-o", str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        page.tab.goto(page.url)
        page.until("window.ctlab?.length > 0")
        return page

    yield make
    context.close()
    assert page.wrong == []


def test_a_lesson_in_one_file_runs_as_it_was_recorded(alone: Callable[..., Page]) -> None:
    page = alone("the-rule-you-cannot-live-without", "--language", "iptables")
    page.tab.get_by_text("plays by itself").wait_for()
    begun = page.lab("length")
    page.run_lesson()
    page.tab.get_by_role("group", name="Rules shown in").wait_for()  # what is typed stays in the language of the file
    assert page.lab("length") > begun + 50
    assert page.tab.get_by_role("alert").count() == 0
    labels = {record["label"] for record in page.lab("records") if record["kind"] == "label"}
    assert {"NEW", "ESTABLISHED"} <= labels
    page.tab.get_by_role("button", name="Show a way to do it").click()
    page.tab.get_by_role("button", name="Run on ").last.click()
    page.settle()
    page.tab.get_by_text("Goal, reached").wait_for()
    page.tab.keyboard.press("7")
    page.tab.get_by_role("listbox", name="Fields").wait_for()
    page.shoot("alone-lesson")
    assert page.axe() == []


def test_a_what_if_in_one_file_goes_into_its_future_and_back(alone: Callable[..., Page]) -> None:
    page = alone("after-the-flush")
    page.run_lesson()
    recorded = page.lab("length")
    for _ in range(12):
        if page.tab.locator(".predict", has=page.tab.get_by_text("What if", exact=False)).count():
            break
        page.tab.get_by_role("button", name="Back", exact=True).click()
    question = page.tab.locator(".predict").last
    question.locator(".option").first.click()
    question.get_by_role("button", name="Show both futures").click()
    page.tab.get_by_text("First difference").wait_for()
    page.shoot("alone-futures")
    assert page.axe() == [] and page.lab("length") == recorded
    page.tab.get_by_role("button", name="Go on with that one").click()
    page.until(f"window.ctlab.length !== {recorded}")
    page.tab.get_by_text("First difference").wait_for()
    page.tab.get_by_role("button", name="Go on with that one").click()
    page.until(f"window.ctlab.length === {recorded}")
    page.tab.get_by_text("open this in ctlab").wait_for()


def test_a_scenario_in_one_file_is_stepped_through_and_says_what_needs_a_lab(alone: Callable[..., Page]) -> None:
    page = alone("laptop-and-server")
    page.lab("type('laptop', 'ping 192.168.1.20')")
    page.tab.get_by_role("alert").get_by_text("there is no lab behind it").wait_for()
    page.lab("seek(1)")
    page.lab("stepForward()")
    assert page.lab("n") == 2
