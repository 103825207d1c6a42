"""What nft lists as bytes though it was written as fields, and as fields though it was written as bytes.

Both ports of a transport header whose protocol nobody said are one number to nft: `@th,0,32 0x160017`. Bytes that are whole fields of the
table's own network header are those fields: `@nh,64,16 0x4006` is `ip ttl 64 ip protocol tcp`. What is looked at is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sim.ruleset.headers import HEADERS, HeaderField
from sim.ruleset.model import Compare, Part

P = TypeVar("P", bound=Part)
_BYTES = {"ip": (4,), "ip6": (16,)}


def as_bytes(parts: Sequence[P], family: str) -> list[P | Compare]:
    """The parts as they are listed in a table of the family."""
    return list(_fields(list(_ports(parts)), family))


def _number(part: object, *selectors: str) -> int | None:
    """The number that a part looks for, if it is an equality with one of a selector that begins so."""
    if not isinstance(part, Compare) or part.op not in ("==", "!=") or part.mask is not None or part.braces or part.flip:
        return None
    values = part.values
    fits = part.selector.startswith(selectors) and isinstance(values, tuple) and len(values) == 1
    return values[0] if fits and isinstance(values, tuple) and isinstance(values[0], int) else None


def _ports(parts: Sequence[P]) -> Iterator[P | Compare]:
    waiting: P | None = None
    for part in parts:
        if waiting is not None:
            low, high = _number(waiting, "th sport"), _number(part, "th dport")
            both = low is not None and high is not None and _op(waiting) == _op(part) == "=="
            yield Compare("@th,0,32", ((low or 0) << 16 | (high or 0),)) if both else waiting
            waiting = None
            if both:
                continue
        if _number(part, "th sport") is not None:
            waiting = part
        else:
            yield part
    if waiting is not None:
        yield waiting


def _op(part: object) -> str:
    return part.op if isinstance(part, Compare) else ""


def _fields(parts: Sequence[P | Compare], family: str) -> Iterator[P | Compare]:
    for part in parts:
        number = _number(part, "@nh,") if family in _BYTES else None
        found = [] if number is None else _pieces(part, family)
        if not isinstance(part, Compare) or number is None or len(found) < 2:
            yield part
            continue
        end = found[-1].at + found[-1].bits
        for field in found:
            value = number >> end - field.at - field.bits & (1 << field.bits) - 1
            address = field.type in ("ipv4_addr", "ipv6_addr")
            yield Compare(f"{field.header} {field.name}", (value.to_bytes(field.bits // 8) if address else value,), part.op)


def _pieces(part: object, family: str) -> list[HeaderField]:
    """The fields that the bytes are, from first to last; none where they are not whole ones."""
    at, bits = (int(word) for word in part.selector.split(",")[1:]) if isinstance(part, Compare) else (0, 0)
    within = [field for field in HEADERS[family] if at <= field.at and field.at + field.bits <= at + bits]
    return within if sum(field.bits for field in within) == bits else []
