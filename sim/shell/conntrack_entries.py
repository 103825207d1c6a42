"""conntrack on the table of entries: list, get, delete, create, add, update, flush, watch. As conntrack-tools 1.4.7."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sim.apps.program import EPOCH, Context
from sim.conntrack import show
from sim.conntrack.ctnetlink import Refused, Wish, change, create, find
from sim.conntrack.labels import bits_of, mask_of
from sim.conntrack.tuples import ICMPS, TCP, UDP, invert
from sim.conntrack.words import Told
from sim.conntrack.zones import ORIGINAL_ONLY, REPLY_ONLY
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.ranges import NatRange, single
from sim.shell.conntrack_check import check_masks
from sim.shell.conntrack_filter import COMPARED, Test, common, tests, updated, wanted_tuples
from sim.shell.conntrack_forms import save, xml
from sim.shell.conntrack_options import Request
from sim.shell.conntrack_values import Complaint, swapped
from sim.shell.conntrack_words import BETTER, ERRORS, EVENTS, OUTPUTS
from sim.units import SECOND, Address

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.packet import Tuple

HEADER = '<?xml version="1.0" encoding="utf-8"?>\n'
NOT_UNSPECIFIED = "EOPNOTSUPP"
"""What the kernel says of a tuple of no family: that of a -U which names neither an address nor -f."""


def error_text(key: str, code: str) -> str:
    """What the tool says of an errno behind "Operation failed: " (err2str)."""
    return BETTER.get((key, code), ERRORS[code])


def failed(request: Request, error: Refused) -> Complaint:
    """The end of a command that the kernel refused."""
    return Complaint(f"Operation failed: {error_text(request.key, error.code)}", 1)


class Entries:
    """One command on entries. `shown` counts; `portid` names the program to those who listen."""

    def __init__(self, context: Context, request: Request, portid: int) -> None:
        self.context, self.request, self.portid = context, request, portid
        self.tracker = context.machine.ip.tracker
        self.shown = 0

    def has(self, output: str) -> bool:
        """Whether -o asks for it."""
        return bool(self.request.outputs & OUTPUTS[output])

    def matching(self, checks: list[Test]) -> list[Conn]:
        """Every entry that passes, oldest first."""
        return [conn for conn in self.tracker.entries() if all(check(conn) for check in checks)]

    def write(self, line: str) -> None:
        """A line of output."""
        self.context.write(f"{line}\n")

    def line(self, conn: Conn, use: int = 1, event: str = "NEW") -> str:
        """An entry in the form that -o asks for."""
        now = self.context.now
        if self.has("save"):
            return save(conn, now, event)
        labels = self._labels(conn) if event != "DESTROY" else []
        stamp = self.has("ktimestamp") and self.request.command in "LG"
        if self.has("xml"):
            return xml(conn, now, use=use, ktimestamp=stamp, labels=labels)
        start = f"{EPOCH + timedelta(microseconds=conn.started):%a %b %e %H:%M:%S %Y}" if stamp and conn.started >= 0 else ""
        line = show.conntrack_line(conn, now, extended=self.has("extended"), with_id=self.has("id"), ktimestamp=start, use=use)
        return f"{line} labels={','.join(labels)}" if labels else line

    def _labels(self, conn: Conn) -> list[str]:
        """Their names, once labels were asked for."""
        return bits_of(conn.labels or 0, self.request.known or {})

    # ---- looking ---------------------------------------------------------------------------------------------------

    def dump(self) -> None:
        """-L, and -z: the counters begin anew."""
        request = self.request
        conns: list[Conn] = []
        if request.table == "conntrack":
            if request.given & COMPARED and "z" in request.given:
                raise Complaint("Can't use -z with filtering parameters")
            check_masks(request)
            if "u" in request.given and not request.status and not request.status_off:
                raise failed(request, Refused("EINVAL"))
            conns = self.matching(tests(request))
        # else dying or unconfirmed: an entry is confirmed, and gone, within the instant, and there is nothing to see in between
        text = [self.line(conn) for conn in conns]
        if self.has("xml") and conns:
            text = [f"{HEADER}<conntrack>", *text, "</conntrack>"]
        for line in text:
            self.write(line)
        if "z" in request.given:
            for conn in conns:
                conn.acct = conn.acct and [0, 0, 0, 0]
        self.shown = len(conns)

    def get(self) -> None:
        """-G: the entry of one original tuple."""
        original, _ = wanted_tuples(self.request)
        try:
            if original is None:
                raise Refused("EINVAL")
            conn = find(self.tracker, Wish(original))
        except Refused as error:
            raise failed(self.request, error) from error
        if not all(check(conn) for check in common(self.request)):
            return
        if self.has("xml"):
            self.context.write(f"{HEADER}<conntrack>\n")
        self.write(self.line(conn, use=2))
        self.shown = 1

    # ---- changing ----------------------------------------------------------------------------------------------------

    def delete(self) -> None:
        """-D: each one that matches."""
        check_masks(self.request)
        for conn in self.matching(tests(self.request, self.context.now)):
            self.write(self.line(conn, event="DESTROY"))
            self.tracker.delete(conn, self.context.now, portid=self.portid)
            self.shown += 1
        self.context.machine.ip.settled()

    def flush(self) -> None:
        """-F: all of them, of both families."""
        self.tracker.flush(self.context.now, self.portid)
        self.context.machine.ip.settled()

    def create(self) -> None:
        """-I, and -A, which leaves one alone that is there."""
        request, wish = self.request, self.wish()
        zones = [request.numbers[key] for key in "w()" if key in request.numbers]
        if any(zones[:-1]):  # one zone, and behind it another for one direction, were it 0 (ctnetlink_parse_tuple_zone)
            raise failed(request, Refused("EINVAL"))
        try:
            create(self.tracker, wish, self.context.now, self.portid, bind=self._bind if wish.nat else None)
            self.shown = 1
        except Refused as error:
            if request.command == "I" or error.code != "EEXIST":
                raise failed(request, error) from error
        self.context.machine.ip.settled()

    def wish(self) -> Wish:
        """What the command line says of the new entry."""
        request = self.request
        original, reply = wanted_tuples(request)
        return replace(
            self._meta(), original=original or _inverse(reply), reply=self._reply(original, reply), zone=self._zone(),
            nat=bool(request.snat[0] or request.dnat[0]), mark=request.mark[0] if "m" in request.given else None,
            labels=mask_of(request.label_changes, request.known or {}) if "<" in request.given else None,
        )  # fmt: skip

    def _zone(self) -> int:
        numbers = self.request.numbers
        one_way = {"(": ORIGINAL_ONLY, ")": REPLY_ONLY}
        return next((numbers[key] | only for key, only in one_way.items() if numbers.get(key)), numbers.get("w", 0))

    def _reply(self, original: Tuple | None, reply: Tuple | None) -> Tuple | None:
        if reply is None:
            return _inverse(original)
        known = {"reply-port-src", "reply-port-dst", "reply-key-src", "reply-key-dst"} & self.request.special.keys()
        if original is not None and self.request.kind is not None and not known and original.protonum not in ICMPS:
            return reply._replace(protonum=0)  # the tool has not said the protocol of this direction
        return reply

    def _meta(self) -> Wish:
        """What -I and -U both say."""
        request = self.request
        special, timeout = request.special, request.numbers.get("t")
        vtags = _tag(special.get("orig-vtag")), _tag(special.get("reply-vtag"))
        return Wish(
            timeout=None if timeout is None else timeout * SECOND, status=request.status if "u" in request.given else None,
            state=special.get("state"), liberal=request.protonum == 6, vtags=vtags,
        )  # fmt: skip

    def _bind(self, conn: Conn) -> None:
        """Settle both ends as a NAT rule would (ctnetlink_setup_nat): the target first."""
        nat = self.context.machine.ip.nat
        for manip, (address, port), kept in ((DST, self.request.dnat, conn.original.dst), (SRC, self.request.snat, conn.original.src)):
            port = port if conn.original.protonum in (TCP, UDP) else None  # the tool says it of no other
            nat.bind(conn, _range(address, port) if address is not None else single(kept), manip)

    def update(self) -> None:
        """-U: each one that matches and would change."""
        check_masks(self.request)
        asked = deque[_Answer]()
        for conn in self.matching(updated(self.request)):
            wish = self._changes(conn)
            if wish is not None:
                self._update(conn, wish, asked)
        self.context.machine.ip.settled()

    def _changes(self, conn: Conn) -> Wish | None:
        """What to ask for, or None when all is so already."""
        request, wish = self.request, self._meta()
        value, mask = request.mark
        mark = (conn.mark & ~mask & 0xFFFFFFFF) ^ value if "m" in request.given else None
        status = None if wish.status is None else wish.status | conn.status
        if "u" in request.given and request.status & 1 and not conn.status & 1:
            status = wish.status
        same = (
            mark in (None, conn.mark) and (wish.timeout is None or wish.timeout // SECOND == show.seconds_left(conn, self.context.now))
            and (status is None or status & conn.status == status) and (wish.state is None or wish.state == getattr(conn, "state", None))
        )  # fmt: skip
        labelled = "<" in request.given or (">" in request.given and bool(conn.labels))
        return None if same and not labelled else replace(wish, mark=mark, status=status)

    def _update(self, conn: Conn, wish: Wish, asked: deque[_Answer]) -> None:
        """Ask for the change, then for the entry. Each time one answer is read, and an entry is answered by two: so prints the tool.

        It names the entry by its tuple alone, which in the kernel is one of zone 0.
        """
        found = self.tracker.find(conn.original, 0)
        missing = NOT_UNSPECIFIED if not self.request.family else "" if found is not None else "ENOENT"
        asked.append(_Answer(error=missing) if found is None or missing else self._ask(found[0], wish))
        if found is not None and found[0].expires <= self.context.now:  # its time was over with the change
            missing = missing or "ENOENT"
        error = asked.popleft().error
        if error:
            self.context.error(f"Operation failed: {error_text('U', error)}\n")
        asked.extend([_Answer(error=missing)] if found is None or missing else [_Answer(self.line(found[0], use=2)), _Answer()])
        answer = asked.popleft()
        if answer.error == "ENOENT":
            return
        if answer.error:
            raise Complaint(f"Operation failed: {error_text('U', answer.error)}", 1)
        if answer.line:
            self.write(answer.line)
        self.shown += 1

    def _ask(self, conn: Conn, wish: Wish) -> _Answer:
        try:
            change(self.tracker, conn, self._labelled(conn, wish), self.context.now, self.portid)
        except Refused as error:
            return _Answer(error=error.code)
        return _Answer()

    def _labelled(self, conn: Conn, wish: Wish) -> Wish:
        """With the labels that the entry is to have: --label-add or --label-del, which without names takes all."""
        given, names = self.request.given, self.request.label_changes
        if "<" not in given and not (">" in given and conn.labels):
            return wish
        mask, there = mask_of(names, self.request.known or {}), conn.labels or 0
        return replace(wish, labels=there | mask if "<" in given else there & ~mask if names else 0)

    # ---- watching ----------------------------------------------------------------------------------------------------

    def listener(self) -> Callable[[str, Conn, int], None]:
        """Who hears of entries for -E."""
        request = self.request
        check_masks(request)
        checks, wanted = tests(request), request.events or EVENTS["ALL"]
        bits = {"NEW": EVENTS["NEW"], "UPDATE": EVENTS["UPDATES"], "DESTROY": EVENTS["DESTROY"]}

        def heard(event: str, conn: Conn, now: int) -> None:
            if wanted & bits[event] and all(check(conn) for check in checks):
                if self.has("xml") and not self.shown:
                    self.context.write(f"{HEADER}<conntrack>\n")
                self.shown += 1
                self.write(self._event(event, conn, now))

        return heard

    def _event(self, event: str, conn: Conn, now: int) -> str:
        portid = self.tracker.portid
        stamp = round(EPOCH.timestamp()) * SECOND + now if self.has("timestamp") else None
        tail = f" [USERSPACE] portid={portid} progname=conntrack" if portid else ""
        if self.has("save"):
            return save(conn, now, event) + tail
        labels = self._labels(conn) if conn.telling & Told.LABEL and event != "DESTROY" else []
        if self.has("xml"):
            return xml(conn, now, event=event, ktimestamp=self.has("ktimestamp"), timestamp=stamp, labels=labels) + tail
        line = show.event_line(event, conn, now, extended=self.has("extended"), with_id=self.has("id"), timestamp=stamp)
        return line + (f" labels={','.join(labels)}" if labels else "") + tail


class _Answer:
    """One message of the kernel's: an error's name, an entry's line, or just that all is well."""

    def __init__(self, line: str = "", error: str = "") -> None:
        self.line, self.error = line, error


def _inverse(one: Tuple | None) -> Tuple | None:
    return None if one is None else invert(one)


def _tag(said: int | None) -> int | None:
    return None if said is None else swapped(said)


def _range(address: Address, port: int | None) -> NatRange:
    return NatRange(address, address, None if port is None else (port, port))
