"""SSH's messages on the wire: RFC 4253 (transport), 4252 (authentication), 4254 (connection), as far as one session needs them.

The numbers, the framing and the order are SSH's, the sizes are close to OpenSSH 9.2's. Nothing is encrypted and nothing is signed: in this
lab everybody may read along, and that is the point of it.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

VERSION = "OpenSSH_9.2p1 Debian-2+deb12u3"
BANNER = f"SSH-2.0-{VERSION}\r\n".encode()

DISCONNECT, SERVICE_REQUEST, SERVICE_ACCEPT, KEXINIT, NEWKEYS, KEX_ECDH_INIT, KEX_ECDH_REPLY = 1, 5, 6, 20, 21, 30, 31
USERAUTH_REQUEST, USERAUTH_SUCCESS, CHANNEL_OPEN, CHANNEL_CONFIRMATION = 50, 52, 90, 91
CHANNEL_DATA, CHANNEL_EXTENDED_DATA, CHANNEL_EOF, CHANNEL_CLOSE, CHANNEL_REQUEST, CHANNEL_SUCCESS = (
    94,
    95,
    96,
    97,
    98,
    99,
)
GLOBAL_REQUEST, REQUEST_FAILURE = 80, 82

_HEAD = Struct("!IBB")
_LENGTH = Struct("!I")
_ALGORITHMS = (
    b"curve25519-sha256", b"ssh-ed25519", b"aes128-gcm@openssh.com", b"aes128-gcm@openssh.com", b"hmac-sha2-256", b"hmac-sha2-256",
    b"none", b"none", b"", b"",
)  # fmt: skip


class Message(NamedTuple):
    """One message: its number and what follows it."""

    number: int
    body: bytes = b""


def string(data: bytes | str) -> bytes:
    """An SSH string: its length, then its bytes (RFC 4251 section 5)."""
    raw = data.encode() if isinstance(data, str) else data
    return _LENGTH.pack(len(raw)) + raw


def strings(body: bytes) -> list[bytes]:
    """All the strings that `body` is made of; a cut-off last one is left out."""
    found, at = [], 0
    while at + 4 <= len(body):
        size = _LENGTH.unpack_from(body, at)[0]
        if at + 4 + size > len(body):
            break
        found.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def pack(message: Message) -> bytes:
    """The binary packet (RFC 4253 section 6): length, padding length, number, body, padding up to a multiple of 8."""
    padding = 8 - (6 + len(message.body)) % 8
    padding += 8 if padding < 4 else 0
    return _HEAD.pack(2 + len(message.body) + padding, padding, message.number) + message.body + bytes(padding)


def key_exchange_init(cookie: bytes) -> Message:
    """KEXINIT: a 16-byte cookie and ten lists of algorithms (RFC 4253 section 7.1)."""
    return Message(KEXINIT, cookie + b"".join(string(name) for name in _ALGORITHMS) + b"\0\0\0\0\0")


def data(text: str) -> Message:
    """What is typed, or printed, on channel 0."""
    return Message(CHANNEL_DATA, _LENGTH.pack(0) + string(text))


def request(kind: str, *arguments: bytes) -> Message:
    """A CHANNEL_REQUEST on channel 0: "pty-req", "shell", "exec", "exit-status"."""
    return Message(CHANNEL_REQUEST, _LENGTH.pack(0) + string(kind) + b"\1" + b"".join(arguments))


def request_kind(message: Message) -> tuple[str, bytes]:
    """(kind, arguments) of a CHANNEL_REQUEST."""
    kind = strings(message.body[4:])[0]
    return kind.decode(), message.body[4 + 4 + len(kind) + 1 :]


def data_text(message: Message) -> str:
    """The text of a CHANNEL_DATA message."""
    return strings(message.body[4:])[0].decode()


def keepalive() -> Message:
    """What asks whether the other side is there: a request that wants a reply, whichever (OpenSSH's ServerAliveInterval)."""
    return Message(GLOBAL_REQUEST, string("keepalive@openssh.com") + b"\1")


class Reader:
    """Puts messages together from the bytes of the stream."""

    def __init__(self) -> None:
        self.banner = ""
        self._rest = b""

    def feed(self, received: bytes) -> list[Message]:
        """The messages that are whole now; the other side's version line goes to `banner`."""
        self._rest += received
        if not self.banner and b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            self.banner = line.decode(errors="replace").rstrip("\r")
        found = []
        while self.banner and (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> Message | None:
        if len(self._rest) < 6:
            return None
        size, padding, number = _HEAD.unpack_from(self._rest)
        if len(self._rest) < 4 + size:
            return None
        body, self._rest = self._rest[6 : 4 + size - padding], self._rest[4 + size :]
        return Message(number, body)
