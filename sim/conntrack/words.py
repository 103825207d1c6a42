"""The words of connection tracking: Ctinfo, Status, TcpState, Segment, Told. Values are the kernel's (Linux 6.18).

Sources: include/uapi/linux/netfilter/nf_conntrack_common.h, nf_conntrack_tcp.h; net/netfilter/nf_conntrack_proto_tcp.c.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

HZ: Final = 250
"""Ticks a second of the kernel followed: a few of its log lines count in them."""

ORIGINAL: Final = 0
REPLY: Final = 1


class Ctinfo(IntEnum):
    """enum ip_conntrack_info: what conntrack says of a packet. INVALID is ours: the kernel leaves the packet without an entry."""

    ESTABLISHED = 0
    RELATED = 1
    NEW = 2
    ESTABLISHED_REPLY = 3
    RELATED_REPLY = 4
    INVALID = 6
    UNTRACKED = 7


LABEL: Final = ("ESTABLISHED", "RELATED", "NEW", "ESTABLISHED", "RELATED", "NEW", "INVALID", "UNTRACKED")
"""The ctstate that rules match, by Ctinfo."""
_DIRECTIONS: Final = ("original", "original", "original", "reply", "reply", "reply", None, None)


def direction(ctinfo: int) -> str | None:
    """ "original" or "reply"; None for INVALID and UNTRACKED (CTINFO2DIR)."""
    return _DIRECTIONS[ctinfo]


class Status(IntFlag):
    """enum ip_conntrack_status: what an entry remembers. The names are those of `conntrack -U --status`, in capitals."""

    EXPECTED = 1 << 0
    SEEN_REPLY = 1 << 1
    ASSURED = 1 << 2
    CONFIRMED = 1 << 3
    SRC_NAT = 1 << 4
    DST_NAT = 1 << 5
    SEQ_ADJUST = 1 << 6
    SRC_NAT_DONE = 1 << 7
    DST_NAT_DONE = 1 << 8
    DYING = 1 << 9
    FIXED_TIMEOUT = 1 << 10
    TEMPLATE = 1 << 11
    NAT_CLASH = 1 << 12
    HELPER = 1 << 13


EXPECTED: Final = 1
SEEN_REPLY: Final = 2
ASSURED: Final = 4
CONFIRMED: Final = 8
DYING: Final = 512
FIXED_TIMEOUT: Final = 1024
NAT_CLASH: Final = 4096
SEQ_ADJUST: Final = 64
HELPED: Final = 8192


_STATUS_NAMES: Final = tuple((int(bit), str(bit.name)) for bit in Status)


def status_words(status: int) -> list[str]:
    """The names of the bits that are set, lowest first."""
    return [name for bit, name in _STATUS_NAMES if status & bit]


class Told(IntFlag):
    """enum ip_conntrack_events, as bits: what an event tells. A ctnetlink message is NEW, UPDATE or DESTROY by them."""

    NEW = 1 << 0
    RELATED = 1 << 1
    DESTROY = 1 << 2
    REPLY = 1 << 3
    ASSURED = 1 << 4
    PROTOINFO = 1 << 5
    HELPER = 1 << 6
    MARK = 1 << 7
    SEQADJ = 1 << 8
    SECMARK = 1 << 9
    LABEL = 1 << 10


TOLD_NEW: Final = 1
TOLD_RELATED: Final = 2
TOLD_DESTROY: Final = 4
TOLD_REPLY: Final = 8
TOLD_ASSURED: Final = 16
TOLD_PROTOINFO: Final = 32
TOLD_MARK: Final = 128
TOLD_LABEL: Final = 1024


class TcpState(IntEnum):
    """enum tcp_conntrack: the states of a TCP entry. SYN_SENT2 is the kernel's LISTEN, reused."""

    NONE = 0
    SYN_SENT = 1
    SYN_RECV = 2
    ESTABLISHED = 3
    FIN_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    TIME_WAIT = 7
    CLOSE = 8
    SYN_SENT2 = 9


TCP_STATE_NAMES: Final = tuple(state.name for state in TcpState)


class Segment(IntEnum):
    """enum tcp_bit_set: what conntrack takes a segment for; RST outranks SYN outranks FIN outranks ACK."""

    SYN = 0
    SYNACK = 1
    FIN = 2
    ACK = 3
    RST = 4
    NONE = 5


class SctpState(IntEnum):
    """enum sctp_conntrack."""

    NONE = 0
    CLOSED = 1
    COOKIE_WAIT = 2
    COOKIE_ECHOED = 3
    ESTABLISHED = 4
    SHUTDOWN_SENT = 5
    SHUTDOWN_RECD = 6
    SHUTDOWN_ACK_SENT = 7
    HEARTBEAT_SENT = 8


SCTP_STATE_NAMES: Final = tuple(state.name for state in SctpState)

DROP: Final = 0
ACCEPT: Final = 1
INVALID: Final = -1
"""What a protocol's `packet` answers (the kernel's -NF_ACCEPT): the packet belongs to no connection; let it go on without."""
REPEAT: Final = -4
"""The kernel's -NF_REPEAT: the old entry was removed, look again."""
