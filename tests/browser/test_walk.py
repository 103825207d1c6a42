"""A capture and a ruleset of one's own, walked through packet by packet in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.craft import craft
from sim.edges.capture import Frame, write_pcapng
from tests.browser.tab import Page

pytestmark = pytest.mark.browser

RULES = """*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p udp --dport 53 -j ACCEPT
COMMIT
"""
SAID = [
    "udp 192.168.1.10:4000 > 198.51.100.7:53 data question", "udp 198.51.100.7:53 > 192.168.1.10:4000 data answer",
    "tcp 192.168.1.10:4001 > 198.51.100.7:80 S seq 7", "tcp 198.51.100.7:80 > 192.168.1.10:4001 . seq 9 ack 3",
]  # fmt: skip


def test_a_capture_goes_through_a_firewall_and_is_stepped_through_with_labels_rules_and_reasons(page: Page, tmp_path: Path) -> None:
    frames = [Frame(n, 1_700_000_000_000_000 + n * 10_000, "lan" if n % 2 else "wan", craft(text), "") for n, text in enumerate(SAID, 1)]
    write_pcapng(tmp_path / "mine.pcapng", frames)
    (tmp_path / "rules.v4").write_text(RULES, encoding="utf-8")
    page.course()
    page.tab.get_by_label("A capture of your own").set_input_files(tmp_path / "mine.pcapng")
    page.tab.get_by_label("Rules:").set_input_files(tmp_path / "rules.v4")
    page.shoot("walk-form")
    assert page.axe() == []
    page.tab.get_by_role("button", name="Walk through it", exact=True).click()
    page.tab.wait_for_url("**/s/*")
    page.until("window.ctlab?.length > 0")
    told = []
    for _ in SAID:
        page.tab.keyboard.press("ArrowRight")
        told.append(page.said())
    assert ["NEW" in told[0], "ESTABLISHED" in told[1], "drop" in told[2].lower()] == [True] * 3, told
    page.tab.keyboard.press("ArrowLeft")
    page.tab.locator(".rules").get_by_text("policy DROP").wait_for()
    page.shoot("walk")
    assert page.axe() == []
    page.tab.get_by_role("button", name="Share", exact=True).click()
    link = page.tab.get_by_label("Link to this moment")
    page.until("document.querySelector('dialog input')?.value.includes('#x=')")
    copied, before = link.input_value(), page.lab("t")
    page.tab.goto("about:blank")
    page.tab.goto(copied)
    page.tab.wait_for_url("**/s/*")
    page.until("window.ctlab?.length > 0")
    assert page.lab("t") == before and page.lab("records.filter((r) => r.kind === 'dropped').length") == 2
    page.tab.keyboard.press("2")
    page.shoot("walk-topology")
    page.tab.keyboard.press("f")
    page.tab.get_by_text("so there is no other future to compare it with").wait_for()
    assert page.tab.get_by_role("button", name="Fork and compare").count() == 0
    page.tab.keyboard.press("7")
    page.tab.get_by_role("listbox", name="Fields").wait_for()
