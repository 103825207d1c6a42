"""What the reductions of nft's stateful statements do: quotas, objects by name, `add @set`, meters, what an element keeps for itself.

One method a rule or alias of nft.lark.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sim.ruleset.nft.expressions import Children, number, span
from sim.ruleset.nft.handwords import HandWords
from sim.ruleset.nft.scanner import At
from sim.ruleset.nft.syntax import (
    CounterOf,
    Element,
    ElementOptions,
    Expression,
    FlowOf,
    KeyOf,
    MapExpr,
    MeterOf,
    Mistake,
    QuotaOf,
    SetStatementOf,
    StatefulOf,
    UseOf,
)

_QUOTA_UNITS = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}
_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_TIME_UNITS = (86_400_000, 3_600_000, 60_000, 1000, 1)


class SetWords(HandWords):
    """Statements with a memory, and the elements that hold some."""

    # -- times, quotas

    def time_spec(self, c: Children) -> int:
        """30s, 1d2h: µs"""
        found = _TIME.fullmatch(c[0].value)
        if found is None or not c[0].value:
            raise Mistake(c[0].at, "wrong time format")
        return sum(int(count or 0) * unit for count, unit in zip(found.groups(), _TIME_UNITS, strict=True)) * 1000

    def quota_stmt(self, c: Children) -> QuotaOf:
        """quota over 25 mbytes used 3 bytes"""
        return QuotaOf(number(c[2]) * c[3], c[1], c[4], c[0].at)

    def quota_mode(self, c: Children) -> bool:
        """over"""
        return bool(c) and c[0].type == "OVER"

    def quota_unit(self, c: Children) -> int:
        """bytes, kbytes, mbytes"""
        if c[0].value not in _QUOTA_UNITS:
            raise Mistake(c[0].at, "Wrong unit format")
        return _QUOTA_UNITS[c[0].value]

    def quota_used(self, c: Children) -> int:
        """used 3 bytes"""
        return number(c[1]) * int(c[2]) if c else 0

    # -- what an element keeps

    def elem_counter(self, c: Children) -> CounterOf:
        """counter packets 1 bytes 2"""
        return CounterOf(number(c[2]), number(c[4]), span(c))

    def elem_stmts(self, c: Children) -> list[StatefulOf]:
        """Statements so far."""
        return [c[0]] if len(c) == 1 else [*c[0], c[1]]

    stateful_stmt_list = elem_stmts

    def set_elem_alloc(self, c: Children) -> Element:
        """key counter"""
        return Element(c[0], None, span(c[:1]), None, tuple(c[1]) if len(c) > 1 else ())

    def set_elem_expr(self, c: Children) -> Element:
        """key counter timeout 5s comment "x" """
        element: Element = c[0]
        return replace(element, options=c[1], at=span(c)) if len(c) > 1 else element

    def elem_options(self, c: Children) -> ElementOptions:
        """The options so far; one written twice counts as it was written last."""
        if len(c) == 1:
            return self._with_option(ElementOptions(c[0][1]), c[0])
        return self._with_option(c[0], c[1])

    @staticmethod
    def _with_option(options: ElementOptions, one: tuple[str, At, Any]) -> ElementOptions:
        name, at, value = one
        place = At(options.at.start, at.end, at.source)
        if name == "comment":
            if options.comment:
                raise Mistake(at, "You can only specify this once. This statement is duplicated.")
            return replace(options, at=place, comment=value)
        return replace(options, at=place, timeout=value) if name == "timeout" else replace(options, at=place, expires=value)

    def elem_option(self, c: Children) -> tuple[str, At, Any]:
        """timeout 5s, expires 3s, comment "x" """
        if len(c) == 1:
            return "comment", c[0].at, c[0].value
        return c[0].value, c[0].at, c[1]

    # -- statements

    def set_elem_stmt_expr(self, c: Children) -> KeyOf:
        """ip saddr timeout 5s"""
        return KeyOf(c[0], c[1] if len(c) > 1 else None, span(c))

    meter_key = set_elem_stmt_expr

    def set_statement(self, c: Children) -> SetStatementOf:
        """add @set { key statements }"""
        return SetStatementOf(c[0].value, c[1], c[3], None, tuple(c[4]) if len(c) > 5 else (), span(c))

    def set_statement_old(self, c: Children) -> SetStatementOf:
        """set add key @set"""
        return SetStatementOf(c[1].value, c[3], c[2], None, (), span(c))

    def map_statement(self, c: Children) -> SetStatementOf:
        """add @map { key statements : data }"""
        return SetStatementOf(c[0].value, c[1], c[3], c[-2], tuple(c[4]) if isinstance(c[4], list) else (), span(c))

    def meter_stmt(self, c: Children) -> MeterOf:
        """meter name size 100 { key statement }"""
        return MeterOf(c[1], c[-3], c[-2], number(c[3]) if c[2].type == "SIZE" else 0, span(c))

    def use_object(self, c: Children) -> UseOf:
        """counter name "c" """
        return UseOf(c[0].value, c[2], span(c))

    def use_ct_object(self, c: Children) -> UseOf:
        """ct timeout set "t" """
        return UseOf(f"ct {c[1].value}", c[3], span(c))

    def flow_stmt(self, c: Children) -> FlowOf:
        """flow add @flowtable"""
        return FlowOf(c[3].value, span(c))

    def map_expr(self, c: Children) -> Expression:
        """left map right"""
        return MapExpr(c[0], c[2], span(c))
