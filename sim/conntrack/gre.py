"""GRE's keys for PPTP: a packet carries the receiver's call id alone, the sender's is known to the control connection.

As the keymap of nf_conntrack_proto_gre.c, Linux 6.18: the PPTP helper writes down for each direction of a call which call id its sender
has; a packet of GRE version 1 is then looked up with both. Not here: how long GRE entries live (generic.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack.tuples import GRE, Key
from sim.packet import Tuple

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn

VERSION: Final = 7
PPTP_VERSION: Final = 1

_Place = tuple[bytes, bytes, int]


class Keymaps:
    """Which source key a GRE tuple has, by (source, destination, destination key); each noted for a control connection and a direction."""

    def __init__(self) -> None:
        self._noted: list[tuple[Conn, int, Tuple]] = []

    def __bool__(self) -> bool:
        return bool(self._noted)

    def add(self, conn: Conn, direction: int, wanted: Tuple) -> bool:
        """Note the tuple of a direction; False when another is noted for it already (nf_ct_gre_keymap_add)."""
        for owner, its_direction, known in self._noted:
            if owner is conn and its_direction == direction:
                return _place(known) == _place(wanted)
        self._noted.append((conn, direction, wanted))
        return True

    def forget(self, conn: Conn) -> None:
        """Strike out what is noted for a control connection (nf_ct_gre_keymap_destroy)."""
        self._noted = [noted for noted in self._noted if noted[0] is not conn]

    def complete(self, key: Key, data: bytes, at: int) -> Key:
        """A packet's key with its source key, where one is noted (gre_keymap_lookup). `at`: where its GRE header begins in `data`."""
        if key[4] != GRE or len(data) < at + 8 or data[at + 1] & VERSION != PPTP_VERSION:
            return key
        place = (key[0], key[1], key[3])
        source = next((known.sport for _, _, known in self._noted if _place(known) == place), 0)
        return (key[0], key[1], source, key[3], GRE)


def _place(wanted: Tuple) -> _Place:
    return wanted.src, wanted.dst, wanted.dport
