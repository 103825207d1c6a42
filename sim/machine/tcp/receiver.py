"""The receiving half of a connection: which bytes came, in order or not yet, and how many more the peer may send.

tcp_data_queue, tcp_data_queue_ofo, tcp_sack_new_ofo_skb (net/ipv4/tcp_input.c), __tcp_select_window (tcp_output.c), Linux 6.18. The
buffer has a fixed size: Linux lets it grow with a fast connection.
"""

from __future__ import annotations

from sim.machine.tcp.segment import SackBlock
from sim.machine.tcp.sequence import after, before, distance, plus


class Receiver:
    """`nxt` the next number wanted, `buffer` what the program has not read, `limit` how much may wait there in bytes."""

    def __init__(self, limit: int, scale: int) -> None:
        self.nxt = self.acked = 0  # acked: the last ACK sent (rcv_wup)
        self.limit = limit
        self.scale = scale
        self.buffer = bytearray()
        self.window = limit
        self.early: list[tuple[int, bytes, bool]] = []  # segments ahead of `nxt`: number, bytes, whether a FIN follows
        self._recent: list[SackBlock] = []
        self.duplicate: SackBlock | None = None
        self.fin = False  # the peer's FIN came, in order
        self.largest = 536  # rcv_mss: the largest segment seen

    def begin(self, irs: int) -> None:
        """The peer's SYN had this number."""
        self.nxt = self.acked = plus(irs, 1)

    # ---- the window --------------------------------------------------------------------------------------------------

    def open(self) -> int:
        """How many bytes beyond `nxt` the peer may send, as it was told (tcp_receive_window)."""
        return max(0, distance(self.nxt, plus(self.acked, self.window)))

    def select(self, *, scaled: bool = True) -> int:
        """Choose the window for the segment about to be sent; gives the header's field. Never takes back what was offered."""
        if not scaled:
            self.window, self.acked = self.limit, self.nxt
            return min(self.limit, 65535)
        new, offered = self.wanted(), self.open()
        step = 1 << self.scale
        if new < offered:
            new = -(-offered // step) * step
        self.window, self.acked = new, self.nxt
        return min(new >> self.scale, 65535)

    def wanted(self) -> int:
        """The window that the room in the buffer suggests; none rather than a silly one (RFC 9293 section 3.8.6.2.2)."""
        free = self.limit - len(self.buffer)
        if free < self.limit >> 4 or free < min(self.largest, self.limit):
            return 0
        step = 1 << self.scale
        return -(-free // step) * step

    def acceptable(self, seq: int, end: int) -> bool:
        """tcp_sequence: whether any of a segment lies in the window."""
        return not before(end, self.acked) and not after(seq, plus(self.nxt, self.open()))

    # ---- bytes -------------------------------------------------------------------------------------------------------

    def take(self, seq: int, data: bytes, fin: bool) -> str:
        """Take a segment's bytes. Gives "new" (in order), "early" (a gap before it), "old" (nothing new), "full" (no room)."""
        end = plus(seq, len(data) + fin)
        self.largest = max(self.largest, min(len(data), self.limit))
        self.duplicate = None
        if not after(end, self.nxt):
            self.duplicate = (seq, plus(seq, len(data))) if data else None
            return "old"
        if after(seq, self.nxt):
            return self._take_early(seq, data, fin)
        skip = distance(seq, self.nxt)
        if not self.open() and data[skip:]:
            return "full"
        self._append(data[skip:], fin)
        self._fill_from_early()
        return "new"

    def _append(self, data: bytes, fin: bool) -> None:
        self.buffer += data
        self.nxt = plus(self.nxt, len(data) + fin)
        self.fin = self.fin or fin

    def _take_early(self, seq: int, data: bytes, fin: bool) -> str:
        if after(plus(seq, len(data)), plus(self.nxt, self.open())):
            return "full"
        if any(at == seq and len(part) >= len(data) for at, part, _ in self.early):
            self.duplicate = (seq, plus(seq, len(data)))
            return "early"
        self.early.append((seq, data, fin))
        self.early.sort(key=lambda item: distance(self.nxt, item[0]))
        block = next(block for block in self._blocks() if not before(seq, block[0]) and not after(seq, block[1]))
        self._recent = [block] + [other for other in self._recent if not _touch(block, other)]
        return "early"

    def _fill_from_early(self) -> None:
        while self.early and not after(self.early[0][0], self.nxt):
            seq, data, fin = self.early.pop(0)
            if after(plus(seq, len(data) + fin), self.nxt):
                self._append(data[distance(seq, self.nxt) :], fin)
        self._recent = [block for block in self._recent if after(block[1], self.nxt)]

    def _blocks(self) -> list[SackBlock]:
        """What has come out of order, as blocks without gaps."""
        blocks: list[SackBlock] = []
        for seq, data, fin in self.early:
            end = plus(seq, len(data) + fin)
            if blocks and not after(seq, blocks[-1][1]):
                blocks[-1] = (blocks[-1][0], end if after(end, blocks[-1][1]) else blocks[-1][1])
            else:
                blocks.append((seq, end))
        return blocks

    def sack(self) -> tuple[SackBlock, ...]:
        """The SACK blocks for the next ACK: a duplicate first (RFC 2883), then the latest that came (RFC 2018)."""
        blocks, self.duplicate = ([self.duplicate] if self.duplicate else []), None
        return tuple(blocks + self._recent)

    def sack_count(self) -> int:
        """How many SACK blocks the next ACK would have."""
        return len(self._recent) + (self.duplicate is not None)

    def read(self) -> bytes:
        """All that can be read, taken out."""
        data = bytes(self.buffer)
        self.buffer.clear()
        return data


def _touch(one: SackBlock, other: SackBlock) -> bool:
    return not after(one[0], other[1]) and not after(other[0], one[1])
