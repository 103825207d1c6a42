"""Browser tests: the lab as a process of its own on loopback, headless Chromium, and what every test of the page needs.

Without Chromium, or with a page that has not been built, the tests are skipped by that name.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.tab import PAGE, ROOT, WIDE, Page

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def _chromium() -> str | None:
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a lab that runs for these tests, with an empty store."""
    if not PAGE.is_file():
        pytest.skip("the page has not been built: npm run build in web/ui")
    data = tmp_path_factory.mktemp("lab") / "sessions.sqlite"
    command = [sys.executable, "-c", "from web.cli import main; main()", "--no-browser", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as lab:
        assert lab.stdout is not None
        told = lab.stdout.readline()
        found = re.search(r"http://\S+?:\d+", told)
        if found is None:
            lab.kill()
            pytest.fail(f"the lab did not start: {told}{lab.stdout.read()}")
        yield found.group()
        lab.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium for the whole run."""
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, lab_url: str) -> Iterator[Page]:
    """A wide page in light colours."""
    yield from _page(browser, lab_url)


@pytest.fixture
def page_with(browser: Any, lab_url: str) -> Iterator[Callable[..., Page]]:
    """Pages with other settings: page_with(viewport=NARROW, color_scheme="dark")."""
    opened: list[Iterator[Page]] = []

    def make(**settings: Any) -> Page:
        opened.append(_page(browser, lab_url, **settings))
        return next(opened[-1])

    yield make
    for one in opened:
        for _ in one:
            pass


def _page(browser: Any, url: str, **settings: Any) -> Iterator[Page]:
    context = browser.new_context(**({"viewport": WIDE, "color_scheme": "light"} | settings))
    page = Page(context.new_page(), url)
    yield page
    context.close()
    assert page.wrong == []
