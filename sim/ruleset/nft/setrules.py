"""A rule's statements on sets, maps and objects, from what is written to the model: `add @set`, `meter`, `counter name`, `... map`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ruleset.model import Item, NamedSet, SetReference
from sim.ruleset.nft.fields import under_mask
from sim.ruleset.nft.keeping import kept_part, kept_parts
from sim.ruleset.nft.literals import DESCRIPTION, WIDTH
from sim.ruleset.nft.refusals import E2BIG, EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, process
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.settypes import rows_of
from sim.ruleset.nft.syntax import (
    Braces,
    Expression,
    KeyOf,
    MapExpr,
    MeterOf,
    Mistake,
    SetName,
    SetStatementOf,
    Symbol,
    UseOf,
    VerdictOf,
)
from sim.ruleset.nft.syntax import Element as Written
from sim.ruleset.parts import Judge, MapOf, SetStatement, UseObject

if TYPE_CHECKING:
    from sim.ruleset.nft.fields import Left
    from sim.ruleset.nft.rules import RuleMeaning

_SIZE = 0xFFFF  # what a set without a size gets from the first rule that adds to it
_MOST_KEPT = 2  # NFT_SET_EXPR_MAX


def use_object(rule: RuleMeaning, statement: UseOf) -> UseObject:
    """counter name "c"; ct timeout set tcp dport map { ... }"""
    value = statement.value
    if isinstance(value, MapExpr):
        return UseObject(statement.object, rule.table, map_of(rule, value, statement.object))
    if not isinstance(value, Symbol):
        raise Mistake(value.at, "invalid expression: an object is named by its name")
    rule.objects.append((statement.object, value.text, value.at))
    return UseObject(statement.object, rule.table, value.text)


def map_of(rule: RuleMeaning, expression: MapExpr, data: str) -> MapOf:
    """`left map right` that gives `data`: a data type or the kind of an object. Raises Mistake and NotSimulated."""
    left = under_mask(rule.left(expression.left))
    if left.mask is not None or left.flip:
        raise NotSimulated("map", expression.left.at)
    if isinstance(expression.map, SetName):
        return MapOf(left.name, _named_map(rule, expression.map, left, data), data)
    from sim.ruleset.nft.rules import map_entries

    rule.check_ports(left, expression.map)
    pairs = rule.values(left).elements(expression.map)
    values = [(item, _data(rule, element, data), element) for item, element in pairs]
    rule.sets += 1
    return MapOf(left.name, map_entries(values), data)


def _named_map(rule: RuleMeaning, name: SetName, left: Left, data: str) -> SetReference:
    reference = rule.reference(name, left, True)
    found = rule.named(name.name)
    if found is not None and found.data != data:
        wanted, have = DESCRIPTION.get(data, data), DESCRIPTION.get(found.data, found.data)
        raise Mistake(name.at, f"datatype mismatch, map expects {wanted}, mapping expression has type {have}", left.at)
    return reference


def _data(rule: RuleMeaning, element: Written, data: str) -> Item:
    value = element.value
    if value is None or isinstance(value, VerdictOf):
        raise Mistake(element.key.at, "Could not process rule: Invalid argument")
    if data in WIDTH or data == "integer":
        return rule.typed(rows_of((data,))).item(value)
    if not isinstance(value, Symbol):
        raise Mistake(value.at, "invalid expression: an object is named by its name")
    rule.objects.append((data, value.text, element.key.at))
    return value.text


def set_statement(rule: RuleMeaning, statement: SetStatementOf) -> SetStatement:
    """add @set { key timeout 5s statements : data }"""
    if not isinstance(statement.set, SetName):
        raise Mistake(statement.set.at, "Expression does not refer to a set")
    found = rule.named(statement.set.name)
    if found is None:
        raise Mistake(statement.set.at, ENOENT)
    left = _key(rule, statement.key)
    types = tuple(row.type for row in left.rows)
    if types != found.types:
        raise Mistake(statement.key.at, f"datatype mismatch: expected {_described(found.types)}, expression has type {_described(types)}",
                      statement.at)  # fmt: skip
    data = _key(rule, statement.data).name if statement.data is not None else ""
    timeout = statement.key.options.timeout or 0 if statement.key.options else 0
    parts = kept_parts(statement.statements)
    _refused(statement, found, timeout, At(statement.at.start, statement.at.end, statement.at.source))
    comment = statement.key.options.comment if statement.key.options else ""
    return SetStatement(statement.op, rule.table, found.name, left.name, data, timeout, parts or found.parts, False, 0, comment,
                        bool(found.parts))  # fmt: skip


def _key(rule: RuleMeaning, key: KeyOf) -> Left:
    expression: Expression = key.expression
    if isinstance(expression, Symbol | Braces):
        raise NotSimulated("add", expression.at)
    if key.options is not None and key.options.comment:
        raise Mistake(expression.at, "Key expression comments are not supported")
    left = under_mask(rule.left(expression))
    if left.mask is not None or left.flip:
        raise NotSimulated("&", expression.at)
    return left


def _described(types: tuple[str, ...]) -> str:
    names = [DESCRIPTION.get(each, each) for each in types]
    return names[0] if len(names) == 1 else f"concatenation of ({', '.join(names)})"


def _refused(statement: SetStatementOf, found: NamedSet, timeout: int, at: At) -> None:
    """What nft_dynset_init refuses."""
    has_timeout = bool(found.timeout) or "timeout" in found.flags
    if "interval" in found.flags or not (has_timeout or "dynamic" in found.flags or _resizes(found)):
        process(at, EOPNOTSUPP)
    if "constant" in found.flags:
        process(at, EBUSY)
    if timeout and not has_timeout:
        process(at, EOPNOTSUPP)
    if (statement.data is None) == bool(found.data):
        process(at, EINVAL if found.data else EOPNOTSUPP)
    if statement.statements and "dynamic" not in found.flags:
        process(at, EINVAL)
    if len(statement.statements) > _MOST_KEPT:
        process(at, E2BIG)
    kinds = [type(part) for part in kept_parts(statement.statements)]
    if kinds and found.parts and kinds != [type(part) for part in found.parts]:
        process(at, EOPNOTSUPP)
    if has_timeout and Judge in kinds:
        process(at, EOPNOTSUPP)


def _resizes(found: NamedSet) -> bool:
    """Whether the kernel keeps the set in its resizable hash table: no size given, and too wide for a bitmap (two bytes)."""
    return found.size in (0, _SIZE) and (bool(found.data) or sum(WIDTH.get(each, 32) for each in found.types) > 16)


def meter(rule: RuleMeaning, statement: MeterOf) -> SetStatement:
    """meter name size 100 { key timeout 5s statement }: a set of its own, and an add to it"""
    left = _key(rule, statement.key)
    if rule.named(statement.name.value) is not None:
        process(statement.name.at, EEXIST)
    timeout = statement.key.options.timeout or 0 if statement.key.options else 0
    part = kept_part(statement.statement)
    if timeout and isinstance(part, Judge):
        process(statement.at, EOPNOTSUPP)
    size = statement.size or _SIZE
    flags = ("dynamic", "timeout") if timeout else ("dynamic",)
    types = tuple(row.type for row in left.rows)
    rule.meters.append(NamedSet(statement.name.value, types, (), flags, size=size, meter=True))
    op = "update" if timeout else "add"
    return SetStatement(op, rule.table, statement.name.value, left.name, "", timeout, (part,), True, size)
