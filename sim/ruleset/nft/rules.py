"""From a rule as written to the model: what each statement looks at and does, in the form in which the kernel would hold it.

What nft adds by itself is added where it counts or is listed: `icmp id` tests the type first, `reject with tcp reset` tests for
TCP, `reject with icmp ...` in an inet table for IPv4. The protocol that `tcp dport` needs is in the selector itself (../selectors.py).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple, TypeVar

from sim.ruleset.datatypes import BITMASKS, ICMP_CODE, ICMPV6_CODE, ICMPX_CODE
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
    Prefix,
    Reject,
    SetReference,
    TableKey,
    Verdict,
    VerdictMap,
)
from sim.ruleset.nft import handing, nat, setrules
from sim.ruleset.nft.doing import assignment, log_part, source_of
from sim.ruleset.nft.elements import Interfaces, Values, bounds, is_interval, normal, sort_key
from sim.ruleset.nft.fetching import fetched
from sim.ruleset.nft.fields import ICMP_TYPES, Known, Left, is_searched, left_side, not_alien, selector_of, under_mask
from sim.ruleset.nft.keeping import kept_part
from sim.ruleset.nft.literals import DESCRIPTION, keyword_of, scalar
from sim.ruleset.nft.rewriting import acting, is_rewrite, rewriting
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import (
    AssignOf,
    Binary,
    Braces,
    CopyOf,
    CounterOf,
    CountOf,
    Element,
    Expression,
    Field,
    FlowOf,
    HashOf,
    Joined,
    LimitOf,
    Listed,
    LogOf,
    MapExpr,
    Match,
    MeterOf,
    Mistake,
    NatOf,
    NotrackOf,
    Numgen,
    PrefixOf,
    ProxyOf,
    QueueOf,
    QuotaOf,
    RangeOf,
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
from sim.ruleset.parts import Act, AssignMap, Judge, Nothing, Rewrite, UseObject
from sim.ruleset.putting import PUT
from sim.ruleset.selectors import Selector

ENOENT = "No such file or directory"
Kept = TypeVar("Kept")
_NO_NEGATION = "negation can only be used with singleton bitmask values"
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


class RuleMeaning:
    """Takes statements one after the other."""

    def __init__(self, where: tuple[str, str], named: Callable[[str], NamedSet | None], interfaces: Interfaces) -> None:
        family = where[0]
        self.table: TableKey = ("nft", *where)
        self.known = Known(family, family if family != "inet" else None)
        self.parts: list[Part] = []
        self.jumps: list[tuple[str, At]] = []
        self.sets = 0
        self.objects: list[tuple[str, str, At]] = []
        self.meters: list[NamedSet] = []
        self.named, self.interfaces = named, interfaces
        self._ended: At | None = None
        self._network_told = False

    def take(self, statement: StatementOf) -> None:
        """Add one statement's parts. Raises Mistake and NotSimulated."""
        if self._ended is not None:
            raise Mistake(statement.at, "Statement after terminal statement has no effect", self._ended)
        match statement:
            case Match():
                self._match(statement)
            case VerdictMatch():
                self._verdict_map(statement)
            case VerdictOf():
                self.parts.append(self._verdict(statement))
                self._ended = None if statement.name == "continue" else statement.at
            case CounterOf():
                self.parts.append(Counter(statement.packets, statement.bytes))
            case LogOf():
                self.parts.append(log_part(statement))
            case LimitOf():
                self._limit(statement)
            case RejectOf():
                self._reject(statement)
                self._ended = statement.at
            case AssignOf():
                self.parts.append(self._assign(statement))
            case CountOf() | QuotaOf():
                self.parts.append(kept_part(statement))
            case UseOf():
                self.parts.append(setrules.use_object(self, statement))
            case SetStatementOf():
                self.parts.append(setrules.set_statement(self, statement))
            case MeterOf():
                self.parts.append(setrules.meter(self, statement))
            case FlowOf():
                self.parts.append(Nothing("nothing is carried past the rules here", f"flow add @{statement.name}"))
            case ResetOptionOf():
                self.parts.append(Act("reset option", (("name", statement.name),)))
            case NotrackOf():
                self.parts.append(Notrack())
            case QueueOf():
                self.parts += handing.queue_parts(statement)
                self._ended = statement.at
            case ProxyOf():
                self.parts.append(handing.proxy_part(statement, self.known, self.interfaces))
            case CopyOf():
                self.parts.append(handing.copy_part(statement, self.known, self.interfaces))
            case NatOf():
                maps = nat.Maps(self.left, self.reference, self.named, map_entries)
                self.parts.append(nat.meant(statement, self.known, self.interfaces, maps))
                self.sets += maps.made
                self._ended = statement.at

    # ---- comparisons -------------------------------------------------------------------------------------------------

    def left(self, expression: Expression) -> Left:
        """A left side; what it needs to be known is tested first."""
        unknown = self.known.network is None and self.known.family == "inet"
        left = left_side(expression, self.known)
        for row in left.rows:
            if unknown and is_searched(row.name):
                self._network_first()
            types = ICMP_TYPES.get(row.name)
            if row.name.startswith("numgen inc "):
                self.parts.append(Judge("numgen", (("mod", int(row.name.split()[3])),)))
            if row.name.startswith("igmp ") and self.known.family == "inet" and not self._network_told:
                self._network_told = True
                self.parts.append(Compare("meta nfproto", (2,)))
            told = next((told for told in self.known.icmp_types if types is not None and told not in types), None)
            if types is not None and told is not None:
                raise Mistake(expression.at, f"incompatible icmp match: rule has {told}, need {types[0]}")
            if types is not None and not self.known.icmp_tested:
                self.parts.append(Compare(f"{row.name.split()[0]} type", types, braces=len(types) > 1))
                self.sets += len(types) > 1
                self.known.icmp_tested = True
        return left

    def _network_first(self) -> None:
        """nft puts the test of the protocol that options and extension headers need at the rule's head: a counter between counts less."""
        if any(not isinstance(part, Compare | VerdictMap) for part in self.parts):
            self.parts.insert(0, Compare("meta nfproto", (2 if self.known.network == "ip" else 10,)))

    def _match(self, statement: Match) -> None:
        left = self.left(statement.left)
        compare = self._compare(statement, left)
        self.parts.append(compare)
        at = At(statement.left.at.start, statement.right.at.end, statement.at.source)
        self.known.learn(compare, at, self._written(statement.right, left) if compare.braces else ())

    def _written(self, right: Expression, left: Left) -> tuple[Item, ...]:
        """The elements between braces as they were written: nft learns from one after the other."""
        return tuple(item for item, _ in self.values(left).elements(right)) if isinstance(right, Braces) else ()

    def _compare(self, statement: Match, left: Left) -> Compare:
        right, row = statement.right, left.rows[0]
        _same_type(right, left)
        if isinstance(right, SetName):
            looked = self.reference(right, left, False)
            if statement.op == "!":
                raise Mistake(left.at, _NO_NEGATION, right.at)
            return Compare(left.name, looked, statement.op or "==", _mask(left))
        if len(left.rows) > 1 and not isinstance(right, Braces):
            raise Mistake(left.at, "Use concatenations with sets and maps, not singleton values", right.at)
        if row.type in BITMASKS and len(left.rows) == 1:
            return self._flags(statement, left, row)
        if statement.op == "!":
            raise Mistake(left.at, _NO_NEGATION, right.at)
        if statement.mask is not None:
            first = statement.mask.items[0] if isinstance(statement.mask, Listed) else statement.mask
            raise Mistake(first.at, f"Basetype of type {DESCRIPTION[row.type]} is not bitmask")
        self._check_ports(left, right)
        op, mask = statement.op or "==", left.mask
        if isinstance(right, Braces):
            asked = statement.left.words if isinstance(statement.left, Field) else ("",)
            if asked[0] == "ct" and asked[2:] in (("saddr",), ("daddr",)):
                raise Mistake(left.at, "specify either ip or ip6 for address matching")
            return self._braces(right, left, op)
        if isinstance(right, RangeOf | PrefixOf) and op in ("<", ">", "<=", ">="):
            kind = "range" if isinstance(right, RangeOf) else "prefix"
            raise Mistake(right.at, f"Relational expression ({op}) is undefined for {kind} expressions", statement.at)
        item = self.values(left).item(right)
        if isinstance(item, Prefix) and isinstance(statement.left, Field) and statement.left.words[2:] in (("saddr",), ("daddr",)):
            item = _moved(item)
        if left.flip and mask is not None:
            return Compare(left.name, (item,), op, _as_mask(mask, row), flip=left.flip)
        if left.flip and isinstance(item, int):
            item ^= left.flip
        elif left.flip and isinstance(item, bytes):
            item = (int.from_bytes(item) ^ left.flip).to_bytes(len(item))
        return Compare(left.name, (item,), op, _as_mask(mask, row))

    def _check_ports(self, left: Left, right: Expression) -> None:
        """ct original proto-src is a number without a meaning until the protocol is known."""
        if left.name.startswith("ct ") and "proto-" in left.name and not self.known.transport:
            raise Mistake(_first_of(right).at, "Can't parse symbolic invalid expressions")

    def typed(self, rows: tuple[Selector, ...]) -> Values:
        """Reads values of these rows."""
        return Values(rows, self.interfaces)

    def values(self, left: Left) -> Values:
        """Reads what the left side is compared with."""
        return Values(left.rows, self.interfaces)

    def _braces(self, braces: Braces, left: Left, op: str) -> Compare:
        pairs = self.values(left).elements(braces)
        for _, element in pairs:
            if element.value is not None:
                raise Mistake(element.key.at, "mapping outside of map context")
        items = [item for item, _ in pairs]
        mask, row = _as_mask(left.mask, left.rows[0]), left.rows[0]
        if len(items) == 1 and len(left.rows) == 1:
            return Compare(left.name, (items[0],), op, mask)
        self.sets += 1
        ordered = normal(items, row.type if len(left.rows) == 1 else "")
        if row.type == "iface_index" and len(left.rows) == 1:
            ordered = tuple(sorted(ordered, key=self._index))
        return Compare(left.name, ordered, op, mask, braces=True)

    def _index(self, name: Item) -> int:
        """A device's number, by which nft lists it; a device that is not there has one for its name."""
        return int(name) if isinstance(name, str) and name.isdecimal() else (self.interfaces or {}).get(str(name), 0)

    def _flags(self, statement: Match, left: Left, row: Selector) -> Compare:
        right, op, values = statement.right, statement.op, self.values(left)
        if isinstance(right, Braces) and len(right.elements) == 1:
            right = right.elements[0].key
        if isinstance(right, Braces):
            if op == "!":
                raise Mistake(left.at, _NO_NEGATION, right.at)
            if row.type == "ct_label":
                raise NotSimulated("{", right.at)  # nft 1.0.6 itself lists such a rule as nothing
            return self._braces(right, left, op or "==")
        if op == "!" and left.mask is not None:
            raise Mistake(left.at, "cannot combine negation with binary expression", right.at)
        if statement.mask is not None:
            return Compare(row.name, (values.bits(right, row),), op or "==", values.bits(statement.mask, row))
        wanted = values.item(right)
        if not isinstance(wanted, int):
            return Compare(row.name, (wanted,), op or "==", left.mask)
        if left.mask is not None:
            return _masked_flags(row, left.mask, wanted, op or "==")
        if op == "!":
            return Compare(row.name, (wanted,), "!&")
        return Compare(row.name, (wanted,), op or "&")

    def reference(self, name: SetName, left: Left, as_map: bool) -> SetReference:
        """A named set or map that the left side is looked up in. Raises Mistake."""
        found = self.named(name.name)
        if found is None:
            raise Mistake(name.at, ENOENT)
        if as_map and not found.data:
            raise Mistake(name.at, "Expression is not a map")
        types = tuple(row.type for row in left.rows)
        if found.types != types:
            wanted, have = _described(types), _described(found.types)
            if as_map:
                raise Mistake(name.at, f"datatype mismatch, map expects {have}, mapping expression has type {wanted}", left.at)
            raise Mistake(name.at, f"datatype mismatch, expected {wanted}, expression has type {have}", left.at)
        return SetReference(name.name)

    # ---- verdicts ----------------------------------------------------------------------------------------------------

    def _verdict(self, verdict: VerdictOf) -> Verdict:
        if verdict.chain and verdict.chain_at is not None:
            self.jumps.append((verdict.chain, verdict.chain_at))
        return Verdict(verdict.name, verdict.chain)

    def _verdict_map(self, statement: VerdictMatch) -> None:
        left = under_mask(self.left(statement.left))
        if isinstance(statement.map, SetName):
            self.parts.append(VerdictMap(left.name, self.reference(statement.map, left, True)))
            return
        self.sets += 1
        pairs = self.values(left).elements(statement.map)
        verdicts = [(item, self._verdict(element.value), element) for item, element in pairs if isinstance(element.value, VerdictOf)]
        self.parts.append(VerdictMap(left.name, map_entries(verdicts)))

    # ---- the rest ----------------------------------------------------------------------------------------------------

    def _limit(self, limit: LimitOf) -> None:
        if not limit.rate:
            raise Mistake(limit.at, "Could not process rule: Invalid argument")
        self.parts.append(Limit(limit.rate, limit.unit, limit.burst, limit.per, limit.over))

    def _reject(self, reject: RejectOf) -> None:
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

    def _assign(self, statement: AssignOf) -> Assign | Act | SetHelper | Rewrite | AssignMap | UseObject:
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


def _first_of(expression: Expression) -> Expression:
    """The value that stands first in an expression."""
    match expression:
        case Braces():
            return _first_of(expression.elements[0].key)
        case RangeOf():
            return _first_of(expression.low)
        case PrefixOf():
            return _first_of(expression.base)
        case Binary():
            return _first_of(expression.left)
        case Listed() | Joined():
            return _first_of(expression.items[0])
    return expression


def _moved(prefix: Prefix) -> Prefix | bytes:
    """What nft 1.0.6 makes of `ct original saddr 10.0.0.0/8` without its "ip", where it is whole bytes: the address 0.0.0.10."""
    size = len(prefix.address)
    if prefix.length % 8:
        return prefix
    return (int.from_bytes(prefix.address) >> size * 8 - prefix.length).to_bytes(size)


def _same_type(right: Expression, left: Left) -> None:
    """A word that is a constant of another type than the left side has. Raises Mistake."""
    said = keyword_of(right) if isinstance(right, Symbol) else None
    if said is not None and len(left.rows) == 1 and said[1] != left.rows[0].type:
        wanted, have = _described((left.rows[0].type,)), DESCRIPTION[said[1]]
        raise Mistake(right.at, f"datatype mismatch, expected {wanted}, expression has type {have}", left.at)


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


def _described(types: tuple[str, ...]) -> str:
    names = [DESCRIPTION.get(each, each) for each in types]
    return names[0] if len(names) == 1 else f"concatenation of ({', '.join(names)})"


def _places(at: At | None) -> tuple[At, ...]:
    return () if at is None else (at,)


def _mask(left: Left) -> int | bytes | None:
    return _as_mask(left.mask, left.rows[0])


def _as_mask(mask: int | None, row: Selector) -> int | bytes | None:
    """A mask in the form of the selector's values."""
    if mask is None or row.type not in ("ipv4_addr", "ipv6_addr"):
        return mask
    return mask.to_bytes(row.bits // 8)


def _masked_flags(row: Selector, mask: int, wanted: int, op: str) -> Compare:
    """tcp flags & mask == wanted, in the form that is listed."""
    if mask == (1 << row.bits) - 1:
        return Compare(row.name, (wanted,), op)
    if wanted == 0 and op in ("==", "!="):
        return Compare(row.name, (mask,), "!&" if op == "==" else "&")
    return Compare(row.name, (wanted,), op, mask)


def meaning(rule: RuleOf, where: tuple[str, str], named: Callable[[str], NamedSet | None], interfaces: Interfaces = None) -> Meaning:
    """What a rule as written means; `where`: its table's family and name; `named` finds the table's sets.

    Raises Mistake and NotSimulated.
    """
    taken = RuleMeaning(where, named, interfaces)
    for statement in rule.statements:
        taken.take(statement)
    return Meaning(fetched(tuple(taken.parts), where[0]), tuple(taken.jumps), taken.sets, tuple(taken.objects), tuple(taken.meters))
