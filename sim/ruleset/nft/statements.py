"""What the reductions of statements and rules do: one method a rule or alias of nft.lark."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sim.ruleset.nft.expressions import Children, Expressions, number, span, symbol
from sim.ruleset.nft.scanner import At, Lexeme
from sim.ruleset.nft.syntax import (
    AssignOf,
    Braces,
    CounterOf,
    CountOf,
    Element,
    Field,
    LimitOf,
    LogOf,
    Match,
    Mistake,
    NatOf,
    NotrackOf,
    RejectOf,
    ResetOptionOf,
    RuleOf,
    StatementOf,
    Symbol,
    VerdictMatch,
    VerdictOf,
)

LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit")
COMMENT_MOST = 128
_BYTES = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}
_UNITS = ("second", "minute", "hour", "day", "week")


class _Pair(tuple[Any, Any]):
    """Two values with their place; `per`: packets or bytes."""

    at: At
    per: str = "packets"

    def __new__(cls, values: tuple[Any, Any], at: At) -> _Pair:
        made = super().__new__(cls, values)
        made.at = at
        return made


class Statements(Expressions):
    """Statements and rules."""

    def verdict_expr(self, c: Children) -> VerdictOf:
        """accept ... jump chain"""
        if len(c) == 1:
            return VerdictOf(c[0].value, "", c[0].at)
        return VerdictOf(c[0].value, c[1].text, span(c), c[1].at)

    def chain_expr(self, c: Children) -> Symbol:
        """A chain's name, also by a variable."""
        if isinstance(c[0], Lexeme):
            return symbol(c[0])
        if isinstance(c[0], Symbol):
            return c[0]
        raise Mistake(c[0].at, "invalid verdict chain expression")

    def chain_stmt_type(self, c: Children) -> Lexeme:
        """jump or goto, before a block"""
        word: Lexeme = c[0]
        return word

    def vmap_stmt(self, c: Children) -> VerdictMatch:
        """left vmap map"""
        return VerdictMatch(c[0], c[2], span(c))

    def verdict_map(self, c: Children) -> Braces:
        """{ key : verdict, ... }"""
        return Braces(tuple(c[1]), span(c))

    verdict_map_list = Expressions.set_list_expr

    def verdict_map_member(self, c: Children) -> list[Element]:
        """key : verdict"""
        return [replace(c[1], value=c[3], at=span(c[1:4]))]

    def counter_stmt(self, c: Children) -> CounterOf:
        """counter packets 1 bytes 2"""
        numbers = c[1] if len(c) > 1 else {}
        return CounterOf(numbers.get("packets", 0), numbers.get("bytes", 0), c[0].at)

    def counter_args(self, c: Children) -> dict[str, int]:
        """The numbers so far."""
        merged: dict[str, int] = {}
        for child in c:
            merged |= child
        return merged

    def counter_arg(self, c: Children) -> dict[str, int]:
        """packets 1"""
        return {c[0].value: number(c[1])}

    def log_stmt(self, c: Children) -> LogOf:
        """log with its arguments"""
        return LogOf(tuple(c[1]) if len(c) > 1 else (), c[0].at)

    def log_args(self, c: Children) -> list[tuple[str, Any, At]]:
        """The arguments so far."""
        return [c[0]] if len(c) == 1 else [*c[0], c[1]]

    def log_arg(self, c: Children) -> tuple[str, Any, At]:
        """One argument."""
        name = c[0].value
        if name == "prefix":
            return name, self._with_variables(c[1]), span(c)
        value = number(c[1]) if isinstance(c[1], Lexeme) else c[1]
        return name, value, span([*c[:1], c[1]])

    def _with_variables(self, token: Lexeme) -> str:
        """A log prefix may hold $variables."""

        def text_of(found: re.Match[str]) -> str:
            value = self.lookup(found[1], token.at)
            return value.text if isinstance(value, Symbol) else ""

        return re.sub(r"\$([A-Za-z0-9_]*)", text_of, token.value)

    def level_type(self, c: Children) -> str:
        """A level's name. Raises Mistake."""
        if c[0].value not in LEVELS:
            raise Mistake(c[0].at, "invalid log level")
        level: str = c[0].value
        return level

    def log_flags(self, c: Children) -> tuple[str, ...]:
        """tcp sequence,options; ip options; skuid; ether; all"""
        if c[0].type == "TCP":
            return tuple(f"tcp {flag}" for flag in c[1])
        return ("ip options",) if c[0].type == "IP" else (c[0].value,)

    def log_flags_tcp(self, c: Children) -> list[str]:
        """The flags so far."""
        return [c[0]] if len(c) == 1 else [*c[0], c[2]]

    def log_flag_tcp(self, c: Children) -> str:
        """sequence or options"""
        flag: str = c[0].value
        return flag

    def limit_packets(self, c: Children) -> LimitOf:
        """limit rate [over] 5/second [burst 5 packets]"""
        rate, unit = c[3]
        burst, at = c[4] or (5, None)
        if not burst:
            raise Mistake(at or c[0].at, "packet limit burst must be > 0")
        return LimitOf(rate, unit, burst, "packets", c[2], span([*c[:2], *_placed(c[3:])]), at)

    def limit_bytes_(self, c: Children) -> LimitOf:
        """limit rate [over] 5 kbytes/second [burst 5 kbytes]"""
        rate, unit = c[3]
        burst, at = c[4] or (0, None)
        return LimitOf(rate, unit, burst, "bytes", c[2], span([*c[:2], *_placed(c[3:])]), at)

    def limit_mode(self, c: Children) -> bool:
        """over"""
        return bool(c)

    def limit_rate_pkts(self, c: Children) -> _Pair:
        """5/second"""
        return _Pair((number(c[0]), c[2].value), span(c))

    def limit_burst_pkts(self, c: Children) -> tuple[int, At] | None:
        """burst 5 packets"""
        return _Pair((number(c[1]), span(c)), span(c)) if c else None

    def limit_rate_bytes(self, c: Children) -> _Pair:
        """5 kbytes/second, where "kbytes/second" is one word to the scanner"""
        if len(c) == 3:
            return _in_bytes(_Pair((c[0][0], c[2].value), span(c)))
        amount, _, unit = c[1].value.partition("/")
        if amount not in _BYTES or unit not in _UNITS:
            raise Mistake(span(c), "Wrong rate format" if unit else "wrong rate format")
        return _in_bytes(_Pair((number(c[0]) * _BYTES[amount], unit), span(c)))

    def limit_burst_bytes(self, c: Children) -> tuple[int, At] | None:
        """burst 5 kbytes"""
        return _Pair((c[1][0], span(c)), span(c)) if c else None

    def limit_bytes(self, c: Children) -> _Pair:
        """5 kbytes"""
        if c[1].value not in _BYTES:
            raise Mistake(span(c), "Wrong unit format")
        return _Pair((number(c[0]) * _BYTES[c[1].value], None), span(c))

    def time_unit(self, c: Children) -> Lexeme:
        """second ... week"""
        unit: Lexeme = c[0]
        return unit

    def reject_stmt(self, c: Children) -> RejectOf:
        """reject [with ...]"""
        kind, code, at = c[2] if len(c) > 1 else ("", None, None)
        return RejectOf(kind, code, c[0].at, at)

    def reject_opts(self, c: Children) -> tuple[str, Symbol | None, At]:
        """icmp [type] code; tcp reset"""
        if c[0].type == "TCP":
            return "tcp", None, c[1].at
        return c[0].value, c[-1], c[-1].at

    def reject_with_expr(self, c: Children) -> Symbol:
        """A code's name or number."""
        return Symbol(str(number(c[0])), "number", c[0].at) if c[0].type == "NUM" else symbol(c[0])

    def nat_stmt(self, c: Children) -> NatOf:
        """snat [ip] to ADDRESS[:PORTS] [flags]"""
        what: NatOf = c[1]
        return replace(what, kind=c[0].value, at=c[0].at)

    def nat_stmt_alloc(self, c: Children) -> Lexeme:
        """snat or dnat"""
        word: Lexeme = c[0]
        return word

    nf_key_proto = nat_stmt_alloc

    def masq_stmt(self, c: Children) -> NatOf:
        """masquerade [to :PORTS] [flags]"""
        return replace(c[1] if len(c) > 1 else NatOf("", c[0].at), kind=c[0].value, at=c[0].at)

    redir_stmt = masq_stmt

    def nat_to(self, c: Children) -> NatOf:
        """What stands behind the statement's word: family, address, ports, flags."""
        flags = c[-1] if isinstance(c[-1], frozenset) else frozenset()
        family = c[0].value if isinstance(c[0], Lexeme) and c[0].type in ("IP", "IP6") else ""
        colon = next((place for place, child in enumerate(c) if isinstance(child, Lexeme) and child.type == "COLON"), len(c))
        address = next((child for child in c[:colon] if not isinstance(child, Lexeme | frozenset)), None)
        form = next((child.value for child in c if isinstance(child, Lexeme) and child.type in ("ADDR", "INTERVAL", "PREFIX")), "")
        return NatOf("", At(0, 0), family, address, c[colon + 1] if colon < len(c) else None, flags, form)

    def redirect_to(self, c: Children) -> NatOf:
        """redirect to PORTS, without the colon"""
        return NatOf("", c[0].at, "", None, c[1], c[2] if len(c) > 2 else frozenset())

    def nat_with_flags(self, c: Children) -> NatOf:
        """Flags; the last ones count."""
        what: NatOf = c[0]
        return replace(what, flags=c[1])

    def nf_nat_flags(self, c: Children) -> frozenset[str]:
        """The flags so far."""
        return frozenset((c[0],)) if len(c) == 1 else c[0] | {c[2]}

    def nf_nat_flag(self, c: Children) -> str:
        """random, fully-random, persistent"""
        flag: str = c[0].value
        return flag

    def assign(self, c: Children) -> AssignOf:
        """meta mark set 1"""
        place = next(index for index, child in enumerate(c) if isinstance(child, Lexeme) and child.type == "SET")
        target = c[0] if isinstance(c[0], Field) else self.field(c[:place])
        return AssignOf(target, c[-1], span(c))

    def connlimit_stmt(self, c: Children) -> CountOf:
        """ct count [over] 3"""
        return CountOf(number(c[-1]), len(c) > 3, span(c))

    def reset_stmt(self, c: Children) -> ResetOptionOf:
        """reset tcp option maxseg"""
        return ResetOptionOf(c[3].value, span(c))

    def notrack(self, c: Children) -> NotrackOf:
        """notrack"""
        return NotrackOf(c[0].at)

    def match_implicit(self, c: Children) -> Match:
        """tcp dport 22; tcp flags syn / syn,ack"""
        return Match(c[0], "", c[1], span(c), c[3] if len(c) > 2 else None)

    match_flags = match_implicit

    def match_op(self, c: Children) -> Match:
        """tcp dport != 22"""
        return Match(c[0], c[1].value, c[2], c[1].at, c[4] if len(c) > 3 else None)

    match_flags_op = match_op

    def relational_op(self, c: Children) -> Lexeme:
        """The sign, whichever way it was written."""
        sign = {"EQ": "==", "NEQ": "!=", "LT": "<", "GT": ">", "GTE": ">=", "LTE": "<=", "NOT": "!"}[c[0].type]
        return Lexeme(c[0].type, sign, c[0].at)

    def stmt_list(self, c: Children) -> list[StatementOf]:
        """Statements so far."""
        if len(c) == 1:
            return [c[0]]
        statements: list[StatementOf] = c[0]
        statements.append(c[1])
        return statements

    def rule_alloc(self, c: Children) -> tuple[StatementOf, ...]:
        """A rule's statements."""
        return tuple(c[0])

    def rule(self, c: Children) -> RuleOf:
        """Statements and a comment"""
        return RuleOf(c[0], c[1].value if len(c) > 1 else "", span([*c[0], *c[1:]]))

    def comment_spec(self, c: Children) -> Lexeme:
        """comment "text" """
        if len(c[1].value.encode()) > COMMENT_MOST:
            raise Mistake(c[1].at, f"comment too long, {COMMENT_MOST} characters maximum allowed")
        return Lexeme("COMMENT", c[1].value, span(c))


def _in_bytes(pair: _Pair) -> _Pair:
    pair.per = "bytes"
    return pair


def _placed(children: Children) -> Children:
    return [child for child in children if child is not None]
