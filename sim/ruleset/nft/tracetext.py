"""The lines of `nft monitor trace`: a traced packet as a chain first sees it, each rule that it matches, the policy.

As nft 1.0.6 words them: of the transport header the kernel tells 20 bytes; links here have no header of their own, but for lo.
"""

from __future__ import annotations

import zlib

from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.headers import HEADERS, PROTOCOLS
from sim.ruleset.model import Chain, Compare, Counter, Rule, Table, Verdict
from sim.ruleset.nft.printing import compare
from sim.ruleset.nft.show import rule_text

_TOLD = 20  # NFT_TRACETYPE_TRANSPORT_HSIZE
_ETHER = {4: 0x800, 6: 0x86DD}
_NETWORK = {4: "saddr daddr dscp ecn ttl id protocol length", 6: "saddr daddr dscp ecn hoplimit flowlabel nexthdr length"}
_TRANSPORT = {
    "tcp": "sport dport flags window", "udp": "sport dport length", "udplite": "sport dport csumcov", "sctp": "sport dport vtag",
    "dccp": "sport dport type", "icmp": "type code id sequence", "icmpv6": "type code mtu", "igmp": "type mrt group",
}  # fmt: skip
_KNOWN = {number: name for name, number in PROTOCOLS.items() if name in _TRANSPORT}
_SIZES = {"tcp": 20, "udp": 8, "udplite": 8, "sctp": 12, "dccp": 12, "icmp": 8, "icmpv6": 8, "igmp": 8}


def _head(skb: Skb, table: Table, chain: Chain) -> str:
    number = zlib.crc32(f"trace {skb.packet.id}".encode())
    return f"trace id {number:08x} {table.family} {table.name} {chain.name}"


def packet_line(skb: Skb, table: Table, chain: Chain) -> str:
    """The packet, at its first rule in a base chain."""
    packet = skb.packet
    words = [f'iif "{skb.indev}"'] if skb.indev else []
    words += [f'oif "{skb.outdev}"'] if skb.outdev else []
    words += [f"@ll,0,112 0x{_ETHER[packet.version]:x}"] if skb.indev == "lo" else []
    words += _network(packet)
    words += _transport(packet)
    return f"{_head(skb, table, chain)} packet: {' '.join(words)} \n"


def _network(packet: Packet) -> list[str]:
    header = "ip" if packet.version == 4 else "ip6"
    known = packet.protonum in _KNOWN and not packet.fragment
    names = [name for name in _NETWORK[packet.version].split() if not (known and name in ("protocol", "nexthdr"))]
    return [_field(packet, 0, header, name) for name in names]


def _field(packet: Packet, base: int, header: str, name: str) -> str:
    field = next(each for each in HEADERS[header] if each.name == name)
    first, end = field.bytes
    whole = int.from_bytes(packet.data[base + first : base + end])
    value = whole >> end * 8 - field.at - field.bits & (1 << field.bits) - 1
    item = value.to_bytes(field.bits // 8) if field.type in ("ipv4_addr", "ipv6_addr") else value
    text = compare(Compare(f"{header} {name}", (item,)))
    return text.replace("icmpv6 mtu", "icmpv6 parameter-problem")


def _transport(packet: Packet) -> list[str]:
    name, told = _KNOWN.get(packet.protonum), packet.data[packet.l4 : packet.l4 + _TOLD]
    if packet.fragment or name is None or len(told) < _SIZES[name]:
        return []
    words = [_field(packet, packet.l4, name, each) for each in _TRANSPORT[name].split()]
    rest = told[_SIZES[name] :]
    return [*words, f"@th,{_SIZES[name] * 8},{len(rest) * 8} 0x{rest.hex().lstrip('0') or '0'}"] if rest else words


def rule_line(skb: Skb, table: Table, chain: Chain, rule: Rule, verdict: str) -> str:
    """A rule that the packet matched; `verdict`: accept, drop, continue, return, "jump u"."""
    counters = [part for part in rule.flat() if isinstance(part, Counter)]
    text = rule_text(rule, table.family, numbers=lambda which: (counters[which].packets, counters[which].bytes))
    return f"{_head(skb, table, chain)} rule {text} (verdict {verdict})\n"


def policy_line(skb: Skb, table: Table, chain: Chain) -> str:
    """No rule decided."""
    return f"{_head(skb, table, chain)} policy {chain.policy} \n"


def verdict_text(verdict: object, accepted: bool) -> str:
    """What a rule decided, in nft's words."""
    if verdict is None:
        return "continue"
    if isinstance(verdict, Verdict):
        return f"{verdict.name} {verdict.chain}".rstrip()
    return "accept" if accepted else "drop"
