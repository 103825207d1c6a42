"""The services that a scenario can name, and what options each takes.

    services: [ssh, {http: {port: 8080, delay: 2s}}, {dns: {zone: {www.example.test: 192.168.1.20}}}, {udp: {port: 5060, answer: OK}}]

A new service is a row in SERVICES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.apps.dns import Zone, named
from sim.apps.ftpd import ftpd
from sim.apps.http import Site, httpd
from sim.apps.program import Context, Program, start
from sim.apps.sinks import tcp_listener, udp_listener
from sim.apps.sshd import sshd
from sim.errors import UsageError, did_you_mean
from sim.units import parse_time

if TYPE_CHECKING:
    from sim.machine.machine import Machine

Options = Mapping[str, Any]
LARGEST_PAGE = 10_000_000


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """A row: how to make the program of it, the options it takes, the port it has when none is given (0: must be given)."""

    make: Callable[[int, Options], Program]
    options: tuple[str, ...]
    port: int
    protocol: str
    summary: str


@dataclass(frozen=True, slots=True)
class Running:
    """A service at work on a machine. `text` is how a page names it: "ssh :22"."""

    name: str
    port: int
    protocol: str

    @property
    def text(self) -> str:
        return f"{self.name} :{self.port}"


def _delay(options: Options) -> int:
    return parse_time(options.get("delay", 0))


def _http(port: int, options: Options) -> Program:
    pages = options.get("pages", {})
    if not isinstance(pages, Mapping):
        raise UsageError("http: pages is a mapping of paths to texts")
    size = options.get("size", 0)
    if not isinstance(size, int) or not 0 <= size <= LARGEST_PAGE:
        raise UsageError(f"http: size is a number of bytes, at most {LARGEST_PAGE}")
    kept = {str(path): str(text) for path, text in pages.items()}
    return httpd(port, Site(kept, size, _delay(options), parse_time(options.get("idle", 0))))


def _dns(port: int, options: Options) -> Program:
    zone = options.get("zone", {})
    if not isinstance(zone, Mapping):
        raise UsageError("dns: zone is a mapping of names to addresses, or to mappings of types to values")
    return named(port, Zone.of(zone), _delay(options))


def _ftp(port: int, options: Options) -> Program:
    files = options.get("files", {"readme.txt": "hello from afar\n"})
    if not isinstance(files, Mapping):
        raise UsageError("ftp: files is a mapping of names to texts")
    kept = {str(name): str(text) for name, text in files.items()}
    return ftpd(port, kept, parse_time(options.get("timeout", "60s")), parse_time(options.get("idle", "5m")))


def _listener(make: Callable[..., Program], name: str, *, echo: bool = False) -> Callable[[int, Options], Program]:
    def build(port: int, options: Options) -> Program:
        program = str(options.get("program", name))
        return make(port, program, echo=echo, answer=str(options.get("answer", "")), delay=_delay(options))

    return build


_PLAIN = ("port", "answer", "delay", "program")
SERVICES: dict[str, ServiceKind] = {
    "ssh": ServiceKind(lambda port, options: sshd(port), ("port",), 22, "tcp", "logins by ssh"),
    "http": ServiceKind(_http, ("port", "pages", "size", "delay", "idle"), 80, "tcp", "a web server"),
    "dns": ServiceKind(_dns, ("port", "zone", "delay"), 53, "udp", "a name server"),
    "ftp": ServiceKind(_ftp, ("port", "files", "timeout", "idle"), 21, "tcp", "an FTP server"),
    "echo": ServiceKind(
        _listener(tcp_listener, "echo", echo=True), ("port", "delay"), 7, "tcp", "sends back what it gets, over TCP"
    ),
    "udp-echo": ServiceKind(
        _listener(udp_listener, "echo", echo=True), ("port", "delay"), 7, "udp", "sends back what it gets, over UDP"
    ),
    "sink": ServiceKind(_listener(tcp_listener, "sink"), ("port",), 9, "tcp", "takes what it gets, over TCP"),
    "tcp": ServiceKind(_listener(tcp_listener, "tcpd"), _PLAIN, 0, "tcp", "a TCP listener that may answer"),
    "udp": ServiceKind(_listener(udp_listener, "udpd"), _PLAIN, 0, "udp", "a UDP listener that may answer"),
}


def check_service(name: str, options: Options) -> int:
    """The port a service will have. Raises UsageError saying what is wrong with its name or options."""
    kind = SERVICES.get(name)
    if kind is None:
        raise UsageError(
            f"there is no service '{name}'. {did_you_mean(name, SERVICES) or 'There are: ' + ', '.join(SERVICES)}"
        )
    for option in options:
        if option not in kind.options:
            known = did_you_mean(option, kind.options) or "it takes " + ", ".join(kind.options)
            raise UsageError(f"{name}: there is no option '{option}'; {known}")
    port = options.get("port", kind.port)
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise UsageError(f"{name}: port: a number from 1 to 65535 is wanted")
    try:
        kind.make(port, options)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name}: {error}") from error
    return port


def start_service(machine: Machine, name: str, options: Options) -> Running:
    """Start a service on a machine and list it in `machine.services`. Raises UsageError."""
    port = check_service(name, options)
    if any((other.port, other.protocol) == (port, SERVICES[name].protocol) for other in machine.services):
        raise UsageError(f"{name}: {SERVICES[name].protocol} port {port} is taken already")
    running = Running(name, port, SERVICES[name].protocol)
    start(SERVICES[name].make(port, options), Context(machine, [name], tty=None, user="root"))
    machine.services.append(running)
    return running
