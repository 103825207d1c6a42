"""`nft monitor`: what it can be asked for, and the lines that it prints of changes. The lines of a trace are tracetext.py's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sim.ruleset.nft.echo import changes
from sim.ruleset.nft.parse import as_written
from sim.ruleset.nft.printing import Style
from sim.ruleset.state import RuleState

_EVENTS = ("new", "destroy")
_THINGS = ("tables", "chains", "sets", "rules", "elements", "ruleset", "trace")
_ALL = ("tables", "chains", "sets", "maps", "rules", "elements")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to tell: `event` new, destroy or "" for both; `thing` of _THINGS, "" for everything; the listing's options."""

    event: str = ""
    thing: str = ""
    handles: bool = False
    json: bool = False

    @property
    def trace(self) -> bool:
        """Whether traced packets are told."""
        return self.thing in ("", "trace") and self.event != "destroy"


def wanted(argv: Sequence[str]) -> Wanted | str | None:
    """What `nft [-a] [-j] monitor ...` asks for; None for another command; a message for one that is wrong."""
    words, letters = list(argv[1:]), ""
    while words and words[0].startswith("-"):
        letters += {"--handle": "a", "--json": "j"}.get(words[0], words[0].lstrip("-"))
        words.pop(0)
    words = " ".join(words).split()
    if not words or words[0] != "monitor":
        return None
    rest = words[1:]
    event = rest.pop(0) if rest and rest[0] in _EVENTS else ""
    thing = rest.pop(0) if rest and rest[0] in _THINGS else ""
    if rest:
        line = " ".join(words)
        return f"Error: syntax error, unexpected string\n{line}\n{' ' * line.rindex(rest[0])}{'^' * len(rest[0])}\n"
    return Wanted(event, thing, "a" in letters, "j" in letters)


class Changes:
    """Called at each load: the lines of what has changed since the last."""

    def __init__(self, wanted: Wanted, state: RuleState) -> None:
        self._wanted, self._state, self._before = wanted, state, state.ruleset

    def lines(self) -> str:
        """What is to be told now."""
        before, after = self._before, self._state.ruleset
        self._before = after
        style = Style(handles=self._wanted.handles)
        told = [
            _line(verb, words, thing, self._wanted.json)
            for verb, words, thing in changes(before, after, style, as_written)
            if self._is_wanted(verb, words)
        ]
        if before.of("nft") != after.of("nft") and not self._wanted.json and self._wanted.thing != "trace":
            told.append(f"# new generation {self._state.generation} by process {self._state.process} (nft)\n")
        return "".join(told)

    def _is_wanted(self, verb: str, words: str) -> bool:
        if self._wanted.event and (verb == "delete") != (self._wanted.event == "destroy"):
            return False
        kind = words.split()[0] + "s"
        return self._wanted.thing in ("", "ruleset", kind)


def _line(verb: str, words: str, thing: object, as_json: bool) -> str:
    return f"{json.dumps({verb: thing})}\n" if as_json else f"{verb} {words}\n"
