"""The values of a right side, and the elements of a set in the order and form in which the kernel gives them back.

Sets with ranges, prefixes or wildcards are interval sets: what overlaps or touches becomes one interval (nft's automerge, which anonymous
sets always have). Other sets are listed by value; names by their bytes read as a number of this machine, so shorter ones first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from sim.ruleset.datatypes import BITMASKS, NAMES
from sim.ruleset.model import CatchAll, Item, Prefix, Range, Scalar, Wildcard
from sim.ruleset.nft.literals import DESCRIPTION, NAME_MOST, keyword_of, scalar
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import (
    Binary,
    Braces,
    Element,
    Everything,
    Expression,
    Joined,
    Listed,
    Mistake,
    PrefixOf,
    RangeOf,
    Symbol,
)
from sim.ruleset.selectors import Selector

Interfaces = Mapping[str, int] | None


class _Behind:
    """Greater than anything else."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_BEHIND = _Behind()
_BIG_ENDIAN = frozenset(("ipv4_addr", "ipv6_addr"))
_PREFIXED = frozenset(("integer", "inet_service", "mark", "uid", "gid"))  # numbers whose first bits may be asked for: tcp dport 2048/5


def _same_types(joined: Joined, rows: tuple[Selector, ...]) -> None:
    """Words that are constants of another type than stands in their place of a concatenation. Raises Mistake."""
    said = [keyword_of(item) if isinstance(item, Symbol) else None for item in joined.items]
    types = [row.type if one is None else one[1] for one, row in zip(said, rows, strict=True)]
    wanted, have = (", ".join(DESCRIPTION[each] for each in kinds) for kinds in ([row.type for row in rows], types))
    if wanted != have:
        raise Mistake(joined.at, f"datatype mismatch, expected concatenation of ({wanted}), expression has type concatenation of ({have})")


class Values:
    """Reads right sides for the rows (one, or several of a concatenation) of a left side."""

    def __init__(self, rows: tuple[Selector, ...], interfaces: Interfaces) -> None:
        self._rows, self._interfaces = rows, interfaces

    def item(self, expression: Expression) -> Item:
        """One value, range, prefix or tuple. Raises Mistake and NotSimulated."""
        if isinstance(expression, Everything):
            return CatchAll()
        if len(self._rows) > 1:
            return self._joined(expression)
        return self._single(expression, self._rows[0])

    def _joined(self, expression: Expression) -> Item:
        rows = self._rows
        if not isinstance(expression, Joined) or len(expression.items) != len(rows):
            types = ", ".join(DESCRIPTION[row.type] for row in rows)
            raise Mistake(expression.at, f"invalid data type, expected concatenation of ({types})")
        _same_types(expression, rows)
        return tuple(self._single(item, row) for item, row in zip(expression.items, rows, strict=True))

    def _single(self, expression: Expression, row: Selector) -> Item:
        match expression:
            case Symbol():
                return scalar(expression, row.type, row.bits, self._interfaces)
            case RangeOf():
                return self._range(expression, row)
            case PrefixOf():
                return self._prefix(expression, row)
            case Binary() if row.type in BITMASKS or expression.op in ("<<", ">>"):
                return self.bits(expression, row)
            case Binary() if row.type == "ifname":
                return self._name_of_bits(expression, row)
            case Binary() if row.type in _BIG_ENDIAN:
                return self._address_of_bits(expression, row)
            case Binary() if row.type in _PREFIXED:
                return self.bits(expression, row)
            case Listed() if row.type in BITMASKS:
                return self.bits(expression, row)
            case Listed():
                raise Mistake(expression.items[0].at, f"Basetype of type {DESCRIPTION[row.type]} is not bitmask")
        raise Mistake(expression.at, f"invalid expression for {DESCRIPTION[row.type]}")

    def _name_of_bits(self, expression: Expression, row: Selector) -> str:
        """a|b: names are numbers to nft, their first letter's bits the highest, and "c" is what it makes of these."""

        def number(side: Expression) -> int:
            name = self._single(side, row)
            return int.from_bytes(name.encode().ljust(NAME_MOST, b"\0")) if isinstance(name, str) else -1

        found = _folded(expression, number)
        text = found.to_bytes(NAME_MOST).rstrip(b"\0") if found > 0 else b""
        if not text or not text.isascii() or not text.decode().isprintable():
            raise NotSimulated("|", expression.at)
        return text.decode()

    def _address_of_bits(self, expression: Expression, row: Selector) -> bytes:
        """10.1.2.3 & 255.255.0.0"""

        def number(side: Expression) -> int:
            address = self._single(side, row)
            return int.from_bytes(address) if isinstance(address, bytes) else -1

        found = _folded(expression, number)
        if found < 0:
            raise NotSimulated("&", expression.at)
        return found.to_bytes(row.bits // 8)

    def bits(self, expression: Expression, row: Selector) -> int:
        """The number of several flags: syn,ack or syn|ack."""
        if isinstance(expression, Listed):
            found = 0
            for item in expression.items:
                said = keyword_of(item) if isinstance(item, Symbol) else None
                if said is not None and said[1] != row.type:
                    raise Mistake(item.at, f"Basetype of type {DESCRIPTION[said[1]]} is not bitmask")
                found |= self.bits(item, row)
            return found
        if isinstance(expression, Binary):
            left, right = self.bits(expression.left, row), self.bits(expression.right, row)
            return {"|": left | right, "&": left & right, "^": left ^ right, "<<": left << right, ">>": left >> right}[expression.op]
        value = self._single(expression, row)
        if not isinstance(value, int):
            raise Mistake(expression.at, f"Could not parse {DESCRIPTION[row.type]}")
        return value

    def _range(self, expression: RangeOf, row: Selector) -> Item:
        low, high = self._single(expression.low, row), self._single(expression.high, row)
        if not isinstance(low, int | bytes) or not isinstance(high, int | bytes):
            raise Mistake(expression.at, f"invalid range of {DESCRIPTION[row.type]}")
        if _order(low) > _order(high):
            raise Mistake(expression.at, "Range has zero or negative size")
        return Range(low, high)

    def _prefix(self, expression: PrefixOf, row: Selector) -> Item:
        base = self._single(expression.base, row)
        if expression.length > row.bits:
            raise Mistake(expression.at, f"Prefix length {expression.length} is invalid for type of {row.bits} bits width")
        if isinstance(base, str) and row.type == "ifname" and 0 < expression.length < len(base) * 8 and not expression.length % 8:
            return Wildcard(base[: expression.length // 8])
        if isinstance(base, int) and expression.length == row.bits:
            return base
        if isinstance(base, int) and row.type in _PREFIXED:
            free = (1 << row.bits - expression.length) - 1
            return Range(base & ~free, base | free)
        if not isinstance(base, bytes):
            raise NotSimulated("/", expression.at)
        if expression.length == row.bits:
            return base
        return Prefix(masked(base, expression.length), expression.length)

    def elements(self, braces: Braces) -> list[tuple[Item, Element]]:
        """Every element with its key's value. Elements of a rule's own set that count or end are refused."""
        for element in braces.elements:
            if element.statements:
                raise NotSimulated("counter", element.statements[0].at)
            if element.options is not None and element.options.timeout is not None:
                raise NotSimulated("timeout", element.options.at)
        return [(self.item(element.key), element) for element in braces.elements]


def _folded(expression: Expression, number: Callable[[Expression], int]) -> int:
    """The number of several joined by | & ^; `number` reads one. Below 0 where there is none."""
    if not isinstance(expression, Binary):
        return number(expression)
    left, right = _folded(expression.left, number), _folded(expression.right, number)
    return -1 if left < 0 or right < 0 else {"|": left | right, "&": left & right, "^": left ^ right}.get(expression.op, -1)


def masked(address: bytes, length: int) -> bytes:
    """The address with its host bits cleared."""
    size = len(address) * 8
    return (int.from_bytes(address) >> size - length << size - length).to_bytes(len(address))


def _order(value: Scalar) -> int:
    if isinstance(value, bytes):
        return int.from_bytes(value)
    return int.from_bytes(value.encode(), "little") if isinstance(value, str) else value


def bounds(item: Item) -> tuple[int, int] | None:
    """(low, high) as numbers; None for what is no number: names and concatenations."""
    if isinstance(item, Prefix):
        low = int.from_bytes(item.address)
        return low, low | (1 << len(item.address) * 8 - item.length) - 1
    if isinstance(item, Range):
        return _order(item.low), _order(item.high)
    if isinstance(item, bytes):
        return int.from_bytes(item), int.from_bytes(item)
    return (item, item) if isinstance(item, int) else None


def is_interval(items: Iterable[Item]) -> bool:
    """Whether these are an interval set's: a range, prefix or wildcard is among them."""
    return any(isinstance(item, Range | Prefix | Wildcard) for item in items)


def sort_key(item: Item, interval: bool = False) -> tuple[object, ...]:
    """What the kernel's order of a set's elements goes by; `*` stands last."""
    if isinstance(item, CatchAll):
        return (_BEHIND,)
    if isinstance(item, Wildcard):
        return (item.start,)
    if isinstance(item, str):
        return (item,) if interval else (_order(item),)
    if isinstance(item, tuple) and not isinstance(item, Range | Prefix):
        if any(isinstance(each, Range | Prefix | Wildcard) for each in item):
            return tuple(chain.from_iterable(sort_key(each, True) for each in item))
        return tuple(_backwards(each) for each in reversed(item))
    found = bounds(item)
    return found if found is not None else (0,)


def normal(items: Iterable[Item], datatype: str) -> tuple[Item, ...]:
    """A set's elements as they are listed: each once, in order, intervals merged."""
    unique = list(dict.fromkeys(items))
    interval = is_interval(unique)
    numbers = [found for item in unique if (found := bounds(item)) is not None]
    rest = tuple(item for item in unique if isinstance(item, CatchAll))
    if interval and len(numbers) + len(rest) == len(unique):
        return *(interval_item(low, high, datatype) for low, high in _merged(sorted(numbers))), *rest
    if datatype in BITMASKS:
        return tuple(sorted(unique, key=lambda item: (_first_bit(item, datatype), not _composite(item), sort_key(item))))
    return tuple(sorted(unique, key=lambda item: sort_key(item, interval)))


def _first_bit(item: Item, datatype: str) -> int:
    """The value of the name that stands first when the flags are printed: nft's order goes by it."""
    return next((bit for bit in NAMES[datatype].values() if isinstance(item, int) and bit & item), 0)


def listed_order(key: Item, datatype: str, interval: bool) -> tuple[object, ...]:
    """The order in which elements are listed; concatenations with ranges as they came."""
    if isinstance(key, CatchAll):
        return (2,)
    if interval and isinstance(key, tuple) and not isinstance(key, Range | Prefix | Wildcard):
        return (0,)
    composite = datatype in BITMASKS and isinstance(key, int) and key.bit_count() > 1
    return (0 if composite or datatype not in BITMASKS else 1, *sort_key(key, interval))


def _backwards(part: object) -> int:
    """A field of a concatenation as nft's sorting reads it: its bytes from the last to the first."""
    if isinstance(part, bytes):
        return int.from_bytes(part, "little")
    if isinstance(part, str):
        return int.from_bytes(part.encode(), "little")
    number = int(str(part))
    return int.from_bytes(number.to_bytes(2), "little") if number < 1 << 16 else number


def _composite(item: Item) -> bool:
    return isinstance(item, int) and item.bit_count() > 1


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for low, high in spans:
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def interval_item(low: int, high: int, datatype: str) -> Item:
    """An interval as it is listed: one value, an address prefix where it is one, else a range."""
    size = {"ipv4_addr": 4, "ipv6_addr": 16}.get(datatype)
    if size is None:
        return low if low == high else Range(low, high)
    if low == high:
        return low.to_bytes(size)
    hosts = (low ^ high).bit_length()
    if low >> hosts << hosts == low and low | (1 << hosts) - 1 == high:
        return Prefix(low.to_bytes(size), size * 8 - hosts)
    return Range(low.to_bytes(size), high.to_bytes(size))
