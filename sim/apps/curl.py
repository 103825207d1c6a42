"""curl: fetches a page over HTTP. Output, errors and exit codes are curl 7.88's.

    curl [-v|-s|-S|-i|-I|-f] [-o FILE] [-m SECONDS] [--connect-timeout SECONDS] [-H HEADER] [-4|-6] [http://]HOST[:PORT][/PATH]

Other options and schemes are refused.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from sim.apps.paths import absolute
from sim.apps.program import Context, Steps
from sim.apps.resolver import lookup
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.units import SECOND, show_address

TRY = "curl: try 'curl --help' or 'curl --manual' for more information"
_LONG = {
    "verbose": "v", "silent": "s", "show-error": "S", "include": "i", "head": "I", "output": "o", "max-time": "m", "fail": "f",
    "header": "H", "connect-timeout": "connect-timeout", "ipv4": "4", "ipv6": "6", "request": "X", "user-agent": "A", "data": "d",
    "location": "L", "insecure": "k", "write-out": "w", "remote-name": "O", "user": "u", "proxy": "x", "retry": "retry",
    "interface": "interface",
    "local-port": "local-port", "resolve": "resolve",
}  # fmt: skip
_VALUED = frozenset(
    ("o", "m", "H", "connect-timeout", "X", "A", "d", "w", "u", "x", "retry", "interface", "local-port", "resolve")
)
_KNOWN = frozenset(_LONG.values()) | frozenset("LkgNGTFeEbcCDjJKlnpPqQrRtUVyYzZ")
_SIMULATED = frozenset("vsSiIomfH46") | {"connect-timeout"}
_URL = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://)?(?P<host>\[[^\]]+\]|[^:/?#]+)(?::(?P<port>\d+))?(?P<path>[/?].*)?"
)


class _Curl(Exception):
    """curl gives up: its exit `code` and the words after "curl: (code) "."""

    def __init__(self, code: int, text: str, *details: str) -> None:
        super().__init__(text)
        self.code = code
        self.details = details


class _Url(NamedTuple):
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        return self.host if self.port == 80 else f"{self.host}:{self.port}"


def curl(context: Context) -> Steps:
    """The program. Exit status: curl's code."""
    options: dict[str, str] = {}
    headers: list[str] = []
    urls: list[str] = []
    problem = _parse(context.argv[1:], options, headers, urls)
    if problem:
        return context.failed(f"curl: {problem}\n{TRY}", 2)
    if not urls:
        return context.failed(TRY, 2)
    status = 0
    for url in urls:
        status = yield from _Transfer(context, options, headers).run(url)
    return status


def _parse(words: list[str], options: dict[str, str], headers: list[str], urls: list[str]) -> str:
    """Sort the words into options, headers and urls; gives the complaint about the first that is wrong."""
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            urls.append(word)
            continue
        names = [_LONG.get(word[2:], "")] if word.startswith("--") else list(word[1:])
        while names:
            name = names.pop(0)
            if name not in _KNOWN:
                return f"option {word}: is unknown"
            if name not in _SIMULATED:
                return f"option {word}: right, but not simulated here"
            value = ""
            if name in _VALUED:
                if not names and not words:
                    return f"option {word}: requires parameter"
                value, names = ("".join(names), []) if names else (words.pop(0), [])
            if name in ("m", "connect-timeout") and not re.fullmatch(r"\d+(\.\d+)?", value):
                return f"option {word}: expected a proper numerical parameter"
            options[name] = value
            if name == "H":
                headers.append(value)
    return ""


class _Transfer:
    """One transfer of one url."""

    def __init__(self, context: Context, options: dict[str, str], headers: list[str]) -> None:
        self.context = context
        self.options = options
        self.headers = headers
        self.begun = context.now
        self.conn: Connection | None = None
        self.received = 0

    def run(self, text: str) -> Steps:
        """Fetch and print; gives curl's exit code."""
        try:
            yield from self._fetch(self._url(text))
        except _Curl as error:
            for detail in (*error.details, "Closing connection 0"):
                self._say(f"* {detail}")
            if "s" not in self.options or "S" in self.options:
                self.context.error(f"curl: ({error.code}) {error}\n")
            return error.code
        finally:
            if self.conn is not None:
                self.conn.close()
        return 0

    def _say(self, line: str) -> None:
        if "v" in self.options:
            self.context.error(f"{line}\n")

    def _url(self, text: str) -> _Url:
        match = _URL.fullmatch(text)
        if match is None or int(match["port"] or 80) > 65535:
            raise _Curl(3, "URL using bad/illegal format or missing URL")
        scheme = (match["scheme"] or "http").lower()
        if scheme != "http":
            raise _Curl(1, f'Protocol "{scheme}" not supported or disabled in libcurl')
        path = match["path"] or "/"
        return _Url(match["host"].strip("[]"), int(match["port"] or 80), path if path.startswith("/") else f"/{path}")

    def _fetch(self, url: _Url) -> Generator[simpy.Event, Any, None]:
        address, _ = yield from lookup(self.context, url.host, 6 if "6" in self.options else 4 if "4" in self.options else 0)
        if address is None:
            raise _Curl(6, f"Could not resolve host: {url.host}", f"Could not resolve host: {url.host}")
        shown = show_address(address)
        self._say(f"*   Trying {shown if len(address) == 4 else f'[{shown}]'}:{url.port}...")
        yield from self._connect(address, url)
        self._say(f"* Connected to {url.host} ({shown}) port {url.port} (#0)")
        method = "HEAD" if "I" in self.options else "GET"
        head = [
            f"{method} {url.path} HTTP/1.1",
            f"Host: {url.name}",
            "User-Agent: curl/7.88.1",
            "Accept: */*",
            *self.headers,
        ]
        for line in [*head, ""]:
            self._say(f"> {line}")
        assert self.conn is not None
        self.conn.send("\r\n".join([*head, "", ""]).encode(), about=f"{method} {url.path}")
        yield from self._response(method)
        self._say(f"* Connection #0 to host {url.host} left intact")

    def _connect(self, address: bytes, url: _Url) -> Generator[simpy.Event, Any, None]:
        limit = min(
            (self._seconds(name) for name in ("m", "connect-timeout") if name in self.options), default=300 * SECOND
        )
        self.conn = self.context.machine.tcp.connect(address, url.port, program="curl")
        self.context.own(self.conn)
        try:
            yield from self.context.wait(self.conn.connected, timeout=limit)
        except SocketError as error:
            what = f"Failed to connect to {url.host} port {url.port} after {self._elapsed()} ms: Couldn't connect to server"
            cause = f"connect to {show_address(address)} port {url.port} failed: {error.strerror}"
            if error.strerror == "Network is unreachable" and not self._elapsed():
                cause = f"Immediate connect fail for {show_address(address)}: {error.strerror}"
            raise _Curl(28 if error.strerror == "Connection timed out" else 7, what, cause, what) from error
        if not self.conn.connected.triggered:
            self.conn.abort()
            if "m" in self.options and self._seconds("m") <= limit:
                what = f"Connection timed out after {self._elapsed()} milliseconds"
            else:
                what = (
                    f"Failed to connect to {url.host} port {url.port} after {self._elapsed()} ms: Timeout was reached"
                )
            raise _Curl(28, what, what)

    def _seconds(self, name: str) -> int:
        return round(float(self.options[name]) * SECOND)

    def _elapsed(self) -> int:
        return (self.context.now - self.begun) // 1000

    def _recv(self) -> Generator[simpy.Event, Any, bytes]:
        """The next bytes, b"" at the end; -m ends the waiting."""
        assert self.conn is not None
        heard = self.conn.recv()
        try:
            limit = self.begun + self._seconds("m") - self.context.now if "m" in self.options else None
            yield from self.context.wait(heard, timeout=limit)
        except SocketError as error:
            raise _Curl(56, f"Recv failure: {error.strerror}", f"Recv failure: {error.strerror}") from error
        if not heard.triggered:
            what = f"Operation timed out after {self._elapsed()} milliseconds with {self.received} bytes received"
            raise _Curl(28, what, what)
        return bytes(heard.value or b"")

    def _response(self, method: str) -> Generator[simpy.Event, Any, None]:
        data = b""
        while b"\r\n\r\n" not in data:
            more = yield from self._recv()
            if not more:
                raise _Curl(52, "Empty reply from server", "Empty reply from server")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode(errors="replace").split("\r\n")
        for line in [*lines, ""]:
            self._say(f"< {line}")
        status = int(lines[0].split(" ")[1])
        if "f" in self.options and status >= 400:
            raise _Curl(22, f"The requested URL returned error: {status}")
        if "i" in self.options or "I" in self.options:
            self.context.write("\n".join([*lines, "", ""]))
        yield from self._body(body, _length(lines), method)

    def _body(self, body: bytes, length: int | None, method: str) -> Generator[simpy.Event, Any, None]:
        """Print the body: `length` bytes, or up to the end of the stream."""
        expected = 0 if method == "HEAD" else length
        while expected is None or len(body) < expected:
            self.received = len(body)
            more = yield from self._recv()
            if not more:
                break
            body += more
        self._print(body.decode(errors="replace"))
        if expected is not None and len(body) < expected:
            what = f"transfer closed with {expected - len(body)} bytes remaining to read"
            raise _Curl(18, what, what)

    def _print(self, text: str) -> None:
        name = self.options.get("o")
        if name is None or name == "-":
            self.context.write(text)
        else:
            self.context.machine.files[absolute(name, self.context.user)] = text


def _length(lines: list[str]) -> int | None:
    """Content-Length, None where the end of the stream ends the body."""
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdecimal():
            return int(value)
    return None
