"""Checks on a trace: what a lesson expects to have happened, and what its goals ask for.

A check names a kind of record (sim/trace.py) and what its fields must be; `packet` asks about the packet that it is about:

    - label: {machine: server, label: NEW, packet: {protocol: tcp, flags: S}}
    - dropped: {where: INPUT, by: has policy}
    - entry-new: {entry: {protocol: udp, timeout: 30s}, count: 1}
    - output: {terminal: laptop, text: has Connection timed out}
    - label: {label: INVALID, count: 0}
    - table: {machine: server, entry: {protocol: tcp, state: ESTABLISHED}}        entries that stand in the table at the end
    - sysctl-is: {machine: server, key: net.netfilter.nf_conntrack_udp_timeout, value: "120"}
    - policy: {machine: server, chain: INPUT, is: DROP}

A value is compared as it is; "has X" asks that X stands in it (in capitals or not), "not X" that it is something else, "30s" fits that many
microseconds.
`count` is how often (default: at least once); `in-order` in a list is not needed: each check looks at all records given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from lessons.known import Places, wrong_words
from sim.asking import STATES, Asked
from sim.document import Document, Path
from sim.errors import ScenarioError, did_you_mean
from sim.trace import EVENTS

LONGEST_SHOWN = 160
"""Characters of a value in a mistake."""
_COUNTED = ("count", "machine", "packet")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of an expectation: the record's kind, the fields wanted, how often (None: at least once)."""

    kind: str
    fields: Mapping[str, Any]
    count: int | None
    text: str


Each = Callable[[Iterable[Callable[[], Any]]], list[Any]]
"""Calls one after the other: whether the first mistake ends it is for who reads."""


def at_once(parts: Iterable[Callable[[], Any]]) -> list[Any]:
    """The first mistake ends it."""
    return [part() for part in parts]


def read_checks(
    data: Any, document: Document, path: Path = (), each: Each = at_once, places: Places = MappingProxyType({})
) -> tuple[Check, ...]:
    """Checks from YAML data; `places`: the machines and terminals there are. Raises ScenarioError at the word that is wrong."""
    if not isinstance(data, list) or not data:
        raise document.mistake("a list of checks is wanted, each like `- label: {label: NEW}`", path)
    return tuple(each(partial(_read_check, item, document, (*path, index), places) for index, item in enumerate(data)))


def _read_check(item: Any, document: Document, path: Path, places: Places) -> Check:
    if not isinstance(item, dict) or len(item) != 1:
        raise document.mistake("a check has one kind: `- label: {label: NEW}`", path)
    kind, fields = next(iter(item.items()))
    fields = fields or {}
    if kind not in EVENTS and kind not in STATES:
        raise document.mistake(
            f"no record is of kind '{kind}'", (*path, kind, "<key>"), did_you_mean(kind, [*EVENTS, *STATES])
        )
    if not isinstance(fields, dict):
        raise document.mistake("fields are wanted: {label: NEW}", (*path, kind))
    for name in fields:
        known = fields_of(kind)
        if name not in known:
            raise _unknown_field(document, (*path, kind, name), kind, name, known)
    for wrong in wrong_words(fields, places):
        place = (*path, kind, *wrong.path, *(("<key>",) if wrong.key else ()))
        raise document.mistake(wrong.message, place, wrong.hint)
    count = fields.get("count")
    if count is not None and not isinstance(count, int):
        raise document.mistake("count is a whole number", (*path, kind, "count"))
    wanted = {name: value for name, value in fields.items() if name != "count"}
    return Check(kind, wanted, count, _say(kind, fields))


def _unknown_field(document: Document, path: Path, kind: str, name: str, known: Sequence[str]) -> ScenarioError:
    hint = did_you_mean(name, known) or f"it has {', '.join(known)}"
    return document.mistake(f"a {kind} record has no field '{name}'", (*path, "<key>"), hint)


def fields_of(kind: str) -> list[str]:
    special = {"table": ["entry"], "sysctl-is": ["key", "value"], "policy": ["table", "chain", "is"]}
    names = special.get(kind) or [f.name for f in dataclasses.fields(EVENTS[kind]) if f.name != "packet"]
    return [*names, *_COUNTED]


def _say(kind: str, fields: Mapping[str, Any]) -> str:
    return f"{kind} {{{', '.join(_pairs(fields, fields))}}}"


class Seen(Asked):
    """Records made ready for checks."""

    def holds(self, check: Check) -> bool:
        """Whether the check holds."""
        found = self.matches(check)
        return found > 0 if check.count is None else found == check.count

    def matches(self, check: Check) -> int:
        """How many records (or entries) fit the check."""
        return len(self.find(check.kind, check.fields))

    def shown(self, record: Mapping[str, Any], check: Check) -> str:
        """What a record has in the fields that a check names, as a check would say it."""
        return "{" + ", ".join(_pairs(self._beside(record, check.fields), check.fields)) + "}"

    def _beside(self, record: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**record, "packet": self.packets.get(record.get("packet", -1), {})} if "packet" in wanted else record


def _pairs(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for name, value in wanted.items():
        inner = record.get(name)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            yield f"{name}: {{{', '.join(_pairs(inner, value))}}}"
        else:
            yield f"{name}: {_short(inner)}"


def _short(value: Any) -> str:
    """A value on one line; of a long text its beginning."""
    text = "\\n".join(str(value).split("\n"))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
