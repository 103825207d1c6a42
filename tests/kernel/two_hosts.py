"""Two real Linux hosts for tests: a namespace each, a TUN device in each, and a cable between them that this process plays.

The same script runs on two simulated machines (`simulate`), and both give the packets seen, as comparable lines.
"""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import simpy

from sim.machine.errors import SocketError
from sim.machine.tcp.segment import read_options
from sim.network import Link, Network
from sim.packet import Packet, flag_letters
from sim.ruleset.iptables import tool
from sim.trace import PacketSent, Reason, Trace
from sim.units import parse_address

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
PORT = 80
DELAY = 0.005  # one way, in seconds
SETTINGS = {"tcp_rmem": "4096 131072 6291456", "tcp_congestion_control": "reno", "tcp_no_metrics_save": "1"}
Step = tuple[Any, ...]
_serial = itertools.count()


class Seen(NamedTuple):
    """One captured packet: when (seconds), from whom, what (without what differs from run to run)."""

    at: float
    sender: str
    what: str


def line(packet: Packet, starts: dict[bytes, int]) -> str:
    """A packet in a line: relative numbers, no ports of the client, no timestamps."""
    if packet.protonum != 6:
        return f"icmp {packet.data[packet.l4]}/{packet.data[packet.l4 + 1]} ttl {packet.ttl} len {len(packet.data)}"
    if packet.flags & 2:
        starts[packet.src] = packet.seq
    seq = (packet.seq - starts.get(packet.src, packet.seq)) & 0xFFFFFFFF
    ack = (packet.ack - starts.get(packet.dst, packet.ack)) & 0xFFFFFFFF
    options = read_options(packet.data[packet.l4 + 20 : packet.payload])
    names = [f"mss {options.mss}"] if options.mss else []
    names += ["sackOK"] if options.sack_permitted else []
    names += [f"wscale {options.window_scale}"] if options.window_scale is not None else []
    names += ["ts"] if options.timestamps else []
    names += [f"sack {left - starts[packet.dst]}-{right - starts[packet.dst]}" for left, right in options.sack]
    text = f"{flag_letters(packet.flags)} seq {seq} ack {ack if packet.flags & 16 else 0} len {len(packet.data) - packet.payload}"
    window = f" win {packet.window}" if packet.flags & 2 else ""
    return f"{text}{window} {' '.join(names)}".rstrip()


# ---- the real ones ----------------------------------------------------------------------------------------------------


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def inside(namespace: str, make: Callable[[], Any]) -> Any:
    """Call `make` with this thread's network namespace changed; sockets made there stay there."""
    result: list[Any] = []

    def work() -> None:
        handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(handle, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(handle)
        result.append(make())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return result[0]


def tun(name: str) -> int:
    """A TUN device in this thread's namespace: its file descriptor."""
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    return handle


class Cable(threading.Thread):
    """Carries packets between two TUN devices, `delay` seconds late; notes them; loses those whose number (from 0) is in `lost`."""

    def __init__(self, ends: dict[str, int], delay: float) -> None:
        super().__init__(daemon=True)
        self.ends, self.delay = ends, delay
        self.up = True
        self.lost: frozenset[int] = frozenset()
        self.seen: list[tuple[float, str, bytes]] = []
        self._ending = False

    def run(self) -> None:
        names = {handle: name for name, handle in self.ends.items()}
        other = dict(zip(self.ends.values(), reversed(self.ends.values()), strict=True))
        waiting: deque[tuple[float, int, bytes]] = deque()
        while not self._ending:
            wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.05
            for handle in select.select(list(names), [], [], wait)[0]:
                data = os.read(handle, 65536)
                if data[0] >> 4 != 4 or data[9] not in (1, 6):
                    continue
                self.seen.append((time.monotonic(), names[handle], data))
                if self.up and len(self.seen) - 1 not in self.lost:
                    waiting.append((time.monotonic() + self.delay, other[handle], data))
            while waiting and waiting[0][0] <= time.monotonic():
                _, handle, data = waiting.popleft()
                os.write(handle, data)

    def stop(self) -> None:
        self._ending = True
        self.join()
        for handle in self.ends.values():
            os.close(handle)


class RealHosts:
    """The namespaces `client` and `server`, with a cable between them."""

    def __init__(self) -> None:
        number = f"{os.getpid()}x{next(_serial)}"
        self.names = {"client": f"ctc{number}", "server": f"cts{number}"}

    def open(self) -> None:
        ends = {}
        for who, address in (("client", CLIENT), ("server", SERVER)):
            name = self.names[who]
            run("ip", "netns", "add", name)
            ends[who] = inside(name, lambda: tun("eth0"))
            self.tool(name, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            self.tool(name, "ip", "link", "set", "eth0", "up")
            self.tool(name, "ip", "link", "set", "lo", "up")
            self.tool(name, "sysctl", "-qw", *(f"net.ipv4.{key}={value}" for key, value in SETTINGS.items()))
        self.cable = Cable(ends, DELAY)
        self.cable.start()

    def close(self) -> None:
        self.cable.stop()
        for name in self.names.values():
            run("ip", "netns", "del", name)

    @staticmethod
    def tool(name: str, *words: str) -> None:
        run("ip", "netns", "exec", name, *words)

    def socket(self, who: str) -> socket.socket:
        made: socket.socket = inside(self.names[who], lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return made

    def seen(self) -> list[Seen]:
        starts: dict[bytes, int] = {}
        return [Seen(at, sender, line(Packet(data), starts)) for at, sender, data in list(self.cable.seen)]


@contextmanager
def real_hosts() -> Iterator[RealHosts]:
    hosts = RealHosts()
    hosts.open()
    try:
        yield hosts
    finally:
        hosts.close()


def play(hosts: RealHosts, script: list[Step], tick: float) -> tuple[list[Seen], list[str]]:
    """Run a script on real hosts: (packets, what the steps gave)."""
    sockets: dict[str, socket.socket] = {}
    outcomes: list[str] = []
    listener: socket.socket | None = None
    begun = time.monotonic()
    for number, (who, action, *arguments) in enumerate(script):
        time.sleep(max(0.0, begun + number * tick - time.monotonic()))
        try:
            if action == "listen":
                listener = hosts.socket("server")
                listener.bind((SERVER, PORT))
                listener.listen()
            elif action == "connect":
                sockets[who] = hosts.socket(who)
                sockets[who].connect((SERVER, PORT))
            elif action == "accept":
                assert listener is not None
                sockets[who] = listener.accept()[0]
            elif action == "iptables":
                hosts.tool(hosts.names[who], "iptables-legacy", *arguments[0].split())
            elif action == "cable":
                hosts.cable.up = arguments[0]
            elif action == "lose":
                hosts.cable.lost = frozenset(arguments)
            elif action == "sysctl":
                hosts.tool(hosts.names[who], "sysctl", "-qw", f"net.ipv4.{arguments[0]}")
            elif action != "wait":
                outcomes.append(_act(sockets[who], action, arguments))
        except OSError as error:
            outcomes.append(os.strerror(error.errno or 0))
    time.sleep(tick)
    seen = hosts.seen()
    for one in (*sockets.values(), listener):
        if one is not None:
            one.close()
    return seen, [outcome for outcome in outcomes if outcome]


def _act(sock: socket.socket, action: str, arguments: list[Any]) -> str:
    if action == "send":
        sock.setblocking(True)
        sock.sendall(arguments[0])
    elif action == "recv":
        sock.settimeout(arguments[0] if arguments else 5)
        data = sock.recv(1 << 20)
        return repr(data) if len(data) < 50 else f"{len(data)} bytes"
    elif action == "shutdown":
        sock.shutdown(socket.SHUT_WR)
    elif action == "close":
        sock.close()
    return ""


# ---- the simulated ones -----------------------------------------------------------------------------------------------


def simulate(script: list[Step], tick: float) -> tuple[list[Seen], list[str]]:
    """Run a script on simulated machines: (packets, what the steps gave)."""
    env = simpy.Environment()
    trace = Trace(lambda: int(env.now))
    network = Network(env, trace, seed=7)
    machines = {name: network.add_machine(name) for name in ("client", "server")}
    for name, address in (("client", CLIENT), ("server", SERVER)):
        machines[name].ip.add_interface("eth0", [f"{address}/24"])
    link = network.connect(machines["client"], "eth0", machines["server"], "eth0", delay=round(DELAY * 1e6))
    outcomes: list[str] = []
    steps = machines["client"].run(_steps(env, machines, link, script, tick, outcomes))
    env.run(until=steps)
    env.run(until=env.now + round(tick * 1e6))
    starts: dict[bytes, int] = {}
    seen = []
    for record in trace:
        if isinstance(record.event, PacketSent):
            packet = Packet(bytes.fromhex(record.event.data))
            seen.append(Seen(record.time / 1e6, record.machine, line(packet, starts)))
    return seen, [outcome for outcome in outcomes if outcome]


def _steps(
    env: simpy.Environment, machines: dict[str, Any], link: Link, script: list[Step], tick: float, outcomes: list[str],
) -> Iterator[simpy.Event]:  # fmt: skip
    held: dict[str, Any] = {}
    for number, (who, action, *arguments) in enumerate(script):
        wait = round(number * tick * 1e6) - int(env.now)
        if wait > 0:
            yield env.timeout(wait)
        machine = machines[who]
        try:
            if action == "listen":
                held["listener"] = machine.tcp.listen(PORT)
            elif action == "connect":
                held[who] = machine.tcp.connect(parse_address(SERVER), PORT)
                yield held[who].connected
            elif action == "accept":
                held[who] = yield held["listener"].accept()
            elif action == "iptables":
                result = tool.run(["iptables", *arguments[0].split()], machine.ip.rules)
                assert not result.status, result.err
            elif action == "sysctl":
                machine.sysctls.set(f"net.ipv4.{arguments[0].split('=')[0]}", arguments[0].split("=")[1])
            elif action == "cable":
                link.change(up=arguments[0])
            elif action == "lose":
                _lose(link, frozenset(arguments))
            elif action == "send":
                held[who].send(arguments[0])
            elif action == "recv":
                data = yield held[who].recv()
                outcomes.append(repr(data) if len(data) < 50 else f"{len(data)} bytes")
            elif action == "shutdown":
                held[who].shutdown()
            elif action == "close":
                held[who].close()
        except SocketError as error:
            outcomes.append(error.strerror)


def _lose(link: Link, numbers: frozenset[int]) -> None:
    """Lose the packets of these numbers (from 0), whichever way they go."""

    def lost() -> Reason | None:
        number = sum(isinstance(record.event, PacketSent) for record in link.network.trace)
        return Reason("loss", "by order") if number in numbers else None

    link._lost = lost
