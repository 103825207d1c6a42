"""The round-trip time, estimated, and the retransmission time-out that follows: RFC 6298 with Linux's bounds. Time in µs.

tcp_rtt_estimator and tcp_set_rto (net/ipv4/tcp_input.c, Linux 6.18): the deviation counts at least `rto_min` (200 ms), so that an RTO is
never shorter than the round trip and 200 ms. Before the first measurement it is 1 s.
"""

from __future__ import annotations

from sim.machine.tcp.sequence import after
from sim.units import SECOND

INITIAL = 1 * SECOND  # TCP_TIMEOUT_INIT
FALLBACK = 3 * SECOND  # TCP_TIMEOUT_FALLBACK: the SYN had to be sent again, and nothing could be measured


class Rtt:
    """`srtt` (0: nothing measured yet), `rto` as it stands (backed off or not), `shortest` round trip seen."""

    __slots__ = ("_mdev", "_mdev_max", "_seq", "_var", "minimum", "rto", "shortest", "srtt8")

    def __init__(self, rto_min: int) -> None:
        self.minimum = rto_min
        self.srtt8 = 0  # eight times the smoothed round trip, as the kernel keeps it
        self.rto = INITIAL
        self.shortest = 0
        self._mdev = self._mdev_max = self._var = self._seq = 0

    @property
    def srtt(self) -> int:
        return self.srtt8 >> 3

    def measured(self, sample: int, una: int, nxt: int) -> None:
        """A round trip took `sample` µs; `una` and `nxt` are the sender's: the deviation may shrink once a round."""
        sample = max(1, sample)
        self.shortest = min(self.shortest or sample, sample)
        if not self.srtt8:
            self.srtt8 = sample << 3
            self._mdev = sample << 1
            self._var = self._mdev_max = max(self._mdev, self.minimum)
            self._seq = nxt
            return
        error = sample - (self.srtt8 >> 3)
        self.srtt8 = max(1, self.srtt8 + error)
        self._deviate(error)
        if after(una, self._seq):
            if self._mdev_max < self._var:
                self._var -= (self._var - self._mdev_max) >> 2
            self._seq, self._mdev_max = nxt, self.minimum

    def _deviate(self, error: int) -> None:
        if error < 0:
            change = -error - (self._mdev >> 2)
            change = change >> 3 if change > 0 else change
        else:
            change = error - (self._mdev >> 2)
        self._mdev += change
        if self._mdev > self._mdev_max:
            self._mdev_max = self._mdev
            self._var = max(self._var, self._mdev_max)

    def unknown(self) -> None:
        """The handshake gave no measurement."""
        self._var = self._mdev = self._mdev_max = FALLBACK
        self.rto = FALLBACK

    @property
    def unbacked(self) -> int:
        """The time-out as measured, not doubled."""
        return self.srtt + self._var if self.srtt8 else INITIAL

    def reset(self, highest: int) -> None:
        """The time-out without backing off."""
        if self.srtt8:
            self.rto = min(self.unbacked, highest)

    def back_off(self, highest: int) -> None:
        """Double the time-out."""
        self.rto = min(self.rto << 1, highest)
