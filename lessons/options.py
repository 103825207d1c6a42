"""The options of a prediction: `- [ ] wrong {misconception}` and `- [x] right`, the reasons in the lines indented under them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from lessons import render
from lessons.expect import Each
from lessons.misconceptions import MISCONCEPTIONS
from lessons.model import Option
from sim.errors import ScenarioError, did_you_mean

_NAMED = re.compile(r"\{([a-z-]+)\}$")
_OPTION = re.compile(r"- \[( |x|X)\] (.+)")
_ALMOST = re.compile(r"\s{0,3}[-*+]?\s*\[.?\]")
Mistake = Callable[..., ScenarioError]
"""mistake(message, line, hint="")."""


class _Row(NamedTuple):
    """An option as it is written: its line, its text, whether it is marked as right, and the lines under it."""

    line: int
    text: str
    right: bool
    why: list[str]


def read_options(rows: Sequence[tuple[int, str]], mistake: Mistake, each: Each) -> tuple[str, tuple[Option, ...]]:
    """The question and its options, from numbered lines. Raises ScenarioError."""
    question: list[str] = []
    found: list[_Row] = []
    for line, text in rows:
        if match := _OPTION.match(text):
            found.append(_Row(line, match[2], match[1] in "xX", []))
        elif _ALMOST.match(text):
            raise mistake("an option is written `- [ ] wrong` or `- [x] right`", line)
        elif found:
            found[-1].why.append(text.strip())
        else:
            question.append(text.strip())
    one_right = sum(row.right for row in found) == 1
    return " ".join(question).strip(), tuple(each(partial(_option, row, mistake, one_right) for row in found))


def _option(row: _Row, mistake: Mistake, one_right: bool) -> Option:
    text, name = _misconception(row, mistake, one_right)
    why = " ".join(row.why).strip()
    if not why:
        raise mistake("each option says why, in the lines indented under it", row.line)
    return Option(render.inline(text), row.right, render.inline(why), name)


def _misconception(row: _Row, mistake: Mistake, one_right: bool) -> tuple[str, str]:
    """The option's text, and the misconception that is named behind it in braces."""
    match = _NAMED.search(row.text)
    if match is None:
        return row.text, ""
    if match[1] not in MISCONCEPTIONS:
        raise mistake(f"no misconception is called '{match[1]}'", row.line, did_you_mean(match[1], MISCONCEPTIONS))
    if row.right and one_right:  # of several, one is wrong, and may well have its misconception
        raise mistake("what is right is no misconception", row.line)
    return row.text[: match.start()].rstrip(), MISCONCEPTIONS[match[1]]
