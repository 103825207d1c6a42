"""snat, dnat, masquerade, redirect: from what is written to the model, and how nft lists them."""

from __future__ import annotations

from sim.ruleset.model import Item, Prefix, Range
from sim.ruleset.nft.elements import Interfaces, Values, bounds
from sim.ruleset.nft.fields import Known
from sim.ruleset.nft.literals import WIDTH
from sim.ruleset.nft.printing import address
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import Binary, Expression, Field, Joined, Listed, Mistake, NatOf, PrefixOf
from sim.ruleset.parts import NAT_FLAGS, Nat
from sim.ruleset.selectors import Selector

_TYPE = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}
_SIZE = {"ip": 4, "ip6": 16}


def meant(statement: NatOf, known: Known, interfaces: Interfaces = None) -> Nat:
    """The part. Raises Mistake and NotSimulated."""
    family = _family(statement, known) if statement.address is not None else ""
    low, high = None, None
    if statement.address is not None:
        low, high = _ends(_value(statement.address, _TYPE[family], interfaces), _SIZE[family])
        high = low if high is None and isinstance(statement.address, PrefixOf) else high
    ports = None
    if statement.ports is not None:
        if known.transport is None:
            raise Mistake(statement.ports.at, "transport protocol mapping is only valid after transport protocol match", statement.at)
        ports = _ports(_value(statement.ports, "inet_service", interfaces))
    return Nat(statement.kind, family, low, high, ports, None, statement.flags)


def _family(statement: NatOf, known: Known) -> str:
    if statement.family and known.network not in (None, statement.family):
        conflict = f"conflicting protocols specified: {known.network} vs. {statement.family}"
        message = f"{conflict}. You must specify ip or ip6 family in nat statement"
        raise Mistake(statement.at, message, *([known.network_at] if known.network_at is not None else []))
    family = statement.family or known.network
    if family is None:
        raise Mistake(statement.at, "ip or ip6 must be specified with address for inet tables.")
    return family


def _value(expression: Expression, datatype: str, interfaces: Interfaces) -> Item:
    if isinstance(expression, Field | Joined | Binary):
        raise NotSimulated(expression.words[-1] if isinstance(expression, Field) else "to", expression.at)
    if isinstance(expression, Listed):
        raise Mistake(expression.items[0].at, f"Basetype of type {_DESCRIPTION[datatype]} is not bitmask")
    return Values((Selector(datatype, datatype, WIDTH[datatype], (), ""),), interfaces).item(expression)


_DESCRIPTION = {"ipv4_addr": "IPv4 address", "ipv6_addr": "IPv6 address", "inet_service": "internet network service"}


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


def text(part: Nat, family: str) -> str | None:
    """As nft lists it in a table of `family`; None for what only iptables can say."""
    if part.kind == "netmap" or part.base is not None:
        return None
    words = [part.kind]
    if part.low is not None and family == "inet":
        words.append(part.family)
    if part.low is not None or part.ports is not None:
        words += ["to", _addresses(part) + (f":{'-'.join(map(str, part.ports))}" if part.ports is not None else "")]
    flags = ",".join(flag for flag in NAT_FLAGS if flag in part.flags)
    return " ".join([*words, flags] if flags else words)


def _addresses(part: Nat) -> str:
    if part.low is None:
        return ""
    bracket = part.ports is not None and len(part.low) == 16
    ends = [part.low] if part.high is None else [part.low, part.high]
    if part.high is not None:
        hosts = int.from_bytes(part.low) ^ int.from_bytes(part.high)
        if hosts & hosts + 1 == 0 and int.from_bytes(part.low) & hosts == 0:
            return f"{address(part.low)}/{len(part.low) * 8 - hosts.bit_length()}"
    return "-".join(_bracketed(end, bracket) for end in ends)


def _bracketed(end: bytes, bracket: bool) -> str:
    return f"[{address(end)}]" if bracket else address(end)
