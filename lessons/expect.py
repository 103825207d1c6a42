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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.document import Document, Path
from sim.errors import ScenarioError, UsageError, did_you_mean
from sim.trace import EVENTS, Record
from sim.units import parse_time

STATES = ("table", "sysctl-is", "policy")
_COUNTED = ("count", "machine", "packet")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of an expectation: the record's kind, the fields wanted, how often (None: at least once)."""

    kind: str
    fields: Mapping[str, Any]
    count: int | None
    text: str


def read_checks(data: Any, document: Document, path: Path = ()) -> tuple[Check, ...]:
    """Checks from YAML data. Raises ScenarioError at the word that is wrong."""
    if not isinstance(data, list) or not data:
        raise document.mistake("a list of checks is wanted, each like `- label: {label: NEW}`", path)
    return tuple(_read_check(item, document, (*path, index)) for index, item in enumerate(data))


def _read_check(item: Any, document: Document, path: Path) -> Check:
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
    inner = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return f"{kind} {{{inner}}}"


class Seen:
    """Records made ready for checks: as JSON, packets by id, the state at the end."""

    def __init__(self, records: Sequence[Record], since: int = 0) -> None:
        self.all = [record.to_json() for record in records]
        self.recent = self.all[since:]
        self.packets: dict[int, dict[str, Any]] = {}
        for record in self.all:
            if record["kind"] == "sent":
                self.packets.setdefault(record["packet"], record["headers"])

    def holds(self, check: Check) -> bool:
        """Whether the check holds."""
        found = self.matches(check)
        return found > 0 if check.count is None else found == check.count

    def matches(self, check: Check) -> int:
        """How many records (or entries) fit the check."""
        if check.kind in STATES:
            return sum(self._fits(item, check.fields) for item in self._state(check.kind))
        return sum(record["kind"] == check.kind and self._fits(record, check.fields) for record in self.recent)

    def _fits(self, record: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        return all(self._field(record, name, value) for name, value in wanted.items())

    def _field(self, record: Mapping[str, Any], name: str, value: Any) -> bool:
        if name == "packet" and isinstance(value, dict):
            return _like(self.packets.get(record.get("packet", -1), {}), value)
        return _like(record.get(name), value)

    def _state(self, kind: str) -> list[dict[str, Any]]:
        return {"table": self._table, "sysctl-is": self._sysctls, "policy": self._policies}[kind]()

    def _table(self) -> list[dict[str, Any]]:
        table: dict[tuple[str, int], dict[str, Any]] = {}
        for record in self.all:
            if record["kind"] in ("entry-new", "entry-update"):
                table[record["machine"], record["conn"]] = record
            elif record["kind"] == "entry-destroy":
                table.pop((record["machine"], record["conn"]), None)
        return list(table.values())

    def _sysctls(self) -> list[dict[str, Any]]:
        latest = {(r["machine"], r["key"]): r for r in self.all if r["kind"] == "sysctl"}
        return list(latest.values())

    def _policies(self) -> list[dict[str, Any]]:
        latest = {r["machine"]: r for r in self.all if r["kind"] == "rules"}
        return [
            {
                "machine": machine,
                "table": table["name"],
                "chain": chain["name"],
                "is": str(chain.get("policy") or "").upper(),
            }
            for machine, record in latest.items()
            for table in record["tables"]
            for chain in table["chains"]
        ]


def _like(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, Mapping) and all(_like(value.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_like(item, one) for item in value) for one in wanted)
    if isinstance(wanted, str):
        return _like_text(value, wanted)
    return bool(value == wanted)


def _like_text(value: Any, wanted: str) -> bool:
    if wanted.startswith("has "):
        return value is not None and wanted[4:].casefold() in str(value).casefold()
    if wanted.startswith("not "):
        return not _like_text(value, wanted[4:])
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return value in (parse_time(wanted), int(wanted) if wanted.isdigit() else value + 1)
        except UsageError:
            return False
    return value is not None and str(value) == wanted
