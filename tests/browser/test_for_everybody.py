"""The page for everybody: a whole lesson by keyboard alone, and one by the accessibility tree alone; targets large enough; 200 % zoom."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from tests.browser.tab import NARROW, Page

pytestmark = pytest.mark.browser

FOCUS = """() => {
  const e = document.activeElement
  return {tag: e.tagName, name: (e.getAttribute('aria-label') || e.innerText || '').trim(), option: e.matches('.predict .option'),
          lesson: !!e.closest('section[aria-label=Lesson]')}
}"""
MOST_STEPS = 400


def met(page: Page) -> list[bool]:
    """Whether each goal that is shown is reached, as the page says it."""
    page.tab.wait_for_timeout(700)  # the lab hears of the moment a little later
    return ["not reached" not in text for text in page.tab.locator("p.goal").all_inner_texts()]


def test_a_whole_lesson_is_done_by_keyboard_alone(page: Page) -> None:
    page.open(lesson="four-labels")
    press = page.tab.keyboard.press
    for _ in range(8):
        press("+")  # as fast as it goes
    press("b")  # the first step: there is none before it
    done: set[str] = set()
    goals: list[bool] = []
    answered = 0
    for _ in range(MOST_STEPS):
        press("Tab")
        here = page.tab.evaluate(FOCUS)
        if not here["lesson"]:
            continue
        step = page.tab.get_by_text("Step ").first.inner_text()
        key = f"{step} {here['name']}"
        if here["option"] or here["name"].startswith(("Run on ", "Show a way")):
            if key not in done:
                done.add(key)
                answered += here["option"]
                press("Enter")
                page.settle()
        elif here["name"] == "Next":
            goals += met(page)
            press("Enter")
        elif here["name"] == "Back to the course":
            goals += met(page)
            break
    else:
        pytest.fail("the lesson's end was never reached by Tab")
    assert answered >= 1 and goals and all(goals)
    press("Enter")
    page.tab.wait_for_url(f"{page.url}/")


class Tree:
    """The page as an accessibility tool has it: names and roles, and nothing of how it looks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp = page.tab.context.new_cdp_session(page.tab)

    def nodes(self) -> list[dict[str, Any]]:
        """Every node that is not ignored: role, name, id of its element."""
        told = self.cdp.send("Accessibility.getFullAXTree")["nodes"]
        value = lambda node, what: str(node.get(what, {}).get("value", ""))  # noqa: E731
        return [
            {"role": value(node, "role"), "name": value(node, "name"), "id": node.get("backendDOMNodeId"),
             "disabled": any(p["name"] == "disabled" and p["value"]["value"] for p in node.get("properties", []))}
            for node in told if not node.get("ignored")
        ]  # fmt: skip

    def names(self, role: str) -> list[str]:
        """The names of all nodes of a role."""
        return [node["name"] for node in self.nodes() if node["role"] == role]

    def press(self, node: dict[str, Any]) -> None:
        """Press it, as a screen reader does."""
        found = self.cdp.send("DOM.resolveNode", {"backendNodeId": node["id"]})
        click = "function () { this.click() }"
        self.cdp.send("Runtime.callFunctionOn", {"objectId": found["object"]["objectId"], "functionDeclaration": click})
        self.page.settle()

    def button(self, *beginnings: str, but: Collection[int] = ()) -> dict[str, Any] | None:
        """The first button that can be pressed whose name begins so."""
        for node in self.nodes():
            if node["role"] == "button" and not node["disabled"] and node["name"].startswith(beginnings) and node["id"] not in but:
                return node
        return None


def test_a_whole_lesson_is_done_by_the_accessibility_tree_alone(page: Page) -> None:
    page.open(lesson="udps-thirty-seconds")
    page.lab("setSpeed(64)")
    tree = Tree(page)
    steps = int(page.tab.get_by_text("Step 1 of").first.inner_text().split()[-1])
    for step in range(1, steps + 1):
        assert f"Step {step} of {steps}" in " ".join(tree.names("StaticText"))
        done: set[int] = set()
        while (node := tree.button("Run on ", "Show a way", but=done)) is not None:
            done.add(node["id"])
            tree.press(node)
        if "not reached yet" in " ".join(tree.names("StaticText")):  # what is to be seen comes later
            end = tree.button("To the end")
            assert end is not None
            tree.press(end)
            page.tab.wait_for_timeout(1000)
        assert "not reached yet" not in " ".join(tree.names("StaticText"))
        following = tree.button("Next")
        if following is not None:
            tree.press(following)
    assert any(" NEW" in name or "ESTABLISHED" in name for name in tree.names("option")), "the ladder tells its packets in words"
    assert any(name.startswith("Show the life of udp") for name in tree.names("button"))


@pytest.mark.parametrize("view", ["ladder", "entry", "futures"])
def test_on_a_narrow_screen_every_target_is_24_pixels_or_more(view: str, page_with: Callable[..., Page]) -> None:
    page = page_with(viewport=NARROW, has_touch=True)
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 1 192.168.1.20")
    page.tab.keyboard.press({"ladder": "1", "entry": "e", "futures": "f"}[view])
    page.tab.wait_for_timeout(300)
    small = page.tab.evaluate("""() => [...document.querySelectorAll('button, select, summary, [role=tab], input:not(.unseen)')]
        .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('dialog:not([open])') && !e.closest('p, td, small'))
        .map((e) => ({name: e.getAttribute('aria-label') || e.innerText, box: e.getBoundingClientRect()}))
        .filter(({box}) => box.width && (box.width < 23.9 || box.height < 23.9))
        .map(({name, box}) => `${name} ${box.width}x${box.height}`)""")
    assert small == []
    page.shoot(f"narrow-{view}")


def test_at_200_percent_nothing_is_cut_off_and_nothing_scrolls_sideways(page_with: Callable[..., Page]) -> None:
    page = page_with(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    page.open(lesson="four-labels")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 640
    assert page.axe() == []
    page.shoot("zoomed")
