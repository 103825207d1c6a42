"""An FTP client's side of the conversation: commands and replies, and the data connection, active or passive, as tnftp makes it.

    talk = Talk(context, conn, address);  code = yield from talk.command("PWD");  data = yield from talk.transfer("LIST")

Passive is tried first (EPSV, or PASV with `extended` off); where its connection fails and `fallback` is on, active (EPRT, then PORT).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from sim.apps.ftp_words import eprt, read_epsv, read_six, six
from sim.apps.program import Context
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.machine.tcp.listener import Listener
from sim.units import SECOND, Address, show_address

COMPLETE, PRELIMINARY = 2, 1
Doing = Generator[simpy.Event, Any, Any]


class Talk:
    """One control connection. `kind` is the type last told to the server, A or I; `tell` shows what a person is to see."""

    def __init__(self, context: Context, conn: Connection, host: str, tell: Callable[[str], None]) -> None:
        self.context, self.conn, self.host, self.tell = context, conn, host, tell
        self.kind = "A"
        self.said = ""
        self.refused_extended = False
        self._held = b""

    # ---- commands and replies -------------------------------------------------------------------------------------------

    def command(self, text: str, *, quiet: bool = False) -> Generator[simpy.Event, Any, int]:
        """Send a command and read its reply: the first digit of its code. `self.said` is the reply's last line. Raises SocketError."""
        self.conn.send(f"{text}\r\n".encode(), about="PASS ..." if text.startswith("PASS ") else text)
        return (yield from self.reply(quiet=quiet))

    def reply(self, *, quiet: bool = False) -> Generator[simpy.Event, Any, int]:
        """The next whole reply, printed unless `quiet`. Raises SocketError when the connection is over."""
        while True:
            line = yield from self._line()
            if not quiet:
                self.tell(f"{line}\n")
            if len(line) > 3 and line[:3].isdecimal() and line[3] == " ":
                self.said = line
                return int(line[0])

    def _line(self) -> Generator[simpy.Event, Any, str]:
        while b"\n" not in self._held:
            heard = yield self.conn.recv()
            if not heard:
                raise SocketError("ECONNRESET")
            self._held += heard
        line, _, self._held = self._held.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def set_type(self, kind: str) -> Doing:
        """TYPE, when the server thinks otherwise."""
        if kind != self.kind:
            yield from self.command(f"TYPE {kind}", quiet=True)
            self.kind = kind

    # ---- data connections -----------------------------------------------------------------------------------------------

    def transfer(self, text: str, mode: Mode) -> Generator[simpy.Event, Any, Connection | None]:
        """Agree on a data connection and send the command that uses it; None when it did not come about (that was said)."""
        data: Connection | Listener | None = None
        if mode.passive:
            data = yield from self._passive(mode)
            if data is None and not mode.active_next:
                return None
            mode.active_next = False
        if data is None:
            data = yield from self._active(mode)
        if (yield from self.command(text)) != PRELIMINARY:
            data.close()
            return None
        return (yield from self._taken(data))

    def _taken(self, data: Connection | Listener) -> Generator[simpy.Event, Any, Connection]:
        """The connection itself: ours to the server, or the server's to us."""
        if isinstance(data, Connection):
            return data
        conn: Connection = yield data.accept()
        self.context.own(conn)
        data.close()
        return conn

    def _passive(self, mode: Mode) -> Generator[simpy.Event, Any, Connection | None]:
        goal = yield from self._where(mode)
        if goal is None:
            return None
        conn = self.context.machine.tcp.connect(*goal, program="ftp")
        self.context.own(conn)
        try:
            yield conn.connected
        except SocketError as error:
            self.context.error(f"ftp: Can't connect to `{_show(goal)}': {error.strerror}\n")
            if mode.fallback:
                mode.passive, mode.active_next = False, True
            return None
        return conn

    def _where(self, mode: Mode) -> Generator[simpy.Event, Any, tuple[Address, int] | None]:
        """EPSV, or PASV: where the server listens."""
        server = self.conn.remote[0]
        if (len(server) == 16 or mode.extended) and not self.refused_extended:
            if (yield from self.command("EPSV")) == COMPLETE:
                port = read_epsv(self.said)
                return self._scanned((server, port) if port else None)
            self.refused_extended = True
        if (yield from self.command("PASV")) != COMPLETE:
            self.tell("Passive mode refused.\n")
            return None
        return self._scanned(read_six(self.said))

    def _scanned(self, goal: tuple[Address, int] | None) -> tuple[Address, int] | None:
        if goal is None:
            self.tell("Passive mode address scan failure. Shouldn't happen!\n")
        return goal

    def _active(self, mode: Mode) -> Generator[simpy.Event, Any, Listener]:
        """Listen, and tell the server where, by EPRT or PORT. When it wants neither, the command itself will fail."""
        tcp, address = self.context.machine.tcp, self.conn.local[0]
        listener = tcp.listen(0, program="ftp", address=address)
        self.context.own(listener)
        agreed = 0
        if (len(address) == 16 or mode.extended) and not self.refused_extended:
            agreed = yield from self.command(f"EPRT {eprt(address, listener.port)}")
            self.refused_extended = agreed != COMPLETE
        if agreed != COMPLETE and len(address) == 4:
            yield from self.command(f"PORT {six(address, listener.port)}")
        return listener

    def read_all(self, data: Connection) -> Generator[simpy.Event, Any, bytes]:
        """All that comes on a data connection, which then is closed. Raises SocketError."""
        raw = b""
        while piece := (yield data.recv()):
            raw += piece
        data.close()
        return raw


class Mode:
    """How data connections are made: `passive`, with `fallback` to active; `extended` (EPSV, EPRT) for IPv4 too."""

    def __init__(self, passive: bool, fallback: bool) -> None:
        self.passive, self.fallback, self.extended = passive, fallback, True
        self.active_next = False


def _show(goal: tuple[Address, int]) -> str:
    return f"{show_address(goal[0])}:{goal[1]}"


def rate(size: int, microseconds: int) -> str:
    """'16 bytes received in 00:00 (80.95 KiB/s)' without its first words."""
    seconds = microseconds / SECOND
    speed, unit = size / max(seconds, 0.000001) / 1024, "Ki"
    if speed >= 1000:
        speed, unit = speed / 1024, "Mi"
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d} ({int(speed * 100) / 100:.2f} {unit}B/s)"
