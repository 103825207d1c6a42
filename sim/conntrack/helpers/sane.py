"""The SANE helper: a scanner's server answers the request to scan with the port on which the picture waits.

As nf_conntrack_sane.c, Linux 6.18 (SANE standard, network protocol: SANE_NET_START).
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.helpers.help import ESTABLISHED, Help, Helper, Policy
from sim.conntrack.words import ACCEPT

NET_START: Final = 7
REQUEST_SIZE: Final = 8
REPLY_SIZE: Final = 8
"""Status, two bytes of nought and the port: what follows does not matter."""


class Asked:
    """Whether the client's last request was to scan (struct nf_ct_sane_master)."""

    def __init__(self) -> None:
        self.start = False


def help_sane(help: Help) -> int:
    """Look into one segment."""
    data = help.segment()
    if help.ctinfo not in ESTABLISHED or not data:
        return ACCEPT
    asked = help.conn.help
    assert isinstance(asked, Asked)
    if not help.direction:
        if len(data) == REQUEST_SIZE:
            asked.start = int.from_bytes(data[:4]) == NET_START
        return ACCEPT
    started, asked.start = asked.start, False
    if not started or len(data) < REPLY_SIZE or any(data[:6]):
        return ACCEPT
    port, mine = int.from_bytes(data[6:8]), help.conn.original
    new = help.expectation(mine.src, mine.dst, port, 6)
    return help.expect(new, f"The scanner's server has the picture ready on port {port}: the client will fetch it there.", 0, 0)


SANE: Final = Helper("sane", 6, ("ip", "ip6"), (Policy(1),), help_sane, Asked)
