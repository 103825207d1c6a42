"""What a set's or map's block declares: data types or `typeof` expressions, flags, time-outs, what each element keeps."""

from __future__ import annotations

from sim.ruleset.model import NamedSet
from sim.ruleset.nft.fields import Known, left_side
from sim.ruleset.nft.keeping import kept_parts
from sim.ruleset.nft.literals import WIDTH
from sim.ruleset.nft.printing import left
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.syntax import Expression, Field, Joined, Mistake, Symbol
from sim.ruleset.nft.written import SetOf
from sim.ruleset.selectors import Selector, parts_of

OBJECT_KINDS = ("counter", "quota", "limit")
_KNOWN_ELSEWHERE = frozenset("ether_addr ether_type classid cgroupsv2 realm uid gid devgroup ct_label time day hour fib_addrtype".split())
_ZONE_BITS = 16
_NO_SIZE = ("integer", "string", "verdict")
_FLAGS = ("constant", "dynamic", "interval", "timeout")


def key_rows(found: NamedSet) -> tuple[Selector, ...]:
    """Rows of a set's key, as if its types were selectors."""
    return parts_of(found.typeof[0]) if found.typeof[0] else rows_of(found.types)


def data_rows(found: NamedSet) -> tuple[Selector, ...]:
    """The same for a map's data."""
    return parts_of(found.typeof[1]) if found.typeof[1] else rows_of(tuple(found.data.removeprefix("interval ").split(" . ")))


def rows_of(types: tuple[str, ...]) -> tuple[Selector, ...]:
    """Rows of data types, as if they were selectors; the one integer that a map may give is a zone."""
    return tuple(Selector(each, each, _ZONE_BITS if each == "integer" else WIDTH[each], (), "") for each in types)


def set_of(name: str, body: SetOf, family: str) -> NamedSet:
    """The empty set that a block describes, in a table of `family`. Raises Mistake and NotSimulated."""
    kind = "map" if body.map else "set"
    if body.typeof is not None:
        key, types = _typeof(body.typeof, family)
    else:
        key, types = "", _types(body.types, body.at, kind)
    if not types:
        raise Mistake(body.at, "set definition does not specify key")
    data_key, data = _data(body, family) if body.map else ("", "")
    flags = {*body.flags, *(("timeout",) if body.timeout else ())}
    parts = kept_parts(body.statements)
    typeof = ("", "") if body.data_interval else (key, data_key)
    return NamedSet(
        name, types, (), tuple(flag for flag in _FLAGS if flag in flags), data, comment=body.comment, typeof=typeof,
        timeout=body.timeout, gc_interval=body.gc_interval, size=body.size or 0, policy=body.policy if body.policy == "memory" else "",
        auto_merge=body.auto_merge, parts=parts,
    )  # fmt: skip


def _data(body: SetOf, family: str) -> tuple[str, str]:
    interval = "interval " if body.data_interval else ""
    if body.data_typeof is not None:
        if isinstance(body.data_typeof, Symbol) and body.data_typeof.text == "verdict":
            return "", "verdict"
        key, types = _typeof(body.data_typeof, family)
        return ("" if interval else key), interval + " . ".join(types)
    first = body.data[0].value if body.data else ""
    if first in ("verdict", *OBJECT_KINDS) and len(body.data) == 1:
        return "", first
    return "", interval + " . ".join(_types(body.data, body.at, "map"))


def _types(words: tuple[Lexeme, ...], at: At, kind: str) -> tuple[str, ...]:
    for word in words:
        if word.value in _NO_SIZE and len(words) > 1:
            others = At(words[0].at.start, words[-1].at.end, word.at.source)
            raise Mistake(word.at, f"can not use variable sized data types ({word.value}) in concat expressions", others)
        if word.value in _NO_SIZE:
            message = f'unqualified type {word.value} specified in {kind} definition. Try "typeof expression" instead of "type datatype".'
            raise Mistake(at, message)
        if word.value in _KNOWN_ELSEWHERE and word.value not in WIDTH:
            raise NotSimulated(word.value, word.at)
        if word.value not in WIDTH:
            raise Mistake(word.at, f"unknown datatype {word.value}")
    return tuple(word.value for word in words)


def _typeof(expression: Expression, family: str) -> tuple[str, tuple[str, ...]]:
    """The selectors' text, and their types. Which protocol a field needs is not asked: each one stands for itself."""
    found: list[Selector] = []
    for item in expression.items if isinstance(expression, Joined) else (expression,):
        if not isinstance(item, Field):
            raise NotSimulated("typeof", item.at)
        found += left_side(item, Known(family, family if family != "inet" else None)).rows
    name = " . ".join(row.name for row in found)
    return name, tuple(row.type for row in found)


def type_words(found: NamedSet) -> str:
    """The line that says the types: `type ipv4_addr : verdict`, `typeof ip saddr`."""
    if not found.typeof[0]:
        return f"type {' . '.join(found.types)}" + (f" : {found.data}" if found.data else "")
    data = left(found.typeof[1]) if found.typeof[1] else found.data
    return f"typeof {left(found.typeof[0])}" + (f" : {data}" if data else "")
