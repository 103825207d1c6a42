"""What a text in nft's language says of whole things, before it is known whether it means anything: blocks and commands.

Expressions, statements and rules stand in syntax.py. Every node knows its place (`at`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from sim.ruleset.nft.scanner import At, Lexeme
from sim.ruleset.nft.syntax import Braces, CounterOf, Expression, LimitOf, QuotaOf, RuleOf, StatefulOf


@dataclass(slots=True)
class ChainOf:
    """A chain's block as written."""

    rules: list[RuleOf] = field(default_factory=list)
    type: str = ""
    hook: str = ""
    priority: tuple[str, int, At] | None = None
    hook_at: At | None = None
    policy: str = ""
    policy_at: At | None = None
    comment: str = ""
    device_at: At | None = None


@dataclass(slots=True)
class SetOf:
    """A set's or map's block as written. `typeof`, `data_typeof`: the expressions instead of types. Times in µs."""

    types: tuple[Lexeme, ...] = ()
    data: tuple[Lexeme, ...] = ()
    typeof: Expression | None = None
    data_typeof: Expression | None = None
    data_interval: bool = False
    map: bool = False
    flags: tuple[str, ...] = ()
    timeout: int = 0
    gc_interval: int = 0
    auto_merge: bool = False
    policy: str = ""
    size: int | None = None
    comment: str = ""
    statements: tuple[StatefulOf, ...] = ()
    elements: Braces | None = None
    at: At = At(0, 0)  # noqa: RUF009


@dataclass(slots=True)
class ObjectOf:
    """The block of a counter, quota or limit as written; `statement` holds its numbers."""

    kind: str
    statement: CounterOf | QuotaOf | LimitOf | None = None
    comment: str = ""


@dataclass(slots=True)
class CtTimeoutOf:
    """A `ct timeout` object's block as written."""

    protocol: str = ""
    family: str = ""
    policy: tuple[tuple[Lexeme, int], ...] = ()
    comment: str = ""


@dataclass(slots=True)
class CtExpectationOf:
    """A `ct expectation` object's block as written; `timeout` in µs."""

    protocol: str = ""
    family: str = ""
    dport: int = 0
    timeout: int = 0
    size: int = 0
    comment: str = ""


@dataclass(slots=True)
class FlowtableOf:
    """A flowtable's block as written."""

    hook: Lexeme | None = None
    priority: tuple[str, int, At] | None = None
    devices: tuple[Lexeme, ...] = ()
    counter: bool = False


@dataclass(slots=True)
class CtHelperOf:
    """A `ct helper` object's block as written; `type` is the helper's name, `family` "" where no l3proto was written."""

    type: Lexeme | None = None
    protocol: str = ""
    family: str = ""
    comment: str = ""


@dataclass(slots=True)
class TableOf:
    """A table's block as written: chains, sets, objects and flowtables with the lexeme of their name."""

    chains: list[tuple[Lexeme, ChainOf]] = field(default_factory=list)
    sets: list[tuple[Lexeme, SetOf]] = field(default_factory=list)
    objects: list[tuple[Lexeme, NamedOf]] = field(default_factory=list)
    flowtables: list[tuple[Lexeme, FlowtableOf]] = field(default_factory=list)
    flags: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Which thing a command is about. `position`: (position, handle or index; the number; its place)."""

    family: str
    table: Lexeme | None = None
    name: Lexeme | None = None
    position: tuple[str, int, At] | None = None


NamedOf: TypeAlias = ObjectOf | CtHelperOf | CtTimeoutOf | CtExpectationOf
Body: TypeAlias = TableOf | ChainOf | SetOf | NamedOf | FlowtableOf | RuleOf | Expression | Lexeme | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `verb`: add create insert replace delete list flush rename get reset; `thing`: table chain rule set map elements
    ruleset tables chains sets maps meter meters flowtable flowtables, an object's kind (counter ... ct timeout) and its plural."""

    verb: str
    thing: str
    place: Place
    at: At
    body: Body = None
