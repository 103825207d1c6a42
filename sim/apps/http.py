"""A web server: small pages over HTTP/1.1, one request a connection at a time. Options: port, pages, size, delay, idle.

    services: [{http: {port: 80, delay: 2s, pages: {/: "hello\\n"}, size: 3000}}]

Not in here: TLS, methods but GET and HEAD.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

import simpy

from sim.apps.program import Context, Program, Steps, clock, start
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection

SERVER = "nginx/1.22.1"
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Not Allowed"}


class Site(NamedTuple):
    """What a web server serves: `pages` by path (else a default at "/"), padded to `size` bytes, each after `delay` µs.

    `idle`: after so many µs without a request it closes the connection (nginx's keepalive_timeout); 0: never.
    """

    pages: Mapping[str, str]
    size: int = 0
    delay: int = 0
    idle: int = 0


def httpd(port: int, site: Site) -> Program:
    """The program of a web server on `port`."""

    def program(context: Context) -> Steps:
        listener = context.machine.tcp.listen(port, program="nginx")
        context.own(listener)
        while True:
            conn = yield listener.accept()
            child = Context(context.machine, ["nginx"], tty=None, user="www-data")
            child.own(conn)
            start(_serve(conn, site), child)

    return program


def _serve(conn: Connection, site: Site) -> Program:
    def program(context: Context) -> Steps:
        try:
            while (request := (yield from _request(context, conn, site.idle))) is not None:
                yield from context.sleep(site.delay)
                response = answer(request, site, context.machine.name, context.now)
                conn.send(response, about=f"HTTP {response.split(b' ', 2)[1].decode()}")
        except SocketError:
            return 1
        return 0

    return program


def _request(context: Context, conn: Connection, idle: int) -> Generator[simpy.Event, Any, str | None]:
    """The head of the next request; None when the client has closed, or said nothing for too long."""
    head = b""
    while b"\r\n\r\n" not in head:
        heard = conn.recv()
        yield from context.wait(heard, timeout=idle or None)
        if not heard.triggered or not heard.value:
            return None
        head += heard.value
    return head.decode(errors="replace")


def answer(request: str, site: Site, host: str, now: int) -> bytes:
    """The whole response to one request."""
    method, _, rest = request.partition(" ")
    path = rest.split(" ")[0].split("?")[0]
    status, body = _page(method, path, site, host)
    raw = body.encode()
    head = [
        f"HTTP/1.1 {status} {_REASONS[status]}", f"Server: {SERVER}", f"Date: {clock(now, '%a, %d %b %Y %H:%M:%S GMT')}",
        "Content-Type: text/plain", f"Content-Length: {len(raw)}", "Connection: keep-alive", "", "",
    ]  # fmt: skip
    return "\r\n".join(head).encode() + (b"" if method == "HEAD" else raw)


def _page(method: str, path: str, site: Site, host: str) -> tuple[int, str]:
    if method not in ("GET", "HEAD"):
        return 405, "Method not allowed\n"
    pages = site.pages or {"/": f"Hello from {host}.\n", "/index.html": f"Hello from {host}.\n"}
    if path not in pages:
        return 404, f"{path}: not found\n"
    text = pages[path]
    while len(text) < site.size:
        text += "x" * min(71, site.size - len(text) - 1) + "\n"
    return 200, text
