"""What a sender has to send: bytes written and not yet cut into segments (Unsent), and segments sent and not yet acknowledged (Chunk)."""

from __future__ import annotations

from collections import deque

from sim.machine.tcp.segment import FIN, SYN
from sim.machine.tcp.sequence import plus


class Chunk:
    """One segment that was sent. `sends` how often, `sent_at` when last; `lost`: given up, to be sent again; `again`: it was, since."""

    __slots__ = ("about", "again", "data", "flags", "lost", "sacked", "sends", "sent_at", "seq")

    def __init__(self, seq: int, data: bytes, flags: int, about: str) -> None:
        self.seq, self.data, self.flags, self.about = seq, data, flags, about
        self.sends = self.sent_at = 0
        self.sacked = self.lost = self.again = False

    @property
    def end(self) -> int:
        return plus(self.seq, len(self.data) + bool(self.flags & SYN) + (self.flags & FIN))

    @property
    def in_flight(self) -> bool:
        """Whether it is thought to be on its way."""
        return not self.sacked and (not self.lost or self.again)

    def joined(self, other: Chunk) -> None:
        """Take in the segment behind (tcp_collapse_retrans)."""
        self.data += other.data
        self.flags |= other.flags
        self.about = join((self.about, other.about))

    def cut(self, size: int) -> Chunk:
        """Keep the first `size` bytes; gives the rest as a chunk of its own (tcp_fragment)."""
        rest = Chunk(plus(self.seq, size), self.data[size:], self.flags, self.about)
        rest.sends, rest.sent_at, rest.lost = self.sends, self.sent_at, self.lost
        self.data, self.flags = self.data[:size], self.flags & ~(FIN | 8)
        return rest


def join(names: tuple[str, ...]) -> str:
    """One label for writes that went out together."""
    return ", ".join(dict.fromkeys(name for name in names if name))


class Unsent:
    """Bytes that were written and wait to be sent, with what their writer called them."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[bytes, str]] = deque()
        self.size = 0

    def add(self, data: bytes, about: str) -> None:
        """Write."""
        self._pieces.append((data, about))
        self.size += len(data)

    def clear(self) -> None:
        """Forget all."""
        self._pieces.clear()
        self.size = 0

    def take(self, size: int) -> tuple[bytes, str]:
        """The next `size` bytes, and their label: only whole writes and the last part of one have one."""
        taken, names = b"", []
        while size:
            data, about = self._pieces.popleft()
            taken += data[:size]
            if len(data) > size:
                self._pieces.appendleft((data[size:], about))
            names.append(about)
            self.size -= min(size, len(data))
            size -= min(size, len(data))
        return taken, join(tuple(names))

    def text(self) -> list[tuple[bytes, str]]:
        """All of it, with the labels."""
        return list(self._pieces)
