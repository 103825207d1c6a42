"""Frames: what a capture is read as, one after the other. `Frame` is one of them; `Frames` all, to iterate or to step through.

Stepping makes no object for a frame: what it holds stands in the stream's own fields until the next step. Not in here: formats
(capture.py, pcap.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.edges.linklayer import COOKED, COOKED2, Strip, cooked_interface, outgoing

if TYPE_CHECKING:
    from mypy_extensions import i64

COOKED_TYPES: Final = frozenset({COOKED, COOKED2})


class Frame(NamedTuple):
    """One captured frame.

    number     1-based in the file
    time_us    microseconds since 1970, rounded down (0 where the file has no time)
    interface  its name where the file has one; "#3" is Linux cooked capture's index; else None
    data       the raw IP packet, cut to the length in its header, or None
    note       why there is no packet ("not IP: ARP"), or "truncated: 96 of 1514 bytes", or ""
    outgoing   whether the capturing machine sent it itself (only Linux cooked capture tells)
    """

    number: int
    time_us: int
    interface: str | None
    data: bytes | None
    note: str
    outgoing: bool = False


class Card(NamedTuple):
    """An interface of a capture: its name, its link type and what takes that off, its snap length, the unit of its clock and its start."""

    name: str | None
    link_type: int
    strip: Strip
    snaplen: int
    per_second: int
    offset_us: int


class Frames(ABC):
    """A stream of frames. After `step` its fields are the frame's, see `Frame`; False: there are no more. Raises what the source raises."""

    number: i64
    time_us: i64

    def __init__(self) -> None:
        self.number = 0
        self.time_us = 0
        self.interface: str | None = None
        self.data: bytes | None = None
        self.note = ""
        self.outgoing = False

    @abstractmethod
    def step(self) -> bool:
        """Go on to the next frame."""

    def put(self, frame: Frame) -> None:
        """Have a frame's fields."""
        self.number, self.time_us, self.interface, self.data, self.note, self.outgoing = frame

    def frame(self) -> Frame:
        """The present frame."""
        return Frame(self.number, self.time_us, self.interface, self.data, self.note, self.outgoing)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if not self.step():
            raise StopIteration
        return self.frame()


class Given(Frames):
    """Frames from anywhere."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        super().__init__()
        self._frames = iter(frames)

    def step(self) -> bool:
        for frame in self._frames:
            self.put(frame)
            return True
        return False


def stream(frames: Iterable[Frame]) -> Frames:
    """As something to step through."""
    return frames if isinstance(frames, Frames) else Given(frames)


def make_frame(card: Card, number: int, time_us: int, frame: bytes, whole: int) -> Frame:
    """A frame of a card's, `whole` bytes long when it was on the wire."""
    packet, note = card.strip(frame)
    if len(frame) < whole:
        note = note or f"truncated: {len(frame)} of {whole} bytes"
    if card.link_type in COOKED_TYPES:
        name = cooked_interface(card.link_type, frame) or card.name
        return Frame(number, time_us, name, packet, note, outgoing(card.link_type, frame))
    return Frame(number, time_us, card.name, packet, note)


def cut_off(number: int, time_us: int, left: int, wanted: int) -> Frame:
    """What a file ends with that was cut off."""
    return Frame(number, time_us, None, None, f"the file ends here: {left} bytes are left of {wanted}")
