"""Looking at one thing alone: one conversation, one rule in both languages, and why a packet was judged so, drawn for each reason."""

from __future__ import annotations

import re

import pytest

from tests.browser.tab import Page

pytestmark = pytest.mark.browser


def test_one_conversation_is_looked_at_alone_and_steps_stay_in_it(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "curl http://192.168.1.20/", "dig +short @192.168.1.20 www.example.net", "ping -c 1 192.168.1.20")
    asked = next(record["packet"] for record in page.lab("records") if record["kind"] == "sent" and "DNS" in record["about"])
    page.lab(f"choose({asked})")
    page.tab.keyboard.press("c")
    assert page.said().startswith("This conversation alone: 2 of ")
    page.tab.keyboard.press("End")
    assert page.tab.locator("#stage g.row[role=option]").count() > 4
    assert page.tab.locator("#stage g.row:not(.faint)").count() == 2
    assert page.tab.locator("#time path.mark.faint").count() > 0
    assert page.axe("#stage") == []
    page.shoot("lens")
    page.lab(f"choose({asked})")
    assert page.tab.locator(".right tbody tr:not(.faint):not(.reason)").count() == 1
    page.tab.keyboard.press("ArrowRight")
    assert "server to laptop" in page.said()
    page.tab.keyboard.press("ArrowLeft")
    assert "laptop to server" in page.said() and page.lab("chosen") == asked
    page.tab.keyboard.press("ArrowLeft")
    assert page.lab("n") == 0  # what was before is of other conversations
    page.lab("choose(1)")  # a packet of another one: that is looked at instead
    assert page.tab.locator("#stage g.row.chosen:not(.faint)").count() == 1 and page.tab.locator("#time path.mark.faint").count() > 0
    assert page.tab.get_by_role("button", name="This conversation alone").get_attribute("aria-pressed") == "true"
    page.tab.keyboard.press("c")
    assert page.tab.locator(".faint").count() == 0


def test_the_ladder_stands_between_the_machines_that_are_chosen(page: Page) -> None:
    page.open(scenario="home-router")
    page.type("laptop", "curl -m 4 http://203.0.113.99/")
    rows = page.tab.locator("#stage g.row[role=option]")
    whole = rows.count()
    page.tab.locator("#stage summary", has_text="Machines").click()
    for name in ("tablet", "server"):
        page.tab.get_by_role("checkbox", name=name).uncheck()
    assert page.tab.locator("#stage .who b").all_inner_texts() == ["laptop", "router"]
    assert 0 < rows.count() < whole, "what the router and the server say to each other is left out"
    assert page.axe("#stage") == []
    page.tab.get_by_role("checkbox", name="laptop").uncheck()
    assert page.tab.get_by_role("checkbox", name="router").is_disabled(), "one machine stays"


def test_a_rule_is_told_in_the_language_that_is_chosen_and_in_the_other_beside_it(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("server console", "iptables -A INPUT -p tcp --dport 80 -j ACCEPT")
    page.type("laptop", "curl http://192.168.1.20/")
    page.lab("choose(1)")
    rule = page.tab.locator(".right .rule.decided")
    assert "--dport 80" in rule.inner_text() and "tcp dport 80" in rule.locator(".second.quiet").inner_text()
    page.tab.locator("header label", has_text="nft").click()
    assert "--dport 80" in rule.locator(".second.quiet").inner_text()
    page.tab.get_by_role("tab", name="Rules").click()
    assert "tcp dport 80" in page.tab.locator("#tables-panel li").first.inner_text()
    page.tab.locator("header label", has_text="both").click()
    assert rule.locator(".second").inner_text() and rule.locator(".second.quiet").count() == 0


def drawn(page: Page, packet: int) -> str:
    """The check that decided about a packet, drawn and told."""
    page.lab(f"choose({packet})")
    asked = page.tab.get_by_role("button", name=re.compile("(Show|Hide) the check")).first
    if "Show" in asked.inner_text():
        asked.click()
    page.tab.locator(".right p.title").first.wait_for()
    assert page.axe(".right") == []
    return str(page.tab.locator(".right [role=tabpanel]").first.inner_text())


def labelled(page: Page, code: str) -> int:
    """The first packet whose label, or whose end, has a reason of this kind."""
    reasons = [record for record in page.lab("records") if code in str(record.get("reason", {}).get("code"))]
    assert reasons, code
    return int(next(record["packet"] for record in reasons if record["kind"] in {"label", "dropped"}))


def test_why_is_drawn_for_a_wrong_checksum_and_for_a_cell_of_tcps_table(page: Page) -> None:
    page.open(lesson="kinds-of-nonsense")
    page.run_lesson()
    assert "stands 0x" in drawn(page, labelled(page, "bad-checksum"))
    assert "State, segment, state since" in drawn(page, labelled(page, "tcp-original-"))


def test_why_is_drawn_for_what_a_helper_foretold_and_its_bytes_are_lit_in_the_packet_that_told(page: Page) -> None:
    page.open(lesson="two-channels")
    page.run_lesson()
    assert "expected" in drawn(page, labelled(page, "expected"))
    told = next(record for record in page.lab("records") if record["kind"] == "expectation" and record["action"] == "created")
    page.lab(f"choose({told['packet']})")
    page.tab.keyboard.press("7")
    page.tab.locator(".bytes .read").first.wait_for()
    assert "helper reads here that" in page.tab.locator(".announced").first.inner_text()


def test_why_is_drawn_for_a_full_table(page: Page) -> None:
    page.open(lesson="the-table-is-full")
    page.run_lesson()
    assert "no more may be in it" in drawn(page, labelled(page, "table-full"))


LATE = """
title: A late reset
firewall: fw
machines:
  a: {interfaces: {eth0: 10.0.0.1/24}, routes: {default: 10.0.0.9}, rules: {iptables: "*filter\\n:INPUT DROP [0:0]\\nCOMMIT\\n"}}
  fw: {kind: firewall, interfaces: {eth0: 10.0.0.9/24, eth1: 10.0.1.9/24}, sysctls: {net.ipv4.ip_forward: 1}, conntrack: always}
  b: {interfaces: {eth0: 10.0.1.2/24}, routes: {default: 10.0.1.9}, rules: {iptables: "*filter\\n:INPUT DROP [0:0]\\nCOMMIT\\n"}}
links: [{between: [a.eth0, fw.eth0]}, {between: [fw.eth1, b.eth0]}]
terminals: [{id: a, machine: a}]
traffic:
  - {at: 1ms, machine: a, packet: "tcp 10.0.0.1:1000 > 10.0.1.2:80 S seq 1000"}
  - {at: 30ms, machine: b, packet: "tcp 10.0.1.2:80 > 10.0.0.1:1000 S. seq 5000 ack 1001"}
  - {at: 60ms, machine: a, packet: "tcp 10.0.0.1:1000 > 10.0.1.2:80 P. seq 1001 ack 5001 data hello"}
  - {at: 90ms, machine: b, packet: "tcp 10.0.1.2:80 > 10.0.0.1:1000 . seq 5001 ack 1006"}
  - {at: 120ms, machine: a, packet: "tcp 10.0.0.1:1000 > 10.0.1.2:80 R seq 1001"}
"""


def test_why_is_drawn_for_a_reset_that_comes_too_late(page: Page) -> None:
    page.open(own=LATE)
    page.until("window.ctlab.records.some((record) => record.reason?.code === 'tcp-rst-old')")
    drawn(page, labelled(page, "tcp-rst-old"))
    page.tab.get_by_role("img", name="5 bytes before what its receiver has acknowledged").wait_for()
