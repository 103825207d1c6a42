"""Expectations: connections that a helper has read about in another one, and that will be RELATED when they come.

As nf_conntrack_expect.c, Linux 6.18. The helpers that make them stand elsewhere; this is the table, the matching, the
limits and the time-outs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import Conn, Timed
from sim.conntrack.tuples import Key
from sim.conntrack.words import CONFIRMED, DYING
from sim.conntrack.zones import ID
from sim.packet import Tuple, protocol_name
from sim.trace import Expectation as ExpectationEvent
from sim.trace import Json, Reason
from sim.units import SECOND, Address, show_address

if TYPE_CHECKING:
    from sim.conntrack.entries import Entries

PERMANENT: Final = 1
INACTIVE: Final = 2
USERSPACE: Final = 4
"""NF_CT_EXPECT_*: include/uapi/linux/netfilter/nf_conntrack_common.h."""

CREATED: Final = Reason("helper", "The helper read in this connection that another one will follow: it is expected now.")
USED: Final = Reason("used", "The expected connection has come.")
EXPIRED: Final = Reason("expired", "The expected connection did not come in time.")
REPLACED: Final = Reason("replaced", "The same was expected again: the newer expectation takes its place.")
EVICTED: Final = Reason("evicted", "The helper may expect no more than this many at once: the oldest makes way.")
MASTER_GONE: Final = Reason("master-gone", "The connection that announced it is gone.")
REMOVED: Final = Reason("deleted", "Somebody deleted the expectation.")


class Expectation(Timed):
    """A connection to come: its `tuple`, of whose source only the bits in `mask` and `mask_port` count; the destination always does.

    `any_src`, `any_sport` say so of masks of nothing but zeros; they and `mask` make one: see `__init__`.
    `master` announced it; `helper` is what the new entry will get; `timeout` in µs (0: never, as for userspace helpers'
    own timers); `limit` how many of class `kind` the helper may expect at once (0: no limit); `flags` PERMANENT, INACTIVE, USERSPACE.
    `expectfn` is called with the new entry and this when the connection has come, before its protocol sees the packet.
    For NAT: `dir` is the master's direction in which the connection goes, `saved_addr` and `saved_port` what it is sent to behind NAT.
    """

    __slots__ = (
        "dir", "expectfn", "flags", "helper", "kind", "limit", "mask", "mask_port", "master", "saved_addr", "saved_port", "timeout",
        "tuple", "zone",
    )  # fmt: skip

    def __init__(
        self, master: Conn, tuple: Tuple, *, any_src: bool = False, any_sport: bool = True, helper: str | None = None,
        timeout: int = 300 * SECOND, kind: int = 0, limit: int = 1, flags: int = 0, mask: Address | None = None,
    ) -> None:  # fmt: skip
        super().__init__(0)
        self.master, self.tuple, self.helper = master, tuple, helper
        size = len(tuple.dst)
        self.mask = (bytes(size) if any_src else b"\xff" * size) if mask is None else mask
        self.mask_port = 0 if any_sport else 0xFFFF
        self.timeout, self.kind, self.limit, self.flags = timeout, kind, limit, flags
        self.zone = master.zone & ID
        self.expectfn: Callable[[Conn, Expectation], None] | None = None
        self.dir = 0
        self.saved_addr: Address | None = None
        self.saved_port = 0

    @property
    def any_src(self) -> bool:
        """Whether anybody's packet will do."""
        return not any(self.mask)

    @property
    def any_sport(self) -> bool:
        """Whether a packet from any port will do."""
        return not self.mask_port

    def matches(self, key: Key) -> bool:
        """Whether a packet's tuple is the expected one (nf_ct_tuple_mask_cmp). The destination always counts."""
        mine = self.tuple
        if key[1] != mine.dst or key[3] != mine.dport or key[4] != mine.protonum or len(key[0]) != len(mine.src):
            return False
        return not (key[2] ^ mine.sport) & self.mask_port and _agree(key[0], mine.src, self.mask)

    def same(self, other: Expectation) -> bool:
        """Equal tuple and mask (expect_matches)."""
        return self.tuple == other.tuple and (self.mask, self.mask_port) == (other.mask, other.mask_port)

    def clashes(self, other: Expectation) -> bool:
        """Whether one packet could match both (expect_clash)."""
        mine, theirs = self.tuple, other.tuple
        if mine.dst != theirs.dst or mine.dport != theirs.dport or mine.protonum != theirs.protonum:
            return False
        both = bytes(one & another for one, another in zip(self.mask, other.mask, strict=True))
        return not (mine.sport ^ theirs.sport) & self.mask_port & other.mask_port and _agree(mine.src, theirs.src, both)


def _agree(one: Address, other: Address, mask: Address) -> bool:
    """Whether two addresses are equal where the mask has ones."""
    return one == other or not (int.from_bytes(one) ^ int.from_bytes(other)) & int.from_bytes(mask)


Listener = Callable[[str, Expectation, int], None]


class Expectations:
    """The expectation table of one tracker, by destination.

    `listeners` hear (event NEW or DESTROY, expectation, now), as `conntrack -E expect`; `stats` are the counters of `conntrack -S expect`:
    connections that came because they were expected, expectations made, expectations gone.
    """

    def __init__(self, tracker: Entries) -> None:
        self._tracker = tracker
        self._held: dict[tuple[Address, int, int, int], list[Expectation]] = {}
        self._of: dict[int, list[Expectation]] = {}
        self.count = 0
        self.listeners: list[Listener] = []
        self.stats = {"expect_new": 0, "expect_create": 0, "expect_delete": 0}
        self._serial = 0

    def entries(self) -> list[Expectation]:
        """Every expectation, newest first, as the kernel lists them."""
        return sorted((one for held in self._held.values() for one in held), key=lambda one: -one.id)

    def of(self, master: Conn) -> list[Expectation]:
        """What an entry has announced, oldest first. (Kept here, so that an entry refers to nothing that refers to it.)"""
        return self._of.get(master.id, []) if master.expecting else []

    def flush(self, now: int) -> None:
        """A program removes all of them (`conntrack -F expect`)."""
        self._tracker.now = now
        for one in self.entries():
            self.remove(one, "removed", REMOVED)

    def related(
        self, new: Expectation, now: int, packet: int | None = None, reason: Reason = CREATED, any_master: bool = False
    ) -> str:  # fmt: skip
        """Add one: "", or why not: EALREADY (another's is equal), EBUSY (a packet could meet both), EMFILE (no room).

        nf_ct_expect_related_report. An equal one of the same master is replaced; with `any_master` an equal one of another
        master is EALREADY instead of EBUSY (NF_CT_EXP_F_SKIP_MASTER).
        """
        for old in reversed(self._held.get(_place(new), [])):
            if (any_master or old.master is new.master) and old.same(new):
                if old.kind != new.kind or old.master is not new.master:
                    return "EALREADY"
                self.remove(old, "removed", REPLACED)
                break
            if old.clashes(new):
                return "EBUSY"
        if not self._make_room(new):
            return "EMFILE"
        self._insert(new, now, packet, reason)
        return ""

    def expect(self, new: Expectation, now: int, packet: int | None = None) -> bool:
        """The same, in a word: whether it stands now."""
        return not self.related(new, now, packet)

    def _make_room(self, new: Expectation) -> bool:
        of_kind = [one for one in self.of(new.master) if one.kind == new.kind]
        if new.limit and len(of_kind) >= new.limit:
            self.remove(of_kind[0], "removed", EVICTED)
            if len(of_kind) - 1 >= new.limit:
                return False
        if self.count >= self._tracker.settings.expect_max:
            self._tracker.warn("nf_conntrack: expectation table full")
            return False
        return True

    def _insert(self, new: Expectation, now: int, packet: int | None, reason: Reason) -> None:
        self._serial += 1
        new.id = self._serial
        self._held.setdefault(_place(new), []).append(new)
        self._of.setdefault(new.master.id, []).append(new)
        new.master.expecting += 1
        self.count += 1
        self.stats["expect_create"] += 1
        if new.timeout:
            new.expires = now + new.timeout
            self._tracker.timers.set(new)
        self._say("created", new, reason, packet)
        self._tell("NEW", new, now)

    def renew(self, one: Expectation, now: int, timeout: int, packet: int | None, reason: Reason) -> None:
        """It becomes active and waits `timeout` µs from now. The trace has it removed and created anew: its times have changed."""
        self._say("removed", one, reason, packet)
        one.flags &= ~INACTIVE
        one.timeout, one.expires = timeout, now + timeout
        self._tracker.timers.set(one)
        self._say("created", one, reason, packet)

    def find(self, key: Key, zone: int) -> Expectation | None:
        """The active expectation that a packet's tuple meets, if its master stands in the table (nf_ct_find_expectation)."""
        for one in reversed(self._held.get((key[1], key[3], key[4], zone & ID), ())):
            if not one.flags & INACTIVE and one.matches(key):
                alive = one.master.status & CONFIRMED and not one.master.status & DYING
                return one if alive else None
        return None

    def lookup(self, key: Key, zone: int) -> Expectation | None:
        """The one that a tuple meets, active or not, whatever its master (__nf_ct_expect_find)."""
        held = self._held.get((key[1], key[3], key[4], zone & ID), ())
        return next((one for one in reversed(held) if one.matches(key)), None)

    def use(self, one: Expectation, packet: int | None) -> None:
        """Its connection has come: unless PERMANENT it has served."""
        self.stats["expect_new"] += 1
        if not one.flags & PERMANENT:
            self.remove(one, "used", USED, packet)

    def remove(self, one: Expectation, action: str, reason: Reason, packet: int | None = None) -> None:
        """Take one out."""
        place = _place(one)
        held = self._held.get(place, [])
        if one not in held:
            return
        held.remove(one)
        if not held:
            self._held.pop(place)
        one.master.expecting -= 1
        self._of[one.master.id].remove(one)
        if not one.master.expecting:
            del self._of[one.master.id]
        self.count -= 1
        self.stats["expect_delete"] += 1
        self._tracker.timers.cancel(one)
        self._say(action, one, reason, packet)
        self._tell("DESTROY", one, one.expires if action == "expired" else self._tracker.now)

    def _tell(self, event: str, one: Expectation, now: int) -> None:
        if not one.master.expected_events & (1 if event == "NEW" else 2):
            return
        for listener in list(self.listeners):
            listener(event, one, now)

    def forget(self, master: Conn) -> None:
        """The master goes: so does what it announced, the newest first (nf_ct_remove_expectations)."""
        for one in self.of(master)[::-1]:
            self.remove(one, "removed", MASTER_GONE)

    def _say(self, action: str, one: Expectation, reason: Reason, packet: int | None) -> None:
        if self._tracker.emit is not None:
            self._tracker.emit(ExpectationEvent(action, one.master.id, packet, view(one), reason))


def _place(one: Expectation) -> tuple[Address, int, int, int]:
    return one.tuple.dst, one.tuple.dport, one.tuple.protonum, one.zone


def view(one: Expectation) -> dict[str, Json]:
    """An expectation as the trace shows it; None stands for "any"."""
    return {
        "protocol": protocol_name(one.tuple.protonum),
        "protonum": one.tuple.protonum,
        "src": _expected_source(one),
        "dst": show_address(one.tuple.dst),
        "sport": None if one.any_sport else one.tuple.sport,
        "dport": one.tuple.dport,
        "helper": one.helper,
        "timeout": one.timeout,
        "expires": one.expires if one.timeout else None,
        "permanent": bool(one.flags & PERMANENT),
    }


def _expected_source(one: Expectation) -> str | None:
    """An address, a network where only some of its bits count, None for anybody."""
    bits = int.from_bytes(one.mask).bit_count()
    if not bits:
        return None
    text = show_address(one.tuple.src)
    return text if bits == 8 * len(one.mask) else f"{text}/{show_address(one.mask)}"
