"""Listener: a port on which a program waits for connections."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import simpy

from sim.trace import SocketChanged
from sim.units import Address

if TYPE_CHECKING:
    from sim.machine.tcp.connection import Connection
    from sim.machine.tcp.stack import TcpStack


class Listener:
    """`accept()` gives connections in the order in which they were established. `address` None: all of the machine's."""

    def __init__(self, stack: TcpStack, port: int, program: str, address: Address | None, backlog: int) -> None:
        self._stack = stack
        self.port, self.program, self.address, self.backlog = port, program, address, backlog
        self.user = stack.ip.acting
        self.id = stack.new_socket_id()
        self.state = "LISTEN"
        self.waiting: deque[Connection] = deque()
        self._accepting: deque[simpy.Event] = deque()
        self._tell()

    def accept(self) -> simpy.Event:
        """An event that brings the next Connection."""
        event = self._stack.env.event()
        self._accepting.append(event)
        self._match()
        return event

    def established(self, conn: Connection) -> None:
        """A handshake is done."""
        self.waiting.append(conn)
        self._match()

    def _match(self) -> None:
        while self.waiting and self._accepting:
            conn = self.waiting.popleft()
            self._accepting.popleft().succeed(conn)

    @property
    def full(self) -> bool:
        """Whether the queue takes no more (sk_acceptq_is_full)."""
        return len(self.waiting) > self.backlog

    def close(self) -> None:
        """Listen no more: what waits in the queue is reset, what is half open forgotten."""
        if self.state == "CLOSED":
            return
        self.state = "CLOSED"
        self._stack.stop_listening(self)
        for conn in self.waiting:
            conn.abort()
        self.waiting.clear()
        self._tell()

    def _tell(self) -> None:
        if self._stack.emit is not None:
            local = f"{self._stack.show_local(self.address)}:{self.port}"
            remote = "[::]:*" if self.address and len(self.address) == 16 else "0.0.0.0:*"
            self._stack.emit(SocketChanged(self.id, "tcp", local, remote, self.state, self.program))
