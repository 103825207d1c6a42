"""An FTP server with real control and data connections, active and passive. What it says is what vsftpd 3.0.3 says.

    services: [{ftp: {port: 21, files: {readme.txt: "hello\\n"}, timeout: 10s, idle: 5m}}]

One directory; anybody may log in, with any password, read and upload. As vsftpd it opens active data connections from port 20, and
only towards who asks (a PORT with another address is refused: that of a client behind NAT, when nobody rewrote it).
Not in here: TLS, resuming (REST), renaming, directories.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from random import Random
from typing import Any

import simpy

from sim.apps.ftp_words import read_eprt, read_port, six
from sim.apps.program import Context, Program, Steps, clock, start
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.machine.tcp.listener import Listener
from sim.units import MINUTE, Address

FEATURES = "211-Features:", " EPRT", " EPSV", " PASV", " SIZE", "211 End"
_Doing = Generator[simpy.Event, Any, None]


def ftpd(port: int, files: Mapping[str, str], timeout: int = MINUTE, idle: int = 5 * MINUTE) -> Program:
    """The program of a server on `port` with `files` by name; uploads are kept while it runs.

    `timeout`: how long (µs) it waits for a data connection, vsftpd's accept_timeout and connect_timeout; `idle`: for the next command
    (idle_session_timeout), 0: for ever.
    """

    def program(context: Context) -> Steps:
        listener = context.machine.tcp.listen(port, program="vsftpd")
        context.own(listener)
        kept = dict(files)
        while True:
            conn = yield listener.accept()
            child = Context(context.machine, ["vsftpd"], tty=None, user="root")
            child.own(conn)
            start(lambda context, conn=conn: _Session(context, conn, kept, (port - 1, timeout, idle)).run(), child)  # type: ignore[misc]

    return program


class _Session:
    """One control connection. `goal` is where the last PORT or EPRT pointed, `passive` what listens since the last PASV or EPSV."""

    def __init__(self, context: Context, conn: Connection, files: dict[str, str], given: tuple[int, int, int]) -> None:
        self.context, self.conn, self.files = context, conn, files
        self.data_port, self.patience, self.idle = given
        self.random: Random = context.random()
        self.user = ""
        self.logged_in = False
        self.goal: tuple[Address, int] | None = None
        self.passive: Listener | None = None

    def run(self) -> Steps:
        """Talk until QUIT, silence or the end of the connection."""
        try:
            self.say("220 (vsFTPd 3.0.3)")
            while (line := (yield from self._line())) is not None:
                verb, _, rest = line.partition(" ")
                if verb.upper() == "QUIT":
                    self.say("221 Goodbye.")
                    return 0
                yield from self._obey(verb.upper(), rest)
        except SocketError:
            return 1
        return 0

    def say(self, *lines: str) -> None:
        """Send a reply; its first line names it."""
        self.conn.send("".join(f"{line}\r\n" for line in lines).encode(), about=lines[0])

    def _line(self) -> Generator[simpy.Event, Any, str | None]:
        """The next command; None at the end, or after too long a silence."""
        text = b""
        while not text.endswith(b"\n"):
            heard = self.conn.recv()
            yield from self.context.wait(heard, timeout=self.idle or None)
            if not heard.triggered:
                self.say("421 Timeout.")
                return None
            if not heard.value:
                return None
            text += heard.value
        return text.decode(errors="replace").split("\n")[0].rstrip("\r")

    def _obey(self, verb: str, rest: str) -> _Doing:
        plain = _ANYBODY.get(verb) or (_MEMBERS.get(verb) if self.logged_in else None)
        if plain is not None:
            plain(self, rest)
        elif not self.logged_in:
            self.say("530 Please login with USER and PASS.")
        elif verb in _TRANSFERS:
            yield from _TRANSFERS[verb](self, rest)
        else:
            self.say("500 Unknown command.")

    # ---- logging in, and what needs no data connection ------------------------------------------------------------------

    def take_user(self, name: str) -> None:
        self.user = name
        self.say("331 Please specify the password.")

    def take_password(self, _: str) -> None:
        self.logged_in = bool(self.user)
        self.say("230 Login successful." if self.logged_in else "503 Login with USER first.")

    def change_directory(self, path: str) -> None:
        ok = path in ("/", ".", "..")
        self.say("250 Directory successfully changed." if ok else "550 Failed to change directory.")

    def set_type(self, letter: str) -> None:
        mode = {"A": "ASCII", "I": "Binary"}.get(letter.upper()[:1])
        self.say(f"200 Switching to {mode} mode." if mode else "500 Unrecognised TYPE command.")

    def tell_size(self, name: str) -> None:
        held = self._file(name)
        self.say("550 Could not get file size." if held is None else f"213 {len(held.encode())}")

    def tell_time(self, name: str) -> None:
        known = self._file(name) is not None
        self.say(f"213 {clock(0, '%Y%m%d%H%M%S')}" if known else "550 Could not get file modification time.")

    def _file(self, name: str) -> str | None:
        return self.files.get(name.removeprefix("/"))

    # ---- where data goes ------------------------------------------------------------------------------------------------

    def listen(self, extended: bool) -> None:
        """PASV, EPSV: listen on a port of our choice, and tell it."""
        self.forget_data()
        address = self.conn.local[0]
        if not extended and len(address) != 4:
            self.say("425 PASV not available on IPv6; use EPSV.")
            return
        port = self.random.randrange(1024, 65536)
        self.passive = self.context.machine.tcp.listen(port, program="vsftpd")
        self.context.own(self.passive)
        if extended:
            self.say(f"229 Entering Extended Passive Mode (|||{port}|)")
        else:
            self.say(f"227 Entering Passive Mode ({six(address, port)}).")

    def take_goal(self, verb: str, goal: tuple[Address, int] | None, instead: str) -> None:
        """PORT, EPRT: where to connect to. Only to who asks, and not to a low port."""
        self.forget_data()
        if goal is None or goal[0] != self.conn.remote[0] or goal[1] < 1024:
            self.say(f"500 Illegal {verb} command.")
            return
        self.goal = goal
        self.say(f"200 {verb} command successful. Consider using {instead}.")

    def forget_data(self) -> None:
        """What was agreed for the last transfer holds no more."""
        if self.passive is not None:
            self.passive.close()
        self.passive = self.goal = None

    def _data(self, announced: str) -> Generator[simpy.Event, Any, Connection | None]:
        """The data connection, once it stands, and `announced` is said; None when it does not come about, which is said too."""
        if self.passive is None and self.goal is None:
            self.say("425 Use PORT or PASV first.")
            return None
        data = yield from (self._accept(self.passive) if self.passive is not None else self._connect())
        if data is None:
            self.say("425 Failed to establish connection.")
        elif data.remote[0] != self.conn.remote[0]:
            data.abort()
            self.say("425 Security: Bad IP connecting.")
            data = None
        else:
            self.context.own(data)
            self.say(f"150 {announced}")
        self.forget_data()
        return data

    def _accept(self, listener: Listener) -> Generator[simpy.Event, Any, Connection | None]:
        come = listener.accept()
        yield from self.context.wait(come, timeout=self.patience)
        return come.value if come.triggered else None

    def _connect(self) -> Generator[simpy.Event, Any, Connection | None]:
        assert self.goal is not None
        try:
            data = self.context.machine.tcp.connect(*self.goal, sport=self.data_port, program="vsftpd")
            yield from self.context.wait(data.connected, timeout=self.patience)
        except SocketError:
            return None
        if data.connected.triggered:
            return data
        data.abort()
        return None

    # ---- transfers ------------------------------------------------------------------------------------------------------

    def list_files(self, _: str, *, long: bool = True) -> _Doing:
        data = yield from self._data("Here comes the directory listing.")
        if data is None:
            return
        day = clock(0, "%b %e %H:%M")
        rows = [
            f"-rw-r--r--    1 0        0        {len(text.encode()):8} {day} {name}" if long else name
            for name, text in sorted(self.files.items())
        ]
        data.send("".join(f"{row}\r\n" for row in rows).encode(), about="the listing")
        data.close()
        self.say("226 Directory send OK.")

    def send_file(self, name: str) -> _Doing:
        held = self._file(name)
        if held is None:
            self.forget_data()
            self.say("550 Failed to open file.")
            return
        raw = held.encode()
        data = yield from self._data(f"Opening BINARY mode data connection for {name} ({len(raw)} bytes).")
        if data is not None:
            data.send(raw, about=name)
            data.close()
            self.say("226 Transfer complete.")

    def take_file(self, name: str) -> _Doing:
        data = yield from self._data("Ok to send data.")
        if data is None:
            return
        raw = b""
        while piece := (yield data.recv()):
            raw += piece
        data.close()
        self.files[name.removeprefix("/")] = raw.decode(errors="replace")
        self.say("226 Transfer complete.")


_ANYBODY: dict[str, Callable[[_Session, str], None]] = {
    "USER": _Session.take_user,
    "PASS": _Session.take_password,
    "FEAT": lambda session, _: session.say(*FEATURES),
}
_MEMBERS: dict[str, Callable[[_Session, str], None]] = {
    "SYST": lambda session, _: session.say("215 UNIX Type: L8"),
    "NOOP": lambda session, _: session.say("200 NOOP ok."),
    "PWD": lambda session, _: session.say('257 "/" is the current directory'),
    "CWD": _Session.change_directory,
    "TYPE": _Session.set_type,
    "SIZE": _Session.tell_size,
    "MDTM": _Session.tell_time,
    "PASV": lambda session, _: session.listen(extended=False),
    "EPSV": lambda session, _: session.listen(extended=True),
    "PORT": lambda session, rest: session.take_goal("PORT", read_port(rest), "PASV"),
    "EPRT": lambda session, rest: session.take_goal("EPRT", read_eprt(rest), "EPSV"),
}
_TRANSFERS: dict[str, Callable[[_Session, str], _Doing]] = {
    "LIST": lambda session, rest: session.list_files(rest),
    "NLST": lambda session, rest: session.list_files(rest, long=False),
    "RETR": _Session.send_file,
    "STOR": _Session.take_file,
}
