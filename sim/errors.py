"""The tree of errors. They differ by whose fault it is, and each can point at the text that was wrong.

    CtlabError                 everything a user may see; str() is the whole message, never a traceback
    ├── LanguageError          text in some language was wrong; points with file:line:column and a caret
    │   ├── SyntaxMistake      not the language: "unexpected 'foo', expected ..."
    │   ├── MeaningMistake     the language, but meaningless: "no chain 'foo' in table 'ip filter'"
    │   └── Unsupported        right, but not simulated here: never silently ignored
    ├── ScenarioError          a scenario or lesson file says something impossible (file:line:column)
    ├── Malformed              bytes that are no IP packet at all (what ip_rcv would throw away)
    ├── BudgetExceeded         an experiment ran into its limit of events, simulated time, memory or computing
    └── UsageError             a command line or an API call was wrong

Not in here: errors of the simulated world (connection refused, no route). Those are what a simulated program prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """Where in a text something stands: `file`, 1-based `line` and `column`, `length` in characters."""

    file: str
    line: int
    column: int
    length: int = 1


class CtlabError(Exception):
    """Base of all errors that a user of ctlab may see."""


class UsageError(CtlabError):
    """A command line or an API call was wrong; the message says what to do instead."""


class BudgetExceeded(CtlabError):
    """An experiment ran into its limit; `what` is "events", "time", "memory" or "computing", `limit` its value."""

    def __init__(self, what: str, limit: int, message: str) -> None:
        super().__init__(message)
        self.what = what
        self.limit = limit


class Malformed(CtlabError):
    """Bytes that no IP stack would take further; `code` is a short stable word, str() a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LocatedError(CtlabError):
    """An error that points: `message`, `span` or None, the `source` line, and a `hint` ("did you mean ...?").

    str() is e.g.

        rules.nft:3:10: unknown ct state 'establshed'
        ct state establshed accept
                 ^^^^^^^^^^  did you mean 'established'?
    """

    def __init__(self, message: str, span: Span | None = None, source: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.source = source
        self.hint = hint

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.message}\n{self.hint}" if self.hint else self.message
        head = f"{self.span.file}:{self.span.line}:{self.span.column}: {self.message}"
        if not self.source:
            return f"{head}\n{self.hint}" if self.hint else head
        pad = "".join("\t" if c == "\t" else " " for c in self.source[: self.span.column - 1])
        caret = "^" * max(1, self.span.length)
        return f"{head}\n{self.source}\n{pad}{caret}" + (f"  {self.hint}" if self.hint else "")


class LanguageError(LocatedError):
    """Text in iptables', nft's, conntrack's ... language was wrong."""


class SyntaxMistake(LanguageError):
    """Not the language."""


class MeaningMistake(LanguageError):
    """The language, but meaningless here: an unknown chain, a port without a protocol."""


class Unsupported(LanguageError):
    """Right, and Linux would take it, but ctlab does not simulate it."""


class ScenarioError(LocatedError):
    """A scenario or lesson file says something impossible. `path`: of what in the file, key by key, where that is known."""

    path: tuple[str | int, ...] = ()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint "did you mean 'x'?" for the nearest of `known`, or "" when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""
