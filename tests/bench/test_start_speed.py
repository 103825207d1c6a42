"""Seconds from the command `ctlab` to the first page that it serves."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.bench


def first_page(url: str) -> bytes:
    """The page, as soon as somebody listens there: the address is printed a little earlier."""
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as page:
                return bytes(page.read())
        except urllib.error.URLError:
            assert time.monotonic() < until, f"nobody answers at {url}"
            time.sleep(0.005)


def seconds_to_first_page(data: Path) -> float:
    command = [sys.executable, "-c", "from web.cli import main; main()", "--no-browser", "--port", "0", "--data", str(data)]
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as lab:
        assert lab.stdout is not None
        told = lab.stdout.readline()
        found = re.search(r"http://\S+?:\d+", told)
        try:
            assert found is not None, told + lab.stdout.read()
            assert b"<!doctype html>" in first_page(found.group()).lower()
            return time.perf_counter() - begun
        finally:
            lab.kill()


def test_seconds_from_the_command_to_the_first_page(tmp_path: Path) -> None:
    if not (ROOT / "web" / "static" / "dist" / "index.html").is_file():
        pytest.skip("the page has not been built: python3 dev.py page")
    times = [seconds_to_first_page(tmp_path / f"{number}.sqlite") for number in range(3)]
    print(f"\nfrom `ctlab` to the first page: {min(times):.2f} s (the first time {times[0]:.2f} s)")
