"""Tables of words: how a packet's value is read out, how a rule's condition is said in a sentence, what is missing."""

from __future__ import annotations

from sim.packet import Packet, protocol_name
from sim.ruleset.selectors import parts_of

_PORTED = ("tcp", "udp", "udplite", "sctp", "dccp")

# What the packet has, for `because`. {} is the value.
READINGS = {
    **{f"{protocol} dport": "port {}" for protocol in (*_PORTED, "th")},
    **{f"{protocol} sport": "source port {}" for protocol in (*_PORTED, "th")},
    **{f"{protocol} sport . {protocol} dport": "ports {}" for protocol in _PORTED},
    "meta l4proto": "{}",
    "ip protocol": "{}",
    "ip6 nexthdr": "{}",
    "meta nfproto": "{}",
    "meta protocol": "{}",
    "meta iifname": "came in on {}",
    "meta oifname": "leaves by {}",
    "meta iif": "came in on {}",
    "meta oif": "leaves by {}",
    "meta mark": "mark {}",
    "meta length": "{} bytes long",
    "meta skuid": "sent by uid {}",
    "meta skgid": "sent by gid {}",
    "socket transparent": "its socket is transparent: {}",
    "socket wildcard": "its socket listens on every address: {}",
    "rt ip nexthop": "goes to {} next",
    "rt ip6 nexthop": "goes to {} next",
    "meta pkttype": "sent to {}",
    "ip saddr": "from {}",
    "ip daddr": "to {}",
    "ip6 saddr": "from {}",
    "ip6 daddr": "to {}",
    "ip ttl": "TTL {}",
    "ip6 hoplimit": "hop limit {}",
    "ip length": "{} bytes long",
    "tcp flags": "flags {}",
    "icmp type": "ICMP {}",
    "icmpv6 type": "ICMPv6 {}",
    "icmp code": "code {}",
    "icmpv6 code": "code {}",
    "ct state": "label is {}",
    "xt ctstate": "label is {}",
    "ct status": "status is {}",
    "ct direction": "direction is {}",
    "ct mark": "connection mark {}",
    "ct expiration": "{} ms left",
    "xt ctexpire": "{} s left",
    "ct protocol": "connection is {}",
    "ct helper": "expected by helper {}",
    "ct l3proto": "connection is {}",
    "fib saddr type": "source is {}",
    "fib daddr type": "destination is {}",
}

# What a rule asks for, in a sentence: (when it is so, when it is not). {} is what the rule has.
CLAUSES: dict[str, tuple[str, ...]] = {
    **{f"{protocol} dport": (f"to {protocol.upper()} port {{}}", f"to any {protocol.upper()} port but {{}}") for protocol in _PORTED},
    **{f"{protocol} sport": (f"from {protocol.upper()} port {{}}", f"from any {protocol.upper()} port but {{}}") for protocol in _PORTED},
    "socket transparent": ("whose socket's transparency is {}", "whose socket's transparency is not {}"),
    "socket wildcard": ("whose socket listens on every address: {}", "whose socket listens on every address: not {}"),
    "rt ip nexthop": ("that go to {} next", "that go to any but {} next"),
    "rt ip6 nexthop": ("that go to {} next", "that go to any but {} next"),
    "ether saddr": ("whose hardware source address is {}", "whose hardware source address is not {}"),
    "ether daddr": ("whose hardware destination address is {}", "whose hardware destination address is not {}"),
    "ct label": ("of connections with label {}", "of connections whose labels are not just {}"),
    "meta cgroup": ("of a socket of class {}", "of a socket of any class but {}"),
    "meta skuid": ("sent by user {}", "sent by anyone but user {}"),
    "meta skgid": ("sent by group {}", "sent by anyone but group {}"),
    "meta iifname": ("that came in on {}", "that did not come in on {}"),
    "meta oifname": ("that leave by {}", "that do not leave by {}"),
    "meta iif": ("that came in on {}", "that did not come in on {}"),
    "meta oif": ("that leave by {}", "that do not leave by {}"),
    "meta l4proto": ("of protocol {}", "of any protocol but {}"),
    "ip protocol": ("of protocol {}", "of any protocol but {}"),
    "ip6 nexthdr": ("of protocol {}", "of any protocol but {}"),
    "meta mark": ("with mark {}", "with any mark but {}"),
    "meta length": ("with a length of {}", "with any length but {}"),
    "meta pkttype": ("sent to {}", "not sent to {}"),
    "meta nfproto": ("of {}", "not of {}"),
    "ip ttl": ("with TTL {}", "with any TTL but {}"),
    "ip6 hoplimit": ("with hop limit {}", "with any hop limit but {}"),
    "ip saddr": ("from {}", "not from {}"),
    "ip daddr": ("to {}", "not to {}"),
    "ip6 saddr": ("from {}", "not from {}"),
    "ip6 daddr": ("to {}", "not to {}"),
    "tcp flags": ("with TCP flags {}", "without TCP flags {}"),
    "icmp type": ("of ICMP type {}", "of any ICMP type but {}"),
    "icmpv6 type": ("of ICMPv6 type {}", "of any ICMPv6 type but {}"),
    "icmp code": ("with code {}", "with any code but {}"),
    "icmpv6 code": ("with code {}", "with any code but {}"),
    "ip version": ("of IP version {}", "of any IP version but {}"),
    "ip6 version": ("of IP version {}", "of any IP version but {}"),
    "ct expiration": ("of connections with {} ms left", "of connections without {} ms left"),
    "xt ctexpire": ("of connections with {} s left", "of connections without {} s left"),
    "ct protocol": ("of {} connections", "of any connection but {}"),
    "ct state": ("with label {}", "without label {}"),
    "xt ctstate": ("with label {}", "without label {}"),
    "ct status": ("of connections with status {}", "of connections without status {}"),
    "ct helper": ("of connections that helper {} expected", "of connections that any helper but {} expected"),
    "ct mark": ("of connections with mark {}", "of connections with any mark but {}"),
    "ip dscp": ("with DSCP {}", "with any DSCP but {}"),
    "ip6 dscp": ("with DSCP {}", "with any DSCP but {}"),
    "xt tos": ("with TOS {}", "with any TOS but {}"),
    "ct bytes": ("of connections that carried {} bytes", "of connections that did not carry {} bytes"),
    "ct packets": ("of connections that carried {} packets", "of connections that did not carry {} packets"),
    "ct direction": ("in {} direction", "in any direction but {}"),
    "th dport": ("to port {}", "to any port but {}"),
    "th sport": ("from port {}", "from any port but {}"),
    "fib saddr type": ("whose source is {}", "whose source is not {}"),
    "fib daddr type": ("whose destination is {}", "whose destination is not {}"),
    **{
        f"fib {end} . iif type": tuple(f"whose {noun}, on the device they came in on, is {is_}{{}}" for is_ in ("", "not "))
        for end, noun in (("saddr", "source"), ("daddr", "destination"))
    },
}

# A field as a noun, where a rule decides, counts or remembers by it.
_NOUNS = {
    "meta iifname": "the device they came in on", "meta oifname": "the device they leave by", "meta iif": "the device they came in on",
    "meta oif": "the device they leave by", "ip saddr": "the source address", "ip daddr": "the destination address",
    "ip6 saddr": "the source address", "ip6 daddr": "the destination address", "ct state": "the label", "ct mark": "the connection mark",
    "meta mark": "the packet mark", "meta l4proto": "the protocol", "ip protocol": "the protocol", "ip6 nexthdr": "the protocol",
    "th dport": "the destination port", "th sport": "the source port", "icmp type": "the ICMP type", "icmpv6 type": "the ICMPv6 type",
    **{f"{protocol} dport": f"the {protocol.upper()} destination port" for protocol in _PORTED},
    **{f"{protocol} sport": f"the {protocol.upper()} source port" for protocol in _PORTED},
}  # fmt: skip


def noun(selector: str) -> str:
    """What a sentence calls a field, or several of them; by nft's name where there is no word for one."""
    words = [_NOUNS.get(row) or _drawn(row) for row in selector.split(" . ")] if not selector.startswith("fib ") else [selector]
    words[1:] = [word.removeprefix("the ") for word in words[1:]]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _drawn(selector: str) -> str:
    kinds = {"numgen random": "a random number", "numgen inc": "a number that goes round"}
    return next((word for kind, word in kinds.items() if selector.startswith(kind)), selector)


for _direction in ("original", "reply"):
    for _name, _noun in (
        ("ip saddr", "source"), ("ip daddr", "destination"), ("ip6 saddr", "source"), ("ip6 daddr", "destination"),
        ("proto-src", "source port"), ("proto-dst", "destination port"), ("protocol", "protocol"),
    ):  # fmt: skip
        READINGS[f"ct {_direction} {_name}"] = f"{_direction} {_noun} is {{}}"
        CLAUSES[f"ct {_direction} {_name}"] = tuple(f"of connections whose {_direction} {_noun} is {is_}{{}}" for is_ in ("", "not "))

_PROTOCOL_NEEDS = {"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "esp": 50, "ah": 51, "icmpv6": 58, "sctp": 132, "udplite": 136}


_SAID = {
    "conn": "no entry in the table", "sender": "no socket of this machine sends it", "socket": "no socket here would take it",
    "link": "no link layer here: it has no hardware address", "outdev": "it does not leave by a device", "indev": "it came in by none",
    "held": "no device has it yet",
    "routed": "its way is not known yet",
}  # fmt: skip


def missing(selector: str, packet: Packet) -> str:
    """Why the packet has no value for the selector: "UDP, not TCP", "no entry in the table", "IPv6, not IPv4"."""
    for need in (need for row in parts_of(selector) for need in row.needs):
        if need in ("ip", "ip6") and packet.version != (4 if need == "ip" else 6):
            return "IPv6, not IPv4" if need == "ip" else "IPv4, not IPv6"
        if need in _PROTOCOL_NEEDS and packet.protonum != _PROTOCOL_NEEDS[need]:
            return f"{protocol_name(packet.protonum).upper()}, not {need.upper()}".replace("ICMPV6", "ICMPv6")
        if need in _SAID:
            return _SAID[need]
    return "no transport header to look at"
