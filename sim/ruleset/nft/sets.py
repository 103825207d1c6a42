"""Named sets and maps: their blocks, their elements added and deleted, and how nft lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sim.ruleset.model import Item, NamedSet, Prefix, Range, Scalar, Table, Verdict, Wildcard
from sim.ruleset.nft.elements import Interfaces, Values, bounds, normal, sort_key
from sim.ruleset.nft.literals import WIDTH
from sim.ruleset.nft.printing import Style, element
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.syntax import Braces, Element, Mistake, SetOf, VerdictOf
from sim.ruleset.selectors import Selector

_KNOWN_ELSEWHERE = frozenset("ether_addr ether_type classid cgroupsv2 realm uid gid devgroup ct_label time day hour fib_addrtype".split())
# How many elements nft prints in a line (calculate_delim); one of any other type.
_IN_A_LINE = {"inet_service": 5, "mark": 5, "inet_proto": 5, "tcp_flag": 5, "ipv4_addr": 2, "ct_state": 2, "ct_status": 2, "pkt_type": 2}
_NEW_LINE = ",\n\t\t\t     "


def rows_of(types: tuple[str, ...]) -> tuple[Selector, ...]:
    """Rows of a set's types, as if they were selectors."""
    return tuple(Selector(each, each, WIDTH[each], (), "") for each in types)


def set_of(name: str, body: SetOf) -> NamedSet:
    """The empty set that a block describes. Raises Mistake and NotSimulated."""
    types = tuple(_type(word) for word in body.types)
    if not types:
        raise Mistake(body.at, "set definition does not specify key")
    data = ""
    if body.map:
        word = body.data[0]
        data = str(getattr(word, "value", word))
        if data != "verdict" or len(body.data) > 1:
            raise NotSimulated(data, getattr(word, "at", body.at))
    extra = [("size", str(body.size))] if body.size is not None else []
    extra += [("policy", "memory")] if body.policy == "memory" else []
    extra += [("auto-merge", "")] if body.auto_merge else []
    return NamedSet(name, types, (), body.flags, data, (), comment=body.comment, extra=tuple(extra))


def _type(word: object) -> str:
    assert isinstance(word, Lexeme)
    if word.value in _KNOWN_ELSEWHERE:
        raise NotSimulated(word.value, word.at)
    if word.value not in WIDTH:
        raise Mistake(word.at, f"unknown datatype {word.value}")
    return word.value


def same_kind(one: NamedSet, other: NamedSet) -> bool:
    """Whether adding `other` where `one` is changes nothing."""
    return (one.types, one.flags, one.data) == (other.types, other.flags, other.data)


def put(table: Table, changed: NamedSet) -> Table:
    """The table with the set in the place of the one of its name."""
    return replace(table, sets=tuple(changed if each.name == changed.name else each for each in table.sets))


def with_elements(
    found: NamedSet, braces: Braces, interfaces: Interfaces, create: bool
) -> tuple[NamedSet, tuple[tuple[str, At], ...]]:
    """The set with these elements too, and the chains its new verdicts go to. Raises Mistake and NotSimulated."""
    read = Values(rows_of(found.types), interfaces).elements(braces)
    for item, one in read:
        _check(found, item, one, create)
    if found.data:
        return _with_verdicts(found, read)
    items = [item for item, _ in read]
    if "interval" in found.flags:
        new = _intervals(found, items, [one.key.at for _, one in read])
        return replace(found, elements=new), ()
    return replace(found, elements=normal((*found.elements, *items), _datatype(found))), ()


def _datatype(found: NamedSet) -> str:
    return found.types[0] if len(found.types) == 1 else ""


def _check(found: NamedSet, item: Item, one: Element, create: bool) -> None:
    interval = "interval" in found.flags
    parts = item if isinstance(item, tuple) and not isinstance(item, Range | Prefix | Wildcard) else (item,)
    for part in parts:
        if not interval and isinstance(part, Prefix | Range | Wildcard):
            kind = "prefix" if isinstance(part, Prefix) else "range"
            raise Mistake(one.key.at, f"You must add 'flags interval' to your set declaration if you want to add {kind} elements")
    if create and item in found.elements:
        raise Mistake(one.key.at, "Could not process rule: File exists")
    if found.data and not isinstance(one.value, VerdictOf):
        raise Mistake(one.key.at, "Could not process rule: Invalid argument")
    if not found.data and one.value is not None:
        raise Mistake(one.key.at, "mapping outside of map context")


def _with_verdicts(found: NamedSet, read: list[tuple[Item, Element]]) -> tuple[NamedSet, tuple[tuple[str, At], ...]]:
    entries: dict[Item, Verdict | Scalar] = dict(zip(found.elements, found.values, strict=True))
    jumps: list[tuple[str, At]] = []
    for item, one in read:
        assert isinstance(one.value, VerdictOf)
        verdict = Verdict(one.value.name, one.value.chain)
        if entries.get(item, verdict) != verdict:
            raise Mistake(one.key.at, "Could not process rule: File exists")
        if one.value.chain_at is not None:
            jumps.append((one.value.chain, one.value.chain_at))
        entries[item] = verdict
    interval = "interval" in found.flags
    in_order = sorted(entries, key=lambda item: sort_key(item, interval))
    return replace(found, elements=tuple(in_order), values=tuple(entries[item] for item in in_order)), tuple(jumps)


def _intervals(found: NamedSet, items: list[Item], places: list[At]) -> tuple[Item, ...]:
    """An interval set's elements: with auto-merge what overlaps becomes one, without it may not overlap."""
    if any(name == "auto-merge" for name, _ in found.extra):
        return normal((*found.elements, *items), _datatype(found))
    kept = list(found.elements)
    for item, at in zip(items, places, strict=True):
        if item in kept:
            continue
        wanted = bounds(item)
        for other in kept:
            there = bounds(other)
            if wanted and there and wanted[0] <= there[1] and there[0] <= wanted[1]:
                raise Mistake(at, "interval overlaps with an existing one")
        kept.append(item)
    return tuple(sorted(kept, key=lambda item: sort_key(item, True)))


def without_elements(found: NamedSet, braces: Braces, interfaces: Interfaces) -> NamedSet:
    """The set without these elements. Raises Mistake for one that is not there."""
    gone: set[Item] = set()
    for item, one in Values(rows_of(found.types), interfaces).elements(braces):
        if item not in found.elements:
            raise Mistake(one.key.at, "Could not process rule: No such file or directory")
        gone.add(item)
    if not found.data:
        return replace(found, elements=tuple(item for item in found.elements if item not in gone))
    pairs = [(item, value) for item, value in zip(found.elements, found.values, strict=True) if item not in gone]
    return replace(found, elements=tuple(item for item, _ in pairs), values=tuple(value for _, value in pairs))


def listing(found: NamedSet, style: Style) -> list[str]:
    """The lines of `set name { ... }`, indented for a table's block."""
    kind = "map" if found.data else "set"
    handle = f" # handle {found.handle}" if style.handles else ""
    lines = [f"\t{kind} {found.name} {{{handle}"]
    data = f" : {found.data}" if found.data else ""
    lines.append(f"\t\ttype {' . '.join(found.types)}{data}")
    extra = dict(found.extra)
    lines += [f"\t\tpolicy {extra['policy']}"] if "policy" in extra else []
    lines += [f"\t\tsize {extra['size']}"] if "size" in extra else []
    lines += [f"\t\tflags {','.join(found.flags)}"] if found.flags else []
    lines += ["\t\tauto-merge"] if "auto-merge" in extra else []
    lines += [f'\t\tcomment "{found.comment}"'] if found.comment else []
    if found.elements and not style.terse:
        lines.append(f"\t\telements = {{ {_elements(found, style)} }}")
    return [*lines, "\t}"]


def _elements(found: NamedSet, style: Style) -> str:
    rows = rows_of(found.types)
    texts: Iterable[str] = (element(rows, item, style) for item in found.elements)
    if found.data:
        texts = (f"{text} : {_verdict(value)}" for text, value in zip(texts, found.values, strict=True))
    size = _IN_A_LINE.get(found.types[0], 1) if len(rows) == 1 else 1
    all_texts = list(texts)
    return _NEW_LINE.join(", ".join(all_texts[at : at + size]) for at in range(0, len(all_texts), size))


def _verdict(value: Verdict | Scalar) -> str:
    if not isinstance(value, Verdict):
        return str(value)
    return f"{value.name} {value.chain}" if value.chain else value.name
