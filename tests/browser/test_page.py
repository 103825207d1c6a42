"""The page in a real browser: everything a learner does, by pointer and by keyboard, and what must hold at every size and colour."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any, Literal

import pytest

from tests.browser.tab import NARROW, PAGE, WIDE, Page

pytestmark = pytest.mark.browser

LESSONS = ["four-labels", "the-rule-you-cannot-live-without", "udps-thirty-seconds"]
STAGES = {"ladder": "1", "topology": "2", "beliefs": "3"}
SIDES = {"connections": "4", "conntrack-L": "5", "rules": "6", "inside": "7"}
LOOKS: dict[str, tuple[dict[str, int], Literal["light", "dark"]]] = {
    "wide": (WIDE, "light"), "dark": (WIDE, "dark"), "narrow": (NARROW, "light")
}  # fmt: skip


def pinged(page: Page) -> None:
    """A free lab in which the laptop has asked for two echoes."""
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 2 192.168.1.20")


def test_the_course_offers_lessons_and_labs_and_begins_one(page: Page) -> None:
    page.course()
    page.shoot("course")
    assert page.axe() == []
    page.tab.get_by_role("button", name="Begin: ").first.click()
    page.tab.wait_for_url("**/s/*")
    page.tab.get_by_text("Step 1 of").first.wait_for()
    page.course()
    page.tab.get_by_role("heading", name="You have begun").wait_for()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_and_every_view_of_it_is_accessible_wide_and_narrow_light_and_dark(
    lesson: str, page_with: Callable[..., Page]
) -> None:
    page = page_with(reduced_motion="reduce")  # colours that are still changing have no contrast to speak of
    page.open(lesson=lesson)
    page.run_lesson()
    assert page.lab("length") > 50
    assert page.tab.get_by_role("alert").count() == 0
    for look, (viewport, colours) in LOOKS.items():
        page.tab.set_viewport_size(viewport)
        page.tab.emulate_media(color_scheme=colours, reduced_motion="reduce")
        page.until(f"document.documentElement.dataset.theme === '{colours}'")
        page.tab.keyboard.press("1")
        assert page.axe() == [], look
        for view, shortcut in (STAGES | SIDES).items():
            page.tab.keyboard.press(shortcut)
            if view == "inside":
                page.tab.get_by_role("listbox", name="Fields").wait_for()
            page.shoot(f"{lesson}-{view}-{look}")
            assert page.axe("#stage" if view in STAGES else ".right") == [], (view, look)
        page.tab.keyboard.press("7")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 900, "height": 900}, {"width": 1280, "height": 800}])
def test_nothing_is_wider_than_the_screen(viewport: dict[str, int], page_with: Callable[..., Page]) -> None:
    page = page_with(viewport=viewport)
    pinged(page)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.course()
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_command_typed_in_a_terminal_is_computed_played_and_shown(page: Page) -> None:
    pinged(page)
    page.shows("2 packets transmitted, 2 received")
    labels = {record["label"] for record in page.lab("records") if record["kind"] == "label" and record["machine"] == "server"}
    assert labels == {"NEW", "ESTABLISHED"}
    assert "icmp" in page.tab.get_by_role("tabpanel", name="Connections").inner_text()


def test_the_page_plays_to_the_last_packet_and_not_on_to_an_expiry(page: Page) -> None:
    pinged(page)
    told = page.lab("records")
    assert any(record["kind"] == "entry-expired" for record in told)
    assert page.lab("t") < next(record["t"] for record in told if record["kind"] == "entry-expired")


def test_a_step_forward_and_a_step_back_show_the_same_moment_again(page: Page) -> None:
    pinged(page)
    page.lab("seek(0)")
    for _ in range(25):
        page.tab.keyboard.press("Shift+ArrowRight")
    before = page.moment()
    page.tab.keyboard.press("Shift+ArrowRight")
    assert page.moment() != before
    page.tab.keyboard.press("Shift+ArrowLeft")
    assert page.moment() == before


def test_a_packet_chosen_in_the_ladder_is_chosen_everywhere(page: Page) -> None:
    pinged(page)
    page.tab.locator("#stage").get_by_role("option").nth(1).click()
    page.tab.get_by_role("heading", name="Packet 2 through server").wait_for()
    page.tab.get_by_text("packet 2 of").wait_for()
    assert "packet 2 of" in str(page.tab.get_by_role("slider").get_attribute("aria-valuetext"))
    assert page.said().startswith("Packet 2, server to laptop, ICMP echo reply, ESTABLISHED")


def test_a_packet_tells_its_label_in_words_while_it_moves(page: Page) -> None:
    pinged(page)
    page.tab.keyboard.press("2")
    reply = next(record for record in page.lab("records") if record["kind"] == "sent" and record["machine"] == "server")
    page.lab(f"seekTime({(reply['t'] + reply['arrives']) / 2})")
    moving = page.tab.locator("[role=tabpanel] svg g.packet", has_text="echo reply")
    first = moving.bounding_box()
    assert "EST" in moving.text_content()
    page.lab(f"seekTime({reply['t'] + (reply['arrives'] - reply['t']) * 0.9})")
    assert moving.bounding_box()["x"] < first["x"] - 5


def test_the_journey_tells_which_rules_were_tried_and_why_each_did_or_did_not_match(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("server console", "iptables -A INPUT -p tcp --dport 22 -j ACCEPT", "iptables -A INPUT -p icmp -j DROP")
    page.type("laptop", "ping -c 1 -W 1 192.168.1.20")
    request = next(record["packet"] for record in page.lab("records") if record["kind"] == "dropped")
    page.lab(f"choose({request})")
    journey = page.tab.get_by_role("region", name="Packet 1 through server").inner_text()
    assert "--dport 22" in journey and "ICMP" in journey
    assert "INPUT" in page.tab.locator(".stations .end").inner_text()
    page.tab.keyboard.press("6")
    assert page.tab.locator("li.lit.drop").count() == 1
    page.tab.get_by_role("button", name="Show the check").click()
    page.tab.get_by_role("button", name="Hide the check").wait_for()
    page.shoot("journey")


def test_keys_play_step_and_jump_to_expiries(page: Page) -> None:
    pinged(page)
    page.tab.keyboard.press("Home")
    assert page.lab("n") == 0
    page.tab.keyboard.press("ArrowRight")
    assert page.said().startswith("Packet 1, laptop to server, ICMP echo request, NEW")
    page.tab.keyboard.press("Space")
    assert page.lab("playing")
    page.tab.keyboard.press("Space")
    assert not page.lab("playing")
    page.tab.keyboard.press("]")
    expired = page.lab("records")[page.lab("n") - 2]
    assert expired["kind"] == "entry-expired"
    page.tab.keyboard.press("End")
    assert page.lab("n") == page.lab("length")


def test_help_lists_the_shortcuts_and_escape_closes_it(page: Page) -> None:
    pinged(page)
    page.tab.keyboard.press("?")
    page.tab.get_by_role("dialog").get_by_text("the next expiry").wait_for()
    assert page.axe() == []
    page.shoot("help")
    page.tab.keyboard.press("Escape")
    page.tab.get_by_role("dialog").wait_for(state="hidden")


def test_the_timeline_scrubs_by_pointer(page: Page) -> None:
    pinged(page)
    box = page.tab.get_by_role("slider").bounding_box()
    page.tab.mouse.move(box["x"] + box["width"] - 20, box["y"] + 60)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 84, box["y"] + 60, steps=5)
    page.tab.mouse.up()
    assert page.lab("t") < 1000


def test_typing_in_the_past_starts_a_new_future_and_the_old_one_can_be_brought_back(page: Page) -> None:
    pinged(page)
    old = page.lab("length")
    page.lab("seekTime(0)")
    page.tab.get_by_text("What you type here starts a new future").wait_for()
    page.type("server console", "conntrack -C")
    page.shows("conntrack -C")
    assert not any("ping" in record["text"] for record in page.lab("records") if record["kind"] == "input")
    page.tab.get_by_role("tab", name="Futures").click()
    page.tab.locator("#stage tr.parts").wait_for()
    parts = page.tab.locator("#stage tr.parts td")
    assert "ping" in parts.nth(2).inner_text() or "conntrack -C" in parts.nth(1).inner_text()
    assert "0 packets" in page.tab.locator("#stage th").nth(1).inner_text()
    assert "4 packets" in page.tab.locator("#stage th").nth(2).inner_text()
    assert page.axe("#stage") == []
    page.shoot("futures")
    page.tab.get_by_label("Bring back a future").select_option(index=1)
    page.until(f"window.ctlab.length >= {old}")
    assert any("ping" in record["text"] for record in page.lab("records") if record["kind"] == "input")


def test_a_reload_brings_the_learner_back_to_where_they_were(page: Page) -> None:
    key = page.open(lesson=LESSONS[0])
    page.tab.get_by_role("button", name="Next", exact=True).click()
    page.lab("seek(Math.floor(window.ctlab.length / 2))")
    where = page.lab("t")
    page.until("window.ctlab.saved")
    page.visit(key)
    page.until(f"Math.abs(window.ctlab.t - {where}) <= 1")
    page.tab.get_by_text("Step 2 of").first.wait_for()


def test_a_lockout_is_seen_what_is_sent_stays_unacknowledged_with_its_tries(page: Page) -> None:
    page.open(scenario="locked-out")
    page.type("laptop", "ssh admin@192.168.1.20", "sudo iptables -P INPUT DROP")
    page.lab("setSpeed(16)")
    page.tab.locator(".xterm-helper-textarea").focus()
    page.tab.keyboard.type("ls")
    page.tab.keyboard.press("Enter")
    page.tab.get_by_text(re.compile("tried again [3-9] times")).wait_for(timeout=60_000)
    page.tab.get_by_text("sent, not acknowledged: “ls”").wait_for()
    page.shows("admin@server:~$ ls ⏎")  # the prompt did come back: OUTPUT is open
    page.tab.keyboard.press("Escape")
    dropped = [record["packet"] for record in page.lab("records") if record["kind"] == "dropped" and record["n"] < page.lab("n")]
    page.lab(f"choose({dropped[-1]})")
    assert page.tab.locator("svg text.by").text_content() == "dropped by policy of INPUT"
    page.shoot("locked-out")
    page.tab.keyboard.press("3")
    page.tab.get_by_text("laptop (client)").first.wait_for()
    page.shoot("locked-out-beliefs")


def test_a_session_that_was_locked_out_comes_back_to_life_once_the_console_has_opened_the_door(page: Page) -> None:
    page.open(scenario="locked-out")
    page.type("laptop", "ssh admin@192.168.1.20", "sudo iptables -P INPUT DROP", "whoami")
    page.type("server console", "iptables -P INPUT ACCEPT")
    page.tab.get_by_role("tab", name="laptop", exact=True).click()
    page.shows("whoami", "admin", "admin@server")
    assert page.tab.get_by_text("not acknowledged").count() == 0


def test_what_the_lab_refuses_is_said_and_nothing_is_lost(page: Page) -> None:
    pinged(page)
    length = page.lab("length")
    page.lab("type('nowhere', 'ls')")
    page.tab.get_by_role("alert").get_by_text("nowhere").wait_for()
    page.tab.get_by_role("button", name="Close this message").click()
    assert page.lab("length") == length


def test_the_terminal_completes_recalls_and_interrupts(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.tab.get_by_role("tab", name="server console", exact=True).click()
    page.tab.keyboard.press("t")
    page.tab.keyboard.type("conntr")
    page.tab.keyboard.press("Tab")
    page.shows("conntrack ")
    page.tab.keyboard.type("-C")
    page.tab.keyboard.press("Enter")
    page.settle()
    page.shows("conntrack -C", "root@server")
    page.tab.keyboard.press("ArrowUp")
    page.shows("conntrack -C", "root@server", "conntrack -C")
    page.tab.keyboard.press("Escape")
    assert page.tab.evaluate("document.activeElement.tagName") != "TEXTAREA"


def test_those_who_want_no_motion_get_none(page_with: Callable[..., Page]) -> None:
    page = page_with(reduced_motion="reduce")
    pinged(page)
    page.lab("seek(0)")
    page.lab("setSpeed(1)")
    times = {record["t"] for record in page.lab("records")}
    page.lab("play()")
    for _ in range(5):
        page.tab.wait_for_timeout(110)
        assert page.lab("t") in times


def test_a_session_that_does_not_exist_says_so_and_leads_back(page: Page) -> None:
    page.tab.goto(f"{page.url}/s/no-such-key")
    page.tab.get_by_role("alert").get_by_text("no experiment").wait_for()
    page.tab.get_by_role("link", name="Back to the course").wait_for()


def test_the_first_load_is_under_100_kb_of_script_compressed() -> None:
    if not PAGE.is_file():
        pytest.skip("the page has not been built")
    html = PAGE.read_text(encoding="utf-8")
    scripts = [path for path in (PAGE.parent / "assets").glob("*.js") if path.name in html]
    assert scripts
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) < 100_000


def test_a_prediction_gives_the_reason_for_a_wrong_answer_and_keeps_the_first(page: Page) -> None:
    page.open(lesson=LESSONS[0])
    options: Any = page.tab.locator(".predict .option")
    while options.count() == 0:
        page.tab.get_by_role("button", name="Next", exact=True).click()
    options.first.click()
    page.tab.locator(".predict .why").first.wait_for()
    assert options.first.is_disabled()
    page.shoot("prediction")


def test_what_cannot_be_begun_is_told_where_one_looks(page: Page) -> None:
    page.course()
    page.tab.route("**/api/sessions", lambda route: route.fulfill(status=404, json={"error": "This cannot be begun."}))
    button = page.tab.get_by_role("button", name="Begin: Moving house")
    button.scroll_into_view_if_needed()
    before = page.tab.evaluate("scrollY")
    button.click()
    told = page.tab.get_by_role("alert")
    told.get_by_text("This cannot be begun.").wait_for()
    assert page.tab.evaluate("scrollY") == before > 500
    box = told.bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= page.tab.viewport_size["height"]
    assert page.axe() == []
    told.get_by_role("button", name="Close this message").click()
    told.wait_for(state="detached")
    page.wrong.clear()  # Chromium tells each answer of 404
