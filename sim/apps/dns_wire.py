"""DNS messages as bytes (RFC 1035, RFC 6891): A, AAAA, CNAME, MX, NS, PTR, TXT. Names are written in full; compressed ones are read."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from sim.errors import UsageError

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "ANY": 255}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
STATUS = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
RESPONSE, AUTHORITATIVE, TRUNCATED, RECURSION_DESIRED, RECURSION_AVAILABLE, AUTHENTIC = (
    0x8000,
    0x400,
    0x200,
    0x100,
    0x80,
    0x20,
)
_HEAD = Struct("!HHHHHH")
_QUESTION = Struct("!HH")
_RECORD = Struct("!HHIH")
_OPT = 41
UDP_SIZE = 1232


class Record(NamedTuple):
    """One resource record; `value` as a zone file writes it."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    """A query or an answer. `flags` are the header's bits without the status."""

    id: int
    name: str
    type: str
    flags: int = RECURSION_DESIRED
    status: int = 0
    answers: tuple[Record, ...] = ()
    edns: bool = True
    options: bytes = field(default=b"", compare=False)


def encode_name(name: str) -> bytes:
    """Length-prefixed labels. Raises UsageError for a name that cannot be."""
    labels = [label.encode() for label in name.rstrip(".").split(".")] if name.rstrip(".") else []
    if any(not 0 < len(label) < 64 for label in labels) or sum(map(len, labels)) + len(labels) > 253:
        raise UsageError(f"'{name}' is not a legal name")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    counts = (1, len(message.answers), 0, int(message.edns))
    parts = [_HEAD.pack(message.id, message.flags | message.status, *counts)]
    parts.append(encode_name(message.name) + _QUESTION.pack(TYPES[message.type], 1))
    for record in message.answers:
        value = _encode_value(record)
        parts.append(encode_name(record.name) + _RECORD.pack(TYPES[record.type], 1, record.ttl, len(value)) + value)
    if message.edns:
        parts.append(b"\0" + _RECORD.pack(_OPT, UDP_SIZE, 0, len(message.options)) + message.options)
    return b"".join(parts)


def _encode_value(record: Record) -> bytes:
    if record.type in ("A", "AAAA"):
        return ipaddress.ip_address(record.value).packed
    if record.type == "MX":
        preference, _, host = record.value.partition(" ")
        return int(preference).to_bytes(2) + encode_name(host)
    if record.type == "TXT":
        raw = record.value.encode()
        return b"".join(
            bytes((len(raw[at : at + 255]),)) + raw[at : at + 255] for at in range(0, max(1, len(raw)), 255)
        )
    return encode_name(record.value)


def decode(data: bytes) -> Message | None:
    """The message in `data`, or None when it is none that can be read."""
    try:
        return _decode(data)
    except (IndexError, StructError, ValueError):
        return None


def _decode(data: bytes) -> Message:
    ident, flags, questions, answers, authorities, additional = _HEAD.unpack_from(data)
    if questions != 1:
        raise ValueError("one question is wanted")
    name, at = _read_name(data, 12)
    number, _ = _QUESTION.unpack_from(data, at)
    at += 4
    records: list[Record] = []
    edns = False
    for index in range(answers + authorities + additional):
        record, kind, at = _read_record(data, at)
        edns = edns or kind == _OPT
        if record is not None and index < answers:
            records.append(record)
    return Message(
        ident, name, TYPE_NAMES.get(number, f"TYPE{number}"), flags & 0xFFF0, flags & 15, tuple(records), edns
    )


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    """A name and the offset behind it; pointers are followed, backwards only."""
    labels: list[str] = []
    end = -1
    limit = at
    while size := data[at]:
        if size >= 0xC0:
            target = (size & 0x3F) << 8 | data[at + 1]
            if target >= limit:
                raise ValueError("a pointer must point back")
            end, at, limit = (at + 2 if end < 0 else end), target, target
            continue
        labels.append(data[at + 1 : at + 1 + size].decode())
        at += 1 + size
    return ".".join(labels) + ".", at + 1 if end < 0 else end


def _read_record(data: bytes, at: int) -> tuple[Record | None, int, int]:
    name, at = _read_name(data, at)
    number, _, ttl, size = _RECORD.unpack_from(data, at)
    at += _RECORD.size
    if number == _OPT or number not in TYPE_NAMES:
        return None, number, at + size
    return Record(name, TYPE_NAMES[number], ttl, _read_value(data, at, size, TYPE_NAMES[number])), number, at + size


def _read_value(data: bytes, at: int, size: int, kind: str) -> str:
    raw = data[at : at + size]
    if kind in ("A", "AAAA"):
        return str(ipaddress.ip_address(raw))
    if kind == "MX":
        return f"{int.from_bytes(raw[:2])} {_read_name(data, at + 2)[0]}"
    if kind == "TXT":
        text = b""
        while raw:
            text, raw = text + raw[1 : 1 + raw[0]], raw[1 + raw[0] :]
        return text.decode(errors="replace")
    return _read_name(data, at)[0]
