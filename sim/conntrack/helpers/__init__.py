"""Helpers: they read in a connection's payload which other connection will follow, and expect it (see ../expect.py).

A connection has a helper only because a rule gave it one (iptables `-j CT --helper ftp`, nft `ct helper set "name"`), or
because a helper expected it for itself. They run where the connection is confirmed, last of all in INPUT and POSTROUTING
(nf_confirm, net/netfilter/nf_conntrack_proto.c, Linux 6.18). Here: ftp, tftp, irc, sip, pptp, amanda, sane, netbios-ns, snmp.

Not here: H.323 (RAS, Q.931, H.245); what NAT writes into a payload.
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.conn import Conn
from sim.conntrack.helpers.amanda import AMANDA
from sim.conntrack.helpers.broadcast import BROADCAST
from sim.conntrack.helpers.ftp import FTP
from sim.conntrack.helpers.help import NAT_DONE, Help, Helper
from sim.conntrack.helpers.irc import IRC
from sim.conntrack.helpers.pptp import PPTP
from sim.conntrack.helpers.sane import SANE
from sim.conntrack.helpers.sip import SIP
from sim.conntrack.helpers.tftp import TFTP
from sim.conntrack.seqadj import Shift
from sim.conntrack.words import CONFIRMED, HELPED

HELPERS: Final = {(each.name, each.protonum): each for each in (FTP, TFTP, IRC, *SIP, PPTP, AMANDA, SANE, *BROADCAST)}
NOT_SIMULATED: Final = {"RAS": (17,), "Q.931": (6,), "H.245": (6,)}
"""What the kernel has beyond: name -> protocols."""


def find(name: str, family: str, protonum: int) -> Helper | None:
    """The helper of that name for "ip" or "ip6" and a protocol, or None (nf_conntrack_helper_try_module_get)."""
    found = HELPERS.get((name, protonum))
    return found if found is not None and family in found.families else None


def is_elsewhere(name: str, protonum: int) -> bool:
    """Whether Linux has such a helper though it is not simulated here."""
    return protonum in NOT_SIMULATED.get(name, ())


def assign(conn: Conn, name: str) -> None:
    """A rule gives an unconfirmed entry its helper, once (nft_ct_helper_obj_eval, __nf_ct_try_assign_helper).

    Nothing happens where there is no such helper for the entry's family and protocol.
    """
    family = "ip" if len(conn.original.src) == 4 else "ip6"
    if conn.status & (CONFIRMED | HELPED) or conn.helper is not None or find(name, family, conn.original.protonum) is None:
        return
    conn.helper = name
    conn.status |= HELPED
    if conn.status & NAT_DONE and conn.seqadj is None:
        conn.seqadj = (Shift(), Shift())


__all__ = ["HELPERS", "Help", "Helper", "assign", "find", "is_elsewhere"]
