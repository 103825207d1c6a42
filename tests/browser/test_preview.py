"""An instructor at the desk: the page follows the lesson's file as it is saved, and blocks of every kind do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lessons.new import write_lesson
from tests.browser.tab import PAGE, ROOT, WIDE, Page

BLOCKS = """\
# What comes first

```packet laptop
udp 192.168.1.10:5000 > 192.168.1.20:5000 data hello
```

```link laptop.eth0--server.eth0
delay 100ms
```

```run laptop wait=2500ms
ping 192.168.1.20
```

```run laptop
^C
```

"""


class Desk:
    """A lesson that is being written, and its preview in a tab."""

    def __init__(self, file: Path, page: Page) -> None:
        self.file, self.page = file, page

    def save(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new, 1))


@pytest.fixture
def desk(browser: Any, tmp_path: Path) -> Iterator[Desk]:
    if not PAGE.is_file():
        pytest.skip("the page has not been built: npm run build in web/ui")
    file = write_lesson(tmp_path / "lessons", "Mine")
    options = ["--no-browser", "--port", "0", "--data", str(tmp_path / "s.sqlite")]
    command = [sys.executable, "-c", "from web.cli import main; main()", "lesson", "preview", str(file.parent), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as lab:
        assert lab.stdout is not None
        assert "starts" in lab.stdout.readline()
        told = lab.stdout.readline()
        url = re.search(r"(http://\S+?:\d+)/preview", told)
        assert url, told
        context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
        page = Page(context.new_page(), url[1])
        page.tab.goto(f"{page.url}/preview")
        page.tab.get_by_role("heading", name="What comes first").wait_for()
        yield Desk(file, page)
        context.close()
        lab.terminate()
        assert page.wrong == []


def test_the_page_follows_the_file_and_shows_a_mistake_at_its_line(desk: Desk) -> None:
    desk.save("# What comes first", "# Another heading")
    desk.page.tab.get_by_role("heading", name="Another heading").wait_for()
    desk.save("```run laptop", "```run lptop")
    alert = desk.page.tab.get_by_role("alert")
    alert.get_by_text("01-mine/lesson.md:22:1: the scenario has no terminal 'lptop'").wait_for()
    assert "did you mean 'laptop'?" in alert.inner_text() and "```run lptop" in alert.inner_text()
    desk.page.tab.get_by_role("heading", name="Another heading").wait_for()
    desk.page.shoot("preview-mistake")
    assert desk.page.axe() == []
    desk.save("```run lptop", "```run laptop")
    alert.wait_for(state="detached")


def test_packets_links_keys_and_waits_do_on_the_page_what_they_do_in_the_test(desk: Desk) -> None:
    text = desk.file.read_text()
    desk.file.write_text(text[: text.index("# What comes first")] + BLOCKS + text[text.index("# Your turn") :])
    page = desk.page
    page.tab.get_by_role("button", name="laptop sends: udp").click()
    page.settle()
    page.tab.get_by_role("button", name="Link laptop – server: delay 100ms").click()
    page.settle()
    begun = page.lab("t")
    page.tab.get_by_role("button", name="Run on laptop: ping").click()
    page.settle()
    assert page.lab("t") - begun == 2_500_000
    page.tab.get_by_role("button", name="Run on laptop: ^C").click()
    page.settle()
    page.shows("3 packets transmitted, 3 received")
    assert [record["input"]["type"] for record in page.lab("records") if record["kind"] == "input"] == ["packet", "link", "line", "key"]
    page.shoot("lesson-blocks")
