"""What a text in nft's language says, before it is known whether it means anything: expressions, statements, rules.

Every node knows its place (`at`). Variables are already replaced: as in nft, they are looked up while reading. Blocks and commands:
written.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from sim.ruleset.nft.scanner import At, Lexeme


class Mistake(Exception):
    """A mistake at a place; `message` in nft's own words (without "Error: "), `others` further places, shown by ~."""

    def __init__(self, at: At, message: str, *others: At) -> None:
        super().__init__(message)
        self.at, self.message, self.others = at, message, others


# ---- expressions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Symbol:
    """A word or number as written. `kind`: word, number, quoted, starred (with a trailing asterisk), protocol, boolean, negative."""

    text: str
    kind: str
    at: At


@dataclass(frozen=True, slots=True)
class Field:
    """What a packet is asked for: ("tcp", "dport"), ("ct", "original", "ip", "saddr"); a bare "mark" is ("meta", "mark")."""

    words: tuple[str, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Binary:
    """`op`: & | ^ << >>. `deep`: how many of them stand within one another here."""

    op: str
    left: Expression
    right: Expression
    at: At
    deep: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`low`-`high`."""

    low: Expression
    high: Expression
    at: At


@dataclass(frozen=True, slots=True)
class PrefixOf:
    """`base`/`length`."""

    base: Expression
    length: int
    at: At


@dataclass(frozen=True, slots=True)
class Listed:
    """new,established: values joined by commas without braces."""

    items: tuple[Expression, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Joined:
    """ip saddr . tcp dport: a concatenation."""

    items: tuple[Expression, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a set in braces; `value` is what a map maps it to; `statements` what it keeps for itself."""

    key: Expression
    value: Expression | VerdictOf | None
    at: At
    options: ElementOptions | None = None
    statements: tuple[StatefulOf, ...] = ()


@dataclass(frozen=True, slots=True)
class ElementOptions:
    """timeout, expires (µs, None where they were not written) and comment of an element."""

    at: At
    timeout: int | None = None
    expires: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Braces:
    """{ ... }."""

    elements: tuple[Element, ...]
    at: At


@dataclass(frozen=True, slots=True)
class SetName:
    """@name."""

    name: str
    at: At


@dataclass(frozen=True, slots=True)
class MapExpr:
    """left map { key : data }, left map @name."""

    left: Expression
    map: Braces | SetName
    at: At


@dataclass(frozen=True, slots=True)
class Everything:
    """The catch-all element: *."""

    at: At


@dataclass(frozen=True, slots=True)
class VerdictOf:
    """accept, drop, continue, return, or jump and goto with a chain."""

    name: str
    chain: str
    at: At
    chain_at: At | None = None


@dataclass(frozen=True, slots=True)
class Numgen:
    """numgen `mode` (inc, random) mod `mod` offset `offset`."""

    mode: str
    mod: int
    offset: int
    at: At


@dataclass(frozen=True, slots=True)
class HashOf:
    """jhash `of` mod ..., or symhash where `of` is None; `seed` None where none is named."""

    of: Expression | None
    mod: int
    seed: int | None
    offset: int
    at: At


Expression: TypeAlias = (
    Numgen | HashOf | Symbol | Field | Binary | RangeOf | PrefixOf | Listed | Joined | Braces | SetName | Everything
    | MapExpr
)

# ---- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """`left` `op` `right`, op "" where none was written; `mask` is what stands behind the slash in `tcp flags syn / syn,ack`."""

    left: Expression
    op: str
    right: Expression
    at: At
    mask: Expression | None = None


@dataclass(frozen=True, slots=True)
class VerdictMatch:
    """`left` vmap `map`."""

    left: Expression
    map: Braces | SetName
    at: At


@dataclass(frozen=True, slots=True)
class CounterOf:
    """counter [packets N bytes N]."""

    packets: int
    bytes: int
    at: At


@dataclass(frozen=True, slots=True)
class LogOf:
    """log with its arguments, by name: prefix, level, group, snaplen, queue-threshold, flags."""

    arguments: tuple[tuple[str, str | int | tuple[str, ...], At], ...]
    at: At


@dataclass(frozen=True, slots=True)
class LimitOf:
    """limit rate. `per` packets or bytes; `burst_at` where the burst was given."""

    rate: int
    unit: str
    burst: int
    per: str
    over: bool
    at: At
    burst_at: At | None = None


@dataclass(frozen=True, slots=True)
class RejectOf:
    """reject. `kind`: "" (nothing said), icmp, icmpv6, icmpx, or tcp; `code` what was written."""

    kind: str
    code: Symbol | None
    at: At
    with_at: At | None = None


@dataclass(frozen=True, slots=True)
class AssignOf:
    """`target` set `value`."""

    target: Field
    value: Expression
    at: At


@dataclass(frozen=True, slots=True)
class CountOf:
    """ct count [over] 3."""

    count: int
    over: bool
    at: At


@dataclass(frozen=True, slots=True)
class QuotaOf:
    """quota [over] 25 mbytes [used 3 bytes]; in bytes."""

    bytes: int
    over: bool
    used: int
    at: At


@dataclass(frozen=True, slots=True)
class UseOf:
    """counter name "c", quota name map ..., ct timeout set "t": `object` is the object's kind."""

    object: str
    value: Expression
    at: At


@dataclass(frozen=True, slots=True)
class KeyOf:
    """What stands in the braces of `add @set { ... }`: an expression with timeout and comment."""

    expression: Expression
    options: ElementOptions | None
    at: At


@dataclass(frozen=True, slots=True)
class SetStatementOf:
    """add, update, delete @set { key [timeout 5s] statements [: data] }."""

    op: str
    set: Expression
    key: KeyOf
    data: KeyOf | None
    statements: tuple[StatefulOf, ...]
    at: At


@dataclass(frozen=True, slots=True)
class MeterOf:
    """meter name [size 100] { key statement }."""

    name: Lexeme
    key: KeyOf
    statement: StatefulOf
    size: int
    at: At


@dataclass(frozen=True, slots=True)
class FlowOf:
    """flow add @flowtable."""

    name: str
    at: At


@dataclass(frozen=True, slots=True)
class QueueOf:
    """queue [flags bypass,fanout] [to 1-3]; `numbers` None where none is named."""

    numbers: Expression | None
    flags: frozenset[str]
    at: At


@dataclass(frozen=True, slots=True)
class ProxyOf:
    """tproxy [ip] to ADDRESS:PORT."""

    family: str
    address: Expression | None
    port: Expression | None
    at: At


@dataclass(frozen=True, slots=True)
class CopyOf:
    """dup to ADDRESS [device NAME]."""

    address: Expression
    device: Expression | None
    at: At


@dataclass(frozen=True, slots=True)
class ResetOptionOf:
    """reset tcp option `name`."""

    name: str
    at: At


@dataclass(frozen=True, slots=True)
class NotrackOf:
    """notrack."""

    at: At


@dataclass(frozen=True, slots=True)
class NatOf:
    """snat, dnat, masquerade, redirect (`kind`). `family`: ip or ip6 where it was written, else ""; `address`, `ports`: what `to` says.

    `form`: addr (address and port in one), interval or prefix, where one of them was written.
    """

    kind: str
    at: At
    family: str = ""
    address: Expression | None = None
    ports: Expression | None = None
    flags: frozenset[str] = frozenset()
    form: str = ""


StatefulOf: TypeAlias = CounterOf | LimitOf | QuotaOf | CountOf
StatementOf: TypeAlias = (
    ResetOptionOf | QuotaOf | UseOf | SetStatementOf | MeterOf | FlowOf | NatOf | Match | VerdictMatch | VerdictOf
    | CounterOf | LogOf | LimitOf | RejectOf | AssignOf | NotrackOf | CountOf | QueueOf | ProxyOf | CopyOf
)


@dataclass(frozen=True, slots=True)
class RuleOf:
    """A rule as written."""

    statements: tuple[StatementOf, ...]
    comment: str
    at: At
