"""Real Linux hosts on one machine: a network namespace each, joined by veth. What they send is what Linux sends.

A host lives as long as its holder, a sleeping process that dies with the test (and after two minutes in any case); what runs
in its namespace is ended by `Rig.close`. Segmentation and checksum offload are off, so that a capture has what a wire would.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

SECONDS = 120
NO_CHATTER = [
    f"net.ipv6.conf.{which}.{key}=0" for which in ("all", "default") for key in ("accept_dad", "dad_transmits", "router_solicitations")
]
OFFLOADS = "tx off rx off tso off gso off gro off".split()


class Host:
    """One machine. `run` waits for a program there, `start` leaves it running; `patience` in seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--uts", "sleep", str(SECONDS)]
        self._holder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._holder.pid
        self._running: list[subprocess.Popen[str]] = []
        wait_for(self._is_apart, f"a namespace for {name}")
        self.run("sysctl", "-q", "-w", *NO_CHATTER)
        self.run("ip", "link", "set", "lo", "up")

    def _is_apart(self) -> bool:
        program = os.readlink(f"/proc/{self.pid}/exe")
        return program.endswith(("/sleep", "/coreutils")) and os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    def _enter(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--uts", *argv]

    def run(self, *argv: str, text: str = "", check: bool = True, patience: float = 20) -> str:
        """What a program printed, errors included. Raises AssertionError when it fails, unless `check` is False."""
        done = subprocess.run(
            self._enter(argv), input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=patience
        )
        assert done.returncode == 0 or not check, f"{self.name}: {' '.join(argv)}: exit status {done.returncode}\n{done.stdout}"
        return done.stdout

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """A program that goes on running; its output can be read from the Popen."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(self._enter(argv), stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self._running.append(process)
        return process

    def listens(self, protocol: str, address: str, port: int) -> None:
        """Wait until something listens there ("t" or "u")."""
        place = f" [{address}]:{port} " if ":" in address else f" {address}:{port} "
        wait_for(lambda: place in self.run("ss", f"-Hln{protocol}"), f"{self.name} to listen at{place}")

    def close(self) -> None:
        """End what runs there, then the holder, and with it the namespace."""
        for process in [*self._running, self._holder]:
            end(process)


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
    """Ask a process to end, and see that it did."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(how)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def wait_for(holds: object, what: str, patience: float = 10) -> None:
    """Look again and again until `holds()`; AssertionError when it never does."""
    assert callable(holds)
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, f"waited {patience} s in vain for {what}"
        time.sleep(0.02)


class Rig:
    """A client and a server with a router between: client.eth0 - router.lan, router.wan - server.eth0."""

    ADDRESSES: Mapping[str, Mapping[str, Sequence[str]]] = {
        "client": {"eth0": ("192.168.1.10/24", "fd00:1::10/64")},
        "router": {"lan": ("192.168.1.1/24", "fd00:1::1/64"), "wan": ("203.0.113.1/24", "fd00:2::1/64")},
        "server": {"eth0": ("203.0.113.7/24", "fd00:2::7/64")},
    }
    GATEWAYS: Mapping[str, Sequence[str]] = {"client": ("192.168.1.1", "fd00:1::1"), "server": ("203.0.113.1", "fd00:2::1")}

    def __init__(self) -> None:
        self._all: list[Host] = []
        try:
            self.client, self.router, self.server = (self._host(name) for name in ("client", "router", "server"))
            self._join(self.client, "eth0", self.router, "lan")
            self._join(self.router, "wan", self.server, "eth0")
            for host in self._all:
                self._address(host)
            self._forward()
        except BaseException:
            self.close()
            raise

    def _host(self, name: str) -> Host:
        self._all.append(Host(name))
        return self._all[-1]

    def _join(self, one: Host, dev: str, other: Host, far: str) -> None:
        one.run(*f"ip link add {dev} type veth peer name {far} netns {other.pid}".split())
        for host, name in ((one, dev), (other, far)):
            host.run("ethtool", "-K", name, *OFFLOADS)

    def _address(self, host: Host) -> None:
        for dev, addresses in self.ADDRESSES[host.name].items():
            for address in addresses:
                host.run("ip", "addr", "add", address, "dev", dev, *(["nodad"] if ":" in address else []))
            host.run("ip", "link", "set", dev, "up")
        for gateway in self.GATEWAYS.get(host.name, ()):
            host.run("ip", *(["-6"] if ":" in gateway else []), "route", "add", "default", "via", gateway)

    def _forward(self) -> None:
        self.router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for server in ("203.0.113.7", "fd00:2::7"):
            wait_for(lambda far=server: self._crosses(far), f"a way to {server}")

    def _crosses(self, server: str) -> bool:
        return " 0% packet loss" in self.client.run("ping", "-c", "1", "-W", "0.2", server, check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything."""
        for host in self._all:
            host.close()


@contextlib.contextmanager
def captured(host: Host, interface: str, file: Path, *options: str) -> Iterator[None]:
    """tcpdump on `host` into `file` while the block runs; all that happened in it is in the file then."""
    # small slots and a large buffer: with the usual 256 KiB a slot, eight packets at once are too many
    room = ["-s", "4096", "-B", "16384"]
    process = host.start("tcpdump", "-i", interface, "-w", str(file), "--immediate-mode", "-U", "-Z", "root", *room, *options)
    assert process.stdout is not None
    line = process.stdout.readline()
    while "listening" not in line:
        assert line, f"tcpdump -i {interface} did not start"
        line = process.stdout.readline()
    yield
    time.sleep(0.3)  # what tcpdump has not read yet, it would not read any more
    process.send_signal(signal.SIGINT)
    told = process.stdout.read()
    assert "0 packets dropped by kernel" in told, told
    end(process)
