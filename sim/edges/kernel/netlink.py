"""Netlink for netfilter: build and read messages with struct. Only what the judge asks for; no NLA types, no policies.

Formats: include/uapi/linux/netlink.h and netfilter/nfnetlink.h, Linux 6.18. Headers are in host order, netfilter's attribute
payloads in network order.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Final

HEADER: Final = struct.Struct("=IHHII")
NFGEN: Final = struct.Struct("!BBH")
ATTRIBUTE: Final = struct.Struct("=HH")
BODY: Final = HEADER.size + NFGEN.size

NETLINK_NETFILTER: Final = 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLA_F_NESTED: Final = 0x8000
NLA_TYPE_MASK: Final = 0x3FFF
SO_RCVBUFFORCE: Final = 33
RECEIVE: Final = 1 << 17


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return ATTRIBUTE.pack(len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def message(kind: int, flags: int, family: int, resource: int, body: bytes, sequence: int = 0) -> bytes:
    """A whole nfnetlink message."""
    head = HEADER.pack(BODY + len(body), kind, flags | NLM_F_REQUEST, sequence, 0)
    return head + NFGEN.pack(family, 0, resource) + body


def attributes(data: bytes, start: int = 0, end: int | None = None) -> dict[int, bytes]:
    """The attributes of `data[start:end]` by type; of twins the last."""
    found, end = {}, len(data) if end is None else end
    while start + 4 <= end:
        length, kind = ATTRIBUTE.unpack_from(data, start)
        if length < 4:
            break
        found[kind & NLA_TYPE_MASK] = data[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(type, start, end) of each message in a datagram; `start` is behind the netlink header."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _flags, _sequence, _port = HEADER.unpack_from(data, at)
        if length < HEADER.size:
            break
        yield kind, at + HEADER.size, at + length
        at += (length + 3) & ~3


def connect(receive_buffer: int = 1 << 22) -> socket.socket:
    """A netlink socket for netfilter with room for `receive_buffer` bytes (less where we may not force it)."""
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
    link.bind((0, 0))
    try:
        link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer)
    except PermissionError:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    return link


def failure(data: bytes, start: int) -> OSError | None:
    """The error that an NLMSG_ERROR carries; None when it is the acknowledgement (error 0)."""
    (code,) = struct.unpack_from("=i", data, start)
    return OSError(-code, os.strerror(-code)) if code else None


def talk(link: socket.socket, request: bytes) -> Iterator[bytes]:
    """Send and yield the payload (nfgenmsg first) of every answer until DONE or the acknowledgement. Raises OSError."""
    link.send(request)
    while True:
        data = link.recv(RECEIVE)
        for kind, start, end in messages(data):
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                error = failure(data, start)
                if error:
                    raise error
                return
            yield data[start:end]


def ask_one(link: socket.socket, request: bytes, nothing: Iterable[int | None] = (errno.ENOENT,)) -> bytes | None:
    """Send a question without acknowledgement and return its one answer; None for the errors named in `nothing`."""
    link.send(request)
    data = link.recv(RECEIVE)
    kind = HEADER.unpack_from(data)[1]
    if kind != NLMSG_ERROR:
        return data
    error = failure(data, HEADER.size)
    if error is None or error.errno in nothing:
        return None
    raise error
