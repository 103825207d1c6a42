"""Sharing in a real browser: the link, the files, the pictures; opened again, and refused where they are none."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.tab import NARROW, Page

pytestmark = pytest.mark.browser


def pinged(page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 2 192.168.1.20")


def sharing(page: Page) -> Any:
    page.tab.get_by_role("button", name="Share", exact=True).click()
    dialog = page.tab.get_by_role("dialog", name="Share and take along")
    dialog.wait_for()
    return dialog


def saved(page: Page, press: Any) -> bytes:
    with page.tab.expect_download() as download:
        press.click()
    return Path(download.value.path()).read_bytes()


def test_a_link_opens_the_same_moment_in_a_session_of_its_own(page: Page) -> None:
    pinged(page)
    page.lab("previousPacket()")
    page.lab("stepBack()")  # between two events of one instant
    assert page.lab("records[window.ctlab.n].t") == page.lab("records[window.ctlab.n - 1].t")
    before, moment, key = page.lab("n"), page.moment(), page.tab.url
    link = sharing(page).get_by_label("Link to this moment")
    page.until("document.querySelector('dialog[open] input').value.includes('#x=')")
    address = link.input_value()
    page.shoot("share")
    assert page.axe("dialog") == []
    page.tab.keyboard.press("Escape")
    page.tab.goto("about:blank")
    page.tab.goto(address)
    page.tab.wait_for_url("**/s/*")
    page.until("window.ctlab?.length > 0")
    assert page.tab.url != key
    assert page.lab("n") == before
    assert page.moment() == moment


def test_files_are_taken_along_and_an_experiment_is_opened_again(page: Page, tmp_path: Path) -> None:
    pinged(page)
    records = page.lab("length")
    dialog = sharing(page)
    assert len(json.loads(saved(page, dialog.get_by_role("link", name="Trace")))["records"]) == records
    assert b"plays by itself" in saved(page, dialog.get_by_role("link", name="Page that plays"))
    dialog.get_by_label("Capture of").select_option(label="server: eth0")
    capture = tmp_path / "c.pcapng"
    capture.write_bytes(saved(page, dialog.get_by_role("link", name="Capture")))
    assert "echo reply" in subprocess.run(["tcpdump", "-nr", str(capture)], capture_output=True, text=True, check=True).stdout
    file = tmp_path / "mine.ctlab.json"
    file.write_bytes(saved(page, dialog.get_by_role("link", name="Experiment")))
    page.course()
    page.tab.locator(".ways input[type=file]").first.set_input_files(file)
    page.tab.wait_for_url("**/s/*")
    page.until(f"window.ctlab?.length === {records}")


def test_pictures_stand_alone_with_their_colours_and_a_title(page: Page, tmp_path: Path) -> None:
    pinged(page)
    dialog = sharing(page)
    for view in ("Ladder", "Topology"):
        picture = saved(page, dialog.get_by_role("button", name=f"{view} as SVG")).decode()
        words = [text.text or "" for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
        assert f"{view} at" in words[0]
        assert any("NEW" in word for word in words) or view == "Topology"
        assert "var(" not in picture and "light-dark" not in picture and "class=" not in picture
        png = saved(page, dialog.get_by_role("button", name=f"{view} as PNG"))
        assert png.startswith(b"\x89PNG") and len(png) > 5000
        if (folder := page.folder()) is not None:
            (folder / f"picture-{view}.png").write_bytes(png)


def test_what_is_no_experiment_is_refused_on_the_page_and_nothing_else_happens(page: Page, tmp_path: Path) -> None:
    page.tab.goto(f"{page.url}/#x=bm90aGluZw")
    page.tab.get_by_role("alert").get_by_text("carries no experiment").wait_for()
    bad = tmp_path / "bad.yaml"
    bad.write_text("title: x\nfirewal: y\n", encoding="utf-8")
    page.tab.locator(".ways input[type=file]").first.set_input_files(bad)
    page.tab.get_by_role("alert").get_by_text("your scenario:").wait_for()
    page.tab.get_by_label("A link").fill("https://elsewhere.example/")
    page.tab.get_by_role("button", name="Open", exact=True).click()
    page.tab.get_by_role("alert").get_by_text("carries no experiment").wait_for()
    assert "/s/" not in page.tab.url
    page.shoot("open-refused")
    assert page.axe() == []
    page.wrong = [one for one in page.wrong if "status of 40" not in one]  # the browser's own remark on a refusal


def test_the_dialog_fits_a_narrow_screen_and_dark_colours(page_with: Callable[..., Page]) -> None:
    page = page_with(viewport=NARROW, color_scheme="dark", reduced_motion="reduce")
    pinged(page)
    sharing(page)
    page.shoot("share-narrow-dark")
    assert page.axe("dialog") == []
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
