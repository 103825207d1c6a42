"""sshd, the server: for each connection a process that runs the machine's login shell on a terminal whose other end is the connection.

When the connection dies the shell is hung up, and its programs with it, as on Linux. What the shell prints within half a millisecond goes
into one message, as a real sshd reads a pty in chunks.
"""

from __future__ import annotations

import simpy

from sim.apps import ssh_wire as wire
from sim.apps.program import Context, Program, Steps, clock, start
from sim.apps.ssh_stream import Stream, Talk, visible
from sim.apps.tty import Tty, kill
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.machine.timer import Timer
from sim.units import MINUTE, show_address

CHUNK_DELAY = 500  # µs in which output is gathered


def sshd(port: int = 22) -> Program:
    """The program of a server on `port`."""

    def program(context: Context) -> Steps:
        listener = context.machine.tcp.listen(port, program="sshd")
        context.own(listener)
        while True:
            conn = yield listener.accept()
            conn.nodelay = True
            child = Context(context.machine, ["sshd"], tty=None, user="root")
            child.own(conn)
            start(_serve(conn), child)

    return program


def _serve(conn: Connection) -> Program:
    return lambda context: _Session(context, conn).run()


class RemoteTty(Tty):
    """A terminal at the end of a connection (a pty)."""

    def __init__(self, env: simpy.Environment, session: _Session) -> None:
        super().__init__(env)
        self.echo = False  # until the client asks for a terminal (pty-req)
        self._session = session

    def write(self, text: str) -> None:
        """Send `text` to the client, soon."""
        self._session.print(text)

    def receive(self, text: str) -> None:
        """What the client's user typed: lines, and keys among them."""
        line = ""
        for letter in text:
            if letter == "\n":
                self.line(line)
                line = ""
            elif letter in "\x03\x04":
                self.key("^C" if letter == "\x03" else "^D")
            else:
                line += letter


class _Session:
    """One connection, from the server's side."""

    def __init__(self, context: Context, conn: Connection) -> None:
        self.context = context
        self.stream = Stream(conn)
        self.tty = RemoteTty(context.env, self)
        self.user = ""
        self._output = ""
        self._flush = Timer(context.env, self._send_output)

    def run(self) -> Steps:
        """Handshake, shell, goodbye. A connection that dies on the way ends it quietly."""
        try:
            command = yield from self._handshake()
            yield from self._session(command)
        except (SocketError, EOFError):
            return 255
        return 0

    def print(self, text: str) -> None:
        """Gather output; sent half a millisecond after its first character."""
        self._output += text
        if self._flush.at is None:
            self._flush.start(CHUNK_DELAY)

    def _send_output(self) -> None:
        self._flush.stop()
        output, self._output = self._output, ""
        if not output:
            return
        try:
            self.stream.send(_about(output), wire.data(output))
        except SocketError:
            pass  # nobody is there any more; the hang-up is on its way

    def _handshake(self) -> Talk:
        """Up to the start of a shell; gives the command to run, None for an interactive shell."""
        stream, cookie = self.stream, self.context.random().randbytes(16)
        yield from stream.banner()
        stream.conn.send(
            wire.BANNER + wire.pack(wire.key_exchange_init(cookie)), about="SSH version, key exchange init"
        )
        yield from stream.next(wire.KEX_ECDH_INIT)
        reply = wire.Message(
            wire.KEX_ECDH_REPLY, wire.string(cookie * 3) + wire.string(cookie * 2) + wire.string(cookie * 5)
        )
        stream.send("key exchange reply, new keys", reply, wire.Message(wire.NEWKEYS))
        yield from stream.next(wire.SERVICE_REQUEST)
        stream.send("service accepted", wire.Message(wire.SERVICE_ACCEPT, wire.string("ssh-userauth")))
        login = yield from stream.next(wire.USERAUTH_REQUEST)
        self.user = wire.strings(login.body)[0].decode()
        stream.send("login accepted", wire.Message(wire.USERAUTH_SUCCESS))
        yield from stream.next(wire.CHANNEL_OPEN)
        stream.send("channel opened", wire.Message(wire.CHANNEL_CONFIRMATION, bytes(16)))
        return (yield from self._wanted())

    def _wanted(self) -> Talk:
        while True:
            kind, arguments = wire.request_kind((yield from self.stream.next(wire.CHANNEL_REQUEST)))
            if kind == "exec":
                return wire.strings(arguments)[0].decode()
            if kind == "shell":
                self._greet()
                return None
            self.tty.echo = True  # pty-req

    def _greet(self) -> None:
        files, path = self.context.machine.files, f"/var/log/lastlog.{self.user}"
        peer = show_address(self.stream.conn.remote[0])
        last = files.get(path) or f"{clock(self.context.now - 47 * MINUTE)} from {peer}"
        files[path] = f"{clock(self.context.now)} from {peer}"
        self.print(f"Last login: {last}\n")

    def _session(self, command: str | None) -> Talk:
        machine = self.context.machine
        if machine.login is None:
            raise EOFError  # nobody can log in here
        shell = machine.run(machine.login(machine, self.tty, self.user, command))
        try:
            yield from self._carry(shell)
        finally:
            self.tty.interrupt("HUP")
            kill(shell, "HUP")
        self._send_output()
        status = wire.request("exit-status", int(shell.value or 0).to_bytes(4))
        ends = (wire.Message(wire.CHANNEL_EOF, bytes(4)), wire.Message(wire.CHANNEL_CLOSE, bytes(4)))
        self.stream.send("exit status, close", status, *ends)
        yield from self.stream.next(wire.DISCONNECT)

    def _carry(self, shell: simpy.Process) -> Talk:
        """Typed text to the terminal, until the shell ends."""
        while shell.is_alive:
            yield self.stream.heard() | shell
            for message in self.stream.take():
                if message.number == wire.CHANNEL_DATA:
                    self.tty.receive(wire.data_text(message))
                elif message.number == wire.GLOBAL_REQUEST:
                    self.stream.send("alive", wire.Message(wire.REQUEST_FAILURE))
                elif message.number == wire.CHANNEL_EOF:
                    self.tty.key("^D")
                elif message.number in (wire.CHANNEL_CLOSE, wire.DISCONNECT):
                    raise EOFError


def _about(output: str) -> str:
    """The label of a segment: the prompt, or the first line that is printed."""
    lines = output.split("\n")
    if lines[-1].endswith(("$ ", "# ")):
        first = next((line for line in lines[:-1] if line), "")
        return f'PSH "{visible(first)}" and the prompt' if first else "PSH the prompt"
    return f'PSH "{visible(lines[0])}"'
