"""Questions to a trace: which records are of a kind and have these fields, and what stands at its end (entries, settings, policies).

    Asked(simulation.records).find("label", {"machine": "server", "label": "NEW", "packet": {"protocol": "tcp", "flags": "S"}})

A value is compared as it is; "has X" asks that X stands in it (in capitals or not), "not X" that it is something else, "30s" fits
that many microseconds; a mapping asks about those of its keys that it names; `packet` asks about the packet that a record is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sim.errors import UsageError
from sim.trace import Record
from sim.units import parse_time

STATES = ("table", "sysctl-is", "policy")
"""What stands at the end, besides the kinds of records (trace.EVENTS)."""


class Asked:
    """Records made ready for questions: as JSON, packets by id. Questions are about those from number `since` on."""

    def __init__(self, records: Sequence[Record], since: int = 0) -> None:
        self.all: list[dict[str, Any]] = []
        self.packets: dict[int, dict[str, Any]] = {}
        self.grow(records, since)

    def grow(self, records: Sequence[Record], since: int = 0) -> None:
        """The same trace has become longer: `records` are all of it."""
        for number in range(len(self.all), len(records)):
            record = records[number].to_json()
            self.all.append(record)
            if record["kind"] == "sent":
                self.packets.setdefault(record["packet"], record["headers"])
        self.recent = self.all[since:]

    def find(self, kind: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The records of this kind (or what stands at the end: STATES) that fit, as JSON."""
        if kind in STATES:
            return [item for item in self._state(kind) if self._fits(item, wanted)]
        return [record for record in self.recent if record["kind"] == kind and self._fits(record, wanted)]

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
            return value in (parse_time(wanted), int(wanted) if re.fullmatch(r"\d{1,18}", wanted, re.ASCII) else value + 1)
        except UsageError:
            return False
    return value is not None and str(value) == wanted
