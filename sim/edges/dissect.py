"""A packet's inside, layer by layer and field by field, each tied to its bytes: for the inspector. By scapy, which knows the formats.

scapy is loaded at the first call (a fifth of a second). It reads and names; what a packet means to the firewall is conntrack's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its value in words, and where it stands: `start` and `size` in bits from the packet's first."""

    name: str
    value: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One header (or the payload): its name, where it stands in bytes, its fields."""

    name: str
    start: int
    size: int
    fields: tuple[Field, ...]


@cache
def _scapy() -> Any:
    """scapy's IP layers, with DNS. ICMP errors carry packets, which inet dissects too."""
    import scapy.layers.dns
    import scapy.layers.inet
    import scapy.layers.inet6

    return scapy.layers


def dissect(data: bytes) -> tuple[Layer, ...]:
    """The layers of the IP packet `data`, outermost first. Bytes that are no IP packet come back as one layer "Raw"."""
    if not data or data[0] >> 4 not in (4, 6):
        return (_raw(data, 0),) if data else ()
    layers = _scapy()
    packet = layers.inet.IP(data) if data[0] >> 4 == 4 else layers.inet6.IPv6(data)
    return tuple(_layers(packet, data))


def as_json(data: bytes) -> list[dict[str, Any]]:
    """`dissect` as plain lists and dicts."""
    return [asdict(layer) for layer in dissect(data)]


def _layers(packet: Any, data: bytes) -> Iterator[Layer]:
    start = 0
    layer = packet
    while layer is not None and type(layer).__name__ != "NoPayload":
        end = len(data) - len(layer.payload.original or b"") if layer.payload else len(data)
        name = type(layer).__name__
        if name in ("Raw", "Padding"):
            yield _raw(data[start:], start)
            return
        yield Layer(_title(layer), start, end - start, tuple(_fields(layer, start * 8, end * 8)))
        start, layer = end, layer.payload


def _title(layer: Any) -> str:
    name = str(layer.name)
    return "the packet it is about: " + name.removesuffix(" in ICMP") if name.endswith(" in ICMP") else name


def _raw(data: bytes, start: int) -> Layer:
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[:MAX_TEXT])
    return Layer("Data", start, len(data), (Field("bytes", text, start * 8, len(data) * 8),))


def _fields(layer: Any, start: int, end: int) -> Iterator[Field]:
    at = start
    for field in layer.fields_desc:
        value = layer.getfieldval(field.name)
        size = _size(field, layer, value)
        if size <= 0 or at >= end:
            continue
        size = min(size, end - at)
        yield Field(str(field.name), _said(field, layer, value)[:MAX_TEXT], at, size)
        at += size


RECORD = ("qname", "qtype", "rrname", "type", "rdata")  # what one wants to read of a DNS record


def _said(field: Any, layer: Any, value: Any) -> str:
    """The value in words; of DNS records name, type and what they say."""
    records = value if isinstance(value, list) and value and all(hasattr(one, "fields_desc") for one in value) else ()
    if not records:
        return str(field.i2repr(layer, value))
    return "; ".join(" ".join(_told(one, name) for name in RECORD if one.fieldtype.get(name) and one.getfieldval(name)) for one in records)


def _told(record: Any, name: str) -> str:
    value = record.getfieldval(name)
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(record.fieldtype[name].i2repr(record, value))


def _size(field: Any, layer: Any, value: Any) -> int:
    """The field's size in bits; 0 for one that is absent in this packet."""
    inner = getattr(field, "fld", field)
    if inner is not field and hasattr(field, "_evalcond") and not field._evalcond(layer):
        return 0
    bits = getattr(inner, "size", None)
    if isinstance(bits, int) and type(inner).__name__ in ("BitField", "FlagsField", "BitEnumField"):
        return bits
    try:
        return len(inner.addfield(layer, b"", value)) * 8
    except Exception:  # scapy's own fields may fail to rebuild what they could read: then the bytes stay unnamed
        return 0
