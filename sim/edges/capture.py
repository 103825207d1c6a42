"""Captures: read pcap and pcapng (also gzipped) as raw IP packets with their time; write both.

Read by struct, not scapy: a replay is to go over 100,000 packets/s. The records of a pcap are pcap.py's. Formats:
draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. A frame without an IP packet is given with a note, never an exception;
CaptureError is for a file that is no capture, or that contradicts itself. A file that ends within a packet (a capture that
was killed) is no error: the last frame says so.
"""

from __future__ import annotations

import gzip
import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sim.edges.frames import Card, Frame, cut_off, make_frame
from sim.edges.linklayer import RAW, STRIPS, unknown
from sim.edges.pcap import Bytes, PcapFrames
from sim.errors import CtlabError

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
SECTION_BYTES: Final = SECTION.to_bytes(4)
BYTE_ORDER: Final = 0x1A2B3C4D
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
GZIP: Final = b"\x1f\x8b"
SNAPLEN: Final = 262_144


__all__ = ["CaptureError", "Frame", "read_bytes", "read_capture", "write_pcap", "write_pcapng"]


class CaptureError(CtlabError):
    """A file that is no capture, or one that contradicts itself; the message says which file, where, what."""


def read_capture(path: str | Path) -> Iterator[Frame]:
    """The frames of a pcap or pcapng file, gzipped or not, in file order. Raises CaptureError."""
    name, data = str(path), _contents(Path(path))
    if data[:2] == GZIP:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise CaptureError(f"{name}: broken gzip: {error}") from error
    return read_bytes(data, name)


def read_bytes(data: Bytes, name: str = "capture") -> Iterator[Frame]:
    """The frames of a capture that is in memory; `name` is for error messages. Raises CaptureError."""
    magic = bytes(data[:4])
    if int.from_bytes(magic) == SECTION:
        return _Pcapng(data, name).frames()
    for order in ("<", ">"):
        (number,) = struct.unpack(order + "I", magic) if len(magic) == 4 else (0,)
        if number in (MICRO, NANO):
            return _pcap_frames(data, name, order, 1 if number == MICRO else 1000)
        if number == MODIFIED:
            raise CaptureError(f"{name}: a 'modified' pcap of the 1990s, which is not read: convert it with editcap")
    raise CaptureError(f"{name}: no capture: it starts with {magic.hex() or 'nothing'}, which is neither pcap nor pcapng")


def _contents(path: Path) -> Bytes:
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return b""
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CaptureError(f"{path}: cannot be read: {error}") from error


# -- pcap


def _pcap_frames(data: Bytes, name: str, order: str, divisor: int) -> Iterator[Frame]:
    if len(data) < 24:
        raise CaptureError(f"{name}: the pcap header has 24 bytes, the file {len(data)}")
    major, minor = struct.unpack_from(order + "HH", data, 4)
    if (major, minor) != (2, 4):
        raise CaptureError(f"{name}: pcap version {major}.{minor}; only 2.4 is read")
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    card = Card(None, link_type, STRIPS.get(link_type) or unknown(link_type), SNAPLEN, 1_000_000, 0)
    return PcapFrames(data, order, divisor, card)


# -- pcapng


class _Pcapng:
    """Reads the blocks of one file: an iterator with the present section's byte order and interfaces."""

    def __init__(self, data: Bytes, name: str) -> None:
        self._data, self._name = data, name
        self._number = 0
        self._use("<")

    def _use(self, order: str) -> None:
        """Start a section: its byte order, and no interface yet."""
        self._order = order
        self._interfaces: list[Card] = []
        self._two = struct.Struct(order + "II").unpack_from
        self._head = struct.Struct(order + "IIIII").unpack_from

    def _fail(self, at: int, what: str) -> CaptureError:
        return CaptureError(f"{self._name}: byte {at}: {what}")

    def frames(self) -> Iterator[Frame]:
        data, at, end, length = self._data, 0, len(self._data), 12
        while at + 12 <= end:
            if data[at : at + 4] == SECTION_BYTES:
                self._section(at)
            kind, length = self._two(data, at)
            if length < 12 or length & 3:
                raise self._fail(at, f"a block of {length} bytes; it must be 12 or more and a multiple of 4")
            if at + length > end:
                break
            if kind == ENHANCED_PACKET:
                yield self._enhanced(at, length)
            elif kind == INTERFACE:
                self._interfaces.append(self._interface(at, length))
            elif kind == SIMPLE_PACKET:
                yield self._simple(at, length)
            elif kind == OLD_PACKET:
                yield self._old(at, length)
            at += length
        if at < end:
            yield cut_off(self._number + 1, 0, end - at, 12 if at + 12 > end else length)

    def _section(self, at: int) -> None:
        mark = self._data[at + 8 : at + 12]
        for order in ("<", ">"):
            if struct.pack(order + "I", BYTE_ORDER) == mark:
                self._use(order)
                return
        raise self._fail(at, f"a section whose byte order mark is {mark.hex()}")

    def _interface(self, at: int, length: int) -> Card:
        if length < 20:
            raise self._fail(at, f"an interface block of {length} bytes; 20 is the least")
        link_type, _, snaplen = struct.unpack_from(self._order + "HHI", self._data, at + 8)
        options = dict(self._options(at + 16, at + length - 4))
        resolution = options.get(IF_TSRESOL, b"\6")[:1] or b"\6"
        offset = options.get(IF_TSOFFSET, b"")
        return Card(
            name=options[IF_NAME].rstrip(b"\0").decode(errors="replace") if IF_NAME in options else None,
            link_type=link_type,
            strip=STRIPS.get(link_type) or unknown(link_type),
            snaplen=snaplen or SNAPLEN,
            per_second=2 ** (resolution[0] & 0x7F) if resolution[0] & 0x80 else 10 ** resolution[0],
            offset_us=struct.unpack(self._order + "q", offset)[0] * 1_000_000 if len(offset) == 8 else 0,
        )

    def _options(self, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= end:
            code, length = struct.unpack_from(self._order + "HH", self._data, at)
            if code == 0:
                return
            yield code, self._data[at + 4 : at + 4 + length]
            at += 4 + (length + 3 & ~3)

    def _enhanced(self, at: int, length: int) -> Frame:
        if length < 32:
            raise self._fail(at, f"a packet block of {length} bytes; 32 is the least")
        which, high, low, kept, whole = self._head(self._data, at + 8)
        return self._packet(at, at + 28, length - 32, which, high << 32 | low, kept, whole)

    def _old(self, at: int, length: int) -> Frame:
        if length < 32:
            raise self._fail(at, f"an old packet block of {length} bytes; 32 is the least")
        which, _drops, high, low, kept, whole = struct.unpack_from(self._order + "HHIIII", self._data, at + 8)
        return self._packet(at, at + 28, length - 32, which, high << 32 | low, kept, whole)

    def _simple(self, at: int, length: int) -> Frame:
        if length < 16:
            raise self._fail(at, f"a simple packet block of {length} bytes; 16 is the least")
        (whole,) = struct.unpack_from(self._order + "I", self._data, at + 8)
        snaplen = self._interfaces[0].snaplen if self._interfaces else SNAPLEN
        return self._packet(at, at + 12, length - 16, 0, None, min(whole, snaplen, length - 16), whole)

    def _packet(self, at: int, start: int, room: int, which: int, stamp: int | None, kept: int, whole: int) -> Frame:
        if which >= len(self._interfaces):
            raise self._fail(at, f"a packet of interface {which}; {len(self._interfaces)} are described before it")
        if kept > room:
            raise self._fail(at, f"a packet of {kept} bytes in a block with room for {room}")
        card = self._interfaces[which]
        self._number += 1
        time_us = 0 if stamp is None else stamp * 1_000_000 // card.per_second + card.offset_us
        return make_frame(card, self._number, time_us, self._data[start : start + kept], whole)


# -- writing


def write_pcap(path: str | Path, frames: Iterable[Frame]) -> int:
    """Write the frames that have a packet as a pcap file, raw IP, microseconds; returns how many."""
    records = [
        struct.pack("<IIII", *divmod(frame.time_us, 1_000_000), len(frame.data), len(frame.data)) + frame.data
        for frame in frames
        if frame.data is not None
    ]
    head = struct.pack("<IHHiIII", MICRO, 2, 4, 0, 0, SNAPLEN, RAW)
    _write(Path(path), head, records)
    return len(records)


def write_pcapng(path: str | Path, frames: Iterable[Frame]) -> int:
    """Write the frames that have a packet as a pcapng file that keeps their interfaces' names; returns how many.

    Wireshark reads it whole; libpcap (tcpdump) 1.10 stops at the second interface of raw IP, which it takes for another type.
    """
    section = _written(SECTION, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1))
    blocks: list[bytes] = []
    numbers: dict[str | None, int] = {}
    packets = 0
    for frame in frames:
        if frame.data is None:
            continue
        if frame.interface not in numbers:
            numbers[frame.interface] = len(numbers)
            blocks.append(_written(INTERFACE, _interface_body(frame.interface)))
        size = len(frame.data)
        head = struct.pack("<IIIII", numbers[frame.interface], frame.time_us >> 32, frame.time_us & 0xFFFFFFFF, size, size)
        blocks.append(_written(ENHANCED_PACKET, head + frame.data))
        packets += 1
    _write(Path(path), section, blocks)
    return packets


def _interface_body(name: str | None) -> bytes:
    body = struct.pack("<HHI", RAW, 0, SNAPLEN)
    if name is None:
        return body
    text = name.encode()
    return body + struct.pack("<HH", IF_NAME, len(text)) + text + bytes(-len(text) % 4) + bytes(4)


def _written(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _write(path: Path, head: bytes, parts: Iterable[bytes]) -> None:
    try:
        with path.open("wb") as file:
            file.write(head)
            file.writelines(parts)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be written: {error}") from error
