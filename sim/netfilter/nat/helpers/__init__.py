"""NAT in helpers' payloads: the addresses that a connection names are written anew, and what they announce is translated when it comes.

    mangle.py     bytes of a payload replaced, lengths and sequence numbers with them (nf_nat_helper.c)
    expected.py   a port for what is expected that nobody else expects, and the translation of what has come
    ftp.py irc.py tftp.py sip.py sdp.py amanda.py pptp.py snmp.py   what each writes (nf_nat_*.c, nf_nat_snmp_basic_main.c), Linux 6.18

`hooks(nat)` is what a tracker's `nat_helpers` gets: functions by name, which the helpers call through `Help.nat`. Not in here: reading
the payload (conntrack/helpers), sequence numbers of later packets (conntrack/seqadj).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.netfilter.nat.helpers.amanda import nat_amanda
from sim.netfilter.nat.helpers.ftp import nat_ftp
from sim.netfilter.nat.helpers.irc import nat_irc
from sim.netfilter.nat.helpers.pptp import nat_come, nat_pptp, nat_tunnel
from sim.netfilter.nat.helpers.sdp import nat_address, nat_media, nat_port, nat_session
from sim.netfilter.nat.helpers.sip import nat_expect, nat_message, nat_shift
from sim.netfilter.nat.helpers.snmp import nat_snmp
from sim.netfilter.nat.helpers.tftp import nat_tftp

if TYPE_CHECKING:
    from sim.netfilter.nat.engine import Nat

HOOKS: dict[str, Callable[..., Any]] = {
    "ftp": nat_ftp, "irc": nat_irc, "tftp": nat_tftp,
    "sip message": nat_message, "sip expect": nat_expect, "sip shift": nat_shift,
    "sip address": nat_address, "sip port": nat_port, "sip session": nat_session, "sip media": nat_media,
    "amanda": nat_amanda, "snmp": nat_snmp, "pptp": nat_pptp, "pptp tunnel": nat_tunnel, "pptp come": nat_come,
}  # fmt: skip
"""Each takes the machine's Nat first; the rest is between the two files: see there."""


def hooks(nat: Nat) -> dict[str, Callable[..., Any]]:
    """The functions for one machine."""
    return {name: partial(function, nat) for name, function in HOOKS.items()}


__all__ = ["HOOKS", "hooks"]
