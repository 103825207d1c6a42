"""Build your own in a real browser: machines and cables on the map, the form, the file, mistakes at their fields; it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from sim.inputs import Power
from sim.scenario import Scenario
from tests.browser.tab import NARROW, WIDE, Page

pytestmark = pytest.mark.browser

LOOKS: dict[str, tuple[dict[str, int], Literal["light", "dark"]]] = {
    "wide": (WIDE, "light"), "dark": (WIDE, "dark"), "narrow": (NARROW, "light")
}  # fmt: skip
RULES = "*filter\n:FORWARD DROP\n-A FORWARD -p tcp --dport 80 -j ACCEPT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT"
RIGHT = "none: it can be run"


def visit(page: Page, query: str = "") -> None:
    page.tab.goto(f"{page.url}/build{query}")
    page.tab.get_by_role("heading", name="Build your own").wait_for()


def button(page: Page, name: str) -> Any:
    return page.tab.get_by_role("button", name=name, exact=True)


def fill(page: Page, label: str, value: str) -> None:
    field = page.tab.get_by_label(label, exact=True).first
    field.fill(value)
    field.press("Tab")


def whole(page: Page) -> None:
    """Until the server has found nothing wrong."""
    page.tab.get_by_role("status").get_by_text(RIGHT).wait_for()


def test_a_lab_is_built_from_nothing_by_keyboard_and_form_saved_opened_and_run(page: Page, tmp_path: Path) -> None:
    visit(page)
    button(page, "Empty").click()
    for kind in ("+ Host", "+ Firewall", "+ Host"):
        button(page, kind).press("Enter")
    for host in ("host1", "host2"):
        page.tab.get_by_role("button", name=f"Machine {host}").press("Enter")
        page.tab.get_by_label("Lay a cable to…").select_option("firewall1")
        button(page, "Lay it").click()
    page.tab.get_by_label("Add a service…").select_option("http")
    page.tab.get_by_role("button", name="Machine firewall1").press("Enter")
    fill(page, "name", "wall")
    page.tab.get_by_role("heading", name="wall").wait_for()
    fill(page, "iptables", RULES)
    whole(page)
    with page.tab.expect_download() as saved:
        button(page, "Save as a file").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    scenario = Scenario.from_file(file)
    assert (scenario.firewall, list(scenario.machines)) == ("wall", ["host1", "wall", "host2"])
    button(page, "Empty").click()
    page.tab.get_by_text("Add a machine to begin.").wait_for()
    page.tab.get_by_label("Open a scenario file").set_input_files(file)
    whole(page)
    button(page, "Run it").click()
    page.tab.locator(".xterm-helper-textarea").wait_for(state="attached")
    page.until("window.ctlab?.length > 0")
    page.type("host1", "nc -zv 10.0.2.1 80")
    page.shows("succeeded")
    page.tab.get_by_role("link", name="Change this lab").click()
    page.tab.get_by_role("button", name="Machine wall").wait_for()


def test_clients_files_mtu_and_power_are_said_in_the_form_and_stand_in_the_file(page: Page) -> None:
    visit(page, "?scenario=laptop-and-server")
    page.tab.get_by_role("button", name="Machine laptop").press("Enter")
    fill(page, "MTU", "1400")
    button(page, "Add a client").press("Enter")
    client = page.tab.get_by_role("group", name="client 1")
    client.get_by_label("every").fill("1s")
    client.get_by_label("every").press("Tab")
    client.get_by_text("every is 4s or more").wait_for()
    client.get_by_label("every").fill("6s")
    client.get_by_label("every").press("Tab")
    fill(page, "path 1", "/etc/motd")
    fill(page, "text of /etc/motd", "hello")
    button(page, "Add something that happens").press("Enter")
    page.tab.get_by_label("what", exact=True).select_option("power")
    page.tab.get_by_label("machine", exact=True).select_option("server")
    whole(page)
    page.shoot("build-clients")
    assert page.axe() == []
    with page.tab.expect_download() as saved:
        button(page, "Save as a file").click()
    first = Path(saved.value.path()).read_text(encoding="utf-8")
    scenario = Scenario.from_text(first)
    laptop = scenario.machines["laptop"]
    assert (laptop.mtu, laptop.files) == ({"eth0": 1400}, {"/etc/motd": "hello"})
    assert [(client.to, client.every) for client in laptop.clients] == [("server", 6_000_000)]
    assert scenario.traffic[0].input() == Power("server", "reset")
    button(page, "Empty").click()
    page.tab.get_by_label("Open a scenario file").set_input_files(saved.value.path())
    page.tab.get_by_role("button", name="Machine laptop").press("Enter")
    assert page.tab.get_by_label("MTU").first.input_value() == "1400"
    with page.tab.expect_download() as again:
        button(page, "Save as a file").click()
    assert Path(again.value.path()).read_text(encoding="utf-8") == first, "what was saved and opened again is saved the same"


def test_a_mistake_is_told_at_its_field_on_the_map_and_in_the_list_that_leads_there(page: Page) -> None:
    visit(page, "?scenario=laptop-and-server")
    page.tab.get_by_role("button", name="Machine server").click()
    fill(page, "addresses (cable to laptop.eth0)", "192.168.1/24")
    page.tab.get_by_text("is no address with prefix").first.wait_for()
    page.tab.get_by_role("button", name="with a mistake").wait_for()
    assert button(page, "Run it").is_disabled()
    button(page, "Show the whole scenario").click()
    page.tab.get_by_role("button", name="machines › server › interfaces › eth0").click()
    assert page.tab.get_by_label("addresses (cable to laptop.eth0)").get_attribute("aria-invalid") == "true"
    button(page, "Undo").click()
    whole(page)


def test_the_file_and_the_form_are_the_same_thing(page: Page) -> None:
    visit(page, "?scenario=laptop-and-server")
    page.tab.get_by_role("tab", name="File", exact=True).click()
    editor = page.tab.get_by_role("textbox", name="The scenario as a file")
    editor.get_by_text("loss").or_(editor.get_by_text("title:")).first.click()
    page.tab.keyboard.press("End")
    page.tab.keyboard.type(" by hand")
    page.until("[...document.querySelectorAll('input')].some(one => one.value.endsWith('by hand'))")
    page.tab.get_by_role("button", name="Cable laptop").press("Enter")
    fill(page, "loss, %", "12.5")
    editor.get_by_text("0.125").wait_for()
    page.tab.get_by_role("tab", name="Traffic and faults").click()
    button(page, "Add something that happens").click()
    page.tab.get_by_label("what", exact=True).select_option("link")
    fill(page, "down, up, delay 200ms, loss 10%", "donw")
    page.tab.get_by_text("did you mean 'down'").first.wait_for()
    fill(page, "down, up, delay 200ms, loss 10%", "down")
    whole(page)


def test_machines_are_dragged_and_a_cable_is_drawn_from_one_to_another(page: Page) -> None:
    visit(page)
    button(page, "Empty").click()
    button(page, "+ Host").click()
    button(page, "+ Host").click()
    box = page.tab.get_by_role("button", name="Machine host1").locator("rect").bounding_box()
    page.tab.mouse.move(box["x"] + 20, box["y"] + 20)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 120, box["y"] + 100, steps=4)
    page.tab.mouse.up()
    moved = page.tab.get_by_role("button", name="Machine host1").locator("rect").bounding_box()
    assert moved["x"] > box["x"] + 20
    handle = page.tab.get_by_role("button", name="Machine host1").locator("circle").bounding_box()
    target = page.tab.get_by_role("button", name="Machine host2").locator("rect").bounding_box()
    page.tab.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.tab.mouse.down()
    page.tab.mouse.move(target["x"] + 30, target["y"] + 20, steps=4)
    page.tab.mouse.up()
    page.tab.get_by_role("button", name="Cable host1 – host2: 5ms").wait_for()
    whole(page)


def test_the_builder_is_accessible_and_fits_at_every_size_and_colour(page_with: Callable[..., Page]) -> None:
    page = page_with(reduced_motion="reduce")
    visit(page, "?scenario=home-router")
    whole(page)
    page.tab.get_by_role("button", name="Machine", exact=False).nth(1).press("Enter")
    for look, (viewport, colours) in LOOKS.items():
        page.tab.set_viewport_size(viewport)
        page.tab.evaluate(f"document.documentElement.dataset.theme = '{colours}'")
        page.tab.get_by_role("tab", name="Traffic and faults" if look == "dark" else "File", exact=True).click()
        page.shoot(f"build-{look}")
        wrong = page.axe()
        assert wrong == [], (look, str(wrong))
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
