"""What fell by chance in the kernel, read off its answer: ours then draws the same, and everything after it can be compared.

Not in here: what cannot be known from the answers, and so is not compared (masks.py); a recording's own draws (drawn.py).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from sim.conntrack.show import tuple_view
from sim.conntrack.tuples import GRE
from sim.edges.kernel import Answer, Entry, KernelFirewall
from sim.edges.kernel.table import name_of
from sim.edges.replay.wall import Wall, entry_line, own_key
from sim.netfilter.nat.choice import DST, MAX_ATTEMPTS
from sim.packet import Tuple
from sim.units import show_address

NOTHING_DRAWN: Final[tuple[int | None, int | None]] = (None, None)
A_WORD: Final = 5
"""Bytes ahead of an announced port: they say whose it is where a text announces several (`MESG 1024 STATE 51211`)."""


class Chance:
    """Stands where NAT of `wall` draws. `asked`: whether anything was drawn so far."""

    def __init__(self, wall: Wall, kernel: KernelFirewall) -> None:
        self._wall, self._kernel = wall, kernel
        self._answer: Answer | None = None
        self._data = b""
        self.asked = False
        wall.ip.nat.chooser.dice = self._port
        wall.ip.nat.chooser.expected = self._expected_port

    def hear(self, answer: Answer, data: bytes) -> None:
        """The packet that comes next, and what the kernel made of it."""
        self._answer, self._data = answer, data

    def _port(self, low: int, size: int, manip: int) -> int:
        """Where the kernel drew a port by chance, ours draws the same: it must be one that ours could have drawn, and free.

        One that is not free is the last of a search in vain, which began behind it.
        """
        self.asked = True
        assert self._answer is not None
        tunnel = _tunnel(self._data)
        port = drawn(self._answer, self._data, self._names())[manip] if tunnel is None else self._of_the_tunnel(tunnel, manip)
        if port is None:
            port = self._taken(low, size, manip)
        in_vain = size <= MAX_ATTEMPTS and low <= port < low + size and not self._wall.ip.nat.chooser.is_free(port)
        return (port - low + in_vain) % size

    def _taken(self, low: int, size: int, manip: int) -> int:
        """Nothing is left of the packet: what it drew may have made it the twin of an entry that is there, and it was dropped for that."""
        key = own_key(self._data)
        same = (conn.reply for conn in self._wall.ip.tracker.entries() if key is not None and conn.original.protonum == key[4])
        ports = (reply.sport if manip == DST else reply.dport for reply in same)
        return next((port for port in ports if low <= port < low + size), low)

    def _names(self) -> frozenset[str]:
        """Of the entries that ours has."""
        return frozenset(name_of(entry_line(conn, self._wall.now)) for conn in self._wall.ip.tracker.entries())

    def _of_the_tunnel(self, key: Tuple, manip: int) -> int | None:
        """What a GRE packet's key became: no packet of its own direction bears it, and no tuple of its own finds its entry."""
        for entry in self._kernel.details():
            went, back = entry["original"], entry["reply"]
            if entry["protonum"] == GRE and (went["src"], went["dst"], went["dstkey"]) == _ends(key):
                return int(back["srckey" if manip else "dstkey"])
        return None

    def _expected_port(self, low: int, size: int) -> int:
        """The same for the port of an expectation: one that the kernel has now and ours has not yet, `low` having been announced."""
        assert self._answer is not None
        held = {one.tuple.dport for one in self._wall.ip.tracker.expectations.entries()}
        ports = (one["tuple"].get("dport", 0) for one in self._answer.expected or ())
        found = [port for port in ports if low <= port < low + size and port not in held]
        written = (port for port in found if self._written_for(low, port))
        return next(written, found[0] if found else low) - low

    def _written_for(self, announced: int, port: int) -> bool:
        """Whether the kernel wrote `port` into the packet where `announced` stood."""
        left = b"".join(data for _, data in self._answer.out) if self._answer is not None else b""
        return any(word + b"%d" % port in left for word in _words_before(self._data, b"%d" % announced))


def _words_before(data: bytes, number: bytes) -> Iterator[bytes]:
    at = data.find(number)
    while at >= 0:
        yield data[max(at - A_WORD, 0) : at]
        at = data.find(number, at + 1)


def _tunnel(data: bytes) -> Tuple | None:
    """A GRE packet's tuple, else None."""
    key = own_key(data)
    return Tuple(*key) if key is not None and key[4] == GRE else None


def _ends(key: Tuple) -> tuple[str, str, int]:
    """Source, destination and key, as entries show them."""
    return show_address(key.src), show_address(key.dst), key.dport


def drawn(answer: Answer, data: bytes, held: Container[str] = ()) -> tuple[int | None, int | None]:
    """What chance must have come to for this packet's entry: the ports, or the id, of its answers (for the source, the target)."""
    found = _in_a_zone(answer, data, held) or answer.entry
    if found is None:
        return _as_it_left(answer)
    reply = found["reply"]
    return reply.get("dport", reply.get("id")), reply.get("sport", reply.get("id"))


def _in_a_zone(answer: Answer, data: bytes, held: Container[str]) -> Entry | None:
    """The packet's new entry where its zone is not known: the table is there then. One tuple may be in many: those `held` are not new."""
    key = own_key(data) if answer.table else None
    if key is None or answer.table is None:
        return None
    wanted = tuple_view(Tuple(*key))
    same = (entry for entry in answer.table if entry["original"] == wanted and entry["protonum"] == key[4])
    return next((entry for entry in same if name_of(entry) not in held), None)


def _as_it_left(answer: Answer) -> tuple[int | None, int | None]:
    """The ports of what left: of a packet in pieces the last has no tuple to look up."""
    key = own_key(answer.out[0][1]) if answer.out else None
    return NOTHING_DRAWN if key is None else (key[2], key[3])
