"""What a rule compares, and with what: the parts for `tcp dport 22`, `ip saddr { ... }`, `ct state new`, `ip daddr @hosts`.

What nft adds by itself is added where it counts or is listed: `icmp id` tests the type first, options and extension headers the network
protocol. The protocol that `tcp dport` needs is in the selector itself (../selectors.py). Not in here: what a rule does (rules.py).
"""

from __future__ import annotations

from collections.abc import Callable

from sim.ruleset.datatypes import BITMASKS
from sim.ruleset.model import (
    Compare,
    Item,
    NamedSet,
    Part,
    Prefix,
    Range,
    SetReference,
    VerdictMap,
)
from sim.ruleset.nft.elements import Interfaces, Values, normal
from sim.ruleset.nft.fields import ICMP_TYPES, Known, Left, is_searched, left_side, typeless
from sim.ruleset.nft.literals import DESCRIPTION, keyword_of
from sim.ruleset.nft.refusals import ENOENT
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import (
    Binary,
    Braces,
    Expression,
    Field,
    Joined,
    Listed,
    Match,
    Mistake,
    PrefixOf,
    RangeOf,
    SetName,
    Symbol,
)
from sim.ruleset.parts import Judge
from sim.ruleset.selectors import Selector

_NO_NEGATION = "negation can only be used with singleton bitmask values"


class Comparing:
    """The part of a rule's meaning that looks: `parts` grows, `known` learns what each comparison tells, `sets` counts sets of its own."""

    def __init__(self, family: str, named: Callable[[str], NamedSet | None], interfaces: Interfaces) -> None:
        self.known = Known(family, family if family != "inet" else None)
        self.parts: list[Part] = []
        self.sets = 0
        self.named, self.interfaces = named, interfaces
        self._network_told = False

    def left(self, expression: Expression) -> Left:
        """A left side; what it needs to be known is tested first."""
        unknown = self.known.network is None and self.known.family == "inet"
        untold = unknown and self.known.transport is None
        left = left_side(expression, self.known)
        for row in left.rows:
            if unknown and is_searched(row.name):
                self._network_first()
            types = ICMP_TYPES.get(row.name)
            if row.name.startswith("numgen inc "):
                self.parts.append(Judge("numgen", (("mod", int(row.name.split()[3])),)))
            if row.name.startswith("igmp ") and untold and not self._network_told:
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

    def match(self, statement: Match) -> None:
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
        self.check_ports(left, right)
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
        if isinstance(item, Prefix) and (mask is not None or left.flip):
            raise NotSimulated("/", right.at)
        if isinstance(right, PrefixOf) and isinstance(item, Range):
            return _first_bits(left, item, op, right.at)
        if isinstance(item, Prefix) and isinstance(statement.left, Field) and statement.left.words[2:] in (("saddr",), ("daddr",)):
            item = _moved(item)
        if left.flip and mask is not None:
            return Compare(left.name, (item,), op, _as_mask(mask, row), flip=left.flip)
        if left.flip and isinstance(item, int):
            item ^= left.flip
        elif left.flip and isinstance(item, bytes):
            item = (int.from_bytes(item) ^ left.flip).to_bytes(len(item))
        return Compare(left.name, (item,), op, _as_mask(mask, row))

    def check_ports(self, left: Left, right: Expression) -> None:
        """ct original proto-src is a number without a meaning until the protocol is known."""
        if typeless(left.name, self.known):
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
            key = pairs[0][1].key
            if isinstance(key, PrefixOf) and isinstance(items[0], Range):
                return _first_bits(left, items[0], op, key.at)
            if isinstance(items[0], Prefix) and mask is not None:
                raise NotSimulated("/", key.at)
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
        if left.flip:  # tcp flags & syn|ack == ...: the | belongs to the left side
            raise NotSimulated("|", left.at)
        if isinstance(right, Braces) and len(right.elements) == 1:
            right = right.elements[0].key
        if isinstance(right, Braces):
            if op == "!":
                raise Mistake(left.at, _NO_NEGATION, right.at)
            if row.type == "ct_label":
                raise NotSimulated("{", right.at)  # nft 1.0.6 itself lists such a rule as nothing
            return self._braces(right, left, op or "==")
        if statement.mask is not None and op not in (None, "", "==", "!="):
            whole = At(statement.left.at.start, statement.mask.at.end, statement.left.at.source)
            raise Mistake(whole, "either == or != is allowed")
        if op == "!" and left.mask is not None:
            raise Mistake(left.at, "cannot combine negation with binary expression", right.at)
        if statement.mask is not None:
            return _masked_flags(row, values.bits(statement.mask, row), values.bits(right, row), op or "==")
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
        types = tuple("invalid" if typeless(row.name, self.known) else row.type for row in left.rows)
        if found.types != types:
            wanted, have = _described(types), _described(found.types)
            if as_map:
                raise Mistake(name.at, f"datatype mismatch, map expects {have}, mapping expression has type {wanted}", left.at)
            raise Mistake(name.at, f"datatype mismatch, expected {wanted}, expression has type {have}", left.at)
        return SetReference(name.name)


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


_THERE = ("boolean", "there", "fib_there")
_OF_HEADERS = frozenset("ip ip6 icmp icmpv6 th tcp udp udplite dccp sctp".split())
_OF_THE_MACHINE = frozenset(("meta", "ct", "socket"))


def _first_bits(left: Left, span: Range, op: str, at: At) -> Compare:
    """`tcp dport 2048/5`: a number's first bits, under the mask as which nft takes them. Raises NotSimulated.

    Of a header's field that are whole bytes nft makes a shorter field, which has a listing of its own: refused.
    """
    row, first = left.rows[0], left.name.split()[0]
    if left.mask is not None or left.flip or row.bits % 8 or not isinstance(span.low, int) or not isinstance(span.high, int):
        raise NotSimulated("/", at)
    free = (span.low ^ span.high).bit_length()
    whole = 0 < free < row.bits and not free % 8
    if first not in (_OF_THE_MACHINE if whole else _OF_THE_MACHINE | _OF_HEADERS) or (whole and "proto-" in left.name):
        raise NotSimulated("/", at)
    return Compare(left.name, (span.low,), op, (1 << row.bits) - (1 << free))


def _moved(prefix: Prefix) -> Prefix | bytes:
    """What nft 1.0.6 makes of `ct original saddr 10.0.0.0/8` without its "ip", where it is whole bytes: the address 0.0.0.10."""
    size = len(prefix.address)
    if prefix.length % 8:
        return prefix
    return (int.from_bytes(prefix.address) >> size * 8 - prefix.length).to_bytes(size)


def _same_type(right: Expression, left: Left) -> None:
    """A word that is a constant of another type than the left side has. Raises Mistake."""
    if isinstance(right, Braces) and len(right.elements) == 1:
        right = right.elements[0].key
    said = keyword_of(right) if isinstance(right, Symbol) else None
    kind = "boolean" if isinstance(right, Symbol) and right.kind == "boolean" else said[1] if said is not None else ""
    if not kind or len(left.rows) > 1 or kind == left.rows[0].type or (kind == "boolean" and left.rows[0].type in _THERE):
        return
    wanted = _described((left.rows[0].type,))
    raise Mistake(right.at, f"datatype mismatch, expected {wanted}, expression has type {DESCRIPTION.get(kind, 'boolean type')}", left.at)


def _described(types: tuple[str, ...]) -> str:
    names = [DESCRIPTION.get(each, each) for each in types]
    return names[0] if len(names) == 1 else f"concatenation of ({', '.join(names)})"


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
