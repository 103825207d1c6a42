"""What the watch table tells: NFLOG messages, one netlink socket for all groups, read without blocking.

A group number alone says label, direction and hook, so that nothing need be parsed but the header. Group 0 is where the
kernel's own nf_log_packet writes once nf_log.N is nfnetlink_log (net/netfilter/nfnetlink_log.c, default_loginfo, 6.18).
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from typing import Final

from sim.edges.kernel import netlink
from sim.edges.kernel.answer import Direction, Label

ULOG_CONFIG: Final = 0x0401
ULOG_PACKET: Final = 0x0400
CFG_CMD, CFG_MODE, CFG_QTHRESH = 1, 2, 5
CMD_BIND: Final = 1
COPY_META, COPY_PACKET = 1, 2
ULA_PAYLOAD, ULA_PREFIX = 9, 10

SAID: Final[tuple[tuple[Label, Direction | None], ...]] = (
    ("NEW", "original"),
    ("NEW", "reply"),
    ("ESTABLISHED", "original"),
    ("ESTABLISHED", "reply"),
    ("RELATED", "original"),
    ("RELATED", "reply"),
    ("INVALID", None),
    ("UNTRACKED", None),
)
KERNEL_GROUP: Final = 0
FIRST_IN: Final = 60000
"""Groups from here on: SAID, heard in prerouting."""
FIRST_OUT: Final = 60100
"""Groups from here on: SAID, heard in output."""
SELF_GROUP: Final = 60200
MADE_GROUP: Final = 60201
KERNEL_PREFIX: Final = "nf_ct_"


@dataclass(slots=True)
class Heard:
    """All that was told since the last time."""

    came: list[tuple[Label, Direction | None]] = field(default_factory=list)
    made: list[tuple[Label, Direction | None]] = field(default_factory=list)
    sent: int = 0
    delivered: list[bytes] = field(default_factory=list)
    kernel_log: list[str] = field(default_factory=list)


def _bind(group: int, mode: int, span: int) -> bytes:
    body = (
        netlink.attribute(CFG_CMD, bytes([CMD_BIND]))
        + netlink.attribute(CFG_MODE, struct.pack("!IBB", span, mode, 0))
        + netlink.attribute(CFG_QTHRESH, struct.pack("!I", 1))
    )
    return netlink.message(ULOG_CONFIG, netlink.NLM_F_ACK, 0, group, body)


class Listener:
    """Bound to every group of the watch table; `heard()` returns at once."""

    def __init__(self) -> None:
        self._link = netlink.connect()
        for group in [KERNEL_GROUP, MADE_GROUP, *range(FIRST_IN, FIRST_IN + len(SAID)), *range(FIRST_OUT, FIRST_OUT + len(SAID))]:
            list(netlink.talk(self._link, _bind(group, COPY_META, 0)))
        list(netlink.talk(self._link, _bind(SELF_GROUP, COPY_PACKET, 0xFFFF)))
        self._link.setblocking(False)

    def heard(self) -> Heard:
        """Read all that waits. Raises OSError (ENOBUFS) when the kernel had to throw some away."""
        heard, receive = Heard(), self._link.recv
        try:
            while True:
                _note(heard, receive(netlink.RECEIVE))
        except BlockingIOError:
            return heard
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise OSError(errno.ENOBUFS, "the kernel told more than the socket holds: feed fewer at once") from error
            raise


def _note(heard: Heard, data: bytes) -> None:
    for kind, start, end in netlink.messages(data):
        if kind == ULOG_PACKET:
            _note_one(heard, data, start, end)


def _note_one(heard: Heard, data: bytes, start: int, end: int) -> None:
    group = data[start + 2] << 8 | data[start + 3]
    if FIRST_IN <= group < FIRST_OUT:
        heard.came.append(SAID[group - FIRST_IN])
    elif FIRST_OUT <= group < SELF_GROUP:
        heard.made.append(SAID[group - FIRST_OUT])
    elif group == MADE_GROUP:
        heard.sent += 1
    elif group == SELF_GROUP:
        heard.delivered.append(netlink.attributes(data, start + 4, end).get(ULA_PAYLOAD, b""))
    elif group == KERNEL_GROUP:
        text = netlink.attributes(data, start + 4, end).get(ULA_PREFIX, b"").rstrip(b"\0").decode(errors="replace")
        if text.startswith(KERNEL_PREFIX):
            heard.kernel_log.append(text)
