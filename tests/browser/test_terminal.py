"""The terminal in a real browser: lines pasted at once and typed ahead, the search back, what is not simulated, tcpdump with labels."""

from __future__ import annotations

import pytest

from sim.units import SECOND
from tests.browser.tab import Page

pytestmark = pytest.mark.browser

PASTE = """(text) => {
  const data = new DataTransfer()
  data.setData('text/plain', text)
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
}"""


def test_lines_are_pasted_typed_ahead_searched_and_kept_over_a_reload(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.lab("setSpeed(64)")
    tab = page.tab
    tab.get_by_role("tab", name="laptop", exact=True).click()
    tab.locator(".xterm-helper-textarea").focus()
    tab.evaluate(PASTE, "echo one\necho two\necho thr")
    page.settle()
    tab.keyboard.type("ee\necho four\necho five\n")
    page.until("window.ctlab.records.filter((r) => r.kind === 'input').length === 5")
    page.settle()
    typed = [record["text"] for record in page.lab("records") if record["kind"] == "input"]
    assert typed == ["echo one", "echo two", "echo three", "echo four", "echo five"], "nothing that was typed while it computed is lost"
    page.shows("three", "four", "five")
    tab.keyboard.press("Control+z")
    tab.get_by_text("that is not simulated").wait_for()
    tab.reload()
    tab.locator(".xterm-helper-textarea").wait_for(state="attached")
    page.until("window.ctlab?.records.filter((r) => r.kind === 'input').length === 5")
    tab.get_by_role("tab", name="laptop", exact=True).click()
    tab.locator(".xterm-helper-textarea").focus()
    tab.keyboard.press("Control+r")
    tab.keyboard.type("o t")
    tab.get_by_text("Search back: o t_ echo three").wait_for()
    tab.keyboard.press("Control+r")
    tab.get_by_text("Search back: o t_ echo two").wait_for()
    assert page.axe("#terminals") == []
    tab.keyboard.press("Enter")
    page.settle()
    assert [record["text"] for record in page.lab("records") if record["kind"] == "input"][-1] == "echo two"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Escape")
    assert tab.evaluate("!document.activeElement.classList.contains('xterm-helper-textarea')"), "Escape leaves, so Tab holds nobody"


def test_a_key_pressed_while_the_lab_computes_does_not_make_time_jump(page: Page) -> None:
    page.open(lesson="the-table-is-emptied")
    begun = page.lab("t")
    page.tab.locator(".xterm-helper-textarea").focus()
    page.tab.keyboard.type("hostname\nwhoami\nx")
    page.until("window.ctlab.records.filter((r) => r.kind === 'input' && /hostname|whoami/.test(r.text)).length === 2")
    page.shows("admin@server:~$ hostname", "admin@server:~$ whoami", "admin@server:~$ x")
    assert page.lab("length") > 4000, "an answer in several batches"
    assert page.lab("records[ctlab.n - 1].t") <= page.lab("t"), "and what is shown is of the moment that the clock tells"
    page.tab.evaluate(PASTE, "\rid -un\rdate\r")
    page.shows("admin@server:~$ id -un", "admin@server:~$ date", "2026")
    assert page.lab("t") - begun < 30 * SECOND, "the drill's probes go on for minutes: nobody waits for their end"


def test_tcpdump_says_which_label_the_firewall_gave(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("server console", "tcpdump -n -c 4 icmp &")
    page.type("laptop", "ping -c 2 server")
    page.tab.get_by_role("tab", name="server console", exact=True).click()
    page.shows("seq 2, length 64  ⇄ ESTABLISHED", "ICMP", "⇄ ESTABLISHED", "4 packets captured")
    page.shoot("tcpdump-labels")
