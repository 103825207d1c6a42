"""The workbench in a real browser: rules in both languages side by side, mistakes, counters, trials; a packet written field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from tests.browser.tab import NARROW, WIDE, Page

pytestmark = pytest.mark.browser

LOOKS: dict[str, tuple[dict[str, int], Literal["light", "dark"]]] = {
    "wide": (WIDE, "light"), "dark": (WIDE, "dark"), "narrow": (NARROW, "light")
}  # fmt: skip
RULE = "-A INPUT -p icmp -m icmp --icmp-type 8 -m conntrack --ctstate NEW -j DROP"


def edit(page: Page) -> None:
    page.tab.get_by_role("button", name="Edit rules").click()
    page.tab.get_by_role("textbox", name="iptables rules of").wait_for()
    page.until("document.querySelectorAll('.cm-line').length > 6")


def text(page: Page, language: str) -> str:
    lines = page.tab.get_by_role("textbox", name=f"{language} rules of").locator(".cm-line").all_inner_texts()
    return "\n".join(line.rstrip("\n") for line in lines)


def add(page: Page, rule: str, before: str = "COMMIT") -> None:
    """Type a rule as a line of its own."""
    page.tab.get_by_role("textbox", name="iptables rules of").get_by_text(before, exact=True).click()
    page.tab.keyboard.press("Home")
    page.tab.keyboard.type(f"{rule}\n")
    page.tab.keyboard.press("ArrowUp")


def button(page: Page, name: str) -> Any:
    return page.tab.get_by_role("button", name=name, exact=True)


def applied(page: Page, name: str = "Apply") -> None:
    button(page, name).click()
    page.settle()


def test_what_is_typed_in_iptables_stands_in_nft_and_decides_once_it_is_applied(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.lab("setSpeed(64)")
    edit(page)
    add(page, RULE)
    page.tab.get_by_role("textbox", name="nft rules of").get_by_text("icmp type echo-request ct state new").wait_for()
    page.tab.locator(".explain").get_by_text("Drop packets").wait_for()
    page.until("!document.querySelector('.bar .first').disabled")
    page.tab.get_by_role("textbox", name="nft rules of").get_by_text("icmp type").click()
    presses = 0
    while "icmp" in text(page, "iptables"):  # what was typed last is taken back, though it was typed in the other text
        page.tab.keyboard.press("Control+z")
        presses += 1
        assert presses < 30  # as many as there were pauses in the typing
    page.until("![...document.querySelectorAll('.cm-line')].some(one => one.innerText.includes('icmp'))")
    for _ in range(presses):
        page.tab.keyboard.press("Control+y")
    page.tab.get_by_role("textbox", name="nft rules of").get_by_text("icmp type echo-request ct state new").wait_for()
    page.until("!document.querySelector('.bar .first').disabled")
    applied(page)
    button(page, "Back to the lab").click()
    page.type("laptop", "ping -c 2 -W 1 192.168.1.20")
    page.shows("2 packets transmitted, 0 received")
    page.tab.keyboard.press("r")
    page.until("document.querySelectorAll('.cm-counts .cm-gutterElement').length > 3")
    page.until("[...document.querySelectorAll('.cm-counts')].some(one => one.innerText.includes('2'))")
    given = next(record for record in page.lab("records") if record["kind"] == "input")
    page.lab(f"seek({given['n']})")
    page.until("![...document.querySelectorAll('.cm-line')].some(one => one.innerText.includes('ctstate'))")


def test_a_mistake_is_told_under_its_word_and_nothing_can_be_applied_until_it_is_mended(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    edit(page)
    add(page, "-A INPUT -p tcp --dprt 22 -j ACCEPT")
    told = page.tab.locator(".cm-told")
    told.wait_for()
    assert "unknown option" in told.inner_text() and "did you mean '--dport'" in told.inner_text()
    assert page.tab.locator(".cm-wrong").inner_text() == "--dprt"
    assert "waits until iptables is right" in page.tab.get_by_role("region", name="nft").inner_text()
    assert button(page, "Apply").is_disabled()
    page.tab.get_by_role("button", name="unknown option").click()
    for _ in range(6):
        page.tab.keyboard.press("Delete")
    page.tab.keyboard.type("--dport")
    told.wait_for(state="detached")
    page.until("!document.querySelector('.bar .first').disabled")
    assert "tcp dport 22" in text(page, "nft")


def test_rules_on_trial_come_back_unless_they_are_kept(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.lab("setSpeed(64)")
    edit(page)
    add(page, RULE)
    page.until("!document.querySelector('.bar .first').disabled")
    applied(page, "Apply on trial")
    assert "come back in" in page.tab.get_by_role("timer").inner_text()
    page.lab("seekTime(40e6)")
    page.tab.get_by_text("Nobody kept the new rules within 30s").wait_for()
    page.until("![...document.querySelectorAll('.cm-line')].some(one => one.innerText.includes('ctstate'))")
    page.lab("seekTime(5e6)")
    applied(page, "Keep them")
    page.lab("seekTime(40e6)")
    page.until("[...document.querySelectorAll('.cm-line')].some(one => one.innerText.includes('ctstate'))")
    assert page.tab.get_by_role("timer").count() == 0


def test_what_nft_says_alone_is_told_to_have_no_counterpart_and_nft_leads_when_it_is_typed_in(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    edit(page)
    nft = page.tab.get_by_role("textbox", name="nft rules of")
    nft.get_by_text("policy").first.click()
    page.tab.keyboard.press("End")
    page.tab.keyboard.type("\nct state vmap { established : accept, invalid : drop }\nip dscp ef numgen inc mod 2 0 accept\n")
    page.until("document.querySelector('.explain').innerText.includes('no counterpart')")
    page.until("[...document.querySelectorAll('.cm-line')].some(one => one.innerText.includes('--ctstate INVALID -j DROP'))")
    assert "follows nft" in page.tab.get_by_role("region", name="iptables", exact=True).inner_text()


def test_the_editor_is_accessible_and_fits_at_every_size_and_colour(page_with: Callable[..., Page]) -> None:
    page = page_with(reduced_motion="reduce")
    page.open(lesson="the-rule-you-cannot-live-without")
    page.run_lesson()
    page.tab.keyboard.press("r")
    page.until("document.querySelectorAll('.cm-line').length > 6")
    page.tab.get_by_role("textbox", name="iptables rules of").locator(".cm-line", has_text="-A INPUT").first.click()
    add(page, "-A INPUT -p tcp --dprt 22 -j ACCEPT")
    page.tab.locator(".cm-told").wait_for()
    for look, (viewport, colours) in LOOKS.items():
        page.tab.set_viewport_size(viewport)
        page.tab.evaluate(f"document.documentElement.dataset.theme = '{colours}'")
        page.shoot(f"editor-{look}")
        assert page.axe() == [], look
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.tab.keyboard.press("Escape")
    page.tab.locator("#stage").wait_for()


def test_a_packet_is_written_field_by_field_sent_and_judged(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    button(page, "Send a packet").click()
    page.tab.get_by_role("spinbutton", name="destination port").fill("80")
    page.tab.get_by_role("checkbox", name="RST").check()
    page.tab.get_by_text("tcp 192.168.1.10:40000 > 192.168.1.20:80 SR seq 1000").wait_for()
    page.tab.get_by_role("checkbox", name="wrong checksum").check()
    page.tab.get_by_text("bad-checksum").wait_for()
    page.tab.get_by_label("source", exact=True).fill("10.9.9")
    page.tab.get_by_role("alert").get_by_text("'10.9.9' is no IPv4 or IPv6 address").wait_for()
    assert button(page, "Send from laptop").is_disabled()
    page.tab.get_by_label("source", exact=True).fill("192.168.1.10")
    page.until("!document.querySelector('.shown .first').disabled")
    button(page, "Send from laptop").click()
    page.settle()
    labels = [record["label"] for record in page.lab("records") if record["kind"] == "label" and record["machine"] == "server"]
    assert labels == ["INVALID"]


def test_a_packet_that_was_seen_is_answered_by_another_machine(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 1 192.168.1.20")
    page.tab.locator("#stage").get_by_role("option").first.click()
    page.tab.keyboard.press("p")
    button(page, "Answer packet 1").click()
    page.tab.get_by_text("icmp 192.168.1.20 > 192.168.1.10 echo-reply").wait_for()
    button(page, "Send from server").wait_for()
    page.shoot("craft-wide")
    assert page.axe() == []
    page.tab.set_viewport_size(NARROW)
    page.shoot("craft-narrow")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
