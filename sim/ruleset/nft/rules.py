"""From a rule as written to the model: what each statement looks at and does, in the form in which the kernel would hold it.

What nft adds by itself is added where it counts or is listed: `reject with tcp reset` tests for TCP, `reject with icmp ...` in an inet
table for IPv4. Not in here: comparisons (comparing.py), marks and logs (doing.py), sets (setrules.py).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from sim.ruleset.datatypes import ICMP_CODE, ICMPV6_CODE, ICMPX_CODE
from sim.ruleset.helping import SetHelper
from sim.ruleset.model import (
    Assign,
    Compare,
    Counter,
    Item,
    Limit,
    NamedSet,
    Notrack,
    Part,
    Reject,
    TableKey,
    Verdict,
    VerdictMap,
)
from sim.ruleset.nft import handing, nat, setrules
from sim.ruleset.nft.comparing import Comparing
from sim.ruleset.nft.doing import assignment, log_part, source_of
from sim.ruleset.nft.elements import Interfaces, bounds, is_interval, sort_key
from sim.ruleset.nft.fetching import fetched
from sim.ruleset.nft.fields import not_alien, selector_of, under_mask
from sim.ruleset.nft.keeping import kept_part
from sim.ruleset.nft.literals import scalar
from sim.ruleset.nft.rewriting import acting, is_rewrite, rewriting
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import (
    AssignOf,
    CopyOf,
    CounterOf,
    CountOf,
    Element,
    Expression,
    FlowOf,
    HashOf,
    LimitOf,
    LogOf,
    MapExpr,
    Match,
    MeterOf,
    Mistake,
    NatOf,
    NotrackOf,
    Numgen,
    ProxyOf,
    QueueOf,
    QuotaOf,
    RejectOf,
    ResetOptionOf,
    RuleOf,
    SetName,
    SetStatementOf,
    StatementOf,
    Symbol,
    UseOf,
    VerdictMatch,
    VerdictOf,
)
from sim.ruleset.parts import Act, AssignMap, Nothing, Rewrite, UseObject
from sim.ruleset.putting import PUT

Kept = TypeVar("Kept")
_CODES = {"icmp": (ICMP_CODE, "ip"), "icmpv6": (ICMPV6_CODE, "ip6"), "icmpx": (ICMPX_CODE, "inet")}


class Meaning(NamedTuple):
    """A rule's parts; `jumps` are the chains it goes to with their places, `sets` how many sets of its own the kernel makes for it.

    `objects` are the objects it names: kind, name, place. `meters` are the sets that its meters make.
    """

    parts: tuple[Part, ...]
    jumps: tuple[tuple[str, At], ...]
    sets: int
    objects: tuple[tuple[str, str, At], ...] = ()
    meters: tuple[NamedSet, ...] = ()


class RuleMeaning(Comparing):
    """Takes statements one after the other."""

    def __init__(self, where: tuple[str, str], named: Callable[[str], NamedSet | None], interfaces: Interfaces) -> None:
        super().__init__(where[0], named, interfaces)
        self.table: TableKey = ("nft", *where)
        self.jumps: list[tuple[str, At]] = []
        self.objects: list[tuple[str, str, At]] = []
        self.meters: list[NamedSet] = []
        self._ended: At | None = None

    def take(self, statement: StatementOf) -> None:
        """Add one statement's parts. Raises Mistake and NotSimulated."""
        if self._ended is not None:
            raise Mistake(statement.at, "Statement after terminal statement has no effect", self._ended)
        made = _MEANT[type(statement)](self, statement)
        self.parts += [] if made is None else made if isinstance(made, list) else [made]
        if isinstance(statement, _ENDING) and not (isinstance(statement, VerdictOf) and statement.name == "continue"):
            self._ended = statement.at

    # ---- verdicts ----------------------------------------------------------------------------------------------------

    def verdict(self, verdict: VerdictOf) -> Verdict:
        if verdict.chain and verdict.chain_at is not None:
            self.jumps.append((verdict.chain, verdict.chain_at))
        return Verdict(verdict.name, verdict.chain)

    def verdict_map(self, statement: VerdictMatch) -> None:
        left = under_mask(self.left(statement.left))
        if isinstance(statement.map, SetName):
            self.parts.append(VerdictMap(left.name, self.reference(statement.map, left, True)))
            return
        self.sets += 1
        self.check_ports(left, statement.map)
        pairs = self.values(left).elements(statement.map)
        verdicts = [(item, self.verdict(element.value), element) for item, element in pairs if isinstance(element.value, VerdictOf)]
        self.parts.append(VerdictMap(left.name, map_entries(verdicts)))

    # ---- the rest ----------------------------------------------------------------------------------------------------

    def translation(self, statement: NatOf) -> Part:
        """What translates, with its maps."""
        maps = nat.Maps(self.left, self.reference, self.named, map_entries)
        meant = nat.meant(statement, self.known, self.interfaces, maps)
        self.sets += maps.made
        return meant

    def reject(self, reject: RejectOf) -> None:
        known = self.known
        if reject.kind == "tcp":
            if known.transport not in (None, "tcp"):
                raise Mistake(reject.at, "you cannot use tcp reset with this protocol", *_places(known.transport_at))
            if known.transport is None:
                self.parts.insert(0, Compare("meta l4proto", (6,)))  # nft puts what it adds for reject at the rule's head
            self.parts.append(Reject("tcp reset", known.family))
            return
        if not reject.kind:
            self.parts.append(Reject("port-unreachable", "inet" if known.one_of else known.network or "inet"))
            return
        self._reject_with(reject, reject.code or Symbol("", "word", reject.at))

    def _reject_with(self, reject: RejectOf, code: Symbol) -> None:
        known, (codes, family) = self.known, _CODES[reject.kind]
        value = scalar(code, f"{reject.kind}_code", 8)
        if family == "inet" and known.family != "inet":
            raise Mistake(code.at, "abstracted ICMP unreachable not supported", reject.at)
        if family != "inet" and known.network not in (None, family):
            raise Mistake(code.at, "conflicting protocols specified: ip vs ip6", known.network_at or reject.at)
        if family != "inet":
            not_alien(known, family, reject.at)
        name = next((name for name, number in codes.items() if number == value), None)
        if name is None and family == "inet":
            raise Mistake(reject.at, "Could not process rule: Invalid argument")
        if name is None:
            raise NotSimulated(code.text, code.at)
        if family != "inet" and known.network is None:
            self.parts.insert(0, Compare("meta nfproto", (2 if family == "ip" else 10,)))
        self.parts.append(Reject(name, family))

    def assign(self, statement: AssignOf) -> Assign | Act | SetHelper | Rewrite | AssignMap | UseObject:
        if statement.target.words == ("ct", "helper"):
            return self._set_helper(statement.value)
        if is_rewrite(statement.target):
            if self.left(statement.target).name.startswith("@"):
                raise NotSimulated("set", statement.at)  # bytes of a header that may be another's
            return rewriting(statement, self.known)
        row = selector_of(statement.target, self.known, True)
        if isinstance(statement.value, MapExpr) and row.name in PUT:
            return AssignMap(row.name, setrules.map_of(self, statement.value, row.type), self.table)
        made = isinstance(statement.value, Numgen | HashOf)
        if row.name not in ("meta mark", "ct mark") and not (made and row.name == "meta priority"):
            return acting(statement, row)
        if made:
            return Assign(row.name, 0, (1 << row.bits) - 1, self.left(statement.value).name)
        source = source_of(statement.value)
        if source is not None:
            self.left(source)
        return assignment(row, statement.value, statement.at)

    def _set_helper(self, value: Expression) -> SetHelper | UseObject:
        if isinstance(value, MapExpr):
            return setrules.use_object(self, UseOf("ct helper", value, value.at))
        if not isinstance(value, Symbol):
            raise NotSimulated("set", value.at)
        self.objects.append(("ct helper", value.text, value.at))
        return SetHelper(value.text)


def _limit(limit: LimitOf) -> Limit:
    if not limit.rate:
        raise Mistake(limit.at, "Could not process rule: Invalid argument")
    return Limit(limit.rate, limit.unit, limit.burst, limit.per, limit.over)


def map_entries(verdicts: list[tuple[Item, Kept, Element]]) -> tuple[tuple[Item, Kept], ...]:
    """A map's entries in the kernel's order. Raises Mistake for a key that is there twice."""
    interval = is_interval(item for item, _, _ in verdicts)
    in_order = sorted(verdicts, key=lambda entry: sort_key(entry[0], interval))
    for before, after in pairwise(in_order):
        first, second = bounds(before[0]), bounds(after[0])
        if first is not None and second is not None and second[0] <= first[1] and interval:
            at, other = (entry[2].key.at for entry in sorted((after, before), key=lambda entry: -verdicts.index(entry)))
            raise Mistake(at, "conflicting intervals specified", other)
        if before[0] == after[0] and before[1] != after[1]:
            raise Mistake(after[2].key.at, "Could not process rule: File exists")
    return tuple({item: verdict for item, verdict, _ in in_order}.items())


def _places(at: At | None) -> tuple[At, ...]:
    return () if at is None else (at,)


_ENDING = (VerdictOf, RejectOf, QueueOf, NatOf)
"""What ends a rule, but for `continue`."""
_MEANT: dict[type[Any], Callable[[RuleMeaning, Any], Part | list[Part] | None]] = {
    Match: RuleMeaning.match, VerdictMatch: RuleMeaning.verdict_map, VerdictOf: RuleMeaning.verdict,
    CounterOf: lambda rule, said: Counter(said.packets, said.bytes), LogOf: lambda rule, said: log_part(said),
    LimitOf: lambda rule, said: _limit(said), RejectOf: RuleMeaning.reject, AssignOf: RuleMeaning.assign,
    CountOf: lambda rule, said: kept_part(said), QuotaOf: lambda rule, said: kept_part(said), UseOf: setrules.use_object,
    SetStatementOf: setrules.set_statement, MeterOf: setrules.meter,
    FlowOf: lambda rule, said: Nothing("nothing is carried past the rules here", f"flow add @{said.name}"),
    ResetOptionOf: lambda rule, said: Act("reset option", (("name", said.name),)), NotrackOf: lambda rule, said: Notrack(),
    QueueOf: lambda rule, said: list(handing.queue_parts(said)),
    ProxyOf: lambda rule, said: handing.proxy_part(said, rule.known, rule.interfaces),
    CopyOf: lambda rule, said: handing.copy_part(said, rule.known, rule.interfaces), NatOf: RuleMeaning.translation,
}  # fmt: skip
"""What each statement adds; some add to the rule's head, too, or nothing of their own."""


def meaning(rule: RuleOf, where: tuple[str, str], named: Callable[[str], NamedSet | None], interfaces: Interfaces = None) -> Meaning:
    """What a rule as written means; `where`: its table's family and name; `named` finds the table's sets.

    Raises Mistake and NotSimulated.
    """
    taken = RuleMeaning(where, named, interfaces)
    for statement in rule.statements:
        taken.take(statement)
    return Meaning(fetched(tuple(taken.parts), where[0]), tuple(taken.jumps), taken.sets, tuple(taken.objects), tuple(taken.meters))
