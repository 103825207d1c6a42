"""The words behind `ipset create NAME TYPE` and `ipset add NAME ENTRY`, with ipset's complaints (7.17)."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from sim.ruleset.ipset.entries import Wrong, keys, number, syntax
from sim.ruleset.ipset.model import IpSet, SetType

MOST_SECONDS = 2147483
_U32 = 0xFFFFFFFF
_SKB = frozenset(("skbinfo", "skbmark", "skbprio", "skbqueue"))
_MASKED = ("hash:ip", "hash:ip,port")
_OLD = {f"--{word}": word for word in ("hashsize", "maxelem", "timeout", "netmask", "size")}
_IGNORED = {"probes": 1, "resize": 1, "gc": 1}
CREATE = {
    "hash": frozenset(("family", "-4", "-6", "hashsize", "maxelem", "timeout", "counters", "comment", "forceadd", "bucketsize", "initval")),
    "bitmap": frozenset(("range", "timeout", "counters", "comment")),
    "list": frozenset(("size", "timeout", "counters", "comment")),
}


class NotSimulated(Exception):
    """Right, but not simulated here."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def made(name: str, type_: SetType, words: list[str]) -> IpSet:
    """The set that `create` makes."""
    ipset = IpSet(name, type_)
    allowed = set(CREATE[type_.kind])
    allowed |= {"netmask", "bitmask"} if type_.name in _MASKED else {"netmask"} if type_.name == "bitmap:ip" else set()
    seen: set[str] = set()
    rest = [_OLD.get(word, word) for word in words]
    while rest:
        word = rest.pop(0)
        if word in _SKB:
            raise NotSimulated(f"option '{word}'")
        if word in _IGNORED and rest:
            rest.pop(0)
            continue
        if word not in allowed:
            raise Wrong(f"Unknown argument: `{word}'", True)
        seen.add(word)
        _create_option(ipset, word, rest)
    if type_.kind == "bitmap" and "range" not in seen:
        raise Wrong("Mandatory option `range' is missing", True)
    _fits(ipset)
    return ipset


def _create_option(ipset: IpSet, word: str, rest: list[str]) -> None:
    if word in ("counters", "comment", "forceadd"):
        setattr(ipset, word, True)
        return
    if word in ("-4", "-6"):
        ipset.family = "ip" if word == "-4" else "ip6"
        return
    if not rest:
        raise Wrong(f"Missing mandatory argument of option `{word}'", True)
    value = rest.pop(0)
    _VALUES[word](ipset, value)


def _family(ipset: IpSet, text: str) -> None:
    families = {"inet": "ip", "ipv4": "ip", "-4": "ip", "inet6": "ip6", "ipv6": "ip6", "-6": "ip6"}
    if text not in families:
        raise syntax(f"unknown inet family {text}")
    ipset.family = families[text]


def _hashsize(ipset: IpSet, text: str) -> None:
    size = max(64, number(text, 0, _U32))
    ipset.hashsize = 1 << (size - 1).bit_length()


def _maxelem(ipset: IpSet, text: str) -> None:
    ipset.maxelem = number(text, 0, _U32) or 65536


def _timeout(ipset: IpSet, text: str) -> None:
    ipset.timeout = number(text, 0, MOST_SECONDS)


def _size(ipset: IpSet, text: str) -> None:
    ipset.size = max(4, number(text, 0, _U32))


def _netmask(ipset: IpSet, text: str) -> None:
    try:
        ipset.netmask = number(text, 1, ipset.bits)
    except Wrong as wrong:
        raise Wrong(f"{wrong.message}\nSyntax error: netmask is out of the inclusive range of 1-{ipset.bits}") from None


def _bitmask(ipset: IpSet, text: str) -> None:
    try:
        ipset.bitmask = ipaddress.ip_address(text).packed
    except ValueError:
        raise syntax(f"cannot parse {text}: resolving to IPv{'4' if ipset.family == 'ip' else '6'} address failed") from None


def _bucketsize(ipset: IpSet, text: str) -> None:
    size = max(2, min(12, number(text, 0, 255)))
    ipset.bucketsize = size + size % 2


def _initval(ipset: IpSet, text: str) -> None:
    ipset.initval = number(text, 0, _U32)


def _range(ipset: IpSet, text: str) -> None:
    if ipset.type.name == "bitmap:port":
        low, dash, high = text.partition("-")
        if not dash:
            raise Wrong("Mandatory option `to' is missing", True)
        ends = sorted((number(low, 0, 65535), number(high, 0, 65535)))
    else:
        wide = IpSet("", ipset.type, low=0, high=_U32)
        slash, length = text.partition("/")[1:]
        if slash and number(length, 0, 32) < 16:
            raise Wrong("The range you specified exceeds the size limit of the set type")
        if not slash and "-" not in text:
            raise Wrong("Mandatory option `to' is missing", True)
        found = [int.from_bytes(key[0]) for key in keys(wide, text, "create")]
        ends = [found[0], found[-1]]
        if ends[1] - ends[0] > 65535:
            raise Wrong("The range you specified exceeds the size limit of the set type")
    ipset.low, ipset.high = ends


def _fits(ipset: IpSet) -> None:
    if ipset.netmask and ipset.bitmask:
        raise Wrong("bitmask and netmask are mutually exclusive, provide only one", True)


_VALUES = {
    "family": _family, "hashsize": _hashsize, "maxelem": _maxelem, "timeout": _timeout, "size": _size, "netmask": _netmask,
    "bitmask": _bitmask, "bucketsize": _bucketsize, "initval": _initval, "range": _range,
}  # fmt: skip


# ---- behind an entry -------------------------------------------------------------------------------------------------


class Extras(NamedTuple):
    """What stands behind an entry. `place` and `beside`: before or after which set of a list."""

    timeout: int | None = None
    packets: int = 0
    bytes: int = 0
    comment: str = ""
    nomatch: bool = False
    place: str = ""
    beside: str = ""


def extras(ipset: IpSet, words: list[str], command: str) -> Extras:
    """The options of an entry. Raises Wrong for one that the set was not made for."""
    found, rest = Extras(), list(words)
    while rest:
        word = rest.pop(0)
        if word in _SKB:
            raise NotSimulated(f"option '{word}'")
        if word == "wildcard" and ipset.type.name == "hash:net,iface":
            raise NotSimulated("option 'wildcard'")
        if word == "nomatch" and ipset.type.networks:
            found = found._replace(nomatch=True)
            continue
        if word not in ("timeout", "packets", "bytes", "comment") and not (word in ("before", "after") and ipset.type.kind == "list"):
            raise Wrong(f"Unknown argument: `{word}'", True)
        if not rest:
            raise Wrong(f"Missing mandatory argument of option `{word}'", True)
        found = _extra(ipset, found, word, rest.pop(0))
    return found


def _extra(ipset: IpSet, found: Extras, word: str, value: str) -> Extras:
    if word in ("before", "after"):
        return found._replace(place=word, beside=value)
    if word == "timeout":
        seconds = number(value, 0, MOST_SECONDS)
        if ipset.timeout is None:
            raise Wrong("Timeout cannot be used: set was created without timeout support")
        return found._replace(timeout=seconds)
    if word == "comment":
        if '"' in value:
            raise syntax('" character is not permitted in comments')
        if not ipset.comment:
            raise Wrong("Comment cannot be used: set was created without comment support")
        return found._replace(comment=value[:255])
    count = number(value, 0, (1 << 64) - 1)
    if not ipset.counters:
        raise Wrong("Packet/byte counters cannot be used: set was created without counter support")
    return found._replace(packets=count) if word == "packets" else found._replace(bytes=count)
