"""What the elements of a set keep for themselves: counter, limit, quota, ct count; from what is written to the model's parts."""

from __future__ import annotations

from sim.ruleset.model import Counter, Limit, NamedSet, Part
from sim.ruleset.nft.syntax import CounterOf, CountOf, Element, LimitOf, Mistake, QuotaOf, StatefulOf
from sim.ruleset.parts import Judge, Quota

_WORDS = {CounterOf: "counter", LimitOf: "limit", QuotaOf: "quota", CountOf: "connlimit"}
_PART_WORDS = {Counter: "counter", Limit: "limit", Quota: "quota", Judge: "connlimit"}


def kept_part(statement: StatefulOf) -> Counter | Limit | Quota | Judge:
    """One statement's part. Raises Mistake for a rate of nothing."""
    match statement:
        case CounterOf():
            return Counter(statement.packets, statement.bytes)
        case LimitOf():
            if not statement.rate:
                raise Mistake(statement.at, "Could not process rule: Invalid argument")
            return Limit(statement.rate, statement.unit, statement.burst, statement.per, statement.over)
        case QuotaOf():
            return Quota(statement.bytes, statement.over, statement.used)
        case CountOf():
            return Judge("ct count", (("above", statement.count), ("negated", not statement.over)))


def kept_parts(statements: tuple[StatefulOf, ...]) -> tuple[Part, ...]:
    """All of them."""
    return tuple(kept_part(each) for each in statements)


def check_kept(found: NamedSet, written: Element) -> tuple[Part, ...]:
    """What an element keeps: its own statements, which must be the set's, or a copy of the set's. Raises Mistake."""
    if not written.statements:
        return found.parts
    places = [each.at for each in written.statements]
    if not found.parts:
        raise Mistake(places[0], "missing statement in set declaration")
    if len(found.parts) != len(written.statements):
        message = f"number of statements mismatch, set expects {len(found.parts)} but element has {len(written.statements)}"
        raise Mistake(written.key.at, message)
    for part, statement in zip(found.parts, written.statements, strict=True):
        if _PART_WORDS[type(part)] != _WORDS[type(statement)]:
            message = f"statement mismatch, element expects {_WORDS[type(statement)]}, but set has type {_PART_WORDS[type(part)]}"
            raise Mistake(statement.at, message)
    return kept_parts(written.statements)
