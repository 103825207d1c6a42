"""Statements of nft's language as JSON, as libnftables-json(5) has them: from the nodes of syntax.py to plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.ruleset.datatypes import BITMASKS
from sim.ruleset.nft.json_expressions import Json, element_options, expression, field, types_of, verdict
from sim.ruleset.nft.keptprint import size_words
from sim.ruleset.nft.syntax import (
    AssignOf,
    Binary,
    Braces,
    CopyOf,
    CounterOf,
    CountOf,
    Field,
    FlowOf,
    KeyOf,
    LimitOf,
    LogOf,
    Match,
    MeterOf,
    NatOf,
    NotrackOf,
    ProxyOf,
    QueueOf,
    QuotaOf,
    RejectOf,
    ResetOptionOf,
    SetName,
    SetStatementOf,
    StatementOf,
    UseOf,
    VerdictMatch,
    VerdictOf,
)

_REJECT = {"ip": "icmp", "ip6": "icmpv6", "inet": "icmpx"}
_NAT_FLAGS = ("random", "fully-random", "persistent")
_METER_SIZE = 65535
_OBJECT_SETTERS = ("helper", "timeout", "expectation")


def statement(node: StatementOf, family: str, stateless: bool = False) -> Json:
    """One statement of a rule in a table of `family`; `stateless`: without what it has counted."""
    if isinstance(node, CounterOf):
        return {"counter": None if stateless else {"packets": node.packets, "bytes": node.bytes}}
    if isinstance(node, RejectOf):
        return _reject(node, family)
    return _STATEMENTS[type(node)](node)


def _match(node: Match) -> Json:
    types = types_of(node.left)
    left: Json = expression(node.left)
    if node.mask is not None:
        left = {"&": [left, expression(node.mask, types)]}
    flags = types[0] in BITMASKS and len(types) == 1 and not isinstance(node.right, Braces | SetName)
    implied = "in" if flags and node.mask is None and not isinstance(node.left, Binary) else "=="
    return {"match": {"op": node.op or implied, "left": left, "right": expression(node.right, types)}}


def _vmap(node: VerdictMatch) -> Json:
    return {"vmap": {"key": expression(node.left), "data": expression(node.map, types_of(node.left))}}


def _assign(node: AssignOf) -> Json:
    words = node.target.words
    if words[0] == "ct" and words[1] in _OBJECT_SETTERS:
        return {f"ct {words[1]}": expression(node.value, ("string",))}
    return {"mangle": {"key": field(node.target), "value": expression(node.value, types_of(node.target))}}


def _limit(node: LimitOf) -> Json:
    over = {"inv": True} if node.over else {}
    if node.per == "packets":
        return {"limit": {"rate": node.rate, "burst": node.burst, "per": node.unit} | over}
    rate, burst = size_words(node.rate).split(), size_words(node.burst).split()
    settings = {"rate": int(rate[0]), "burst": int(burst[0]), "per": node.unit} | over
    return {"limit": settings | {"rate_unit": rate[1], "burst_unit": burst[1]}}


def _quota(node: QuotaOf) -> Json:
    amount, used = size_words(node.bytes).split(), size_words(node.used).split()
    settings: dict[str, Json] = {"val": int(amount[0]), "val_unit": amount[1]} | ({"inv": True} if node.over else {})
    if node.used:
        settings |= {"used": int(used[0]), "used_unit": used[1]}
    return {"quota": settings}


def _count(node: CountOf) -> Json:
    return {"ct count": {"val": node.count} | ({"inv": True} if node.over else {})}


def _log(node: LogOf) -> Json:
    told: dict[str, Json] = {name: value for name, value, _ in node.arguments if name != "flags"}
    found = [flag for name, value, _ in node.arguments if name == "flags" and isinstance(value, tuple) for flag in value]
    if found:
        told["flags"] = found[0] if len(found) == 1 else found
    order = ("prefix", "group", "snaplen", "queue-threshold", "level", "flags")
    return {"log": {name: told[name] for name in order if name in told} or None}


def _reject(node: RejectOf, family: str) -> Json:
    if node.kind == "tcp":
        return {"reject": {"type": "tcp reset"}}
    code = expression(node.code, (f"{node.kind}_code",)) if node.code is not None else "port-unreachable"
    return {"reject": {"type": node.kind or _REJECT[family], "expr": code}}


def _nat(node: NatOf) -> Json:
    settings: dict[str, Json] = {"family": node.family} if node.family else {}
    if node.address is not None:
        settings["addr"] = expression(node.address, ("ipv4_addr",))
    if node.ports is not None:
        settings["port"] = expression(node.ports, ("inet_service",))
    flags = [flag for flag in _NAT_FLAGS if flag in node.flags]
    if flags:
        settings["flags"] = flags[0] if len(flags) == 1 else flags
    if node.form == "prefix":
        settings["type_flags"] = "prefix"
    return {node.kind: settings or None}


def _queue(node: QueueOf) -> Json:
    settings: dict[str, Json] = {} if node.numbers is None else {"num": expression(node.numbers)}
    flags = [flag for flag in ("bypass", "fanout") if flag in node.flags]
    if flags:
        settings["flags"] = flags[0] if len(flags) == 1 else flags
    return {"queue": settings or None}


def _proxy(node: ProxyOf) -> Json:
    settings: dict[str, Json] = {"family": node.family} if node.family else {}
    if node.address is not None:
        settings["addr"] = expression(node.address, ("ipv4_addr",))
    if node.port is not None:
        settings["port"] = expression(node.port, ("inet_service",))
    return {"tproxy": settings}


def _copy(node: CopyOf) -> Json:
    device: dict[str, Json] = {} if node.device is None else {"dev": expression(node.device, ("ifname",))}
    return {"dup": {"addr": expression(node.address, ("ipv4_addr",))} | device}


def _use(node: UseOf) -> Json:
    return {node.object: expression(node.value, ("string",))}


def _key(node: KeyOf) -> Json:
    value, options = expression(node.expression), element_options(node.options)
    return {"elem": {"val": value} | options} if options else value


def _set(node: SetStatementOf) -> Json:
    name: Json = expression(node.set)
    if node.data is not None:
        return {"map": {"op": node.op, "elem": _key(node.key), "data": _key(node.data), "map": name}}
    settings: dict[str, Json] = {"op": node.op, "elem": _key(node.key), "set": name}
    if node.statements:
        settings["stmt"] = [statement(each, "inet") for each in node.statements]
    return {"set": settings}


def _meter(node: MeterOf) -> Json:
    size = node.size or _METER_SIZE
    return {"meter": {"key": _key(node.key), "stmt": statement(node.statement, "inet"), "size": size, "name": node.name.value}}


def _reset(node: ResetOptionOf) -> Json:
    return {"reset": field(Field(("tcp", "option", node.name), node.at))}


_STATEMENTS: dict[type, Callable[[Any], Json]] = {
    Match: _match, VerdictMatch: _vmap, VerdictOf: verdict, AssignOf: _assign, LimitOf: _limit, QuotaOf: _quota, CountOf: _count,
    LogOf: _log, NatOf: _nat, UseOf: _use, SetStatementOf: _set, MeterOf: _meter, ResetOptionOf: _reset,
    QueueOf: _queue, ProxyOf: _proxy, CopyOf: _copy, NotrackOf: lambda node: {"notrack": None},
    FlowOf: lambda node: {"flow": {"op": "add", "flowtable": f"@{node.name}"}},
}  # fmt: skip
