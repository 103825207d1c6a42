"""Ports and ids that NAT drew by chance: a recorded packet that answers to ours is made to answer to what the kernel drew.

In a recording the other end's packets bear the port that ctlab drew. The kernel draws another, and would not know them. Which it was shows
in what left: the same packet with another port. Not in here: whether the kernel's port is one that could be drawn (chance.py).
"""

from __future__ import annotations

from sim.conntrack.tuples import invert, quoted_key
from sim.edges.replay.wall import own_key
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.rewrite import icmp_summed_anew, rewritten
from sim.packet import Tuple

_ICMP = 1
_ERRORS = frozenset((3, 11, 12))
_INNER = 28


class Drawn:
    """Learns from what left, in the recording and from the kernel; changes what comes back."""

    def __init__(self) -> None:
        self._theirs: dict[Tuple, Tuple] = {}

    def learn(self, recorded: bytes, kernels: bytes) -> None:
        """The same packet as it left in the recording, and as it left the kernel."""
        mine, other = own_key(recorded), own_key(kernels)
        if mine is not None and other is not None and mine != other and mine[:2] == other[:2]:
            self._theirs[Tuple(*mine)] = Tuple(*other)

    def changed(self, data: bytes) -> bytes:
        """The recorded packet as the other end would have sent it to the kernel's port."""
        if not self._theirs:
            return data
        error = len(data) > _INNER and data[0] == 0x45 and data[9] == _ICMP and data[20] in _ERRORS
        quoted = quoted_key(data, _INNER, 4) if error else None
        if quoted is not None and (theirs := self._theirs.get(Tuple(*quoted))) is not None:
            return icmp_summed_anew(rewritten(data, _INNER, theirs, SRC) or data, _INNER - 8)
        key = own_key(data)
        return data if key is None else self._answering(data, Tuple(*key))

    def _answering(self, data: bytes, key: Tuple) -> bytes:
        """A packet that comes back on a way that was learnt."""
        theirs = next((theirs for ours, theirs in self._theirs.items() if invert(ours) == key), None)
        back = invert(theirs) if theirs is not None else None
        if back is None:
            return data
        return rewritten(rewritten(data, 0, back, DST) or data, 0, back, SRC) or data
