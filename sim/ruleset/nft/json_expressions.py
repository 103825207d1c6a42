"""Expressions of nft's language as JSON, as libnftables-json(5) has them: from the nodes of syntax.py to plain values.

What a word becomes depends on the data type it is compared with: a mark is a number, a TC class a string, a time a number of seconds.
"""

from __future__ import annotations

import re
from typing import Any

from sim.ruleset.nft.syntax import (
    Binary,
    Braces,
    Element,
    Everything,
    Expression,
    Field,
    HashOf,
    Joined,
    Listed,
    MapExpr,
    Numgen,
    PrefixOf,
    RangeOf,
    SetName,
    Symbol,
    VerdictOf,
)
from sim.ruleset.selectors import SELECTORS

Json = Any
Types = tuple[str, ...]
_TEXTS = frozenset(("classid", "realm", "ifname", "string", "iface_index"))  # whose numbers stay texts
_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_SECONDS = (86400, 3600, 60, 1)
_EXTENSIONS = frozenset("hbh rt frag dst mh srh rt0 rt2".split())


def types_of(expression: Expression) -> Types:
    """The data types of a left side, one for each part of a concatenation; "" where it has none."""
    if isinstance(expression, Joined):
        return tuple(kind for item in expression.items for kind in types_of(item))
    if isinstance(expression, Binary):
        return types_of(expression.left)
    if not isinstance(expression, Field):
        return ("integer",)
    row = SELECTORS.row(" ".join(expression.words))
    return (row.type if row is not None else _OTHER.get(" ".join(expression.words), "integer"),)


_OTHER = {"ct event": "ct_event", "ct helper": "string", "meta rtclassid": "realm", "rt classid": "realm"}


def field(left: Field) -> Json:
    """What a packet is asked for."""
    words = left.words
    match words:
        case ("meta", key):
            return {"meta": {"key": key}}
        case ("ct", "original" | "reply" as direction, *key):
            return {"ct": {"key": " ".join(key), "dir": direction}}
        case ("ct", key):
            return {"ct": {"key": key}}
        case ("fib", flags, result):
            return {"fib": {"result": result, "flags": flags.split(" . ")}}
        case ("socket", key):
            return {"socket": {"key": key}}
        case ("rt", "mtu" | "classid" | "nexthop" | "ipsec" as key):
            return {"rt": {"key": key}}
        case ("rt", family, key):
            return {"rt": {"key": key, "family": family}}
        case ("exthdr", name):
            return {"exthdr": {"name": name}}
        case ("tcp" | "ip" | "sctp", "option" | "chunk", *rest):
            return {f"{words[0]} {words[1]}": _option(rest)}
        case (name, key) if name in _EXTENSIONS:
            return {"exthdr": {"name": name, "field": key}}
        case (raw,):
            base, at, size = raw[1:].split(",")
            return {"payload": {"base": base, "offset": int(at), "len": int(size)}}
    return {"payload": {"protocol": words[0], "field": words[1]}}


def _option(words: list[str]) -> Json:
    """maxseg size, rr, 255, @255,8,8"""
    if words[0].startswith("@") or words[0].isdecimal():
        numbers = [int(number) for number in words[0].strip("@").split(",")]
        kind, at, size = (*numbers, 0, 8)[:3] if len(numbers) == 1 else numbers
        return {"base": kind, "offset": at, "len": size}
    return {"name": words[0]} | ({"field": words[1]} if len(words) > 1 else {})


def expression(node: Expression | VerdictOf | None, types: Types = ("integer",), data: Types = ("integer",)) -> Json:
    """Any expression; `types` are those of what it stands for, `data` those to which a map leads."""
    kind = types[0] if types else "integer"
    match node:
        case Symbol():
            return symbol(node, kind)
        case Field():
            return field(node)
        case Binary():
            return _binary(node, kind)
        case RangeOf():
            return {"range": [expression(node.low, types), expression(node.high, types)]}
        case PrefixOf():
            return {"prefix": {"addr": expression(node.base, types), "len": node.length}}
        case Listed():
            return [expression(item, types) for item in node.items]
        case Joined():
            each = types if len(types) == len(node.items) else ("integer",) * len(node.items)
            return {"concat": [expression(item, (one,)) for item, one in zip(node.items, each, strict=True)]}
        case Braces():
            return {"set": [element(each, types, data) for each in node.elements]}
        case SetName():
            return f"@{node.name}"
        case Everything():
            return "*"
        case MapExpr():
            return {"map": {"key": expression(node.left), "data": expression(node.map, types_of(node.left), types)}}
        case VerdictOf():
            return verdict(node)
        case Numgen():
            return {"numgen": {"mode": node.mode, "mod": node.mod, "offset": node.offset}}
        case HashOf():
            return _hash(node)
    return None


def _hash(node: HashOf) -> Json:
    settings: dict[str, Json] = {"mod": node.mod}
    if node.seed is not None:
        settings["seed"] = node.seed
    if node.offset:
        settings["offset"] = node.offset
    if node.of is None:
        return {"symhash": settings}
    return {"jhash": settings | {"expr": expression(node.of)}}


def _binary(node: Binary, kind: str) -> Json:
    types = types_of(node.left) if _asks(node.left) else (kind,)
    right: Json = expression(node.right, types)
    return {node.op: [expression(node.left, types), right]}


def _asks(node: Expression) -> bool:
    """Whether a field of the packet is in it."""
    if isinstance(node, Binary):
        return _asks(node.left)
    return isinstance(node, Field)


def symbol(node: Symbol, kind: str) -> Json:
    """One value."""
    text = node.text
    if node.kind == "boolean":
        return text == "exists"
    if kind == "time" and (found := _TIME.fullmatch(text)) is not None and text:
        return sum(int(count or 0) * unit for count, unit in zip(found.groups()[:4], _SECONDS, strict=True))
    if node.kind == "quoted" or kind in _TEXTS:
        return text
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", text):
        number = int(text, 0) if text[:2] in ("0x", "0X") else int(text)
        return bool(number) if kind == "there" else number
    return text


def element(node: Element, types: Types, data: Types = ("integer",)) -> Json:
    """One element of a set, with what it is mapped to, its time-out, what it counts."""
    key: Json = expression(node.key, types)
    more = element_options(node.options) | {name: value for each in node.statements for name, value in _kept(each).items()}
    if more:
        key = {"elem": {"val": key} | more}
    return key if node.value is None else [key, expression(node.value, data)]


def _kept(node: Any) -> dict[str, Json]:
    from sim.ruleset.nft.json_statements import statement  # statements hold expressions, and elements hold statements

    made: dict[str, Json] = statement(node, "inet")
    return made


def element_options(options: Any) -> dict[str, Json]:
    """timeout, expires, comment"""
    if options is None:
        return {}
    times = {name: getattr(options, name) for name in ("timeout", "expires")}
    told = {name: value // 1_000_000 for name, value in times.items() if value is not None}
    return told | ({"comment": options.comment} if options.comment else {})


def verdict(node: VerdictOf) -> Json:
    """accept, jump somewhere"""
    return {node.name: {"target": node.chain} if node.chain else None}
