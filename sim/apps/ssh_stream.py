"""A stream of SSH messages over a connection: what client and server have in common."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from sim.apps import ssh_wire as wire
from sim.machine.tcp.connection import Connection

Talk = Generator[simpy.Event, Any, Any]


class Stream:
    """Messages out with their label, messages in as they are whole. Raises SocketError when TCP gives up, EOFError at the stream's end."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.reader = wire.Reader()
        self._inbox: list[wire.Message] = []
        self._heard: simpy.Event | None = None

    def send(self, about: str, *messages: wire.Message) -> None:
        """Send messages together; `about` is the label of the segment in the trace."""
        self.conn.send(b"".join(wire.pack(message) for message in messages), about=about)

    def heard(self) -> simpy.Event:
        """The one event that comes with the next bytes."""
        if self._heard is None:
            self._heard = self.conn.recv()
        return self._heard

    def take(self) -> list[wire.Message]:
        """The messages that have come by now."""
        if self._heard is not None and self._heard.triggered:
            received, self._heard = self._heard.value, None
            if not received:
                raise EOFError
            self._inbox += self.reader.feed(received)
        found, self._inbox = self._inbox, []
        return found

    def banner(self) -> Talk:
        """Wait for the other side's version line."""
        while not self.reader.banner:
            yield self.heard()
            self._inbox = self.take()

    def next(self, number: int) -> Talk:
        """Wait for a message of this number; others before it are passed over."""
        while True:
            found = self.take()
            for index, message in enumerate(found):
                if message.number == number:
                    self._inbox = found[index + 1 :]
                    return message
            yield self.heard()


def visible(text: str) -> str:
    """Text for a label: without the newline, keys as ^C and ^D, the first 40 characters."""
    shown = text.rstrip("\n").replace("\x03", "^C").replace("\x04", "^D").replace("\n", "⏎")
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
