"""One model of rules for both languages: Ruleset > Table > Chain > Rule > parts. Frozen; a change builds a new Ruleset.

A rule's `parts` run from left to right: a part that tests (Compare, VerdictMap, Limit ...) ends the rule when it fails, a
part that acts (Counter, Log, Verdict ...) acts. nft's rules are written in just these parts; iptables' are too, but what a
module contributes (`-m tcp --dport 22`, `-j REJECT`) is held together by an `Extension`, so that it prints as it was typed.
What is compared is named by a selector, with nft's words ("ip saddr", "ct state"): selectors.py has the table of them.

Not in here: text of either language (iptables/, nft/), what a rule does to a packet (evaluate.py), counters (state.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from sim.errors import Span
from sim.netfilter.words import Hook
from sim.ruleset.helping import SetHelper, UseTemplate
from sim.ruleset.objects import NamedObject
from sim.ruleset.parts import AssignMap, Blend, Judge, Nat, Nothing, Quota, Rewrite, SetStatement, UseObject

# ---- what a selector's value is compared with ------------------------------------------------------------------------


class Range(NamedTuple):
    """`low`-`high`, both included: ints, or addresses as bytes of one length."""

    low: int | bytes
    high: int | bytes


class Prefix(NamedTuple):
    """`address`/`length`; the address has its host bits cleared."""

    address: bytes
    length: int


class Wildcard(NamedTuple):
    """Every name that starts with `start`: iptables' eth+, nft's "eth*"."""

    start: str


@dataclass(frozen=True, slots=True)
class CatchAll:
    """nft's `*`: the element of a set that holds what no other holds."""


Scalar: TypeAlias = int | bytes | str
Item: TypeAlias = Scalar | Range | Prefix | Wildcard | CatchAll | tuple["Item", ...]


@dataclass(frozen=True, slots=True)
class SetReference:
    """nft's `@name`: a named set or map of the same table."""

    name: str


# ---- parts that test -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    """Is the value of `selector` one of `values`?

    `op`: == and != with any number of values, < <= > >= with one; "&" is true when the value has any bit of values[0],
    "!&" when it has none. With a `mask` the value is first and-ed with it (int, or bytes for addresses).
    `flip` is then xor-ed to it.
    `braces`: nft wrote an anonymous set, { 22, 80 }. A selector "a . b" is a concatenation; its items are tuples.
    A packet without the field (no TCP header for "tcp dport") gives `absent`, whatever the op.
    """

    selector: str
    values: tuple[Item, ...] | SetReference
    op: str = "=="
    mask: int | bytes | None = None
    braces: bool = False
    absent: bool = False
    flip: int = 0


@dataclass(frozen=True, slots=True)
class HeaderThere:
    """iptables' tcp, udp, icmp ... modules: a transport header cut short drops the packet (hotdrop), a later fragment fails.

    `tcp`: a fragment at offset 8, which would overwrite TCP's flags, is dropped too (tcp_mt, net/netfilter/xt_tcpudp.c).
    `ports`: no more than the ports need be there (multiport_mt, net/netfilter/xt_multiport.c).
    `options`: so must the options be that the data offset promises (tcp_find_option).
    `drops`: False where a header cut short is no more than no match, and a later fragment is read as if it had one (xt_ecn).
    """

    tcp: bool = False
    ports: bool = False
    options: bool = False
    drops: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `rate` per `unit` (second minute hour day week), `burst`; `over` matches what exceeds it.

    `per` is "packets", or "bytes": then `rate` and `burst` are in bytes. `iptables` keeps xt_limit's arithmetic.
    """

    rate: int
    unit: str
    burst: int
    per: str = "packets"
    over: bool = False
    iptables: bool = False


@dataclass(frozen=True, slots=True)
class VerdictMap:
    """nft's `selector vmap { item : verdict }`: the verdict of the item that holds the value; the rule fails without one."""

    selector: str
    entries: tuple[tuple[Item, Verdict], ...] | SetReference


# ---- parts that act --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the packets and bytes that come so far. The fields are what it starts with; RuleState has the present values."""

    packets: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`name`: accept drop return jump goto continue; `chain` is where jump and goto go. `quiet`: another part says it already."""

    name: str
    chain: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """Drop, and tell the sender. `kind`: "tcp reset" or the ICMP code by nft's name ("port-unreachable", "admin-prohibited" ...).

    `family`: ip (ICMP), ip6 (ICMPv6), or inet (nft's icmpx: whichever the packet is).
    """

    kind: str = "port-unreachable"
    family: str = "ip"


@dataclass(frozen=True, slots=True)
class Log:
    """A line in the kernel's log (`group` None) or a message to an NFLOG group. `level` 0 to 7, `flags` from LOG_FLAGS.

    `prefixed`: a prefix was given, though it may be empty, which nft lists.
    """

    prefix: str = ""
    level: int = 4
    flags: frozenset[str] = frozenset()
    group: int | None = None
    snaplen: int = 0
    threshold: int = 0
    prefixed: bool = False


LOG_FLAGS = ("tcp sequence", "tcp options", "ip options", "skuid", "ether")


@dataclass(frozen=True, slots=True)
class Assign:
    """selector := (source & keep) ^ value, source being the selector itself unless named. For "meta mark", "ct mark", "meta priority"."""

    selector: str
    value: int
    keep: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Notrack:
    """The packet becomes UNTRACKED, when conntrack has not seen it yet."""


# ---- iptables' modules -----------------------------------------------------------------------------------------------


class Option(NamedTuple):
    """One option of an iptables module as it was understood: `--dport`, whether `!` stood before it, its value in canonical text."""

    name: str
    value: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """What one iptables module (`-m name`, or `-j NAME`) contributes: its options for printing, its parts for doing.

    """

    name: str
    options: tuple[Option, ...] = ()
    parts: tuple[Part, ...] = ()
    target: bool = False


Test: TypeAlias = Compare | HeaderThere | Limit | VerdictMap | Judge | Quota | SetStatement | UseObject | AssignMap
Action: TypeAlias = Counter | Verdict | Reject | Log | Assign | Notrack | Rewrite | Blend | Nat | Nothing | UseTemplate | SetHelper
Part: TypeAlias = Test | Action | Extension


# ---- rules, chains, tables -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `id` is unique on its machine and stays while the rule stays; 0 until RuleState.load has given it one.

    `text` is the rule in its own language as the tool lists it, without chain and handle: "-i lo -j ACCEPT",
    "tcp dport 22 ct state new accept" (counters shown without numbers). `handle` is nft's. `span`: where it was typed.
    """

    parts: tuple[Part, ...]
    text: str = ""
    id: int = 0
    handle: int = 0
    comment: str = ""
    span: Span | None = field(default=None, compare=False)

    def flat(self) -> Iterator[Test | Action]:
        """The parts with iptables' modules opened, in order."""
        return flatten(self.parts)


def flatten(parts: tuple[Part, ...]) -> Iterator[Test | Action]:
    """`parts` with iptables' modules opened, in order."""
    for part in parts:
        if isinstance(part, Extension):
            yield from flatten(part.parts)
        else:
            yield part


@dataclass(frozen=True, slots=True)
class Chain:
    """A base chain (`hook` is set: it stands in that hook's list at `priority`) or a user chain (`hook` is None)."""

    name: str
    rules: tuple[Rule, ...] = ()
    type: str = "filter"
    hook: Hook | None = None
    priority: int = 0
    policy: str = "accept"
    handle: int = 0
    comment: str = ""

    def with_rules(self, rules: tuple[Rule, ...]) -> Chain:
        """The same chain with these rules."""
        return replace(self, rules=rules)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a named set or map. `value`: what a map maps it to: a verdict, data, or an object's name.

    `timeout`: µs, None for the set's own, 0 for never; `expires`: µs that are left of it, None for all. `parts`: what the
    element keeps for itself, as it stands: Counter, Limit, Quota, Judge "ct count".
    """

    key: Item
    value: Verdict | Item | None = None
    timeout: int | None = None
    expires: int | None = None
    comment: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedSet:
    """nft's named set, or map. `types` are nft's data types, one for each part of a concatenation; `typeof` the selectors (key, data)
    where it was declared by them. `data`, of a map: "verdict", data types joined by " . ", or the kind of an object ("counter").

    `flags` in nft's order: constant, dynamic, interval, timeout. `timeout`, `gc_interval`: µs, 0 for none; `size`: 0 for no limit.
    `parts`: what each new element keeps for itself. `meter`: made by a rule's `meter` statement.
    """

    name: str
    types: tuple[str, ...]
    elements: tuple[Element, ...] = ()
    flags: tuple[str, ...] = ()
    data: str = ""
    handle: int = 0
    comment: str = ""
    typeof: tuple[str, str] = ("", "")
    timeout: int = 0
    gc_interval: int = 0
    size: int = 0
    policy: str = ""
    auto_merge: bool = False
    parts: tuple[Part, ...] = ()
    meter: bool = False

    @property
    def is_live(self) -> bool:
        """Whether its elements change by packets or by time, or count: then a look into it depends on more than the value."""
        if self.parts or self.timeout or "timeout" in self.flags or "dynamic" in self.flags:
            return True
        return any(each.parts or each.timeout for each in self.elements)

    @property
    def keys(self) -> tuple[Item, ...]:
        """The elements' keys."""
        return tuple(each.key for each in self.elements)


@dataclass(frozen=True, slots=True)
class Table:
    """`language`: iptables or nft. `family`: ip, ip6 or inet. `handles`: the last handle given to something in it (nft)."""

    language: str
    family: str
    name: str
    chains: tuple[Chain, ...] = ()
    sets: tuple[NamedSet, ...] = ()
    objects: tuple[NamedObject, ...] = ()
    flowtables: tuple[tuple[str, str, tuple[str, ...], bool, int], ...] = ()  # name, priority, devices, counter, handle
    flags: tuple[str, ...] = ()
    handle: int = 0
    handles: int = 0
    comment: str = ""

    @property
    def key(self) -> TableKey:
        """(language, family, name): names the table in a Ruleset."""
        return (self.language, self.family, self.name)

    def chain(self, name: str) -> Chain | None:
        """The chain of that name, or None."""
        return next((chain for chain in self.chains if chain.name == name), None)

    def named_set(self, name: str) -> NamedSet | None:
        """The named set or map of that name, or None."""
        return next((each for each in self.sets if each.name == name), None)

    def named_object(self, kind: str, name: str) -> NamedObject | None:
        """The object of that kind ("counter", "ct helper" ...) and name, or None."""
        return next((each for each in self.objects if each.kind == kind and each.name == name), None)

    def with_chain(self, chain: Chain, instead_of: str | None = None) -> Table:
        """The table with `chain` in the place of the chain named `instead_of` (or its own name), else appended."""
        name = instead_of or chain.name
        if self.chain(name) is None:
            return replace(self, chains=(*self.chains, chain))
        return replace(self, chains=tuple(chain if each.name == name else each for each in self.chains))

    def without_chain(self, name: str) -> Table:
        """The table without that chain."""
        return replace(self, chains=tuple(chain for chain in self.chains if chain.name != name))


TableKey: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All tables of one machine, in the order in which they came into being. `handles`: the last nft table handle given."""

    tables: tuple[Table, ...] = ()
    handles: int = 0

    def table(self, language: str, family: str, name: str) -> Table | None:
        """That table, or None."""
        return next((table for table in self.tables if table.key == (language, family, name)), None)

    def of(self, language: str) -> tuple[Table, ...]:
        """The tables of one language."""
        return tuple(table for table in self.tables if table.language == language)

    def with_table(self, table: Table) -> Ruleset:
        """The ruleset with `table` in the place of the one with its key, else appended."""
        if self.table(*table.key) is None:
            return replace(self, tables=(*self.tables, table))
        return replace(self, tables=tuple(table if each.key == table.key else each for each in self.tables))

    def without_table(self, key: TableKey) -> Ruleset:
        """The ruleset without that table."""
        return replace(self, tables=tuple(table for table in self.tables if table.key != key))

    def rules(self) -> Iterator[tuple[Table, Chain, int, Rule]]:
        """Every rule with its table, its chain and its number in the chain, from 1."""
        for table in self.tables:
            for chain in table.chains:
                for number, rule in enumerate(chain.rules, 1):
                    yield table, chain, number, rule
