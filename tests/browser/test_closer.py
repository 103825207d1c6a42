"""Looking closer in a real browser: the inside of a packet, faults of a link, a stretch of the timeline, marks, another machine's rules."""

from __future__ import annotations

import re

import pytest

from tests.browser.tab import Page

pytestmark = pytest.mark.browser


def test_a_field_of_the_packet_lights_its_bytes_and_a_byte_its_field(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "dig +short @192.168.1.20 www.example.net")
    page.lab("choose(1)")
    page.tab.keyboard.press("7")
    fields = page.tab.get_by_role("listbox", name="Fields")
    fields.get_by_role("group", name="UDP, checksum right").wait_for()
    lit = page.tab.locator(".bytes .lit")
    fields.get_by_role("option", name=re.compile("^dst ?192")).hover()
    assert lit.all_inner_texts() == ["c0", "a8", "01", "14"]
    page.tab.get_by_role("grid", name="Bytes").focus()
    for key in ["ArrowRight"] * 3 + ["ArrowDown", "ArrowLeft"]:  # 19 is the last of dst; below and one back is in the DNS header
        page.tab.keyboard.press(key)
    assert lit.count() > 0
    chosen = fields.locator("[aria-selected=true]")
    assert "DNS" in str(fields.locator("[role=group]:has([aria-selected=true])").get_attribute("aria-label"))
    before = chosen.get_attribute("id")
    fields.focus()
    page.tab.keyboard.press("ArrowDown")
    assert chosen.get_attribute("id") != before


def test_a_link_is_cut_and_mended_by_keyboard(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.tab.keyboard.press("2")
    wire = page.tab.get_by_role("button", name=re.compile("^Link laptop – server|^Link server – laptop"))
    wire.focus()
    page.tab.keyboard.press("Enter")
    page.tab.get_by_role("checkbox", name="cut").check()
    page.tab.get_by_role("button", name="Apply").press("Enter")
    page.settle()
    assert "cut" in str(wire.get_attribute("aria-label"))
    page.type("laptop", "ping -c 1 -W 1 192.168.1.20")
    page.shows("0 received")
    assert any(record["kind"] == "lost" for record in page.lab("records"))


def test_the_timeline_can_be_looked_at_more_closely(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 2 192.168.1.20")
    page.lab("seek(0)")
    box = page.tab.get_by_role("slider").bounding_box()
    place = (box["x"] + box["width"] / 2, box["y"] + 88)
    page.tab.mouse.click(*place)
    far = page.lab("t")
    page.lab("seek(0)")
    page.tab.get_by_role("button", name="Zoom into the timeline").click()
    page.tab.mouse.click(*place)
    assert 0 < page.lab("t") < far
    assert page.axe("#time") == []

def test_a_moment_is_marked_found_again_by_keys_and_kept_over_a_reload(page: Page) -> None:
    key = page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 2 192.168.1.20")
    moments = []
    for _ in range(2):
        page.tab.keyboard.press("ArrowLeft")
        moments.append((page.lab("n"), page.moment()))
        page.tab.keyboard.press("m")
    assert page.said().startswith("Marked")
    assert page.tab.locator("svg.flag").count() == 2
    page.tab.keyboard.press("Home")
    for wanted in reversed(moments):
        page.tab.keyboard.press(">")
        assert (page.lab("n"), page.moment()) == wanted
    page.tab.keyboard.press(">")
    assert page.said() == "There is no further mark."
    page.until("window.ctlab.saved")
    page.visit(key)
    page.tab.keyboard.press("Home")
    page.tab.keyboard.press(">")
    assert page.lab("n") == moments[1][0]
    page.tab.get_by_role("button", name="Take the mark from this moment").click()
    page.until("document.querySelectorAll('svg.flag').length === 1")
    assert page.axe("#time") == []


def test_marks_go_along_in_a_link_and_are_the_readers_own_from_there(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 2 192.168.1.20")
    page.tab.keyboard.press("ArrowLeft")
    page.tab.keyboard.press("m")
    at = page.lab("n")
    page.tab.get_by_role("button", name="Share", exact=True).click()
    page.until("document.querySelector('dialog[open] input')?.value.includes('#x=')")
    link = page.tab.get_by_label("Link to this moment").input_value()
    page.tab.goto("about:blank")
    page.tab.goto(link)
    page.tab.wait_for_url("**/s/*")
    page.until("window.ctlab?.length > 0")
    page.tab.keyboard.press("Home")
    page.tab.keyboard.press(">")
    assert page.lab("n") == at and page.tab.locator("svg.flag").count() == 1
    page.tab.keyboard.press("m")
    page.until("window.ctlab.saved")
    page.visit(page.tab.url.rpartition("/")[2])
    assert page.tab.locator("svg.flag").count() == 0  # taken away here, and not brought back


def test_the_rules_of_another_machine_are_shown_when_it_has_some(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    assert page.tab.get_by_label("Machine", exact=True).count() == 0
    page.type("laptop", "sudo iptables -A OUTPUT -p icmp -j ACCEPT", "ping -c 1 192.168.1.20")
    page.lab("choose(1)")
    page.tab.get_by_label("Machine", exact=True).select_option("laptop")
    page.tab.keyboard.press("6")
    rules = page.tab.get_by_role("tabpanel", name="Rules")
    assert "-p icmp -j ACCEPT" in rules.locator("li.lit").inner_text()


def test_what_is_offered_to_be_tried_runs_and_a_machine_without_power_is_drawn_so(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.tab.get_by_role("button", name="Run on laptop: ping").click()
    page.settle()
    page.shows("2 packets transmitted, 2 received")
    page.tab.keyboard.press("f")
    page.tab.locator("#stage form select").first.select_option("power")
    page.tab.get_by_role("button", name="Fork and compare").click()
    page.settle()
    off = next(record["t"] for record in page.lab("records") if record.get("code") == "power-boots")
    page.lab(f"seekTime({off + 1000})")
    page.tab.keyboard.press("1")
    assert page.tab.locator("#stage .who.dark small").all_inner_texts() == ["is booting", "is booting"]
    page.tab.keyboard.press("2")
    page.tab.get_by_role("button", name=re.compile("^server, is booting")).wait_for()
    assert page.axe("#stage") == []
    page.lab("seek(window.ctlab.length)")
    assert page.tab.locator("#stage g.machine.dark").count() == 0
    page.tab.keyboard.press("1")
    assert page.tab.locator("#stage path.dead").count() == 2
