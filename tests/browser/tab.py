"""A tab with the page in it, and what a test does there. Pictures are kept when CTLAB_SHOTS names a folder."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGE = ROOT / "web" / "static" / "dist" / "index.html"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
FAST = 64  # so many times as fast as a person would watch it


class Page:
    """A tab with the page in it. Errors in the page, and requests to anywhere but the lab, fail the test at its end."""

    def __init__(self, tab: Any, url: str) -> None:
        self.tab = tab
        self.url = url
        self.wrong: list[str] = []
        tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        tab.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        tab.on("request", lambda asked: self.wrong.append(asked.url) if not asked.url.startswith((url, "data:", "blob:")) else None)

    def course(self) -> None:
        self.tab.goto(self.url)
        self.tab.get_by_role("heading", level=1).wait_for()

    def open(self, **what: str) -> str:
        """A new session of a lesson or a scenario; gives its key."""
        answer = self.tab.request.post(f"{self.url}/api/sessions", data=what)
        assert answer.ok, answer.text()
        key = str(answer.json()["key"])
        self.visit(key)
        return key

    def visit(self, key: str) -> None:
        self.tab.goto(f"{self.url}/s/{key}")
        self.tab.locator(".xterm-helper-textarea").wait_for(state="attached")
        self.until("window.ctlab?.length > 0")

    def lab(self, expression: str) -> Any:
        """The value of `ctlab.<expression>` in the page."""
        return self.tab.evaluate(f"window.ctlab.{expression}")

    def run_lesson(self) -> None:
        """Go through the lesson as it is written: press every Run of every step, in the language that is chosen."""
        self.lab(f"setSpeed({FAST})")
        following = self.tab.get_by_role("button", name="Next", exact=True)
        while True:
            for button in self.tab.get_by_role("button", name="Run on ").all():
                button.click()
                self.settle()
            if following.count() == 0:
                break
            following.click()
        self.lab("setSpeed(1)")

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait until a JavaScript expression holds. (The tab's own wait_for_function needs eval, which the page's policy forbids.)"""
        end = time.monotonic() + seconds
        while not self.tab.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, f"not within {seconds} s: {condition}"
            self.tab.wait_for_timeout(25)

    def settle(self) -> None:
        """Until what was typed has been computed and played to its end."""
        self.until("!window.ctlab.waiting && !window.ctlab.playing", seconds=90)

    def type(self, terminal: str, *lines: str, faster: bool = True) -> None:
        """Type at a terminal as a person does, and wait until it has been played."""
        if faster:
            self.lab(f"setSpeed({FAST})")
        self.tab.get_by_role("tab", name=terminal, exact=True).click()
        for line in lines:
            self.tab.locator(".xterm-helper-textarea").focus()
            self.tab.keyboard.type(line)
            self.tab.keyboard.press("Enter")
            self.settle()
        if faster:
            self.lab("setSpeed(1)")
        self.tab.keyboard.press("Escape")

    def screen(self) -> str:
        """What the terminal in front shows, as a screen reader finds it there; a moment late."""
        return str(self.tab.locator(".xterm-accessibility-tree").inner_text()).replace("\xa0", " ")

    def shows(self, *words: str, seconds: float = 10) -> None:
        """Wait until the terminal in front shows these words, in this order."""
        wanted = re.compile(".*".join(map(re.escape, words)), re.DOTALL)
        end = time.monotonic() + seconds
        while not wanted.search(self.screen()):
            assert time.monotonic() < end, f"the terminal does not show {words}:\n{self.screen()}"
            self.tab.wait_for_timeout(50)

    def moment(self) -> str:
        """All that the page says about the moment, the terminals (whose screen is late) left out."""
        return str(self.tab.locator("#stage").inner_text() + self.tab.locator(".right").inner_text())

    def said(self) -> str:
        """What a screen reader was told last."""
        return str(self.tab.locator("p[aria-live=polite]").inner_text())

    def axe(self, within: str = "html") -> list[Any]:
        """What axe finds wrong with what is shown, or with the part of it that a selector names."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed: npm ci in web/ui")
        if not self.tab.evaluate("'axe' in window"):
            self.tab.evaluate(AXE.read_text(encoding="utf-8"))
        told = "n => ({id: n.id, where: n.nodes.slice(0, 3).map(x => x.html.slice(0, 160) + ' ' + x.failureSummary)})"
        run = f"axe.run({within!r}, {{resultTypes: ['violations']}}).then(r => r.violations.map({told}))"
        return list(self.tab.evaluate(run))

    @staticmethod
    def folder() -> Path | None:
        """Where pictures are kept, if anywhere."""
        named = os.environ.get("CTLAB_SHOTS")
        return Path(named) if named else None

    def shoot(self, name: str) -> None:
        folder = self.folder()
        if folder:
            self.tab.screenshot(path=str(folder / f"{name}.png"))
