"""Capture files of tcpdump on a machine's own file system: pcap, little-endian, in microseconds; raw IP, or Linux cooked v2 for `any`.

A machine's files are texts: here a character is a byte (latin-1). Captures for the outside world are edges/capture.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from sim.units import SECOND

RAW, COOKED = 101, 276
NAMES = {RAW: "RAW (Raw IP)", COOKED: "LINUX_SLL2 (Linux cooked v2)"}
SNAPLEN = 262144
_MAGIC = 0xA1B2C3D4
_HEAD, _RECORD, _COOKED = Struct("<IHHiIII"), Struct("<IIII"), Struct("!HHIHBB8s")
_ETHER, _NO_LINK = {4: 0x0800, 6: 0x86DD}, 65534
_HOST, _OUTGOING = 0, 4


class CaptureProblem(Exception):
    """Why a file cannot be read, in tcpdump's words."""


class Frame(NamedTuple):
    """One packet of a file: when (µs since 1970), by which device (its index, 0 unknown), whether it came in, its bytes from IP on."""

    at: int
    device: int
    inbound: bool
    data: bytes


def head(link: int) -> str:
    """What a file begins with."""
    return _HEAD.pack(_MAGIC, 2, 4, 0, 0, SNAPLEN, link).decode("latin-1")


def record(frame: Frame, link: int) -> str:
    """One packet as it stands in a file."""
    data = frame.data
    if link == COOKED:
        kind = _HOST if frame.inbound else _OUTGOING
        data = _COOKED.pack(_ETHER[data[0] >> 4], 0, frame.device, _NO_LINK, kind, 0, bytes(8)) + data
    return (_RECORD.pack(frame.at // SECOND, frame.at % SECOND, len(data), len(data)) + data).decode("latin-1")


def link_of(text: str) -> int:
    """The link type of a file. Raises CaptureProblem."""
    if len(text) < 4:
        raise CaptureProblem(f"truncated dump file; tried to read 4 file header bytes, only got {len(text)}")
    data = text.encode("latin-1", "replace")
    if len(data) < _HEAD.size or _HEAD.unpack_from(data)[0] != _MAGIC:
        raise CaptureProblem("unknown file format")
    link = int(_HEAD.unpack_from(data)[6])
    if link not in NAMES:
        raise CaptureProblem(f"a capture of link type {link}: right, but not simulated here: there is no link layer")
    return link


def frames(text: str, link: int) -> Iterator[Frame]:
    """The packets of a file. Raises CaptureProblem where it is cut short."""
    data, at = text.encode("latin-1", "replace"), _HEAD.size
    while at < len(data):
        if len(data) < at + _RECORD.size:
            raise CaptureProblem(f"truncated dump file; tried to read {_RECORD.size} header bytes, only got {len(data) - at}")
        seconds, micros, size, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if len(data) < at + size:
            raise CaptureProblem(f"truncated dump file; tried to read {size} captured bytes, only got {len(data) - at}")
        yield _frame(seconds * SECOND + micros, data[at : at + size], link)
        at += size


def _frame(when: int, data: bytes, link: int) -> Frame:
    if link == RAW or len(data) < _COOKED.size:
        return Frame(when, 0, True, data)
    _, _, index, _, kind, _, _ = _COOKED.unpack_from(data)
    return Frame(when, index, kind != _OUTGOING, data[_COOKED.size :])
