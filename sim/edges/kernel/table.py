"""The kernel's connection table by ctnetlink: look one up, list all, list expectations, flush.

Entries are dicts in one form (see `Entry` below), made for comparison with ctlab's own. Formats:
include/uapi/linux/netfilter/nfnetlink_conntrack.h, 6.18.

    {"family": "ipv4", "protocol": "tcp", "protonum": 6, "timeout": 120, "state": "SYN_SENT",
     "original": {"src", "dst", "sport", "dport"}, "reply": {...}, "unreplied": True, "assured": False, "mark": 0}

ICMP tuples have type, code, id; GRE srckey, dstkey; other protocols addresses alone. `state` is None where the protocol has
none; a protocol that `conntrack -L` does not name is "unknown", as there. A zone other than 0 adds "zone", one of one
direction "zone-orig" or "zone-reply".
"""

from __future__ import annotations

import errno
import functools
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sim.edges.kernel import netlink
from sim.edges.kernel.answer import Entry
from sim.edges.kernel.netlink import attribute, attributes, nested
from sim.edges.kernel.tuples import AF_INET, GRE, ICMP, ICMPV6, SCTP, TCP, tuple_of

CT_NEW, CT_GET, CT_DELETE = 0x0100, 0x0101, 0x0102
EXP_GET, EXP_DELETE = 0x0201, 0x0202
TUPLE_ORIG, TUPLE_REPLY, STATUS, PROTOINFO, TIMEOUT, MARK, ZONE = 1, 2, 3, 4, 7, 8, 18
TUPLE_ZONE = 3
HELP, COUNTERS_ORIG, COUNTERS_REPLY, TUPLE_MASTER, SEQ_ADJ_ORIG, SEQ_ADJ_REPLY, TIMESTAMP, LABELS = 5, 9, 10, 14, 15, 16, 20, 22
EXPECT_MASTER, EXPECT_TUPLE, EXPECT_MASK, EXPECT_TIMEOUT, EXPECT_HELPER = 1, 2, 3, 4, 6
EXPECT_ZONE, EXPECT_FLAGS, EXPECT_CLASS = 7, 8, 9
SEEN_REPLY, ASSURED = 2, 4
TCP_STATES: Final = "NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2".split()
SCTP_STATES: Final = (
    "NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD SHUTDOWN_ACK_SENT HEARTBEAT_SENT".split()
)
NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 58: "icmpv6", 132: "sctp", 136: "udplite"}
PROTOINFO_STATE: Final = {TCP: (1, TCP_STATES), SCTP: (3, SCTP_STATES)}


class Table:
    """The table of the namespace in which the process stands when it makes this."""

    def __init__(self) -> None:
        self._link = netlink.connect()

    def lookup(self, data: bytes) -> bytes | None:
        """What `entry_of` reads: the entry that a raw packet's own tuple finds, in either direction, or None."""
        found = tuple_of(data)
        if found is None:
            return None
        family, body = found
        request = netlink.message(CT_GET, 0, family, 0, nested(TUPLE_ORIG, body))
        # EINVAL: ctnetlink takes no tuple of an ICMP type that starts or answers nothing
        answer = netlink.ask_one(self._link, request, (errno.ENOENT, errno.EINVAL))
        return None if answer is None else answer[netlink.HEADER.size :]

    def dump(self) -> list[Entry]:
        """Every entry of both families, in the kernel's order (none to rely on)."""
        return [entry_of(payload) for payload in self.dump_raw()]

    def dump_raw(self) -> list[bytes]:
        """The same, as netlink has it."""
        return list(netlink.talk(self._link, netlink.message(CT_GET, netlink.NLM_F_DUMP, 0, 0, b"")))

    def expectations(self) -> list[Entry]:
        """Every expectation: family, protocol, protonum, timeout, tuple, mask, master, helper."""
        return [_expectation_of(payload) for payload in self.dump_expectations()]

    def dump_expectations(self) -> list[bytes]:
        """The same, as netlink has it."""
        return list(netlink.talk(self._link, netlink.message(EXP_GET, netlink.NLM_F_DUMP, 0, 0, b"")))

    def flush(self) -> None:
        """Forget every entry and expectation."""
        for kind in (CT_DELETE, EXP_DELETE):
            list(netlink.talk(self._link, netlink.message(kind, netlink.NLM_F_ACK, 0, 0, b"")))


    def set_timeouts(self, seconds: Mapping[str, int]) -> None:
        """Give every entry as many seconds as `seconds` has under `name_of` it; what has none there is deleted."""
        for payload in self.dump_raw():
            left = seconds.get(name_of(entry_of(payload)), 0)
            timeout = attribute(TIMEOUT, left.to_bytes(4)) if left > 0 else b""
            self._change(CT_NEW if left > 0 else CT_DELETE, payload, timeout)

    def forget(self, name: str) -> None:
        """Delete the entry of that name, if it is there."""
        for payload in self.dump_raw():
            if name_of(entry_of(payload)) == name:
                self._change(CT_DELETE, payload, b"")

    def _change(self, kind: int, payload: bytes, more: bytes) -> None:
        found = attributes(payload, netlink.NFGEN.size)
        zone = attribute(ZONE, found[ZONE]) if ZONE in found else b""
        body = attribute(TUPLE_ORIG | netlink.NLA_F_NESTED, found[TUPLE_ORIG]) + zone + more
        try:
            list(netlink.talk(self._link, netlink.message(kind, netlink.NLM_F_ACK, payload[0], 0, body)))
        except OSError as error:
            if error.errno != errno.ENOENT:  # it ended meanwhile
                raise


def name_of(entry: Entry) -> str:
    """What tells an entry from all others: zone, protocol and original tuple, as text."""
    zone = next((f"{word} {entry[word]}" for word in ("zone", "zone-orig", "zone-reply") if word in entry), "")
    return f"{zone} {entry['protonum']} " + " ".join(f"{key} {value}" for key, value in sorted(entry["original"].items()))


def entry_of(payload: bytes) -> Entry:
    """The dict of one ctnetlink entry; `payload` starts with nfgenmsg."""
    found = attributes(payload, netlink.NFGEN.size)
    protonum, original = _tuple(found[TUPLE_ORIG])
    _, reply = _tuple(found[TUPLE_REPLY])
    status = int.from_bytes(found[STATUS])
    entry = _head(payload, protonum, int.from_bytes(found.get(TIMEOUT, b"")))
    entry |= {
        "state": _state(protonum, found.get(PROTOINFO, b"")),
        "original": original,
        "reply": reply,
        "unreplied": not status & SEEN_REPLY,
        "assured": bool(status & ASSURED),
        "mark": int.from_bytes(found.get(MARK, b"")),
    }
    return entry | _zone(found)


def _zone(found: dict[int, bytes]) -> Entry:
    """The zone of both directions, or of one: then it stands in that tuple."""
    if ZONE in found:
        return {"zone": int.from_bytes(found[ZONE])}
    for name, tuple_ in (("zone-orig", found[TUPLE_ORIG]), ("zone-reply", found[TUPLE_REPLY])):
        if TUPLE_ZONE in (parts := attributes(tuple_)):
            return {name: int.from_bytes(parts[TUPLE_ZONE])}
    return {}


def details_of(payload: bytes) -> Entry:
    """What ctnetlink tells of an entry beyond `entry_of`.

    status: all bits (enum ip_conntrack_status); helper: its name or None; acct: packets and bytes each way, or None; master: its
    master's original tuple, or None; seqadj: (where, before, after) each way, or None; tcp: flags and scale each way, or None;
    vtags: SCTP's tags, or None; labels: 16 bytes in hex, "" for none; stamped: whether its beginning is known.
    """
    found = attributes(payload, netlink.NFGEN.size)
    info = attributes(found[PROTOINFO]) if PROTOINFO in found else {}
    counters = [attributes(found[at]) for at in (COUNTERS_ORIG, COUNTERS_REPLY) if at in found]
    adjusted = [_numbers(found[at], (1, 2, 3)) if at in found else (0, 0, 0) for at in (SEQ_ADJ_ORIG, SEQ_ADJ_REPLY)]
    return {
        "status": int.from_bytes(found[STATUS]),
        "helper": attributes(found[HELP])[1].rstrip(b"\0").decode() if HELP in found else None,
        "acct": [int.from_bytes(each[at]) for each in counters for at in (1, 2)] if counters else None,
        "master": _tuple(found[TUPLE_MASTER])[1] if TUPLE_MASTER in found else None,
        "seqadj": tuple(adjusted) if any(map(any, adjusted)) else None,
        "tcp": _tcp(attributes(info[1])) if 1 in info else None,
        "vtags": _numbers(info[3], (2, 3)) if 3 in info else None,
        "labels": found[LABELS].hex() if any(found.get(LABELS, b"")) else "",
        "stamped": TIMESTAMP in found,
    }


def _numbers(nest: bytes, kinds: Sequence[int]) -> tuple[int, ...]:
    parts = attributes(nest)
    return tuple(int.from_bytes(parts.get(kind, b"")) for kind in kinds)


def _tcp(parts: Mapping[int, bytes]) -> tuple[int, ...]:
    """(flags, scale) of the original direction, then of the reply's (CTA_PROTOINFO_TCP_FLAGS_*, _WSCALE_*)."""
    return parts[4][0], parts[2][0], parts[5][0], parts[3][0]


def expectation_of(payload: bytes) -> Entry:
    """All that ctnetlink tells of an expectation; tuples without the master's protocol."""
    found = attributes(payload, netlink.NFGEN.size)
    return _expectation_of(payload) | {
        "zone": int.from_bytes(found.get(EXPECT_ZONE, b"")),
        "flags": int.from_bytes(found.get(EXPECT_FLAGS, b"")),
        "class": int.from_bytes(found.get(EXPECT_CLASS, b"")),
    }


def _expectation_of(payload: bytes) -> Entry:
    found = attributes(payload, netlink.NFGEN.size)
    protonum, expected = _tuple(found[EXPECT_TUPLE])
    return _head(payload, protonum, int.from_bytes(found.get(EXPECT_TIMEOUT, b""))) | {
        "tuple": expected,
        "mask": _tuple(found[EXPECT_MASK])[1],
        "master": _tuple(found[EXPECT_MASTER])[1],
        "helper": found.get(EXPECT_HELPER, b"").rstrip(b"\0").decode(),
    }


def _head(payload: bytes, protonum: int, timeout: int) -> Entry:
    return {
        "family": "ipv4" if payload[0] == AF_INET else "ipv6",
        "protocol": NAMES.get(protonum, "unknown"),
        "protonum": protonum,
        "timeout": timeout,
    }


def _tuple(data: bytes) -> tuple[int, dict[str, Any]]:
    protonum, shown = _read_tuple(data)
    return protonum, dict(shown)


@functools.lru_cache(4096)
def _read_tuple(data: bytes) -> tuple[int, dict[str, Any]]:
    parts = attributes(data)
    addresses, numbers = attributes(parts[1]), attributes(parts.get(2, b""))
    protonum = numbers.get(1, b"\0")[0]
    shown: dict[str, Any] = {"src": _address(addresses, 1), "dst": _address(addresses, 2)}
    if protonum in (ICMP, ICMPV6):
        first = 4 if protonum == ICMP else 7
        keys = {"type": first + 1, "code": first + 2, "id": first}
    elif protonum == GRE:
        keys = {"srckey": 2, "dstkey": 3}
    else:
        keys = {"sport": 2, "dport": 3}
    return protonum, shown | {key: int.from_bytes(numbers[at]) for key, at in keys.items() if at in numbers}


def _address(addresses: dict[int, bytes], at: int) -> str:
    if at in addresses:
        return socket.inet_ntop(socket.AF_INET, addresses[at])
    return socket.inet_ntop(socket.AF_INET6, addresses[at + 2])


def _state(protonum: int, protoinfo: bytes) -> str | None:
    if protonum not in PROTOINFO_STATE or not protoinfo:
        return None
    kind, names = PROTOINFO_STATE[protonum]
    number = attributes(attributes(protoinfo).get(kind, b"")).get(1, b"\0")[0]
    return names[number] if number < len(names) else str(number)
