"""The map: very many packets on it at once; dragged, zoomed and fitted; a packet that walks through the firewall's hooks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.tab import NARROW, WIDE, Page
from tests.browser.test_speed import CROWDED

pytestmark = pytest.mark.browser

FIRST = """() => {  // where the lowest stamp is
  const canvas = document.querySelector('.map canvas'), scale = canvas.width / canvas.clientWidth
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const at = (data.findLastIndex((value, i) => i % 4 === 3 && value > 200) - 3) / 4
  return { x: (at % canvas.width) / scale, y: Math.floor(at / canvas.width) / scale - 3 }
}"""


def test_a_crowd_of_packets_is_drawn_told_and_chosen_from(page: Page) -> None:
    page.open(own=CROWDED)
    page.tab.keyboard.press("2")
    page.until("window.ctlab.records.at(-1).t > 5_500_000")
    page.lab("seekTime(5_000_500)")
    page.tab.locator("canvas").wait_for()
    assert page.tab.get_by_text("Packets on the way: 250 without a label, 250 NEW").count() == 1
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


def machine(page: Page, name: str) -> dict[str, float]:
    return dict(page.tab.get_by_role("button", name=re.compile(f"^{name}, .* arrow keys move it")).bounding_box())


def test_the_map_is_zoomed_dragged_and_fitted_again_and_a_machine_is_put_elsewhere(page: Page) -> None:
    page.open(scenario="home-router")
    page.tab.keyboard.press("2")
    page.tab.get_by_role("group", name="The network").wait_for()
    before = machine(page, "router")
    box = page.tab.locator(".map").bounding_box()
    page.tab.mouse.move(box["x"] + 20, box["y"] + box["height"] - 60)
    page.tab.keyboard.down("Control")
    page.tab.mouse.wheel(0, -200)
    page.tab.keyboard.up("Control")
    larger = machine(page, "router")
    assert larger["width"] > before["width"] * 1.1
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 60, box["y"] + box["height"] - 80, steps=4)
    page.tab.mouse.up()
    dragged = machine(page, "router")
    assert dragged["x"] - larger["x"] == pytest.approx(40, abs=2)
    page.tab.mouse.move(dragged["x"] + 20, dragged["y"] + 12)
    page.tab.mouse.down()
    page.tab.mouse.move(dragged["x"] + 20, dragged["y"] + 42, steps=4)
    page.tab.mouse.up()
    assert machine(page, "router")["y"] - dragged["y"] == pytest.approx(30, abs=2)
    assert page.axe("#stage") == []
    page.tab.get_by_role("button", name="Fit: all of the map").click()
    assert machine(page, "router") == before


def test_the_map_is_zoomed_and_moved_by_keyboard_and_by_two_fingers(page_with: Callable[..., Page]) -> None:
    page = page_with(viewport=NARROW, has_touch=True)
    page.open(scenario="home-router")
    page.tab.keyboard.press("2")
    router = page.tab.get_by_role("button", name=re.compile("^router, .* arrow keys move it"))
    router.focus()
    before, at = machine(page, "router"), page.lab("n")
    page.tab.keyboard.press("ArrowDown")
    assert machine(page, "router")["y"] == before["y"] + 24 and page.lab("n") == at
    page.tab.get_by_role("button", name="Zoom in (Ctrl").last.press("Enter")
    assert machine(page, "router")["width"] > before["width"]
    page.tab.get_by_role("button", name="Fit: all of the map").press("Enter")
    page.tab.locator(".map").scroll_into_view_if_needed()
    box = page.tab.locator(".map").bounding_box()
    fingers = page.tab.context.new_cdp_session(page.tab)
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", None)):
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] - 30}
        points = [] if apart is None else [{"x": middle["x"] + side * apart, "y": middle["y"], "id": side} for side in (-1, 1)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [one | {"id": one["id"] + 1} for one in points]})
    assert machine(page, "router")["width"] > before["width"] * 1.5


def test_a_packet_walks_through_the_hooks_and_gets_its_label_at_conntrack(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 1 192.168.1.20")
    page.tab.keyboard.press("2")
    page.tab.keyboard.press("Home")
    walker, here = page.tab.locator(".hooks .walker"), page.tab.locator(".hooks .now")
    seen = []
    for _ in range(6):
        page.tab.keyboard.press(".")
        seen.append((here.text_content(), walker.text_content()))
    assert seen[:3] == [("PREROUTING", "?"), ("PREROUTING", "● NEW"), ("INPUT", "● NEW")]
    assert seen[3:] == [("OUTPUT", "?"), ("OUTPUT", "⇄ EST"), ("POSTROUTING", "⇄ EST")]
    page.tab.keyboard.press(",")
    assert here.text_content() == "OUTPUT"
    page.tab.keyboard.press("Home")
    page.lab("setSpeed(2)")
    page.tab.keyboard.press("Space")
    page.until("document.querySelector('.hooks .now')?.textContent === 'PREROUTING'")  # time stands still while it walks
    at = page.lab("t")
    page.until("document.querySelector('.hooks .now')?.textContent === 'INPUT'")
    assert page.lab("t") == at and page.lab("playing")
    page.settle()


@pytest.mark.parametrize(("viewport", "locale"), [(NARROW, "en"), (WIDE, "de-DE")])
def test_all_views_can_be_chosen_and_the_ladders_machines_beside_them(viewport: dict[str, int], locale: str, page_with: Any) -> None:
    page = page_with(viewport=viewport, locale=locale)
    page.open(lesson="shut-the-door")
    page.tab.locator(".machines summary").click()
    tabs = page.tab.locator("#stage [role=tablist]")
    assert tabs.evaluate("row => row.scrollWidth <= row.clientWidth"), "no view's name is cut off"
    menu = page.tab.locator(".machines > div").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= viewport["width"], menu


def test_machines_on_the_map_stand_clear_of_each_other(page_with: Any) -> None:
    page = page_with(viewport={"width": 1920, "height": 1080})
    page.open(scenario="house")
    page.tab.get_by_role("tab", name="Topology").click()
    page.tab.locator(".machine .box").first.wait_for()
    boxes = [one.bounding_box() for one in page.tab.locator(".machine .box").all()]
    for a, b in itertools.combinations(boxes, 2):
        beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
        assert beside or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"], (a, b)
