"""Very many packets on the way at once: stamped on a canvas, told in a sentence, chosen by a click."""

from __future__ import annotations

import pytest

from tests.browser.tab import Page
from tests.browser.test_speed import CROWDED

pytestmark = pytest.mark.browser

FIRST = """() => {  // where the topmost stamp is
  const canvas = document.querySelector('.map canvas'), scale = canvas.width / canvas.clientWidth
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const at = (data.findIndex((value, i) => i % 4 === 3 && value > 200) - 3) / 4
  return { x: (at % canvas.width) / scale + 3, y: Math.floor(at / canvas.width) / scale + 3 }
}"""


def test_a_crowd_of_packets_is_drawn_told_and_chosen_from(page: Page) -> None:
    page.open(own=CROWDED)
    page.tab.keyboard.press("2")
    page.lab("seekTime(8_000_000)")
    page.tab.locator("canvas").wait_for()
    assert page.tab.get_by_text("Packets on the way: 800 without a label").count() == 1
    assert page.tab.locator(".map .packet").count() == 0
    page.shoot("crowd")
    assert page.axe("#stage") == []
    box = page.tab.locator("canvas").bounding_box()
    place = page.tab.evaluate(FIRST)
    before = page.lab("chosen")
    page.tab.mouse.click(box["x"] + place["x"], box["y"] + place["y"])
    assert page.lab("chosen") not in (None, before)
    page.lab("seekTime(100_000)")
    page.tab.locator(".map .packet").first.wait_for()
    assert page.tab.locator("canvas").count() == 0
