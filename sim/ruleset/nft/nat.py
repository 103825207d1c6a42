"""snat, dnat, masquerade, redirect: from what is written to the model, and how nft lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.ruleset.model import CatchAll, Item, NamedSet, Prefix, Range, SetReference
from sim.ruleset.nft.elements import Interfaces, Values, bounds
from sim.ruleset.nft.fields import Known, Left, under_mask
from sim.ruleset.nft.keptprint import map_words
from sim.ruleset.nft.literals import WIDTH
from sim.ruleset.nft.printing import PLAIN, Style, address, left
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import (
    Binary,
    Braces,
    Element,
    Expression,
    Field,
    Joined,
    Listed,
    MapExpr,
    Mistake,
    NatOf,
    PrefixOf,
    SetName,
    VerdictOf,
)
from sim.ruleset.parts import NAT_FLAGS, MapOf, Nat
from sim.ruleset.selectors import Selector

_TYPE = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}
_SIZE = {"ip": 4, "ip6": 16}
_DESCRIPTION = {"ipv4_addr": "IPv4 address", "ipv6_addr": "IPv6 address", "inet_service": "internet network service"}
_NO_TRANSPORT = "transport protocol mapping is only valid after transport protocol match"
_EINVAL = "Could not process rule: Invalid argument"
_PROTOCOLS = ("meta l4proto", "ip protocol", "ip6 nexthdr")
_PORTED = ("tcp ", "udp ", "udplite ", "sctp ", "dccp ", "th ")


class Maps:
    """What the rule's other parts know of left sides and of named maps. `made`: how many sets of its own the kernel makes."""

    def __init__(
        self, left: Callable[[Expression], Left], reference: Callable[[SetName, Left, bool], SetReference],
        named: Callable[[str], NamedSet | None], entries: Callable[[list[tuple[Item, Any, Element]]], tuple[tuple[Item, Any], ...]],
    ) -> None:  # fmt: skip
        self.left, self.reference, self.named, self.entries = left, reference, named, entries
        self.made = 0


def meant(statement: NatOf, known: Known, interfaces: Interfaces, maps: Maps) -> Nat:
    """The part. Raises Mistake and NotSimulated."""
    family = _family(statement, known) if statement.address is not None else ""
    low, high, written, ports = None, None, statement.address, None
    source: str | MapOf = ""
    port_source: str | MapOf = ""
    if written is not None and isinstance(written, MapExpr | Field):
        source = _source(statement, written, _TYPE[family], known, interfaces, maps)
    elif written is not None:
        low, high = _ends(_value(statement, written, _TYPE[family], known, interfaces), _SIZE[family])
        high = low if high is None and isinstance(written, PrefixOf) else high
    if statement.ports is not None:
        if known.transport is None:
            raise Mistake(statement.ports.at, _NO_TRANSPORT, statement.at)
        if isinstance(source, MapOf) and " . " in source.data:
            raise NotSimulated(":", statement.ports.at)  # nft 1.0.6 itself falls over it
        if isinstance(statement.ports, MapExpr | Field):
            port_source = _source(statement, statement.ports, "inet_service", known, interfaces, maps)
        else:
            ports = _ports(_value(statement, statement.ports, "inet_service", known, interfaces))
    form = "prefix" if statement.form == "prefix" else ""
    told = isinstance(source, MapOf) and (bool(form) or _is_wide(source, maps))
    return Nat(statement.kind, family, low, high, ports, None, statement.flags, source, port_source, form, told)


def _family(statement: NatOf, known: Known) -> str:
    if statement.family and known.network not in (None, statement.family):
        conflict = f"conflicting protocols specified: {known.network} vs. {statement.family}"
        message = f"{conflict}. You must specify ip or ip6 family in nat statement"
        raise Mistake(statement.at, message, *([known.network_at] if known.network_at is not None else []))
    family = statement.family or known.network
    if family is None:
        raise Mistake(statement.at, "ip or ip6 must be specified with address for inet tables.")
    return family


def _rows(types: tuple[str, ...]) -> tuple[Selector, ...]:
    return tuple(Selector(each, each, WIDTH[each], (), "") for each in types)


def _value(statement: NatOf, expression: Expression, datatype: str, known: Known, interfaces: Interfaces) -> Item:
    if isinstance(expression, Joined):
        if known.transport is None and statement.form == "addr":
            raise Mistake(expression.at, _NO_TRANSPORT, statement.at)
        raise Mistake(expression.items[0].at, "Can't parse symbolic invalid expressions")
    if isinstance(expression, Binary):
        raise NotSimulated("to", expression.at)
    if isinstance(expression, Listed):
        raise Mistake(expression.items[0].at, f"Basetype of type {_DESCRIPTION[datatype]} is not bitmask")
    return Values(_rows((datatype,)), interfaces).item(expression)


def _ends(item: Item, size: int) -> tuple[bytes, bytes | None]:
    """The first address, and the last one where a range was written."""
    edges = bounds(item)
    assert edges is not None
    low, high = (edge.to_bytes(size) for edge in edges)
    return low, high if isinstance(item, Range | Prefix) else None


def _ports(item: Item) -> tuple[int, ...]:
    if isinstance(item, Range):
        return int(str(item.low)), int(str(item.high))
    return (int(str(item)),)


# ---- maps and fields -------------------------------------------------------------------------------------------------


def _source(
    statement: NatOf, expression: MapExpr | Field, datatype: str, known: Known, interfaces: Interfaces, maps: Maps
) -> str | MapOf:
    """What says where to: a field, or a map of `datatype`, or of addresses and ports."""
    if isinstance(expression, Field):
        found = maps.left(expression)
        _check_type(statement, expression, datatype, found.rows[0].type if len(found.rows) == 1 else "")
        return found.name
    side = under_mask(maps.left(expression.left))
    told = len(side.rows) > 1 and any(row.name in _PROTOCOLS for row in side.rows)
    transport = told or known.transport is not None or any(row.name.startswith(_PORTED[:-1]) for row in side.rows)
    if isinstance(expression.map, SetName):
        made = _named(statement, expression, expression.map, side, datatype, maps)
    else:
        made = _anonymous(expression.map, side, datatype, interfaces, maps)
    if " . " in made.data and not transport:
        raise Mistake(expression.at, _NO_TRANSPORT, statement.at)
    return made


def _check_type(statement: NatOf, expression: Expression, wanted: str, have: str) -> None:
    if have != wanted:
        described = _DESCRIPTION.get(have, have)
        message = f"datatype mismatch: expected {_DESCRIPTION[wanted]}, expression has type {described}"
        raise Mistake(expression.at, message, statement.at)


def _named(statement: NatOf, expression: MapExpr, name: SetName, side: Left, datatype: str, maps: Maps) -> MapOf:
    reference = maps.reference(name, side, True)
    found = maps.named(name.name)
    assert found is not None
    data = found.data.removeprefix("interval ")
    if data != f"{datatype} . inet_service" or datatype == "inet_service":
        _check_type(statement, expression, datatype, data)
    return MapOf(side.name, reference, data)


def _anonymous(braces: Braces, side: Left, datatype: str, interfaces: Interfaces, maps: Maps) -> MapOf:
    first = braces.elements[0].value if braces.elements else None
    types = (datatype, "inet_service") if isinstance(first, Joined) and datatype != "inet_service" else (datatype,)
    data, keys = Values(_rows(types), interfaces), Values(side.rows, interfaces)
    pairs: list[tuple[Item, Any, Element]] = []
    for element in braces.elements:
        if element.value is None or isinstance(element.value, VerdictOf):
            raise Mistake(element.key.at, _EINVAL)
        pairs.append((keys.item(element.key), data.item(element.value), element))
    wide = [isinstance(value, Range | Prefix) for _, value, _ in pairs]
    if any(wide) and not all(wide):
        raise Mistake(pairs[wide.index(False)][2].key.at, _EINVAL)
    if datatype == "inet_service" and any(wide):
        raise NotSimulated("map", braces.at)  # nft 1.0.6 itself makes "8080-0" of it
    maps.made += 1
    return MapOf(side.name, maps.entries(pairs), " . ".join(types))


def _is_wide(source: MapOf, maps: Maps) -> bool:
    """Whether its data are ranges, or addresses with ports: then nft always writes the family."""
    if " . " in source.data:
        return True
    if isinstance(source.entries, SetReference):
        found = maps.named(source.entries.name)
        return found is not None and found.data.startswith("interval ")
    return any(isinstance(value, Range | Prefix) for key, value in source.entries if not isinstance(key, CatchAll))


# ---- as nft lists them -----------------------------------------------------------------------------------------------


def text(part: Nat, family: str, style: Style = PLAIN) -> str | None:
    """As nft lists it in a table of `family`; None for what only iptables can say."""
    if part.kind == "netmap" or part.base is not None:
        return None
    words = [part.kind]
    if (part.low is not None or part.source) and (family == "inet" or part.told):
        words.append(part.family)
    words += [part.form] if part.form else []
    where, port = _addresses(part, style), _port_words(part, style)
    if where or port:
        words += ["to", where + (f":{port}" if port else "")]
    flags = ",".join(flag for flag in NAT_FLAGS if flag in part.flags)
    return " ".join([*words, flags] if flags else words)


def _by(source: str | MapOf, style: Style) -> str:
    return map_words(source, style) if isinstance(source, MapOf) else left(source)


def _port_words(part: Nat, style: Style) -> str:
    if part.port_source:
        return _by(part.port_source, style)
    return "-".join(map(str, part.ports)) if part.ports is not None else ""


def _addresses(part: Nat, style: Style) -> str:
    if part.source:
        return _by(part.source, style)
    if part.low is None:
        return ""
    bracket = (part.ports is not None or bool(part.port_source)) and len(part.low) == 16
    ends = [part.low] if part.high is None else [part.low, part.high]
    if part.high is not None:
        hosts = int.from_bytes(part.low) ^ int.from_bytes(part.high)
        if hosts & hosts + 1 == 0 and int.from_bytes(part.low) & hosts == 0:
            return f"{address(part.low)}/{len(part.low) * 8 - hosts.bit_length()}"
    return "-".join(_bracketed(end, bracket) for end in ends)


def _bracketed(end: bytes, bracket: bool) -> str:
    return f"[{address(end)}]" if bracket else address(end)
