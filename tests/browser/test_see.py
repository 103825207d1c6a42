"""What the page lets one see: an entry's life, why a label was given, what would have been; by pointer and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.tab import Page

pytestmark = pytest.mark.browser


def forgotten(page: Page) -> None:
    """A datagram, 45 s of silence, and the same client again: its entry (30 s) has been forgotten by then."""
    page.open(scenario="laptop-and-server")
    page.type("laptop", "nc -u -p 4000 192.168.1.20 5060", "one")
    page.lab("seekTime(46000000)")
    page.type("laptop", "two")


def test_a_click_on_an_entry_shows_its_life_its_path_through_the_tcp_table_and_the_tools_lines(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "curl http://192.168.1.20/")
    page.tab.get_by_role("button", name=re.compile("Show the life of tcp")).first.click()
    page.tab.get_by_role("heading", name="Its path through").wait_for()
    met = page.tab.locator("#stage td button.met")
    met.first.wait_for()
    assert {one.inner_text()[:2] for one in met.all()} == {"SS", "SR", "ES", "FW", "LA", "TW"}
    assert "decided last" in page.tab.locator("#stage td button.last").inner_text()
    page.tab.locator("#stage td button", has_text="IV").first.click()
    assert "it belongs to no connection" in page.tab.locator("#stage p[role=status]").inner_text()
    listed = page.tab.locator("#stage pre").first.inner_text()
    told = page.tab.locator("#stage pre").last.inner_text()
    assert told.count("[UPDATE]") == 5 and "[NEW]" in told
    page.tab.keyboard.press("5")
    assert listed in page.tab.get_by_role("tabpanel", name="conntrack -L").inner_text()
    page.tab.locator("#stage table.steps button").first.click()
    assert "SYN_SENT" in page.tab.locator("#stage p.now").inner_text()
    assert page.axe("#stage") == []
    page.shoot("entry")


def test_which_time_out_would_have_kept_an_entry_is_computed_tried_and_compared(page: Page) -> None:
    forgotten(page)
    page.tab.keyboard.press("e")
    page.tab.locator("#stage select").select_option(index=0)
    page.tab.get_by_role("button", name="Which time-out").click()
    page.tab.get_by_text("It would have survived with net.netfilter.nf_conntrack_udp_timeout = 46 (it was 30)").wait_for(timeout=60_000)
    page.tab.get_by_role("button", name="Fork with 46 s").click()
    page.settle()
    page.tab.get_by_text("First difference").wait_for()
    assert "Tables: from 30.006 s" in page.tab.locator("#stage").inner_text()
    labels = [record["label"] for record in page.lab("records") if record["kind"] == "label" and record["machine"] == "server"]
    assert labels == ["NEW", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED"]
    for aspect in ("Tables", "Terminals", "Packets"):
        page.tab.locator("#stage label", has_text=aspect).click()
        assert page.axe("#stage") == []
        page.shoot(f"futures-{aspect}")


def test_one_thing_is_changed_in_the_past_by_a_form_and_what_came_later_is_done_again(page: Page) -> None:
    forgotten(page)
    page.lab("seekTime(20000000)")
    page.tab.keyboard.press("f")
    page.tab.locator("#stage form select").first.select_option("cut")
    page.tab.get_by_role("button", name="Fork and compare").click()
    page.settle()
    page.tab.locator("#stage tr.parts").wait_for()
    assert any(record["kind"] == "lost" for record in page.lab("records"))
    assert [record["text"] for record in page.lab("records") if record["kind"] == "input"][-1] == "two"
    page.tab.get_by_role("button", name="Go on with that one").click()
    page.until("!window.ctlab.records.some((record) => record.kind === 'lost')")
    page.lab("seekTime(20000000)")
    page.tab.locator("#stage summary").click()
    page.tab.locator("#stage form select").first.select_option("power")
    page.tab.get_by_role("button", name="Fork and compare").click()
    page.settle()
    page.tab.get_by_text("is up again: no connection is known").wait_for()
    assert page.tab.locator("#time .itself").count() == 2, "that it boots and that it is up stand on the timeline"
    page.shoot("power")


def test_the_page_speaks_german_where_the_browser_does_or_a_person_wants_it(page_with: Callable[..., Page]) -> None:
    page = page_with(locale="de-DE")
    page.course()
    assert page.tab.evaluate("document.documentElement.lang") == "de"
    assert page.tab.get_by_role("heading", level=1).inner_text().startswith("Zustandsbehaftete Firewalls")
    assert page.axe() == []
    page.open(scenario="laptop-and-server")
    page.tab.get_by_role("tab", name="Leiter").wait_for()
    page.tab.get_by_role("tab", name="Zukünfte").click()
    page.tab.get_by_role("button", name="Abzweigen und vergleichen").wait_for()
    assert page.axe() == []
    page.shoot("german")
    page.tab.locator("header").get_by_label("Sprache der Seite").select_option("en")
    page.tab.get_by_role("tab", name="Ladder").wait_for()
    assert page.tab.evaluate("document.documentElement.lang") == "en"


def test_why_is_drawn_for_a_label_and_told_for_a_verdict_and_a_change_of_the_table(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("server console", "iptables -A INPUT -p tcp --dport 80 -j ACCEPT")
    page.type("laptop", "curl http://192.168.1.20/")
    page.lab("choose(4)")
    page.tab.get_by_role("button", name="Show the check").first.click()
    page.tab.get_by_role("img", name=re.compile("segment 0 … .*: inside")).wait_for()
    page.tab.get_by_text("Why ACCEPT?").click()
    assert "--dport 80" in page.tab.get_by_role("table", name="What each match compared").inner_text()
    assert page.axe(".right") == []
    page.shoot("why")
    page.tab.keyboard.press("3")
    page.tab.keyboard.press("Home")
    page.tab.keyboard.press("ArrowRight")
    page.tab.get_by_role("button", name="The next parting").click()
    page.tab.get_by_text("They part here:").wait_for()


def test_man_tells_which_options_this_lab_has(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("server console", "man conntrack")
    page.shows("man conntrack", "NAME")  # a page is read from its begin, and goes on with the keys of a terminal
    page.tab.locator(".xterm-helper-textarea").focus()
    seen = page.screen()
    while "SEE ALSO" not in seen:
        page.tab.keyboard.press("Shift+PageDown")
        page.tab.wait_for_timeout(100)
        assert len(seen) < 50_000
        seen += page.screen()
    assert "OUTPUT (-o)" in seen
    assert "ktimestamp" in seen
