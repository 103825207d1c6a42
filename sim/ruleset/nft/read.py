"""Reads a text in nft's language into commands, and tells every mistake at its place, as nft does.

`read(text, ...)` gives (commands, reports). A report keeps the source's name, line and columns, and its text in nft's layout;
after a mistake reading goes on behind the next separator, so that one run tells several.

Not in here: what the commands mean (rules.py, transaction.py).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.errors import LanguageError, MeaningMistake, Span, SyntaxMistake, Unsupported, did_you_mean
from sim.ruleset.nft.actions import Actions
from sim.ruleset.nft.engine import Engine, SyntaxStop
from sim.ruleset.nft.expressions import BASES
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated, Scanner
from sim.ruleset.nft.syntax import Mistake
from sim.ruleset.nft.words import KEYWORDS
from sim.ruleset.nft.written import Command

ReadFile = Callable[[str], str]  # a file's text; raises OSError
COMMAND_LINE = "command line"
MOST_ERRORS = 10  # parser_max_errors
DEEPEST_INCLUDE = 16  # MAX_INCLUDE_DEPTH


@dataclass(frozen=True, slots=True)
class Report:
    """One mistake, ready to be told: as nft prints it (`text`), and as an error of ours (`error`)."""

    text: str
    error: LanguageError


@dataclass(slots=True)
class Source:
    """A text that is read: its `name` ("command line" for arguments), and where its lines start."""

    name: str
    text: str
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts = [0, *(found.end() for found in re.finditer("\n", self.text))]

    def line_of(self, offset: int) -> int:
        """The number of the line, from 0, in which `offset` stands."""
        return bisect_right(self.starts, offset) - 1

    def line(self, number: int) -> str:
        """A line's text without its end."""
        end = self.text.find("\n", self.starts[number])
        return self.text[self.starts[number] : end if end >= 0 else len(self.text)]

    def span(self, at: At) -> Span:
        """The place as file, line, column, length; at most to the line's end."""
        number = self.line_of(at.start)
        column = at.start - self.starts[number]
        last = max(at.start + 1, min(at.end, self.starts[number] + len(self.line(number)) + 1))
        return Span(self.name, number + 1, column + 1, last - at.start)


class Sources:
    """The texts of one run; an At names one of them by number."""

    def __init__(self) -> None:
        self.all: list[Source] = []

    def add(self, name: str, text: str) -> int:
        """Keep a text; its number."""
        self.all.append(Source(name, text))
        return len(self.all) - 1

    def span(self, at: At) -> Span:
        """Where that is."""
        return self.all[at.source].span(at)

    def report(
        self, at: At, message: str, others: tuple[At, ...] = (), kind: type[LanguageError] = MeaningMistake, hint: str = ""
    ) -> Report:
        """A mistake as nft lays it out: the line, ~ under the other places, ^ under the place itself."""
        source = self.all[at.source]
        number, place = source.line_of(at.start), source.span(at)
        end_of_file = at.start == len(source.text) and number and at.start == source.starts[number]
        shown = 0 if source.name == COMMAND_LINE else number - 1 if end_of_file else number
        line = source.line(shown)
        marks = [sign if sign == "\t" else " " for sign in line[: place.column - 1]]
        marks += [" "] * (place.column - 1 - len(marks)) + ["^"] * place.length
        for other in others:
            where = source.span(other)
            for column in range(where.column - 1, where.column - 1 + where.length):
                if column < len(marks) and marks[column] != "^":
                    marks[column] = "~"
                elif column >= len(marks):
                    marks += [" "] * (column - len(marks)) + ["~"]
        head = "" if source.name == COMMAND_LINE else f"{source.name}:{place.line}:{place.column}-{place.column + place.length - 1}: "
        text = f"{head}Error: {message}\n{line}\n{''.join(marks)}\n"
        return Report(text, kind(message, place, line, hint))


class Reader:
    """One run over a text and what it includes."""

    def __init__(self, sources: Sources, read_file: ReadFile) -> None:
        self.sources, self._read_file = sources, read_file
        self.reports: list[Report] = []
        self.actions = Actions(self._include)
        self._engine = Engine(self.actions)
        self._scanners: list[Scanner] = []

    def run(self, number: int) -> None:
        """Read source `number`."""
        self._scanners.append(Scanner(self.sources.all[number].text, number))
        while self._scanners:
            token = self._scanners[-1]
            if not self._step(token):
                return

    def _step(self, scanner: Scanner) -> bool:
        """Take one token; False when reading is over."""
        token: Lexeme | None = None
        try:
            token = scanner.next(self._engine.wants)
            if token.type == "EOF" and (len(self._scanners) > 1 or self._engine.at_rest()):
                self._scanners.pop()
                return True
            self._engine.feed(token)
            return token.type != "EOF"
        except (SyntaxStop, Mistake, NotSimulated) as stop:
            self.reports.append(self._tell(stop))
            return len(self.reports) < MOST_ERRORS and self._skip(token)

    def _tell(self, stop: SyntaxStop | Mistake | NotSimulated) -> Report:
        base = self._engine.raw_base() if isinstance(stop, SyntaxStop) and stop.expected == ["comma"] else None
        if base is not None and base.value not in BASES:
            return self.sources.report(base.at, "unknown raw payload base")
        if isinstance(stop, SyntaxStop):
            hint = did_you_mean(stop.token.value, KEYWORDS) if stop.token.type == "STRING" else ""
            return self.sources.report(stop.token.at, str(stop), (), SyntaxMistake, hint)
        if isinstance(stop, NotSimulated):
            return not_simulated(self.sources, stop)
        return self.sources.report(stop.at, stop.message, stop.others)

    def _skip(self, token: Lexeme | None) -> bool:
        """Go on behind the next separator; False at the end of the text."""
        self._engine.recover()
        while token is None or token.type not in ("NEWLINE", "SEMICOLON"):
            if token is not None and token.type == "EOF":
                return False
            token = self._scanners[-1].next(lambda wanted: False)
        return True

    def _include(self, name: str, at: At) -> None:
        try:
            text = self._read_file(name)
        except OSError as error:
            raise Mistake(at, f"File not found: {name}") from error
        if len(self._scanners) >= DEEPEST_INCLUDE:
            raise Mistake(at, f"Include nested too deeply, max {DEEPEST_INCLUDE} levels")
        number = self.sources.add(name, text)
        self._scanners.append(Scanner(text, number))


def not_simulated(sources: Sources, stop: NotSimulated) -> Report:
    """The report of a word that nft knows and ctlab does not simulate."""
    return sources.report(stop.at, f"'{stop.word}' is right, but not simulated here", (), Unsupported)


def read(text: str, name: str, sources: Sources, read_file: ReadFile) -> tuple[list[Command], list[Report]]:
    """The commands of a text, and the mistakes in it."""
    reader = Reader(sources, read_file)
    reader.run(sources.add(name, text))
    return reader.actions.commands, reader.reports
