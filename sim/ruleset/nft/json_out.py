"""`nft -j list ...`: what a list command prints, as JSON in the form of libnftables-json(5) and of nft 1.0.6.

JSON and text say the same in two spellings: the listing's own text is read back (read.py) and its nodes are written as JSON, with the
handles that text leaves out. Nothing is decided here about what is listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sim.ruleset.model import Chain, NamedSet, Ruleset, Table
from sim.ruleset.nft.json_expressions import Json, element
from sim.ruleset.nft.json_statements import statement
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.read import Sources, read
from sim.ruleset.nft.syntax import CounterOf, LimitOf, QuotaOf, RuleOf
from sim.ruleset.nft.written import (
    ChainOf,
    Command,
    CtExpectationOf,
    CtHelperOf,
    CtTimeoutOf,
    FlowtableOf,
    NamedOf,
    ObjectOf,
    SetOf,
    TableOf,
)

METAINFO = {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}
_WHOLE = ("ruleset", "table")


def document(objects: list[Json]) -> str:
    """The line that nft prints."""
    return json.dumps({"nftables": [METAINFO, *objects]}, ensure_ascii=False) + "\n"


def listing(text: str, command: Command, ruleset: Ruleset, style: Style) -> list[Json]:
    """The objects of what `command` printed as `text`."""
    if command.thing == "tables":
        return [table_object(table) for line in text.splitlines() if (table := ruleset.table("nft", *line.split()[1:3])) is not None]
    commands, _ = read(text, "listing", Sources(), _no_file)
    objects: list[Json] = []
    for each in commands:
        table = ruleset.table("nft", each.place.family, each.place.table.value if each.place.table is not None else "")
        if table is not None and isinstance(each.body, TableOf):
            objects += _table(table, each.body, command.thing, style)
    return objects


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def table_object(table: Table) -> Json:
    """A table alone."""
    flags = {"flags": list(table.flags) if len(table.flags) > 1 else table.flags[0]} if table.flags else {}
    return {"table": {"family": table.family, "name": table.name, "handle": table.handle} | flags}


def _table(table: Table, body: TableOf, thing: str, style: Style) -> Iterator[Json]:
    if thing in _WHOLE:
        yield table_object(table)
    for name, block in body.objects:
        yield object_object(table, name.value, block)
    for name, found in body.sets:
        made = table.named_set(name.value)
        if made is not None:
            yield set_object(table, made, found)
    for name, flowtable in body.flowtables:
        yield _flowtable(table, name.value, flowtable)
    chains = [(chain, written) for name, written in body.chains if (chain := table.chain(name.value)) is not None]
    for chain, _ in chains:
        yield chain_object(table, chain)
    for chain, written in chains:
        yield from _rules(table, chain, written, style)


def _rules(table: Table, chain: Chain, written: ChainOf, style: Style) -> Iterator[Json]:
    for rule, text in zip(chain.rules, written.rules, strict=False):
        yield rule_object(table, chain.name, rule.handle, text, style)


def chain_object(table: Table, chain: Chain) -> Json:
    """A chain without its rules."""
    base: dict[str, Json] = {}
    if chain.hook is not None:
        base = {"type": chain.type, "hook": chain.hook.name.lower(), "prio": chain.priority, "policy": chain.policy}
    return {"chain": {"family": table.family, "table": table.name, "name": chain.name, "handle": chain.handle} | base}


def rule_object(table: Table, chain: str, handle: int, rule: RuleOf, style: Style) -> Json:
    """A rule."""
    settings: dict[str, Json] = {"family": table.family, "table": table.name, "chain": chain, "handle": handle}
    if rule.comment:
        settings["comment"] = rule.comment
    settings["expr"] = [statement(each, table.family, style.stateless) for each in rule.statements]
    return {"rule": settings}


def set_object(table: Table, found: NamedSet, written: SetOf) -> Json:
    """A set or map with its elements."""
    types = tuple(getattr(word, "value", str(word)) for word in found.types)
    settings: dict[str, Json] = {"family": table.family, "name": found.name, "table": table.name}
    settings |= {"type": types[0] if len(types) == 1 else list(types), "handle": found.handle}
    settings |= {"comment": written.comment} if written.comment else {}
    data = tuple(found.data.split(" . ")) if found.data else ()
    settings |= {"map": found.data} if found.data else {}
    settings |= {"policy": written.policy} if written.policy else {}
    settings |= {"size": written.size} if written.size is not None else {}
    told = [flag for flag in found.flags if flag != "dynamic"]  # nft leaves it out
    settings |= {"flags": told} if told else {}
    settings |= {"timeout": written.timeout // 1_000_000} if written.timeout else {}
    settings |= {"gc-interval": written.gc_interval // 1_000_000} if written.gc_interval else {}
    if written.elements is not None and written.elements.elements:
        settings["elem"] = [element(each, types, data) for each in written.elements.elements]
    if written.statements:
        settings["stmt"] = [statement(each, table.family) for each in written.statements]
    return {"map" if found.data else "set": settings}


def object_object(table: Table, name: str, block: NamedOf) -> Json:
    """A counter, quota, limit, ct helper, ct timeout or ct expectation."""
    kind, settings = _OBJECTS[type(block)](block)
    handle = next((each.handle for each in _objects(table) if each.name == name), 0)
    head = {"family": table.family, "name": name, "table": table.name, "handle": handle}
    comment = {"comment": block.comment} if block.comment else {}
    return {kind: head | comment | settings}


def _objects(table: Table) -> Any:
    return getattr(table, "objects", ()) or getattr(table, "helpers", ())


def _counted(block: ObjectOf) -> tuple[str, dict[str, Json]]:
    match block.statement:
        case QuotaOf() as quota:
            return block.kind, {"bytes": quota.bytes, "used": quota.used} | ({"inv": True} if quota.over else {})
        case LimitOf() as limit:
            settings: dict[str, Json] = statement(limit, "inet")["limit"]
            order = ("rate", "per", "rate_unit", "burst", "burst_unit", "inv")
            return block.kind, {name: settings[name] for name in order if name in settings}
        case CounterOf() as counter:
            return block.kind, {"packets": counter.packets, "bytes": counter.bytes}
    return block.kind, {"packets": 0, "bytes": 0}


def _helper(block: CtHelperOf) -> tuple[str, dict[str, Json]]:
    kind = block.type.value if block.type is not None else ""
    return "ct helper", {"type": kind, "protocol": block.protocol, "l3proto": block.family}


def _timeout(block: CtTimeoutOf) -> tuple[str, dict[str, Json]]:
    policy = {word.value: seconds for word, seconds in block.policy}
    return "ct timeout", {"protocol": block.protocol, "l3proto": block.family, "policy": policy}


def _expectation(block: CtExpectationOf) -> tuple[str, dict[str, Json]]:
    settings = {"protocol": block.protocol, "dport": block.dport, "timeout": block.timeout // 1000, "size": block.size}
    return "ct expectation", settings | {"l3proto": block.family}


_OBJECTS: dict[type, Callable[[Any], tuple[str, dict[str, Json]]]] = {
    ObjectOf: _counted, CtHelperOf: _helper, CtTimeoutOf: _timeout, CtExpectationOf: _expectation,
}  # fmt: skip


def _flowtable(table: Table, name: str, block: FlowtableOf) -> Json:
    priority = block.priority[1] if block.priority is not None else 0
    devices = [device.value for device in block.devices]
    head = {"family": table.family, "name": name, "table": table.name, "handle": 0}
    hook = block.hook.value if block.hook is not None else ""
    return {"flowtable": head | {"hook": hook, "prio": priority, "dev": devices[0] if len(devices) == 1 else devices}}
