"""ftp, the client: sessions as a person types them. Its words are tnftp 20210827's, which is Debian's `ftp`.

    ftp [-46aApnv] HOST [PORT]

Where nobody types (`echo ls | ftp -a server`) results alone are shown. `-a` logs in as anonymous, `-A` begins with active data
connections, `-p` does not fall back to them. Options and commands that are right but not built are refused by name. Not in here: a
progress bar, ABOR (^C in the middle of a transfer ends the program).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from sim.apps.ftp_talk import COMPLETE, Doing, Mode, Talk, rate
from sim.apps.names import port_number
from sim.apps.options import getopt
from sim.apps.paths import absolute
from sim.apps.program import Context, Interrupted, Steps
from sim.apps.resolver import lookup
from sim.machine.errors import SocketError
from sim.units import show_address

FLAGS, VALUED = "46AadefginpRtvVx?", "NoPqrsTu"
SIMULATED = "46Aapnv"
USAGE = "usage: ftp [-46AadefginpRtVv] [-N netrc] [-o outfile] [-P port] [[user@]host [port]]\n"
NAMES = (
    "! $ account append ascii bell binary bye case cd cdup chmod close cr debug delete dir disconnect edit epsv epsv4 epsv6 exit "
    "features fget form ftp gate get glob hash help idle image lcd less lpage lpwd ls macdef mdelete mdir mget mkdir mls mlsd mlst "
    "mode modtime more mput mreget msend newer nlist nmap ntrans open page passive pdir pls pmlsd preserve progress prompt proxy "
    "put pwd quit quote rate rcvbuf recv reget remopts rename reset restart rhelp rmdir rstatus runique send sendport set site "
    "size sndbuf status struct sunique system tenex throttle trace type umask unset usage user verbose xferbuf ? "
).split()


def ftp(context: Context) -> Steps:
    """The program. Exit status: 0, 1 when the first connection or a command line failed."""
    options = getopt(context.argv, FLAGS, VALUED)
    refused = next((name for name, _ in options.given if name not in SIMULATED), None)
    if options.problem:
        context.error(f"ftp: {options.problem}\n{USAGE}")
        return 1
    if refused:
        return context.failed(f"ftp: -{refused}: right, but not simulated here", 1)
    given = {name for name, _ in options.given}
    mode = Mode(passive="A" not in given, fallback=not given & {"A", "p"})
    session = _Session(context, mode, given)
    if options.operands and not (yield from session.open(options.operands)):
        return 1
    return (yield from session.prompt())


class _Session:
    """The program at work: `talk` is there while it is connected."""

    def __init__(self, context: Context, mode: Mode, given: set[str]) -> None:
        self.context, self.mode = context, mode
        self.anonymous, self.by_hand = "a" in given, "n" in given
        self.family = 6 if "6" in given else 4 if "4" in given else 0
        self.tell: Callable[[str], None] = context.write if self.interactive or "v" in given else lambda text: None
        self.talk: Talk | None = None
        self.kind = "A"

    @property
    def interactive(self) -> bool:
        """Whether a person types."""
        return self.context.tty is not None and self.context.stdin is self.context.tty

    def ask(self, question: str, *, hidden: bool = False) -> Generator[simpy.Event, Any, str | None]:
        """A line from the person; None at the end of the input."""
        if self.interactive:
            self.context.write(question)
        tty = self.context.tty if hidden and self.interactive else None
        if tty is not None:
            tty.echo = False
        try:
            answer: str | None = yield self.context.stdin.read()
        finally:
            if tty is not None:
                tty.echo = True
                self.context.write("\n")
        return answer

    def prompt(self) -> Steps:
        """Commands until bye or the end of the input. ^C at the prompt begins a new line."""
        while True:
            try:
                line = yield from self.ask("ftp> ")
            except Interrupted as signal:
                if signal.cause != "INT":
                    raise
                self.context.write("\n")
                continue
            words = (line or "").split()
            if line is None and self.interactive:
                self.context.write("\n")
            if line is None or (words and self._name(words[0]) in ("bye", "quit", "exit")):
                yield from self.close([])
                return 0
            if words:
                yield from self._obey(words)

    def _obey(self, words: list[str]) -> Doing:
        name = self._name(words[0])
        if name not in _COMMANDS:
            self.context.write(f"{name}: right, but not simulated here\n" if name in NAMES else f"{name}\n")
            return
        if name not in _UNCONNECTED and self.talk is None:
            self.context.write("Not connected.\n")
            return
        try:
            yield from _COMMANDS[name](self, words[1:])
        except SocketError as error:
            self.talk = None
            gone = "Service not available, remote server has closed connection."
            self.context.write(f"421 {gone}\n" if error.code == "ECONNRESET" else f"ftp: {error.strerror}\n")

    def _name(self, word: str) -> str:
        """The command that `word` is, or begins; else ftp's complaint."""
        fit = [word] if word in NAMES else [name for name in NAMES if name.startswith(word)]
        return fit[0] if len(fit) == 1 else "?Ambiguous command." if fit else "?Invalid command."

    # ---- connecting -----------------------------------------------------------------------------------------------------

    def open(self, words: list[str]) -> Generator[simpy.Event, Any, bool]:
        """Connect, log in, ask what system it is."""
        if self.talk is not None:
            self.context.write(f"Already connected to {self.talk.host}, use close first.\n")
            return False
        words = words or ((yield from self.ask("(to) ")) or "").split()
        port = port_number(words[1] if len(words) > 1 else "ftp")
        if not words or port is None:
            self.context.write("usage: open host-name [port]\n" if not words else f"ftp: Unknown port `{words[1]}'\n")
            return False
        user, _, host = words[0].rpartition("@")
        if not (yield from self._connect(host, port)):
            return False
        return (yield from self._login(user))

    def _connect(self, host: str, port: int) -> Generator[simpy.Event, Any, bool]:
        address, problem = yield from lookup(self.context, host, self.family)
        if address is None:
            self.context.error(f"ftp: Can't lookup `{host}:{port}': {problem}\n")
            return False
        conn = self.context.machine.tcp.connect(address, port, program="ftp")
        self.context.own(conn)
        named = "ftp" if port == 21 else str(port)
        try:
            yield conn.connected
            talk = Talk(self.context, conn, host, self.tell)
            self.tell(f"Connected to {host}.\n")
            if (yield from talk.reply()) != COMPLETE:
                return False
        except SocketError as error:
            self.context.error(f"ftp: Can't connect to `{show_address(address)}:{port}': {error.strerror}\n")
            self.context.error(f"ftp: Can't connect to `{host}:{named}'\n")
            return False
        self.talk = talk
        return True

    def _login(self, user: str) -> Generator[simpy.Event, Any, bool]:
        assert self.talk is not None
        if self.by_hand:
            return True
        user = "anonymous" if self.anonymous else user
        if not user:
            name = yield from self.ask(f"Name ({self.talk.host}:{self.context.user}): ")
            user = name or self.context.user
        yield from self.user([user])
        return True

    def user(self, words: list[str]) -> Doing:
        """user NAME: log in."""
        assert self.talk is not None
        name = words[0] if words else (yield from self.ask("(username) ")) or ""
        code = yield from self.talk.command(f"USER {name}")
        if code == 3:
            password = f"{self.context.user}@" if self.anonymous else (yield from self.ask("Password: ", hidden=True))
            code = yield from self.talk.command(f"PASS {password or ''}")
        if code != COMPLETE:
            self.context.error("ftp: Login failed\n")
            return
        if (yield from self.talk.command("SYST", quiet=True)) == COMPLETE and "UNIX" in self.talk.said:
            self.tell("Remote system type is UNIX.\nUsing binary mode to transfer files.\n")
            self.kind = "I"
        yield from self.talk.command("FEAT", quiet=True)

    def close(self, _: list[str]) -> Doing:
        """close, bye: QUIT."""
        if self.talk is None:
            return
        talk, self.talk = self.talk, None
        try:
            yield from talk.command("QUIT")
        except SocketError:
            pass
        talk.conn.close()

    # ---- files ----------------------------------------------------------------------------------------------------------

    def listing(self, words: list[str], verb: str = "LIST") -> Doing:
        """ls, dir, nlist"""
        assert self.talk is not None
        yield from self.talk.set_type("A")
        data = yield from self.talk.transfer(" ".join([verb, *words[:1]]), self.mode)
        if data is not None:
            raw = yield from self.talk.read_all(data)
            self.context.write(raw.decode(errors="replace").replace("\r\n", "\n"))
            yield from self.talk.reply()

    def get(self, words: list[str]) -> Doing:
        """get REMOTE [LOCAL]"""
        assert self.talk is not None
        talk, words = self.talk, (yield from self._names(words, "(remote-file) ", "(local-file) "))
        if not words:
            self.context.write("usage: get remote-file [local-file]\n")
            return
        remote, local = words[0], words[-1]
        self.tell(f"local: {local} remote: {remote}\n")
        yield from talk.set_type(self.kind)
        yield from talk.command(f"SIZE {remote}", quiet=True)
        data = yield from talk.transfer(f"RETR {remote}", self.mode)
        if data is None:
            return
        begun = self.context.now
        raw = yield from talk.read_all(data)
        self.context.machine.files[absolute(local, self.context.place)] = raw.decode(errors="replace")
        yield from talk.reply()
        self._tell("received", len(raw), begun)
        yield from talk.command(f"MDTM {remote}", quiet=True)

    def put(self, words: list[str]) -> Doing:
        """put LOCAL [REMOTE]"""
        assert self.talk is not None
        talk, words = self.talk, (yield from self._names(words, "(local-file) ", "(remote-file) "))
        if not words:
            self.context.write("usage: put local-file [remote-file]\n")
            return
        local, remote = words[0], words[-1]
        text = self.context.machine.files.get(absolute(local, self.context.place))
        if text is None:
            self.context.error(f"ftp: Can't open `{local}': No such file or directory\n")
            return
        self.tell(f"local: {local} remote: {remote}\n")
        yield from talk.set_type(self.kind)
        data = yield from talk.transfer(f"STOR {remote}", self.mode)
        if data is None:
            return
        begun, raw = self.context.now, text.encode()
        data.send(raw, about=local)
        data.close()
        yield from talk.reply()
        self._tell("sent", len(raw), begun)

    def _names(self, words: list[str], first: str, second: str) -> Generator[simpy.Event, Any, list[str]]:
        if words:
            return words[:2]
        one = yield from self.ask(first)
        other = (yield from self.ask(second)) if one else None
        return [one, other or one] if one else []

    def _tell(self, what: str, size: int, begun: int) -> None:
        self.tell(f"{size} byte{'' if size == 1 else 's'} {what} in {rate(size, self.context.now - begun)}\n")

    def directory(self, _: list[str]) -> Doing:
        """pwd"""
        assert self.talk is not None
        if (yield from self.talk.command("PWD", quiet=True)) == COMPLETE:
            self.context.write(f"Remote directory: {self.talk.said.split(chr(34))[1]}\n")

    def change(self, words: list[str]) -> Doing:
        """cd DIRECTORY"""
        assert self.talk is not None
        where = words[0] if words else (yield from self.ask("(remote-directory) ")) or "/"
        yield from self.talk.command(f"CWD {where}")

    def quote(self, words: list[str]) -> Doing:
        """quote LINE: say it to the server as it is."""
        assert self.talk is not None
        line = " ".join(words) or (yield from self.ask("(command line to send) ")) or ""
        if line:
            yield from self.talk.command(line)

    # ---- settings -------------------------------------------------------------------------------------------------------

    def passive(self, words: list[str]) -> Doing:
        """passive [on|off|auto]"""
        mode, wanted = self.mode, words[0] if words else "off" if self.mode.passive else "auto"
        if wanted not in ("on", "off", "auto"):
            self.context.write("usage: passive [ on | off | auto ]\n")
            return
        mode.passive, mode.fallback = wanted != "off", wanted == "auto"
        said = ["on" if value else "off" for value in (mode.passive, mode.fallback)]
        self.context.write(f"Passive mode: {said[0]}; fallback to active mode: {said[1]}.\n")
        yield from ()

    def extended(self, words: list[str]) -> Doing:
        """epsv4 [on|off]"""
        self.mode.extended = words[0] == "on" if words else not self.mode.extended
        if self.talk is not None:
            self.talk.refused_extended = False
        self.context.write(f"EPSV/EPRT on IPv4 {'on' if self.mode.extended else 'off'}.\n")
        yield from ()

    def set_type(self, kind: str) -> Doing:
        """ascii, binary"""
        assert self.talk is not None
        self.kind = self.talk.kind = kind
        yield from self.talk.command(f"TYPE {kind}")

    def help(self, _: list[str]) -> Doing:
        """help: the commands that are built"""
        self.context.write("Commands may be abbreviated.  Commands are:\n\n")
        self.context.write("".join(f"{name}\n" for name in [*_COMMANDS, "bye", "exit", "quit"]))
        yield from ()


def _opening(session: _Session, words: list[str]) -> Doing:
    yield from session.open(words)


_COMMANDS: dict[str, Callable[[_Session, list[str]], Doing]] = {
    "ascii": lambda session, words: session.set_type("A"),
    "binary": lambda session, words: session.set_type("I"),
    "cd": _Session.change,
    "close": _Session.close,
    "dir": _Session.listing,
    "disconnect": _Session.close,
    "epsv4": _Session.extended,
    "get": _Session.get,
    "help": _Session.help,
    "?": _Session.help,
    "image": lambda session, words: session.set_type("I"),
    "ls": _Session.listing,
    "nlist": lambda session, words: session.listing(words, "NLST"),
    "open": _opening,
    "passive": _Session.passive,
    "put": _Session.put,
    "pwd": _Session.directory,
    "quote": _Session.quote,
    "recv": _Session.get,
    "send": _Session.put,
    "user": _Session.user,
}
_UNCONNECTED = ("epsv4", "help", "?", "open", "passive")
