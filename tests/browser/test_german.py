"""The page in German: what it says is German, but for what is nobody's to translate: rules, tools' output, names, lessons' texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.tab import Page

pytestmark = pytest.mark.browser

COLLECT = """(skip) => {
  const found = new Set()
  for (const element of document.querySelectorAll('body *:not(script, style, noscript)')) {
    if (element.closest(skip)) continue
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext']) found.add(element.getAttribute(name) ?? '')
    for (const node of element.childNodes) if (node.nodeType === 3 && node.textContent.trim()) found.add(node.textContent.trim())
  }
  return [...found]
}"""
NOT_OURS = "body [lang=en], .xterm, pre, code, .mono, .run, select option, .rules li, .cm-content, nav.dots"
"""Lessons, tools' output and lines, rules, names in lists."""
SAME = re.compile(
    r"""-p\ icmp\ |ip\ protocol\ icmp|ICMP\ echo\ re\w+|IP\ [\d.]+\ >|[A-Z_]+$|\[\('MSS|filter\ INPUT\ policy|icmp\ 192|ip6?\ filter
    |ip6tables|echo-re\w+$|0x[0-9a-f]+$
    |lan=192|laptop\n|server\n|routing:\ local|server:\ netfilter|server\ console|ssh\ :22""",
    re.VERBOSE,
)
"""What is the same in both, from its begin: rules, packets' names, bits, hooks, machines with their services, examples of what to type."""


def texts(page: Page) -> set[str]:
    found: Any = page.tab.evaluate(COLLECT, NOT_OURS)
    return {text for text in found if len(re.findall(r"[A-Za-zÄÖÜäöü]{2,}", text)) >= 2}


def content(page: Page) -> set[str]:
    """What authors have written: titles, summaries and parts of lessons and labs."""
    course = page.tab.request.get(f"{page.url}/api/course").json()
    return {str(value) for rows in course.values() for row in rows for value in (row.values() if isinstance(row, dict) else [row])}


def everything(page: Page) -> dict[str, set[str]]:
    """The texts of each view, after the same things were done in it."""
    said: dict[str, set[str]] = {}
    page.course()
    page.tab.locator("article, li a").first.wait_for()
    said["course"] = texts(page)
    page.tab.goto(f"{page.url}/build?scenario=laptop-and-server")
    page.tab.locator("svg [role=button]").first.wait_for()
    said["build"] = texts(page)
    page.open(lesson="the-rule-you-cannot-live-without")
    said["lesson"] = texts(page)
    page.open(scenario="laptop-and-server")
    page.type("server console", "iptables -P INPUT DROP; iptables -A INPUT -p icmp -j ACCEPT; ip link set lo down")
    page.type("laptop", "ping -c 1 server", "dig +time=1 +tries=1 @server x.example", "curl -m 2 http://server/")
    page.lab("seekTime(60000000)")
    for key in ("1", "2", "3", "4", "5", "6", "7", "e", "f", "?"):
        page.tab.keyboard.press("Escape")
        page.tab.keyboard.press(key)
        page.tab.wait_for_timeout(150)
        said[key] = texts(page)
    page.tab.keyboard.press("Escape")
    packets = page.lab("records.filter((record) => record.kind === 'label').map((record) => record.packet)")
    for packet in sorted(set(packets))[:12]:
        page.lab(f"choose({packet})")
        said[f"packet {packet}"] = texts(page)
    for key, wait in (("r", ".cm-content"), ("p", "form")):
        page.tab.keyboard.press(key)
        page.tab.locator(wait).first.wait_for()
        page.tab.wait_for_timeout(300)
        said[key] = texts(page)
        page.tab.keyboard.press("Escape")
    return said


def test_nothing_on_the_german_page_is_english_but_what_is_nobodys_to_translate(page_with: Callable[..., Page]) -> None:
    english = set().union(*everything(page_with(locale="en-US")).values())
    page = page_with(locale="de-DE")
    german = everything(page)
    authors = content(page)
    assert sum(map(len, german.values())) > 200
    ours = {view: {text for text in said & english if text.rstrip(" /") not in authors} for view, said in german.items()}
    left = {view: sorted(text for text in texts if not SAME.match(text)) for view, texts in ours.items()}
    assert {view: texts for view, texts in left.items() if texts} == {}, json.dumps(left, indent=1)
