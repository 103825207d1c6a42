"""The TFTP helper: behind a read or write request the server answers from a port of its own (RFC 1350).

As nf_conntrack_tftp.c, Linux 6.18.
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.helpers.help import Help, Helper, Policy
from sim.conntrack.words import ACCEPT

REQUESTS: Final = {1: "read", 2: "write"}
"""The opcodes RRQ and WRQ."""


def help_tftp(help: Help) -> int:
    """Look into one datagram."""
    data = help.datagram()
    word = REQUESTS.get(int.from_bytes(data[:2])) if len(data) >= 2 else None
    if word is None:
        return ACCEPT
    reply = help.conn.reply
    new = help.expectation(reply.src, reply.dst, reply.dport, 17)
    why = f"A TFTP {word} request: the server will answer port {reply.dport} from a port that nobody knows yet."
    return help.expect(new, why, 0, 0)


TFTP: Final = Helper("tftp", 17, ("ip", "ip6"), (Policy(1),), help_tftp)
