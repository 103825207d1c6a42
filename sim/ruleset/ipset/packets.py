"""What a packet is to a set, and the judges behind iptables' `-m set` and `-j SET`. Never a pure function: sets change at any time.

Sources: net/netfilter/xt_set.c, net/netfilter/ipset/ip_set_core.c, ip_set_hash_gen.h, ip_set_getport.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.netfilter.skb import Skb
from sim.ruleset.ipset.entries import masked, show_key
from sim.ruleset.ipset.model import Element, IpSet, Key, Sets
from sim.ruleset.parts import Judge

SHARED = "ip sets"  # under which name the judges find the machine's Sets
_PORTED = frozenset((6, 17, 132, 136))


def key_of(ipset: IpSet, skb: Skb, dims: tuple[str, ...]) -> Key | None:
    """The packet's key: networks as long as an address. None for a packet that has none (a fragment's port, another family)."""
    if (skb.packet.version == 4) != (ipset.family == "ip") and ipset.type.name != "bitmap:port":
        return None
    if len(dims) < len(ipset.type.dims):
        return None
    found: list[Any] = []
    for dim, side in zip(ipset.type.dims, dims, strict=False):
        value = _value(ipset, skb, dim, side)
        if value is None:
            return None
        found.append(value)
    return tuple(found)


def _value(ipset: IpSet, skb: Skb, dim: str, side: str) -> Any:
    address = skb.packet.src if side == "src" else skb.packet.dst
    if dim == "ip":
        inside = ipset.type.kind != "bitmap" or ipset.low <= int.from_bytes(address) <= ipset.high
        return masked(ipset, address) if inside else None
    if dim == "net":
        return (address, ipset.bits)
    if dim == "port":
        return _port(ipset, skb, side)
    return (skb.indev if side == "src" else skb.outdev) or None


def _port(ipset: IpSet, skb: Skb, side: str) -> tuple[int, int] | None:
    packet = skb.packet
    protocol, at = packet.protonum, packet.l4
    if packet.fragment:
        return None if protocol in _PORTED or protocol == 1 else (protocol, 0)
    port = 0
    if protocol in _PORTED:
        if len(packet.data) < at + 4:
            return None
        port = int.from_bytes(packet.data[at : at + 2] if side == "src" else packet.data[at + 2 : at + 4])
    elif protocol in (1, 58):
        if len(packet.data) < at + 8:
            return None
        port = packet.data[at] << 8 | packet.data[at + 1]
    if ipset.type.kind == "bitmap":
        return (0, port) if protocol in (6, 17) and ipset.low <= port <= ipset.high else None
    return protocol, port


def candidates(ipset: IpSet, key: Key) -> Iterator[Key]:
    """The keys to look for: networks from the longest in the set to the shortest."""
    if not ipset.type.networks:
        yield key
        return
    place = ipset.type.dims.index("net")
    address, bits = key[place]
    for length in sorted(ipset.lengths, reverse=True):
        host = bits - length
        network = (int.from_bytes(address) >> host << host).to_bytes(len(address))
        yield (*key[:place], (network, length), *key[place + 1 :])


def find(ipset: IpSet, key: Key, now: int) -> Element | None:
    """The element that holds the key, one that says nomatch too."""
    for each in candidates(ipset, key):
        found = ipset.alive(each, now)
        if found is not None:
            return found
    return None


def members(sets: Sets, ipset: IpSet, now: int) -> Iterator[IpSet]:
    """The set itself, or the sets of a list in order."""
    if ipset.type.kind != "list":
        yield ipset
        return
    for each in ipset.elements.values():
        found = sets.find(each.key[0]) if each.expires is None or each.expires > now else None
        if found is not None:
            yield found


def sets_used(part: object) -> list[str]:
    """The names of the sets that a part of a rule looks into or changes."""
    if not isinstance(part, Judge) or part.kind not in ("set", "set change"):
        return []
    return [part["set"]] if part.kind == "set" else [name for _, name, _ in part["changes"]]


class InSet:
    """`-m set`: is what the packet shows in the set?"""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part, self._sets = dict(part.arguments), shared[SHARED]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        ipset = self._sets.find(self._part["set"])
        return bool((ipset is not None and self._looks(ipset, skb)) != self._part["negated"])

    def _looks(self, ipset: IpSet, skb: Skb) -> bool:
        self.why = f"not in {ipset.name}"
        for each in members(self._sets, ipset, skb.now):
            key = key_of(each, skb, self._part["dims"])
            found = find(each, key, skb.now) if key is not None else None
            if found is not None and self._counts(each, found, skb):
                self.why = f"{show_key(each, found.key)} is in {each.name}{', as nomatch' if found.nomatch else ''}"
                return bool(found.nomatch == self._part["nomatch"])
        return False

    def _counts(self, ipset: IpSet, found: Element, skb: Skb) -> bool:
        """The element counts the packet, then its counters must be as asked (ip_set_match_extensions)."""
        if not ipset.counters:
            return True
        if self._part["update"]:
            found.packets += 1
            found.bytes += len(skb.packet.data)
        return _compared(self._part["packets"], found.packets) and _compared(self._part["bytes"], found.bytes)


def _compared(wanted: tuple[str, int, bool] | None, value: int) -> bool:
    if wanted is None:
        return True
    op, number, negated = wanted
    return {"eq": value == number, "lt": value < number, "gt": value > number}[op] != negated


class ChangeSet:
    """`-j SET`: puts what the packet shows into sets, takes it out."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part, self._sets = dict(part.arguments), shared[SHARED]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        for verb, name, dims in self._part["changes"]:
            ipset = self._sets.find(name)
            for each in members(self._sets, ipset, skb.now) if ipset is not None else ():
                key = key_of(each, skb, dims)
                if key is not None:
                    self._change(verb, each, key, skb)
                    break
        return True

    def _change(self, verb: str, ipset: IpSet, key: Key, skb: Skb) -> None:
        key = next(candidates(ipset, key), key)  # an added network is as long as the longest that is there
        held = ipset.alive(key, skb.now)
        if verb == "del":
            ipset.remove(key)
        elif held is None:
            ipset.expire(skb.now)
            if len(ipset.elements) < ipset.maxelem:
                ipset.put(Element(key, ipset.life(self._part["timeout"], skb.now)))
        elif self._part["exist"]:
            ipset.put(Element(key, ipset.life(self._part["timeout"], skb.now)))
        self.why = f"{show_key(ipset, key)} {'out of' if verb == 'del' else 'into'} {ipset.name}"
