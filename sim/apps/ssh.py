"""ssh, the client: an interactive shell on another machine, or one command there, over the simulated TCP.

    ssh [-p PORT] [-l USER] [-t] [-o ConnectTimeout=N] [-o ServerAliveInterval=N] [-o ServerAliveCountMax=N] [USER@]HOST [COMMAND]

Each line typed is one message in one segment; what the far side prints comes back as messages. When it does not answer, the terminal
hangs, as a real one does, until TCP gives up. `~.` at the start of a line closes the connection from this side. Authentication is by a
key that everybody has. Texts are OpenSSH 9.2's. Forwarding, jump hosts and the like are refused.
"""

from __future__ import annotations

import simpy

from sim.apps import ssh_wire as wire
from sim.apps.options import Parsed, getopt
from sim.apps.program import Context, Steps
from sim.apps.resolver import lookup
from sim.apps.ssh_stream import Stream, Talk, visible
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.units import SECOND, show_address

FLAGS, VALUED = "46AaCfGgKkMNnqsTtVvXxYy", "BbcDEeFIiJLlmOoPpQRSWw"
SIMULATED = "46Cqltop"
USAGE = """usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]
           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]
           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]
           [-i identity_file] [-J [user@]host[:port]] [-L address]
           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]
           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]
           [-w local_tun[:remote_tun]] destination [command [argument ...]]
"""
ESCAPE = "~.\n"
SETTINGS = ("connecttimeout", "serveraliveinterval", "serveralivecountmax")


def ssh(context: Context) -> Steps:
    """The program. Exit status: the far command's, or 255."""
    options = getopt(context.argv, FLAGS, VALUED, mixed=False)
    refusal = _refusal(options)
    if refusal is not None:
        context.error(refusal)
        return 0 if options.has("V") else 255
    user, _, host = options.operands[0].rpartition("@")
    user = options.value("l") or user or context.user
    port = int(options.value("p", "22"))
    address, problem = yield from lookup(context, host, 6 if options.has("6") else 4 if options.has("4") else 0)
    if address is None:
        return context.failed(f"ssh: Could not resolve hostname {host}: {problem}", 255)
    conn = context.machine.tcp.connect(address, port, program="ssh")
    conn.nodelay = True
    context.own(conn)
    begun, patience = context.now, _setting(options, "connecttimeout") * SECOND
    try:
        yield from _connected(context, conn, patience)
    except SocketError as error:
        return context.failed(f"ssh: connect to host {host} port {port}: {error.strerror}", 255)
    client = _Client(context, conn, user, host, options)
    client.banner_patience = max(0, begun + patience - context.now) if patience else None
    return (yield from client.run(f"{show_address(address)} port {port}"))


def _refusal(options: Parsed) -> str | None:
    """What is wrong with the command line, as ssh says it; None when nothing is."""
    if options.problem:
        return options.problem.replace("invalid option", "unknown option").replace("'", "") + "\n" + USAGE
    if options.has("V"):
        return f"{wire.VERSION}, OpenSSL 3.0.11 19 Sep 2023\n"
    for name, value in options.given:
        if name not in SIMULATED or (name == "o" and value.lower().partition("=")[0] not in SETTINGS):
            return f"ssh: -{name} {value}".rstrip() + ": right, but not simulated here\n"
        if name == "o" and not value.partition("=")[2].isdecimal():
            return f"command-line line 0: {'integer value invalid' if 'max' in value.lower() else 'invalid time value'}.\n"
        if name == "p" and not (value.isdecimal() and 1 <= int(value) <= 65535):
            return f"Bad port '{value}'\n"
    return None if options.operands else USAGE


def _setting(options: Parsed, wanted: str, default: int = 0) -> int:
    """The number that -o gives to `wanted` first, as ssh takes it."""
    for name, value in options.given:
        key, _, text = value.partition("=")
        if name == "o" and key.lower() == wanted:
            return int(text)
    return default


def _connected(context: Context, conn: Connection, timeout: int) -> Talk:
    yield from context.wait(conn.connected, timeout=timeout or None)
    if not conn.connected.triggered:
        conn.abort()
        raise SocketError("ETIMEDOUT")


class _Client:
    """One session, from the client's side."""

    def __init__(self, context: Context, conn: Connection, user: str, host: str, options: Parsed) -> None:
        self.context = context
        self.stream = Stream(conn)
        self.user = user
        self.host = host
        self.command = " ".join(options.operands[1:])
        self.pty = context.tty is not None and (not self.command or options.has("t"))
        self.interval = _setting(options, "serveraliveinterval") * SECOND
        self.patience = _setting(options, "serveralivecountmax", 3)
        self.banner_patience: int | None = None  # µs: what ConnectTimeout leaves for the other side's version line

    def run(self, peer: str) -> Steps:
        """Handshake, then the session."""
        try:
            yield from self._handshake()
        except TimeoutError:
            self.context.error("Connection timed out during banner exchange\n")
            return self.context.failed(f"Connection to {peer} timed out", 255)
        except SocketError as error:
            self.context.error(f"kex_exchange_identification: read: {error.strerror}\n")
            return self.context.failed(f"{error.strerror} by {peer}", 255)
        except EOFError:
            self.context.error("kex_exchange_identification: Connection closed by remote host\n")
            return self.context.failed(f"Connection closed by {peer}", 255)
        return (yield from self._session())

    def _handshake(self) -> Talk:
        stream, cookie = self.stream, self.context.random().randbytes(16)
        stream.conn.send(wire.BANNER, about="SSH version")
        yield from self._hear_banner()
        yield from stream.next(wire.KEXINIT)
        stream.send(
            "key exchange init, ECDH",
            wire.key_exchange_init(cookie),
            wire.Message(wire.KEX_ECDH_INIT, wire.string(cookie * 2)),
        )
        yield from stream.next(wire.NEWKEYS)
        service = wire.Message(wire.SERVICE_REQUEST, wire.string("ssh-userauth"))
        stream.send("new keys, service request", wire.Message(wire.NEWKEYS), service)
        yield from stream.next(wire.SERVICE_ACCEPT)
        stream.send(f"login as {self.user}", _public_key(self.user, cookie))
        yield from stream.next(wire.USERAUTH_SUCCESS)
        stream.send("open a channel", wire.Message(wire.CHANNEL_OPEN, wire.string("session") + bytes(12)))
        yield from stream.next(wire.CHANNEL_CONFIRMATION)
        terminal = (wire.request("pty-req", wire.string("xterm-256color")),) if self.pty else ()
        wanted = wire.request("exec", wire.string(self.command)) if self.command else wire.request("shell")
        stream.send(f"run {visible(self.command)}" if self.command else "start a shell", *terminal, wanted)

    def _hear_banner(self) -> Talk:
        """ConnectTimeout is for the connection and for the first word on it; the key exchange may take its time (OpenSSH 9.2)."""
        heard = self.stream.heard()
        yield from self.context.wait(heard, timeout=self.banner_patience)
        if not heard.triggered:
            raise TimeoutError

    def _session(self) -> Steps:
        tty = self.context.tty
        if tty is not None and self.pty:
            tty.to_raw()
            tty.show("running", "ssh", f"{self.user}@{self.host}")
        try:
            return (yield from self._carry())
        except SocketError:
            return self.context.failed("client_loop: send disconnect: Broken pipe", 255)
        except EOFError:
            self.context.error(f"Connection to {self.host} closed by remote host.\n")
            return self.context.failed(f"Connection to {self.host} closed.", 255)
        finally:
            if tty is not None and self.pty:
                tty.raw = False

    def _carry(self) -> Steps:
        """Typed text out, printed text in, until the far side closes the channel."""
        typed: simpy.Event | None = self.context.stdin.read()
        status, stream, unanswered = 0, self.stream, 0
        while True:
            heard = stream.heard()
            yield from self.context.wait(heard, typed, timeout=self.interval or None)
            unanswered = 0 if heard.triggered else unanswered + (typed is None or not typed.triggered)
            if unanswered > self.patience:
                return self.context.failed(f"Timeout, server {self.host} not responding.", 255)
            if unanswered and not (typed is not None and typed.triggered):
                stream.send("keepalive", wire.keepalive())
            for message in stream.take():
                if message.number == wire.CHANNEL_CLOSE:
                    return self._goodbye(status)
                status = self._act(message, status)
            if typed is not None and typed.triggered:
                if typed.value == ESCAPE and self.pty:
                    return self._hang_up()
                typed = self._typed(typed.value)

    def _typed(self, text: str | None) -> simpy.Event | None:
        if text is None:
            self.stream.send("end of input", wire.Message(wire.CHANNEL_EOF, bytes(4)))
            return None
        line = text if self.pty else f"{text}\n"
        self.stream.send(f'PSH "{visible(line)}"', wire.data(line))
        return self.context.stdin.read()

    def _act(self, message: wire.Message, status: int) -> int:
        """Act on one message; gives the exit status known so far."""
        if message.number == wire.CHANNEL_DATA:
            self.context.write(wire.data_text(message))
        elif message.number == wire.CHANNEL_EXTENDED_DATA:
            self.context.error(wire.strings(message.body[8:])[0].decode())
        elif message.number == wire.CHANNEL_REQUEST and wire.request_kind(message)[0] == "exit-status":
            return int.from_bytes(wire.request_kind(message)[1])
        return status

    def _goodbye(self, status: int) -> int:
        self.stream.send(
            "close, disconnect", wire.Message(wire.CHANNEL_CLOSE, bytes(4)), wire.Message(wire.DISCONNECT, bytes(12))
        )
        if self.pty:
            self.context.error(f"Connection to {self.host} closed.\n")
        return status

    def _hang_up(self) -> int:
        self.stream.send("disconnect", wire.Message(wire.DISCONNECT, bytes(12)))
        return self.context.failed(f"Connection to {self.host} closed.", 255)


def _public_key(user: str, cookie: bytes) -> wire.Message:
    parts = (user, "ssh-connection", "publickey", "ssh-ed25519", cookie * 2, cookie * 4)
    return wire.Message(wire.USERAUTH_REQUEST, b"".join(wire.string(part) for part in parts))
