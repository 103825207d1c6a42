"""The PPTP helper: follows the calls of a control connection and expects the GRE tunnel of each, in both directions (RFC 2637).

As nf_conntrack_pptp.c, Linux 6.18; IPv4 only. The client (PNS) opens the control connection to the server (PAC), port 1723; each side
of a call has a call id, and GRE packets carry the receiver's. What one side's packet brings the other expectation makes needless; when
the call or the control connection ends, its tunnel ends. What NAT writes into the call ids: sim/netfilter/nat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import Conn, GreConn
from sim.conntrack.expect import REMOVED, Expectation
from sim.conntrack.helpers.help import ESTABLISHED, NAT_DONE, Help, Helper, Policy
from sim.conntrack.tuples import GRE, invert
from sim.conntrack.words import ACCEPT
from sim.packet import Tuple
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.entries import Entries

HEADER: Final = 12
"""Length, packet type, magic cookie, message type, two bytes reserved."""
CONTROL: Final = b"\0\1\x1a\x2b\x3c\x4d"
"""Packet type 1 and the magic cookie: a control message."""
SIZES: Final = (0, 144, 144, 4, 4, 0, 0, 156, 20, 208, 12, 16, 4, 136, 28, 12)
"""How long the body of each message type must be at least."""
START_REQUEST, START_REPLY, STOP_REQUEST, STOP_REPLY = 1, 2, 3, 4
OUT_REQUEST, OUT_REPLY, IN_REQUEST, IN_REPLY, IN_CONNECT, CLEAR_REQUEST, DISCONNECT = 7, 8, 9, 10, 11, 12, 13

NO_SESSION, FAILED, STOPPING, REQUESTED, CONFIRMED = range(5)
"""Of the control connection; only their order counts besides."""
NO_CALL, OUT_ASKED, OUT_UP, IN_ASKED, IN_ANSWERED, IN_UP, CLEARING = range(7)
OVER: Final = Reason("pptp-call-over", "The PPTP call is over: its tunnel ends with it.")


class Call:
    """What is known of the control connection and its last call (struct nf_ct_pptp_master, struct nf_nat_pptp).

    `nat_pns`, `nat_pac`: the call ids as the client knows them, where NAT has put others into the messages.
    """

    def __init__(self) -> None:
        self.session = NO_SESSION
        self.state = NO_CALL
        self.pns = 0
        self.pac = 0
        self.nat_pns = 0
        self.nat_pac = 0


def memory(conn: Conn) -> Call:
    """What the helper remembers of a control connection."""
    found = conn.help
    assert isinstance(found, Call)
    return found


def _word(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 2])


# ---- what the client says --------------------------------------------------------------------------------------------


def _start_request(help: Help, call: Call, body: bytes) -> bool:
    fits = call.session == NO_SESSION
    if fits:
        call.session = REQUESTED
    return fits


def _stop_request(help: Help, call: Call, body: bytes) -> bool:
    call.session = STOPPING
    return True


def _out_request(help: Help, call: Call, body: bytes) -> bool:
    if call.session != CONFIRMED:
        return False
    call.state, call.pns = OUT_ASKED, _word(body, 0)
    return True


def _in_reply(help: Help, call: Call, body: bytes) -> bool:
    if call.state not in (IN_ASKED, IN_ANSWERED) or call.pac != _word(body, 2):
        return False
    if body[4] == 1:
        call.state, call.pns = IN_ANSWERED, _word(body, 0)
    else:
        call.state = NO_CALL
    return True


def _clear_request(help: Help, call: Call, body: bytes) -> bool:
    if call.session != CONFIRMED:
        return False
    call.state = CLEARING
    return True


# ---- what the server says --------------------------------------------------------------------------------------------


def _start_reply(help: Help, call: Call, body: bytes) -> bool:
    if call.session < REQUESTED:
        return False
    call.session = CONFIRMED if body[2] == 1 else FAILED
    return True


def _stop_reply(help: Help, call: Call, body: bytes) -> bool:
    if call.session > STOPPING:
        return False
    call.session = NO_SESSION if body[0] == 1 else FAILED
    return True


def _out_reply(help: Help, call: Call, body: bytes) -> bool:
    pac, pns = _word(body, 0), _word(body, 2)
    if call.session != CONFIRMED or call.state not in (OUT_ASKED, OUT_UP) or call.pns != pns:
        return False
    if body[4] == 1:
        call.state, call.pac = OUT_UP, pac
        _expect_tunnel(help, pac, pns)
    else:
        call.state = NO_CALL
    return True


def _in_request(help: Help, call: Call, body: bytes) -> bool:
    if call.session != CONFIRMED:
        return False
    call.state, call.pac = IN_ASKED, _word(body, 0)
    return True


def _in_connect(help: Help, call: Call, body: bytes) -> bool:
    pns = _word(body, 0)
    if call.session != CONFIRMED or call.state not in (IN_ANSWERED, IN_UP) or call.pns != pns:
        return False
    call.state = IN_UP
    _expect_tunnel(help, call.pac, pns)
    return True


def _disconnect(help: Help, call: Call, body: bytes) -> bool:
    call.state = NO_CALL
    end_tunnel(help.tracker, help.conn, help.now)
    return True


def _nothing(help: Help, call: Call, body: bytes) -> bool:
    return True


Step = Callable[[Help, Call, bytes], bool]
"""What a message does to the call: whether it fits there. One that does not changes nothing, and NAT leaves it alone."""
STEPS: Final[tuple[dict[int, Step], dict[int, Step]]] = (
    {
        START_REQUEST: _start_request, STOP_REQUEST: _stop_request, OUT_REQUEST: _out_request, IN_REPLY: _in_reply,
        CLEAR_REQUEST: _clear_request, 5: _nothing, 6: _nothing, 15: _nothing,
    },
    {
        START_REPLY: _start_reply, STOP_REPLY: _stop_reply, OUT_REPLY: _out_reply, IN_REQUEST: _in_request, IN_CONNECT: _in_connect,
        DISCONNECT: _disconnect, 5: _nothing, 6: _nothing, 14: _nothing, 15: _nothing,
    },
)  # fmt: skip
"""By direction, then by message type; 5 and 6 are echo, 14 WAN-Error-Notify, 15 Set-Link-Info."""


def help_pptp(help: Help) -> int:
    """Look into one segment."""
    data = help.segment()
    if help.ctinfo not in ESTABLISHED or len(data) < HEADER or data[2:8] != CONTROL:
        return ACCEPT
    message, body = _word(data, 8), data[HEADER:]
    if message < len(SIZES) and len(body) < SIZES[message]:
        return ACCEPT
    step = STEPS[help.direction].get(message)
    call = memory(help.conn)
    if step is None or not step(help, call, body):
        return ACCEPT
    translate = help.nat("pptp")
    return ACCEPT if translate is None else int(translate(help, call, message))


# ---- the tunnel ------------------------------------------------------------------------------------------------------


def _expect_tunnel(help: Help, pac: int, pns: int) -> None:
    """Expect GRE from the client and from the server: both, or none (exp_gre)."""
    tracker, conn = help.tracker, help.conn
    said = f"The call is up: the client's call id is {pns}, the server's {pac}. GRE packets with them are its tunnel."
    there, back = _tunnel(help, conn.original, pns, pac), _tunnel(help, conn.reply, pac, pns)
    adjust = help.nat("pptp tunnel")
    if adjust is not None:
        adjust(memory(conn), there, back)
    if help.related(there, said):
        return
    if help.related(back, said):
        tracker.expectations.remove(there, "removed", REMOVED)
        return
    if tracker.keymaps.add(conn, 0, there.tuple):
        if tracker.keymaps.add(conn, 1, back.tuple):
            return
        tracker.keymaps.forget(conn)
    for one in (back, there):
        tracker.expectations.remove(one, "removed", REMOVED)


def _tunnel(help: Help, way: Tuple, sender: int, receiver: int) -> Expectation:
    policy = help.helper.policies[0]
    wanted = Tuple(way.src, way.dst, sender, receiver, GRE)
    new = Expectation(help.conn, wanted, any_sport=False, timeout=policy.timeout, limit=policy.most)
    tracker = help.tracker

    def come(conn: Conn, used: Expectation) -> None:
        """One direction has spoken: the other is its answer and need not be expected (pptp_expectfn)."""
        translate = tracker.nat_helpers.get("pptp come") if used.master.status & NAT_DONE else None  # the master's, not this entry's
        other = invert(used.tuple) if translate is None else translate(conn, used)
        found = tracker.expectations.lookup(other, conn.zone) if other is not None else None
        if found is not None:
            tracker.expectations.remove(found, "removed", REMOVED)

    new.expectfn = come
    return new


def end_tunnel(tracker: Entries, conn: Conn, now: int) -> None:
    """The call or its control connection is over: end the tunnel of each direction, or what is still expected (pptp_destroy_siblings)."""
    call = memory(conn)
    tracker.keymaps.forget(conn)
    for way, sender, receiver in ((conn.original, call.pns, call.pac), (conn.reply, call.pac, call.pns)):
        wanted = Tuple(way.src, way.dst, sender, receiver, GRE)
        found = tracker.find(wanted, conn.zone)
        if found is not None:
            _end(tracker, found[0], now)
        else:
            expected = tracker.expectations.lookup(wanted, conn.zone)
            if expected is not None:
                tracker.expectations.remove(expected, "removed", REMOVED)


def _end(tracker: Entries, tunnel: Conn, now: int) -> None:
    if isinstance(tunnel, GreConn):
        tunnel.timeout = tunnel.stream = 0
    tracker.destroy(tunnel, now, OVER)


PPTP: Final = Helper("pptp", 6, ("ip",), (Policy(2),), help_pptp, Call, end_tunnel)
