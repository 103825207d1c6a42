"""The fields of protocol headers, as the RFCs draw them: a table of name, data type, first bit, bits; and what reads one of them.

`HEADERS[protocol]` are the headers that stand at a known place; `OPTIONAL[kind, name]` those that must be searched for: extension
headers of IPv6, options of IPv4 and TCP, chunks of SCTP. selectors.py makes its rows of both, rewriting writes by the first.

Not in here: finding what is optional (optional.py).
"""

from __future__ import annotations

from typing import NamedTuple


class HeaderField(NamedTuple):
    """One field of `header`: `at` and `bits` are in bits, from the header's start; `type` is nft's data type."""

    header: str
    name: str
    type: str
    at: int
    bits: int

    @property
    def bytes(self) -> tuple[int, int]:
        """(first, behind the last): the bytes in which the field lies."""
        return self.at // 8, (self.at + self.bits + 7) // 8

    def source(self, base: str) -> str:
        """The Python source that reads the field as a number; `base` is the source of the header's offset, "" for 0."""
        first, end = self.bytes
        start = f"{base} + {first}" if base and first else base or str(first)
        whole = f"p.data[{start}]" if end - first == 1 else f"int.from_bytes(p.data[{start}:{base + ' + ' if base else ''}{end}])"
        return self.cut(whole)

    def cut(self, whole: str) -> str:
        """The source of the field's own bits, given the source of the bytes in which it lies."""
        end = self.bytes[1]
        shift = end * 8 - self.at - self.bits
        if shift == 0 and self.at % 8 == 0:
            return whole
        return f"({whole} >> {shift} & {(1 << self.bits) - 1})" if shift else f"({whole} & {(1 << self.bits) - 1})"


def _fields(header: str, text: str) -> tuple[HeaderField, ...]:
    """A line a field: "sport inet_service 0 16"; without a type it is a number, without a place it follows the one before it."""
    found: list[HeaderField] = []
    for line in text.split(","):
        name, *words = line.split()
        numbers = [int(word) for word in words if word.isdecimal()]
        kind = next((word for word in words if not word.isdecimal()), "integer")
        at = numbers[0] if len(numbers) > 1 else found[-1].at + found[-1].bits if found else 0
        found.append(HeaderField(header, name, kind, at, numbers[-1]))
    return tuple(found)


_PORTS = "sport inet_service 0 16, dport inet_service 16"
HEADERS: dict[str, tuple[HeaderField, ...]] = {
    header: _fields(header, text)
    for header, text in {
        "ip": """version 0 4, hdrlength 4, dscp dscp 6, ecn ecn 2, length 16, id 16, frag-off 16, ttl 8, protocol inet_proto 8,
            checksum 16, saddr ipv4_addr 32, daddr ipv4_addr 32""",
        "ip6": """version 0 4, dscp dscp 4 6, ecn ecn 2, flowlabel 20, length 16, nexthdr inet_proto 8, hoplimit 8,
            saddr ipv6_addr 128, daddr ipv6_addr 128""",
        "tcp": f"""{_PORTS}, sequence 32, ackseq 32, doff 4, reserved 4, flags tcp_flag 8, window 16, checksum 16, urgptr 16""",
        "udp": f"{_PORTS}, length 16, checksum 16",
        "udplite": f"{_PORTS}, csumcov 16, checksum 16",
        "sctp": f"{_PORTS}, vtag 32, checksum 32",
        "dccp": f"{_PORTS}, type dccp_pkttype 67 4",
        "th": _PORTS,
        "icmp": """type icmp_type 0 8, code icmp_code 8, checksum 16, id 16, sequence 16, gateway 32 32, mtu 48 16""",
        "icmpv6": """type icmpv6_type 0 8, code icmpv6_code 8, checksum 16, mtu 32, id 32 16, sequence 48 16, max-delay 32 16""",
        "igmp": "type igmp_type 0 8, mrt 8, checksum 16, group 32",
        "ah": "nexthdr inet_proto 0 8, hdrlength 8, reserved 16, spi 32, sequence 32",
        "esp": "spi 0 32, sequence 32",
        "comp": "nexthdr inet_proto 0 8, flags bitmask 8, cpi 16",
    }.items()
}
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "esp": 50, "ah": 51, "icmpv6": 58, "comp": 108, "sctp": 132, "udplite": 136,
}  # fmt: skip

_NEXT = "nexthdr inet_proto 0 8, hdrlength 8"
_OPTION = "kind 0 8, length 8"
_ADDRESSES = "type 0 8, length 8, ptr 8, addr 32"
_CHUNK = "type 0 8, flags 8, length 16"
# (kind, name): (number, its fields). "ip6": extension headers of IPv6, "srh" and "rt0" being routing headers of one type.
_OPTIONAL: dict[str, dict[str, tuple[int, str]]] = {
    "ip6": {
        "hbh": (0, _NEXT), "dst": (60, _NEXT), "rt": (43, f"{_NEXT}, type 8, seg-left 8"),
        "rt0": (43, "addr[1] ipv6_addr 64 128"),
        "srh": (43, "last-entry 32 8, flags 8, tag 16, sid[1] ipv6_addr 128"),
        "frag": (44, "nexthdr inet_proto 0 8, reserved 8, frag-off 13, reserved2 2, more-fragments 1, id 32"),
        "mh": (135, f"{_NEXT}, type mh_type 8, reserved 8, checksum 16"),
    },
    "ip option": {
        "lsrr": (131, _ADDRESSES), "rr": (7, _ADDRESSES), "ssrr": (137, _ADDRESSES), "ra": (148, "type 0 8, length 8, value 16"),
    },
    "tcp option": {
        "eol": (0, "kind 0 8"), "nop": (1, "kind 0 8"), "maxseg": (2, f"{_OPTION}, size 16"), "window": (3, f"{_OPTION}, count 8"),
        "sack-perm": (4, _OPTION), "sack": (5, f"{_OPTION}, left 32, right 32"),
        **{f"sack{number}": (5, f"{_OPTION}, left {16 + 64 * number} 32, right 32") for number in (1, 2, 3)},
        "timestamp": (8, f"{_OPTION}, tsval 32, tsecr 32"), "md5sig": (19, _OPTION), "mptcp": (30, f"{_OPTION}, subtype 4"),
        "fastopen": (34, _OPTION),
    },
    "sctp chunk": {
        "data": (0, f"{_CHUNK}, tsn 32, stream 16, ssn 16, ppid 32"),
        **{
            name: (number, f"{_CHUNK}, init-tag 32, a-rwnd 32, num-outbound-streams 16, num-inbound-streams 16, initial-tsn 32")
            for name, number in (("init", 1), ("init-ack", 2))
        },
        "sack": (3, f"{_CHUNK}, cum-tsn-ack 32, a-rwnd 32, num-gap-ack-blocks 16, num-dup-tsns 16"),
        "heartbeat": (4, _CHUNK), "heartbeat-ack": (5, _CHUNK), "abort": (6, _CHUNK), "shutdown": (7, f"{_CHUNK}, cum-tsn-ack 32"),
        "shutdown-ack": (8, _CHUNK), "error": (9, _CHUNK), "cookie-echo": (10, _CHUNK), "cookie-ack": (11, _CHUNK),
        "ecne": (12, f"{_CHUNK}, lowest-tsn 32"), "cwr": (13, f"{_CHUNK}, lowest-tsn 32"), "shutdown-complete": (14, _CHUNK),
        "asconf-ack": (128, f"{_CHUNK}, seqno 32"), "forward-tsn": (192, f"{_CHUNK}, new-cum-tsn 32"),
        "asconf": (193, f"{_CHUNK}, seqno 32"),
    },
}  # fmt: skip


class Optional(NamedTuple):
    """Something that must be searched for: its number on the wire, and its fields."""

    number: int
    fields: tuple[HeaderField, ...]


OPTIONAL: dict[tuple[str, str], Optional] = {
    (kind, name): Optional(number, _fields(name, text))
    for kind, names in _OPTIONAL.items()
    for name, (number, text) in names.items()
}


def field_of(name: str) -> HeaderField | None:
    """The field of a selector's name, "tcp dport"; None for what is no field of a header at a known place."""
    header, _, rest = name.partition(" ")
    return next((field for field in HEADERS.get(header, ()) if field.name == rest), None)
