"""`nft describe EXPRESSION`: the data type of an expression, or of a data type by its name, and the names it has for values."""

from __future__ import annotations

from collections.abc import Iterable

from sim.ruleset.datatypes import BITMASKS, NAMES
from sim.ruleset.iptables.names import PROTOCOL_NAMES
from sim.ruleset.nft.fields import Known, selector_of
from sim.ruleset.nft.literals import DESCRIPTION, WIDTH
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import Expression, Field, HashOf, Mistake, Numgen, Symbol

_KINDS = {"meta": "meta", "ct": "ct", "fib": "fib", "rt": "rt", "socket": "socket", "osf": "osf"}
_NFT_TYPES = {"there": "boolean", "fib_there": "iface_index", "moment": "time", "ifname": "ifname"}
_CHARACTERS = {"ifname": "string", "string": ""}
_DECIMAL = frozenset(
    "icmp_type icmp_code icmpv6_type icmpv6_code icmpx_code ct_dir pkt_type nf_proto day boolean igmp_type mh_type fib_addrtype".split()
)
_WITHOUT_NAMES = frozenset(("classid", "devgroup", "ct_label", "realm"))
_NETWORK_ORDER = frozenset(("ether_type", "arp_op"))  # whose numbers are shown as they lie in memory
# Where nft's own order is not the order of the values' table.
_ORDER = {
    "ct_state": "invalid new established related untracked", "icmpx_code": "port-unreachable admin-prohibited no-route host-unreachable",
    "icmp_code": "net-unreachable host-unreachable prot-unreachable port-unreachable net-prohibited host-prohibited admin-prohibited "
    "frag-needed",
    "dscp": "cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 df be lephb af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 va ef",
    "boolean": "exists missing", "ether_type": "ip arp ip6 8021q 8021ad vlan",
}  # fmt: skip
_MORE = {
    "boolean": {"exists": 1, "missing": 0}, "dscp": {**NAMES["dscp"], "df": 0},
    "arp_op": {"request": 1, "reply": 2, "rrequest": 3, "rreply": 4, "inrequest": 8, "inreply": 9, "nak": 10},
}  # fmt: skip
_TYPES = {
    **{name: name for name in WIDTH if name not in ("moment",)}, "boolean": "boolean", "uid": "uid", "gid": "gid", "realm": "realm",
    "bitmask": "bitmask", **{name: name for name in ("ether_addr", "integer", "verdict", "arp_op", "cgroupsv2", "invalid")},
}  # fmt: skip
_WIDTHS = WIDTH | {
    "boolean": 1, "uid": 32, "gid": 32, "realm": 32, "bitmask": 0, "string": 0, "ct_label": 128, "ct_event": 32, "ether_addr": 48,
    "integer": 0, "verdict": 0,
    "arp_op": 16, "cgroupsv2": 64, "invalid": 0,
}  # fmt: skip
_META_TYPES = {
    "skuid": "uid", "skgid": "gid", "rtclassid": "realm", "nftrace": "integer 1", "cgroup": "integer 32", "secmark": "integer 32",
    **dict.fromkeys(("ibrname", "obrname", "iifkind", "oifkind", "sdifname", "ibriport", "obriport"), "ifname 128"),
    "sdif": "iface_index 32",
    "ibrpvid": "integer 16", "ibrvproto": "ether_type 16",
}  # fmt: skip
_CT_TYPES = {"label": "ct_label 128", "event": "ct_event 32", "secmark": "integer 32"}
_RT_TYPES = {"classid": "realm 32", "mtu": "integer 16", "ipsec": "boolean 8"}


def describe(expression: Expression) -> str:
    """What nft prints. Raises Mistake and NotSimulated."""
    match expression:
        case Symbol(text="ifname", kind="word"):
            return "datatype ifname (network interface name) (basetype string), 128 bits\n"
        case Symbol(text=text) if text in _TYPES and expression.kind == "word":
            return "datatype " + _datatype(text, _WIDTHS[text])
        case Symbol():
            return "symbol expression, datatype invalid (invalid)"
        case Numgen():
            return "numgen expression, " + "datatype " + _datatype("integer", 32)
        case HashOf():
            return "hash expression, " + "datatype " + _datatype("integer", 32)
        case Field():
            return _field(expression)
    raise Mistake(expression.at, "syntax error, unexpected expression")


def _field(field: Field) -> str:
    words = field.words
    if words[0] == "ct" and words[-1] in ("saddr", "daddr", "proto-src", "proto-dst") and "ip" not in words and "ip6" not in words:
        return "ct expression, datatype invalid (invalid)"
    told = {"meta": _META_TYPES, "ct": _CT_TYPES, "rt": _RT_TYPES}.get(words[0], {}).get(words[-1])
    if words == ("rt", "nexthop"):
        return "rt expression, datatype invalid (invalid)"
    if words[0] == "rt" and words[-1] == "nexthop":
        return "rt expression, datatype " + _datatype("ipv4_addr" if words[1] == "ip" else "ipv6_addr", 32 if words[1] == "ip" else 128)
    if told is not None:
        name, _, bits = told.partition(" ")
        return f"{words[0]} expression, datatype {_datatype(name, int(bits or 32))}"
    return f"{_kind(field)} expression, datatype {_row(field)}"


def _kind(field: Field) -> str:
    first = field.words[0]
    if first in _KINDS and (first != "rt" or field.words[1] in _RT_TYPES):
        return _KINDS[first]
    optional = first in ("exthdr", "hbh", "rt", "frag", "dst", "mh", "srh") or field.words[1:2] in (("option",), ("chunk",))
    return "exthdr" if optional else "payload"


def _row(field: Field) -> str:
    row = selector_of(field, Known("inet"))
    if row.name.startswith("@"):
        return f"integer (integer) (basetype integer), {row.bits} bits\n"
    if _kind(field) == "exthdr" and row.type == "there":
        return _datatype("inet_proto" if field.words[0] == "exthdr" else "integer", 8)
    if field.words[0] == "fib" and field.words[-1] == "oifname":
        return _datatype("string", 128)
    if row.name in ("socket transparent", "socket wildcard"):
        return _datatype("integer", 8)  # of which nft takes no more than one bit
    if row.type == "moment":
        return "time (Relative time of packet reception) (basetype integer), 64 bits\n"
    return _datatype(_NFT_TYPES.get(row.type, row.type), 32 if row.type == "fib_there" else row.bits)


def _datatype(name: str, bits: int) -> str:
    described = _DESCRIBED.get(name) or DESCRIPTION.get(name, name)
    base = "" if name in ("integer", "string", "verdict", "invalid") else f" (basetype {_base(name)})"
    size = f"{bits // 8} characters" if name in _CHARACTERS and bits else f"{bits} bits"
    return f"{name} ({described}){base}, {size}\n{_constants(name, bits)}"


_DESCRIBED = {
    "boolean": "boolean type", "ct_event": "conntrack event bits", "ether_addr": "Ethernet address", "verdict": "netfilter verdict",
    "arp_op": "ARP operation", "cgroupsv2": "cgroupsv2 path",
}  # fmt: skip


def _base(name: str) -> str:
    if name in BITMASKS or name == "ct_label":
        return "bitmask, integer"
    return "link layer address, integer" if name == "ether_addr" else _CHARACTERS.get(name) or "integer"


def _constants(name: str, bits: int) -> str:
    if name == "inet_proto":
        return "".join(f"\t{text:<30}\t{number}\n" for number, text in sorted({0: "ip", **PROTOCOL_NAMES}.items()))
    names = _MORE.get(name) or NAMES.get(name, {})
    if not names or name in _WITHOUT_NAMES:
        return ""
    radix = "decimal" if name in _DECIMAL else "hexadecimal"
    lines = (f"\t{text:<30}\t{_number(name, names[text], bits)}\n" for text in _ordered(name, names))
    return f"\npre-defined symbolic constants (in {radix}):\n{''.join(lines)}"


def _ordered(name: str, names: Iterable[str]) -> list[str]:
    return _ORDER[name].split() if name in _ORDER else list(names)


def _number(name: str, value: int, bits: int) -> str:
    if name in _DECIMAL:
        return f"{value:20}"
    size = max(1, (bits + 7) // 8)
    return "0x" + value.to_bytes(size, "little" if name in _NETWORK_ORDER else "big").hex()


__all__ = ["NotSimulated", "describe"]
