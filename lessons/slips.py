"""Slips of the pen that would be told as something else: found in the text, told by who reads it (blocks.py, load.py).

Not in here: mistakes that the readers name themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sim.asking import STATES
from sim.scenario import Scenario
from sim.trace import EVENTS

_UNDASHED = re.compile(r"\s*([a-z][a-z-]*):\s*\{")
_TESTS = ("may", "may-not", "lives", "cut", "holds")
HEADLESS = "a lesson's text begins with a heading: # The first step"


def spaced_setting(words: Iterable[str]) -> str:
    """The setting of a fence in which a space stands, `wait=35 s`; "" where none is."""
    setting = ""
    for word in words:
        if "=" in word:
            setting = word if word.partition("=")[2] else ""
        elif setting:
            return f"{setting} {word}"
    return ""


def undashed(body: str, first_line: int) -> int | None:
    """The line of the first check (or test) in a list of them that does not begin with `- `."""
    for number, line in enumerate(body.split("\n"), first_line):
        match = _UNDASHED.match(line)
        if match and (match[1] in EVENTS or match[1] in STATES or match[1] in _TESTS):
            return number
    return None


def sits_at(name: str, scenario: Scenario) -> str:
    """Where the user `name` sits, for whoever took a user for a terminal; "" where nobody is called so."""
    terminals = [one.id for one in scenario.terminals if name in (one.user, scenario.machines[one.machine].user)]
    return f"{name} sits at {' and '.join(terminals)}" if terminals else ""
