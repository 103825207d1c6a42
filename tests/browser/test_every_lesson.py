"""Every lesson, drill and challenge on the page: its steps are gone through by keys, answered and hinted, and axe finds nothing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lessons.course import read_course
from tests.browser.tab import WIDE, Page

IDS = [lesson.id for lesson in read_course().all()]


@pytest.fixture(scope="module")
def one_page(browser: Any, lab_url: str) -> Iterator[Page]:
    """One tab for all: the page's parts are fetched once."""
    context = browser.new_context(viewport=WIDE)
    page = Page(context.new_page(), lab_url)
    yield page
    context.close()
    assert page.wrong == []


@pytest.mark.parametrize("lesson", IDS)
def test_each_step_is_reached_by_keys_and_axe_finds_nothing(one_page: Page, lesson: str) -> None:
    page = one_page
    page.open(lesson=lesson)
    tab = page.tab
    following = tab.get_by_role("button", name="Next", exact=True)
    step = 0
    while True:
        for name in ("Show a hint", "Show another hint"):
            for button in tab.get_by_role("button", name=name).all():
                button.press("Enter")
        for question in tab.locator(".predict").all():
            question.locator(".option").first.press("Enter")
            question.get_by_role("status").get_by_text(".").first.wait_for()
        assert page.axe(".prose") == [], step
        if following.count() == 0:
            break
        following.press("Enter")
        step += 1
