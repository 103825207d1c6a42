"""Tracking: conntrack's places in the hooks. It writes `conn`, `ctinfo` and `reason` on the skb, and confirms what gets through.

As nf_conntrack_proto.c, Linux 6.18: the hooks are there only while something needs them (nf_ct_netns_get); entries stay when
they go, and what was known of TCP windows is forgotten when they come back.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.conntrack import why
from sim.conntrack.conn import Conn
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import UDP
from sim.conntrack.words import CONFIRMED, LABEL, Ctinfo, direction
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb, Template
from sim.netfilter.words import Hook, Priority, Verdict
from sim.packet import Packet, describe
from sim.trace import Emit, Labelled, Translated

NAME = "conntrack"
ACCEPT = int(Verdict.ACCEPT)
DROP = int(Verdict.DROP)
ESTABLISHED = frozenset((int(Ctinfo.ESTABLISHED), int(Ctinfo.ESTABLISHED_REPLY)))
INVALID = int(Ctinfo.INVALID)
RELATED = int(Ctinfo.RELATED)
RELATED_REPLY = int(Ctinfo.RELATED_REPLY)
IPPROTO_RAW = 255

LogInvalid = Callable[[str, Skb], None]


class Tracking:
    """Registers `tracker` in `hooks` on `use` or `enable`. `log_invalid(text, skb)` gets what nf_conntrack_log_invalid asks for,
    `log_helper` what helpers say of packets that they drop. `ahead`: what the tracker has already said of the packet that comes next.
    """

    def __init__(self, tracker: Tracker, hooks: Hooks, emit: Emit | None = None, log_invalid: LogInvalid | None = None) -> None:
        self.tracker = tracker
        self.families: frozenset[str] = frozenset()
        self._passes_by = 0
        self.ahead: int | None = None
        self._hooks = hooks
        self._emit = emit
        self.log_invalid = log_invalid
        self.log_helper = log_invalid

    def enable(self) -> None:
        """Track both families."""
        self.use(frozenset(("ip", "ip6")))

    def disable(self) -> None:
        """Track nothing; entries stay in the table and expire."""
        self.use(frozenset())

    def use(self, families: frozenset[str]) -> None:
        """Track these families ("ip", "ip6"): conntrack into PREROUTING and OUTPUT, confirm at the end of INPUT and POSTROUTING."""
        if families == self.families:
            return
        if families and not self.families:
            self._register()
        elif not families:
            self._hooks.unregister(NAME)
        for word in families - self.families:
            self.tracker.start("ipv4" if word == "ip" else "ipv6")
        self.families = families
        self._passes_by = 0 if len(families) == 2 else 6 if "ip" in families else 4

    @property
    def enabled(self) -> bool:
        """Whether any family is tracked."""
        return bool(self.families)

    def _register(self) -> None:
        self._hooks.register(Hook.PREROUTING, Priority.CONNTRACK, NAME, self._enter_prerouting)
        self._hooks.register(Hook.OUTPUT, Priority.CONNTRACK, NAME, self._enter_output)
        self._hooks.register(Hook.INPUT, Priority.CONNTRACK_CONFIRM, NAME, self.confirm)
        self._hooks.register(Hook.POSTROUTING, Priority.CONNTRACK_CONFIRM, NAME, self.confirm)

    def _enter_prerouting(self, skb: Skb) -> int:
        return self._enter(skb, Hook.PREROUTING)

    def _enter_output(self, skb: Skb) -> int:
        return self._enter(skb, Hook.OUTPUT)

    def _enter(self, skb: Skb, hook: Hook) -> int:
        """nf_conntrack_in. What was seen before (loopback) or is UNTRACKED passes; what was INVALID then is judged anew."""
        if skb.packet.version == self._passes_by:
            return ACCEPT
        if skb.ctinfo is not None and skb.ctinfo != INVALID:
            if skb.ctinfo == Ctinfo.UNTRACKED and skb.reason is None:
                skb.reason = why.UNTRACKED
                self._say(skb, hook, ())
            elif skb.reason is why.MADE_BY_REJECT and hook == Hook.OUTPUT:
                self._say(skb, hook, ())
            return ACCEPT
        tracker = self.tracker
        template = skb.template
        if self.ahead is not None:
            skb.ctinfo, self.ahead = self.ahead, None
        elif template is None:
            skb.ctinfo = tracker.enter(skb.packet, hook, skb.now)
        else:
            skb.ctinfo = tracker.enter(skb.packet, hook, skb.now, template.zone, template.helper)
            if template.events or template.expected_events:
                self._hush(tracker.conn, template)
        skb.conn = tracker.conn
        skb.reason = tracker.reason
        if tracker.verdict != ACCEPT:
            skb.ctinfo = None
            skb.dropped = ("connection table full", tracker.reason)
            return DROP
        if self._emit is not None:
            self._say(skb, hook, tracker.kernel_log)
        if tracker.kernel_log:
            self._log(skb)
        return ACCEPT

    @staticmethod
    def _hush(conn: Conn | None, template: Template) -> None:
        """A new entry tells what its template says (nf_ct_ecache_ext_add)."""
        if conn is not None and not conn.status & CONFIRMED:
            conn.events, conn.expected_events = template.events, template.expected_events

    def _log(self, skb: Skb) -> None:
        """Into the kernel log, if nf_conntrack_log_invalid names the protocol (255: all)."""
        wanted = self.tracker.settings.log_invalid
        if self.log_invalid is not None and wanted:
            for text in self.tracker.kernel_log:
                if wanted == IPPROTO_RAW or text.startswith(f"nf_ct_proto_{wanted}:"):
                    self.log_invalid(text, skb)

    def _say(self, skb: Skb, hook: Hook, log: tuple[str, ...]) -> None:
        if self._emit is None or skb.ctinfo is None or skb.reason is None:
            return
        conn = skb.conn.id if skb.conn is not None else None
        self._emit(Labelled(skb.packet.id, hook.name, LABEL[skb.ctinfo], direction(skb.ctinfo), conn, skb.reason, log))

    def attach(self, made: Skb, cause: Skb) -> None:
        """Give a packet that answers `cause` (REJECT's) its entry: RELATED, the other way (nf_conntrack_attach)."""
        if cause.conn is None or cause.ctinfo is None:
            return
        made.conn = cause.conn
        made.ctinfo = RELATED_REPLY if direction(cause.ctinfo) == "original" else RELATED
        made.reason = why.MADE_BY_REJECT

    def confirm(self, skb: Skb) -> int:
        """nf_confirm: the helper reads, numbers are shifted, a new entry goes into the table, and what changed is told."""
        conn = skb.conn
        if conn is None:
            return ACCEPT
        if (conn.helper is not None or conn.seqadj is not None) and self._help(conn, skb) != ACCEPT:
            return DROP
        if conn.status & 8 and not conn.cache:
            return ACCEPT
        verdict = self.tracker.confirm(conn, skb.packet, skb.now, skb.ctinfo or 0, skb.reason)
        if conn.expecting and not conn.status & 8:
            self.tracker.expectations.forget(conn)
        if verdict != ACCEPT:
            skb.dropped = ("conntrack confirm", self.tracker.reason)
            return DROP
        skb.conn = self.tracker.conn
        return ACCEPT

    def _help(self, conn: Conn, skb: Skb) -> int:
        """The entry's helper reads the packet; where it drops it, the kernel's log has its words (nf_ct_helper_log), and so where it
        drops it no longer in the end (amanda).
        """
        tracker = self.tracker
        reads = skb.ctinfo in ESTABLISHED or (conn.original.protonum == UDP and skb.ctinfo != RELATED_REPLY)
        if skb.frag_max and conn.helper in LINEAR and reads:
            skb.pulled = len(skb.packet.data)
        tracker.device = "" if skb.indev else skb.outdev
        verdict = tracker.help(conn, skb.packet, skb.ctinfo or 0, skb.now, skb.indev == "lo" and not skb.outdev)
        if self.log_helper is not None:
            for text in tracker.kernel_log:
                self.log_helper(text, skb)
        if verdict == ACCEPT:
            if tracker.leaving is not None and tracker.leaving is not skb.packet:
                self._rewritten(skb, tracker.leaving)
            return ACCEPT
        skb.dropped = (f"helper {conn.helper}", tracker.reason)
        if conn.expecting and not conn.status & 8:
            tracker.expectations.forget(conn)
        return DROP

    def let_go(self, conn: Conn) -> None:
        """A GRE packet has gone its way: an entry that was not confirmed takes its call's keys along (destroy_gre_conntrack)."""
        if conn.master is not None and not conn.status & 8:
            self.tracker.keymaps.forget(conn.master)

    def _rewritten(self, skb: Skb, now: Packet) -> None:
        """NAT's part of the helper has written into the payload, or the sequence numbers are shifted for what was written before."""
        old, skb.packet = skb.packet, now
        skb.pulled = max(skb.pulled, len(now.data) if self.tracker.written else now.payload - now.l4)
        if self._emit is None:
            return
        hook = (Hook.POSTROUTING if skb.outdev else Hook.INPUT).name
        for before, after in self.tracker.written:
            self._emit(Translated(now.id, hook, "payload", *(f'{describe(old)} "{_shown(text)}"' for text in (before, after))))
        if (old.seq, old.ack) != (now.seq, now.ack):
            self._emit(Translated(now.id, hook, "seqadj", *(f"{describe(one)} seq {one.seq} ack {one.ack}" for one in (old, now))))


LINEAR = frozenset(("sip", "ftp"))
"""Helpers that read a packet in one piece (skb_linearize in sip_help_tcp, sip_help_udp and nf_conntrack_ftp's help)."""
SHOWN = 120
"""Bytes of a payload in the trace."""


def _shown(text: bytes) -> str:
    return text[:SHOWN].decode("latin-1").encode("unicode_escape").decode()
