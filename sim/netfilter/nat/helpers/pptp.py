"""NAT for the PPTP helper: a translated client's call id becomes its translated port, in the messages and in the tunnel.

As nf_nat_pptp.c, Linux 6.18: three functions for sim/conntrack/helpers/pptp.py, which keeps what they need of a call in `Call`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack.helpers.pptp import HEADER, memory
from sim.conntrack.tuples import GRE
from sim.conntrack.words import ACCEPT, DROP
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.helpers.mangle import mangle
from sim.netfilter.nat.ranges import NatRange
from sim.packet import Tuple
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.conntrack.helpers.pptp import Call
    from sim.netfilter.nat.engine import Nat

OUT_REQUEST: Final = 7
WRITTEN: Final = ({7: 0, 10: 0, 12: 0}, {8: 2, 11: 0, 13: 0, 14: 0, 15: 0})
"""By direction and message type: where in the body the client's call id stands."""
WHY_MANGLED: Final = "The client's call id could not be written anew, so the helper drops the packet."


def nat_pptp(nat: Nat, help: Help, call: Call, message: int) -> int:
    """Write the call id that the other side knows into a message (pptp_outbound_pkt, pptp_inbound_pkt)."""
    at = WRITTEN[help.direction].get(message)
    if at is None:
        return ACCEPT
    if message == OUT_REQUEST and not help.direction:
        call.nat_pns, call.pns = call.pns, help.conn.reply.dport
    number = call.nat_pns if help.direction else call.pns
    if mangle(help, HEADER + at, 2, number.to_bytes(2)):
        return ACCEPT
    help.reason = Reason("helper-drop", WHY_MANGLED, {"helper": help.helper.name})
    return DROP


def nat_tunnel(nat: Nat, call: Call, there: Expectation, back: Expectation) -> None:
    """The tunnel's keys, as packets bring them on each side of the translation (pptp_exp_gre)."""
    call.nat_pac = call.pac
    there.saved_port, there.dir = call.pns, 0
    there.tuple = there.tuple._replace(sport=call.nat_pns, dport=call.pac)
    back.saved_port, back.dir = call.nat_pns, 1
    back.tuple = back.tuple._replace(sport=call.nat_pac, dport=call.pns)


def nat_come(nat: Nat, conn: Conn, used: Expectation) -> Tuple:
    """Translate the tunnel as its master; the tuple by which the other direction is expected (pptp_nat_expected).

    Where the server speaks first, Linux looks for the client's call ids in the tunnel's own entry, which has none yet: the other
    direction stays expected.
    """
    master = used.master
    call, opposite = memory(master), master.original if used.dir else master.reply
    ids = (0, 0) if used.dir else (call.pac, call.pns)
    saved = (used.saved_port, used.saved_port)
    nat.bind(conn, NatRange(opposite.dst, opposite.dst, None if used.dir else saved), SRC)
    nat.bind(conn, NatRange(opposite.src, opposite.src, saved if used.dir else None), DST)
    return Tuple(opposite.src, opposite.dst, *ids, GRE)
