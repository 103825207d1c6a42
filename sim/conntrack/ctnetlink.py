"""What programs ask of the table: entries and expectations made, changed, looked up. As nf_conntrack_netlink.c, Linux 6.18.

`conntrack` is such a program (sim/shell). What is refused carries the errno's name. Deleting and flushing are `Entries.delete` and
`flush`; what NAT settles for a new entry is the caller's `bind`: NAT stands above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import Conn, SctpConn, TcpConn
from sim.conntrack.expect import Expectation
from sim.conntrack.helpers import HELPERS
from sim.conntrack.helpers.help import Policy
from sim.conntrack.tcp_window import BE_LIBERAL, CLOSE_INIT, SACK_PERM
from sim.conntrack.tuples import ICMPS, invert
from sim.conntrack.words import ASSURED, CONFIRMED, DYING, EXPECTED, HZ, SEEN_REPLY, Told
from sim.errors import CtlabError
from sim.packet import Tuple
from sim.trace import Reason
from sim.units import SECOND, Address

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

LONGEST: Final = (2**31 - 1) * SECOND // HZ
"""The longest time-out in ticks is an int's."""
FIXED_TIMEOUT: Final = 1024
UNCHANGEABLE: Final = EXPECTED | CONFIRMED | DYING
SETTABLE: Final = SEEN_REPLY | ASSURED | FIXED_TIMEOUT
"""Bits that a program may set; what else it may not change it cannot set either (IPS_UNCHANGEABLE_MASK)."""
ALL_TOLD: Final = int(Told.REPLY | Told.ASSURED | Told.HELPER | Told.PROTOINFO | Told.SEQADJ | Told.MARK)
TIME_WAIT: Final = 7
MADE: Final = Reason("made", "A program made this entry (conntrack -I).")
EXPECTED_BY_PROGRAM: Final = Reason("made", "A program made this expectation (conntrack -I expect).")


class Refused(CtlabError):
    """The kernel refuses; `code` is the errno's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message says of an entry; None where it says nothing. `timeout` in µs; `state` and `vtags` are the protocol's."""

    original: Tuple | None = None
    reply: Tuple | None = None
    zone: int = 0
    timeout: int | None = None
    status: int | None = None
    mark: int | None = None
    labels: int | None = None
    state: int | None = None
    liberal: bool = False
    vtags: tuple[int | None, int | None] = (None, None)
    nat: bool = False


def find(tracker: Tracker, wish: Wish) -> Conn:
    """The entry that a message names, by its original tuple or its reply. Raises Refused."""
    _check_types(wish)
    wanted = wish.original or wish.reply
    found = tracker.find(wanted, wish.zone) if wanted is not None else None
    if found is None:
        raise Refused("ENOENT")
    return found[0]


def _check_types(wish: Wish) -> None:
    """ICMP's types that have no answer name no connection (icmp_nlattr_to_tuple). Raises Refused."""
    for one in (wish.original, wish.reply):
        if one is not None and one.protonum in ICMPS and invert(one) is None:
            raise Refused("EINVAL")


def create(
    tracker: Tracker, wish: Wish, now: int, portid: int, *, exclusive: bool = True, bind: Callable[[Conn], None] | None = None
) -> Conn:  # fmt: skip
    """Make an entry (ctnetlink_new_conntrack). One that is there is EEXIST, or changed if not `exclusive`. Raises Refused."""
    _check_types(wish)
    wanted = wish.original or wish.reply
    if wanted is not None and (found := tracker.find(wanted, wish.zone)) is not None:
        if exclusive:
            raise Refused("EEXIST")
        change(tracker, found[0], wish, now, portid)
        return found[0]
    if wish.original is None or wish.reply is None or wish.timeout is None or wish.original.protonum != wish.reply.protonum:
        raise Refused("EINVAL")
    conn = tracker.fresh(wish.original, wish.reply, wish.zone)
    if bind is not None:
        bind(conn)
    conn.status |= CONFIRMED
    conn.expires = now + min(wish.timeout, LONGEST)
    _set_status(conn, wish)
    _set_protocol(conn, wish)
    conn.mark = wish.mark or 0
    if conn.labels is not None and wish.labels is not None:  # where there is no room for them, they are let go in silence
        conn.labels = wish.labels
    _insert(tracker, conn, now, portid, Told.LABEL if conn.labels else Told(0))
    return conn


def _insert(tracker: Tracker, conn: Conn, now: int, portid: int, more: Told) -> None:
    """Into the table, unless a tuple of its is there (nf_conntrack_hash_check_insert)."""
    table = tracker.table
    if table.find(conn.original, conn.zone) or table.find(conn.reply, conn.zone):
        raise Refused("EEXIST")
    tracker.made(conn, now, MADE, ALL_TOLD | Told.NEW | more, portid)


def change(tracker: Tracker, conn: Conn, wish: Wish, now: int, portid: int) -> None:
    """Change an entry (ctnetlink_change_conntrack). Raises Refused; what came before the refusal stands."""
    if wish.nat:
        raise Refused("EOPNOTSUPP")
    tracker.changed_by(conn, now, lambda: _change(tracker, conn, wish, now), ALL_TOLD | Told.LABEL, portid)


def _change(tracker: Tracker, conn: Conn, wish: Wish, now: int) -> None:
    if wish.timeout is not None:
        if conn.status & FIXED_TIMEOUT:
            raise Refused("EPERM")
        conn.expires = now + min(wish.timeout, LONGEST)
        if conn.expires < conn.scheduled:
            tracker.timers.set(conn)
    _set_status(conn, wish)
    _set_protocol(conn, wish)
    if wish.mark is not None:
        conn.mark = wish.mark
    if wish.labels is not None:
        if conn.labels is None:
            raise Refused("ENOSPC")
        conn.labels = wish.labels


def _set_status(conn: Conn, wish: Wish) -> None:
    """nf_ct_change_status_common: bits are added; those that cannot be changed or cleared must be as they are."""
    if wish.status is None:
        return
    status = wish.status | CONFIRMED
    changed = conn.status ^ status
    if changed & UNCHANGEABLE or changed & ~status & (SEEN_REPLY | ASSURED):
        raise Refused("EBUSY")
    conn.status |= status & SETTABLE


def _set_protocol(conn: Conn, wish: Wish) -> None:
    """The state, and for TCP that window tracking shall be liberal, as conntrack always asks (tcp_final_check of its own)."""
    if isinstance(conn, TcpConn):
        if wish.state is not None:
            if wish.state > 9:
                raise Refused("EINVAL")
            conn.state = wish.state
        if wish.liberal:
            flags = BE_LIBERAL | SACK_PERM | (CLOSE_INIT if (wish.state or 0) >= TIME_WAIT else 0)
            for side in conn.sides:
                side.flags |= flags
    elif isinstance(conn, SctpConn) and wish.state is not None:
        if None in wish.vtags:
            raise Refused("EINVAL")
        conn.state = wish.state
        conn.vtag = [wish.vtags[0] or 0, wish.vtags[1] or 0]


# ---- expectations ----------------------------------------------------------------------------------------------------


def expect(tracker: Tracker, master: Tuple, wanted: Tuple, mask: tuple[Address, int], now: int) -> Expectation:
    """Make an expectation of an entry that has a helper, for as long as its first class says: a program's own time-out counts for
    nothing (ctnetlink_alloc_expect). Raises Refused.
    """
    if tracker.expectations.lookup(wanted, 0) is not None:
        raise Refused("EEXIST")
    found = tracker.find(master, 0)
    if found is None:
        raise Refused("ENOENT")
    conn = found[0]
    if conn.helper is None:
        raise Refused("EOPNOTSUPP")
    helper = HELPERS.get((conn.helper, conn.original.protonum))
    policy = helper.policies[0] if helper is not None else Policy(0)
    new = Expectation(conn, wanted, mask=mask[0], any_sport=False, timeout=policy.timeout, limit=policy.most)
    new.mask_port = mask[1]
    error = tracker.expectations.related(new, now, None, EXPECTED_BY_PROGRAM)
    if error:
        raise Refused(error)
    return new


def expectation(tracker: Tracker, wanted: Tuple) -> Expectation:
    """The expectation that a tuple meets (nf_ct_expect_find_get). Raises Refused."""
    found = tracker.expectations.lookup(wanted, 0)
    if found is None:
        raise Refused("ENOENT")
    return found

