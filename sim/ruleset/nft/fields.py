"""From what is written on a rule's left side to a selector, with what nft then knows of the packet: its network and transport protocol.

nft refuses what can never match ("conflicting protocols specified: tcp vs. udp"), and needs to know the protocol for some
words: `th dport` behind `meta l4proto tcp` is `tcp dport`, `ct original saddr` behind `ip ...` is `ct original ip saddr`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sim.ruleset.headers import HEADERS, field_of
from sim.ruleset.model import Compare, Item
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import Binary, Expression, Field, HashOf, Joined, Mistake, Numgen, Symbol
from sim.ruleset.selectors import SELECTORS, Selector

NETWORK = ("ip", "ip6")
TRANSPORT = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 50: "esp", 51: "ah", 58: "icmpv6", 108: "comp", 132: "sctp", 136: "udplite",
}  # fmt: skip
_WITH_PORTS = ("tcp", "udp", "dccp", "sctp", "udplite")
_NF_PROTO = {2: "ip", 10: "ip6"}
_ETHER_TYPES = {0x800: "ip", 0x86DD: "ip6", 0x806: "arp"}
_ICMP_NETWORK = {"icmp": "ip", "icmpv6": "ip6", "igmp": "ip"}
_ETHER = 1
# Fields of ICMP that only some types have: nft tests the type first, unless the rule already has (proto.c: icmp_dep).
ICMP_TYPES = {
    "icmp id": (0, 8), "icmp sequence": (0, 8), "icmp mtu": (3,), "icmp gateway": (5,),
    "icmpv6 id": (128, 129), "icmpv6 sequence": (128, 129), "icmpv6 mtu": (2,), "icmpv6 max-delay": (130,),
}  # fmt: skip


@dataclass(slots=True)
class Known:
    """What is known of the packet at this place of the rule. `*_at`: where it became known.

    `transports`: of which transport protocols it may be, where a set says so; `alien`: its device has a link layer unknown to nft.
    `one_of`: the network protocol was said by a set: its last is known, and fields of its header are bytes to nft.
    """

    family: str
    network: str | None = None
    transport: str | None = None
    transports: tuple[str, ...] = ()
    alien: bool = False
    one_of: bool = False
    network_at: At | None = None
    transport_at: At | None = None
    icmp_types: tuple[int, ...] = ()
    icmp_tested: bool = False

    def learn(self, compare: Compare, at: At, written: tuple[Item, ...] = ()) -> None:
        """What a comparison that matched tells: ip protocol tcp, meta nfproto ipv4. `written`: its values in the order of the text."""
        if compare.op != "==" or compare.mask is not None or not isinstance(compare.values, tuple):
            return
        if compare.selector in ("icmp type", "icmpv6 type"):
            self.icmp_types = tuple(value for value in compare.values if isinstance(value, int))
            self.icmp_tested = bool(self.icmp_types)
        singles = [value for value in written or compare.values if isinstance(value, int)]  # a range tells nft nothing
        if not singles:
            return
        value = singles[-1]
        if compare.selector in ("meta l4proto", "ip protocol", "ip6 nexthdr", "ct protocol"):
            self._learn_transport(compare.selector, compare.values, at)
        elif compare.selector == "meta iiftype" and self.family == "inet":
            self.alien = value != _ETHER
        elif compare.selector == "ether type" and value in _ETHER_TYPES:
            self.network, self.network_at = _ETHER_TYPES[value], at
        elif compare.selector in ("meta nfproto", "ct l3proto") and self.family == "inet":
            self._learn_network(written or compare.values, at)

    def _learn_network(self, values: tuple[Item, ...], at: At) -> None:
        names = [_NF_PROTO[value] for value in values if isinstance(value, int) and value in _NF_PROTO]
        if names:
            self.network, self.network_at, self.one_of = names[-1], at, len(values) > 1

    def _learn_transport(self, selector: str, values: tuple[Item, ...], at: At) -> None:
        """`ct protocol` tells nft something where it knows the network protocol, and of protocols alone whose headers it knows."""
        numbers = [value for value in values if isinstance(value, int)]
        if selector == "ct protocol":
            numbers = [value for value in numbers if value in TRANSPORT] if self.network is not None else []
        if numbers:
            names = tuple(TRANSPORT.get(value, "unknown") for value in numbers)
            self.transport, self.transports = (names[0], ()) if len(values) == 1 else ("th", names)
            self.transport_at = at


class Left(NamedTuple):
    """A left side: selectors joined, a mask, what is or-ed and xor-ed to it, and its place."""

    rows: tuple[Selector, ...]
    at: At
    mask: int | None = None
    flip: int = 0

    @property
    def name(self) -> str:
        """The selector's name in the model."""
        return " . ".join(row.name for row in self.rows)


def left_side(expression: Expression, known: Known) -> Left:
    """What a left side looks at. Raises Mistake and NotSimulated."""
    if isinstance(expression, Joined):
        parts = [under_mask(left_side(item, known)) for item in expression.items]
        for part in parts:
            if part.mask is not None or part.flip:
                raise NotSimulated("|" if part.mask is not None else "^", part.at)
            if any(row.name.startswith(("fib ", "tcp option")) for row in part.rows):
                raise NotSimulated(part.rows[0].name.split()[0], part.at)
            kind = next((kind for row in part.rows if (kind := _of_no_size(row, known))), "")
            if kind:
                raise Mistake(part.at, f"can not use variable sized data types ({kind}) in concat expressions", expression.at)
        return Left(tuple(row for part in parts for row in part.rows), expression.at)
    if isinstance(expression, Binary):
        return _masked(expression, known)
    if isinstance(expression, Field):
        return Left((selector_of(expression, known),), expression.at)
    if isinstance(expression, Numgen | HashOf):
        return Left((SELECTORS[_made_name(expression, known)],), expression.at)
    if isinstance(expression, Symbol):
        raise Mistake(expression.at, "No symbol type information")
    raise Mistake(expression.at, "Left hand side of relational expression (or map) is not a packet field")


def _of_no_size(row: Selector, known: Known) -> str:
    """The type of what has no size of its own: a string, and a connection's port until the protocol is known."""
    return "string" if row.type == "string" else "invalid" if typeless(row.name, known) else ""


def typeless(name: str, known: Known) -> bool:
    """Whether it is a connection's port, which is a number without a meaning until the protocol is known."""
    return name.startswith("ct ") and "proto-" in name and not known.transport


def _masked(expression: Binary, known: Known) -> Left:
    left = left_side(expression.left, known)
    if expression.op == "&" and left.mask is None and len(left.rows) == 1:
        return Left(left.rows, expression.at, mask_of(expression.right, left.rows[0]))
    if expression.op == "^" and left.mask is None:
        return Left(left.rows, expression.at, None, mask_of(expression.right, left.rows[0]))
    if expression.op == "|" and not left.flip and len(left.rows) == 1:
        bits, every = mask_of(expression.right, left.rows[0]), (1 << left.rows[0].bits) - 1
        return Left(left.rows, expression.at, (every if left.mask is None else left.mask) & ~bits, bits)
    raise NotSimulated(expression.op, expression.right.at)


def _made_name(expression: Numgen | HashOf, known: Known) -> str:
    """The row's name of a number that is made: its fields joined by "+"."""
    if not expression.mod:
        raise Mistake(expression.at, "modulus must be >= 1")
    offset = f" offset {expression.offset}" if expression.offset else ""
    if isinstance(expression, Numgen):
        return f"numgen {expression.mode} mod {expression.mod}{offset}"
    if expression.of is None:
        return f"symhash mod {expression.mod}{offset}"
    seed = f" seed 0x{expression.seed:x}" if expression.seed is not None else ""
    fields = "+".join(row.name for row in under_mask(left_side(expression.of, known)).rows)
    return f"jhash {fields} mod {expression.mod}{seed}{offset}"


def under_mask(left: Left) -> Left:
    """A map's key with its mask in the row itself."""
    if left.mask is None or len(left.rows) > 1 or left.flip:
        return left
    row = left.rows[0]
    return Left((SELECTORS[f"{row.name} & 0x{left.mask:x}"],), left.at)


def mask_of(expression: Expression, row: Selector) -> int:
    """The number of a constant expression, names and addresses included. Raises Mistake."""
    from sim.ruleset.nft.literals import scalar

    if isinstance(expression, Binary):
        left, right = mask_of(expression.left, row), mask_of(expression.right, row)
        if expression.op in ("<<", ">>"):
            return left << right if expression.op == "<<" else left >> right
        return {"|": left | right, "&": left & right, "^": left ^ right}[expression.op]
    if not isinstance(expression, Symbol):
        raise Mistake(expression.at, "Right hand side of binary operation (&) must be constant")
    value = scalar(expression, row.type, row.bits)
    return int.from_bytes(value) if isinstance(value, bytes) else value if isinstance(value, int) else 0


def selector_of(field: Field, known: Known, setting: bool = False) -> Selector:
    """The selector of a field, its protocol checked against what is known. Raises Mistake and NotSimulated."""
    words = field.words
    if setting and " ".join(words) in ONLY_SET:
        return ONLY_SET[" ".join(words)]
    if words[0] == "meta":
        return _meta(field, known)
    if words[0] == "ct":
        return _ct(field, known)
    if words[0] == "fib":
        return row_of(" ".join(words), field)
    if words[0].startswith("@"):
        return _raw(field, known)
    if words[0] in EXTENSIONS and words[1] not in _ROUTE_KEYS:
        _searched(field, known, "ip6")
        return row_of(" ".join(words), field)
    if words == ("rt", "nexthop"):
        if known.network is None:
            raise Mistake(field.at, 'cannot determine ip protocol version, use "ip nexthop" or "ip6 nexthop" instead')
        words = ("rt", known.network, "nexthop")
    if words[0] == "rt" and words[-1] == "nexthop" and known.network not in (None, words[1]):
        raise Mistake(field.at, f"{words[1]} nexthop will not match")
    if words[:2] in (("sctp", "chunk"), ("tcp", "option")) or words[0] == "rt":
        return row_of(" ".join(words), field)
    if words[0] in ("socket", "ether"):
        return row_of(" ".join(words), field)
    if words[:2] == ("ip", "option"):
        _searched(field, known, "ip")
    elif words[0] in NETWORK:
        _network(field, known, words[0])
        if known.one_of:
            return _unnamed(words, field)
    elif words[0] == "th":
        if known.transport in _WITH_PORTS:
            words = (known.transport, *words[1:])
    else:
        _transport(field, known, words[0])
    return row_of(" ".join(words), field)


EXTENSIONS = frozenset("hbh rt frag dst mh srh exthdr".split())
_ROUTE_KEYS = ("classid", "nexthop", "mtu", "ipsec", "ip", "ip6")


def _raw(field: Field, known: Known) -> Selector:
    """Bytes by their place; what they are is seen through where the protocol is known."""
    base, at, bits = field.words[0][1:].split(",")
    if base == "ll":
        raise NotSimulated(field.words[0], field.at)
    header = {"nh": known.network or "", "th": known.transport or "th"}.get(base, "")
    for each in HEADERS.get("th" if header == "unknown" else header, ()):
        if (each.at, each.bits) == (int(at), int(bits)):
            return row_of(f"{each.header} {each.name}", field)
    if not int(bits):
        raise Mistake(field.at, "raw payload length must be greater than zero")
    return row_of(field.words[0], field)


def is_searched(name: str) -> bool:
    """Whether a selector is an option of IPv4, an extension header of IPv6, or a field in one."""
    words = name.split()
    return words[:2] == ["ip", "option"] or (words[0] in EXTENSIONS and words[1:2] not in (["ip"], ["ip6"]) and words[1] not in _ROUTE_KEYS)


def _unnamed(words: tuple[str, ...], field: Field) -> Selector:
    """A field of a header that may be another's: nft looks at its bytes, and lists them as such."""
    place = field_of(" ".join(words))
    if place is None or place.type != "integer" or place.at % 8 or place.bits % 8:
        raise NotSimulated(words[-1], field.at)
    return row_of(f"@nh,{place.at},{place.bits}", field)


def row_of(name: str, field: Field) -> Selector:
    """The table's row. Raises NotSimulated at the field's last word."""
    row = SELECTORS.row(name)
    if row is None:
        word = field.words[-1]
        raise NotSimulated(word, At(field.at.end - len(word), field.at.end, field.at.source))
    return row


ONLY_SET = {  # what can be set and not be asked for
    "meta nftrace": Selector("meta nftrace", "integer", 1, (), "int(skb.traced)"),
    "ct event": Selector("ct event", "ct_event", 32, (), ""),
}


def _meta(field: Field, known: Known) -> Selector:
    if field.words[1] == "nfproto" and known.family != "inet":
        raise Mistake(field.at, "meta nfproto is only useful in the inet family")
    return row_of(" ".join(field.words), field)


def _network(field: Field, known: Known, protocol: str) -> None:
    if known.network is not None and known.network != protocol:
        raise Mistake(field.at, f"conflicting protocols specified: {known.network} vs. {protocol}")
    if known.network is None:
        not_alien(known, protocol, field.at)
        known.network, known.network_at = protocol, field.at


def _searched(field: Field, known: Known, protocol: str) -> None:
    """IPv4's options and IPv6's extension headers are looked for in packets of that protocol alone."""
    if known.network not in (None, protocol):
        raise Mistake(field.at, f"cannot use exthdr with {known.network}")
    _network(field, known, protocol)


def not_alien(known: Known, protocol: str, at: At) -> None:
    """nft knows which network protocols Ethernet carries, and of no other link layer that it carries any. Raises Mistake."""
    if known.alien and known.network is None:
        raise Mistake(at, f"conflicting protocols specified: unknown vs. {protocol}")


def _transport(field: Field, known: Known, protocol: str) -> None:
    others = known.transports or ((known.transport,) if known.transport not in (None, "th") else ())
    other = "unknown" if "unknown" in others else next((each for each in others if each != protocol), None)
    if other is not None:
        raise Mistake(field.at, f"conflicting protocols specified: {other} vs. {protocol}")
    if known.transport is None:
        known.transport, known.transport_at = protocol, field.at
    if known.network is None and protocol in _ICMP_NETWORK:
        not_alien(known, _ICMP_NETWORK[protocol], field.at)
        known.network = _ICMP_NETWORK[protocol]


_SAME_BOTH_WAYS = ("protocol", "l3proto")


def _ct(field: Field, known: Known) -> Selector:
    words = field.words
    if len(words) == 3 and words[2] in _SAME_BOTH_WAYS:
        words = ("ct", words[2])
    if len(words) == 3 and words[2] in ("saddr", "daddr"):
        if known.network is None:
            raise Mistake(field.at, 'cannot determine ip protocol version, use "ip saddr" or "ip6 saddr" instead')
        words = (*words[:2], known.network, words[2])
    elif len(words) == 4 and words[2] in NETWORK and known.network not in (None, words[2]):
        raise Mistake(field.at, f"conflicting protocols specified: {known.network} vs. {words[2]}")
    return row_of(" ".join(words), field)
