"""Machine: a host or router at work. An IP layer with TCP, UDP and ICMP on it, on SimPy's clock, and what programs find there.

    machine = Machine("server", env, emit);  machine.ip.add_interface("eth0", ["192.168.1.20/24"])
    machine.attach("eth0", wire)             wire(via, packet) carries what leaves eth0 (network.py does this)

`seed` decides ports, sequence numbers and identifiers. Not in here: links (network.py), programs (apps), the shell.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import Any

import simpy

from sim.conntrack import labels
from sim.machine.errors import SocketError
from sim.machine.forwarding import NOT_FOR_ONE
from sim.machine.icmp import IcmpStack
from sim.machine.ip import IpLayer
from sim.machine.sockets import SocketRow, rows
from sim.machine.sysctl import Sysctls
from sim.machine.tcp.stack import TcpStack
from sim.machine.timer import Timer
from sim.machine.udp import End, UdpStack
from sim.netfilter.nat import Dice
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Delivered, Emit, Reason
from sim.units import Address, show_address

LOOP_DELAY = 10  # µs from lo to lo
Wire = Callable[[Address | None, Packet], None]
Login = Callable[..., Generator[simpy.Event, Any, Any]]
Announce = Callable[[str, Packet, int], None]
Tap = Callable[[str, bool, bytes], None]
"""(device, whether it came in, the bytes)"""


class Machine:
    """One machine. `kind` is host, router or firewall: a router or firewall forwards.

    `hosts` are names and addresses as in /etc/hosts, `files` paths and texts, `services` what runs, `resolver` the address of its DNS
    server or "", `login` makes a shell: (machine, tty, user, command) -> generator.
    """

    def __init__(
        self, name: str, env: simpy.Environment, emit: Emit | None = None, kind: str = "host", seed: int | str = 0, *,
        new_id: Callable[[], int] | None = None, named: Callable[[int, str, int], None] | None = None, announce: Announce | None = None,
    ) -> None:  # fmt: skip
        self.name, self.env, self.emit, self.kind = name, env, emit, kind
        self.random = Random(f"{seed} {name}")
        self.hosts: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.services: list[Any] = []
        self.resolver = ""
        self.user = "admin"
        self.login: Login | None = None
        self.raw_readers: list[Callable[[Skb], None]] = []  # raw sockets: they hear all that is for this machine, and take nothing away
        self.taps: list[Tap] = []  # who listens at the devices: hears what comes out of the wire before any hook, what goes in after all
        self._wires: dict[str, Wire] = {}
        self._announce = announce
        self._sockets = 0
        self._pids = 1200
        self.at_jobs: dict[int, Any] = {}  # what at(1) was asked to run later, by number
        self.at_number = 0
        self.conntrack_did: list[Callable[[list[str]], None]] = []  # who hears of the tool's lines that made or changed something
        self.restart: Callable[[], None] | None = None  # boots it anew; None where nobody gives it current
        self.ip = IpLayer(name, self._clock, self._transmit, self._deliver, emit, loop=self._loop, new_id=new_id, named=named)
        self.ip.rules.label_file = lambda: self.files.get(labels.FILE)
        self.ip.nat.chooser.throw(Dice(f"{seed} {name}"))
        self.ip.settled = self.settle
        self._expiry = Timer(env, self._expire)
        self.tcp = TcpStack(self.ip, env, self.random, self._new_socket_id, emit)
        self.ip.owner_of, self.ip.socket_for = self._owner_of, self._socket_for
        self.udp = UdpStack(self.ip, env, self.random, self._new_socket_id, emit)
        self.icmp = IcmpStack(self, env, self.random)
        self.ip.add_interface("lo", ["127.0.0.1/8", "::1/128"])
        if kind != "host":
            self.ip.forward(True)

    def _clock(self) -> int:
        return int(self.env.now)

    def _new_socket_id(self) -> int:
        self._sockets += 1
        return self._sockets

    def new_pid(self) -> int:
        """A number for a process that somebody may want to name."""
        self._pids += 7
        return self._pids

    def follow(self, before: Machine) -> None:
        """Be the same machine after a boot: its disk is the same, and no number in the trace comes twice."""
        self.files = before.files
        self._sockets, self._pids = before._sockets, before._pids
        self.ip.tracker.number_after(before.ip.tracker)
        self.ip.rules.number_after(before.ip.rules)

    @property
    def sysctls(self) -> Sysctls:
        """The machine's kernel settings."""
        return self.ip.sysctls

    @property
    def kernel_log(self) -> list[tuple[int, str]]:
        """(time in µs, line): what dmesg prints."""
        return self.ip.kernel_log_lines

    def run(self, generator: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        """Run a program's steps as a process. An exception that it does not catch comes out of the simulation."""
        return self.env.process(generator)

    def sockets(self) -> list[SocketRow]:
        """All sockets, as `ss -a` lists them."""
        return rows(self)

    # ---- packets -----------------------------------------------------------------------------------------------------

    def attach(self, dev: str, wire: Wire) -> None:
        """What leaves `dev` goes to `wire(via, packet)`."""
        self._wires[dev] = wire

    def detach(self) -> None:
        """Nothing leaves any device any more."""
        self._wires.clear()

    def receive(self, data: bytes, dev: str, packet_id: int = 0) -> None:
        """A packet came out of the wire into `dev`."""
        interface = self.ip.interfaces[dev]
        if interface.up:
            self._tapped(dev, True, data)
            self.ip.receive(data, dev, packet_id)

    def send_crafted(self, data: bytes) -> None:
        """Put a packet on the wire to which its destination's route leads, as it is: no hook, no check, no route back needed."""
        packet = Packet(data, self.ip.new_id())
        try:
            decision = self.ip.route_to(packet.dst)
        except SocketError:
            reason = Reason("no-route", f"There is no way to {show_address(packet.dst)}.")
            self.ip.drop(Skb(packet, self._clock()), "routing", "routing", reason)
            return
        if decision.dev == "lo":
            self.ip.receive(data, "lo", packet.id)
        else:
            self._transmit(decision.dev, decision.via, packet)

    def _transmit(self, dev: str, via: Address | None, packet: Packet) -> None:
        wire = self._wires.get(dev)
        if wire is None or not self.ip.interfaces[dev].up:
            reason = Reason("no-carrier", f"{dev} is not connected to anything.")
            self.ip.drop(Skb(packet, self._clock()), "ip", dev, reason)
            return
        self._tapped(dev, False, packet.data)
        wire(via, packet)

    def _tapped(self, dev: str, inbound: bool, data: bytes) -> None:
        for hear in list(self.taps):
            hear(dev, inbound, data)

    def _loop(self, skb: Skb) -> None:
        if self._announce is not None:
            self._announce("lo", skb.packet, self._clock() + LOOP_DELAY)
        self._tapped("lo", False, skb.packet.data)
        event = self.env.timeout(LOOP_DELAY)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._looped(skb))

    def _looped(self, skb: Skb) -> None:
        self._tapped("lo", True, skb.packet.data)
        self.ip.loop_in(skb)

    def _owner_of(self, packet: Packet) -> str | None:
        """Whose socket sends a packet: the user who opened it, None where there is no socket."""
        if packet.protonum == 6:
            conn = self.tcp.connections.get((packet.src, packet.sport, packet.dst, packet.dport))
            return conn.user if conn is not None else None
        if packet.protonum == 17:
            return next((each.user for each in self.udp.sockets if each.port == packet.sport), None)
        return self.ip.acting

    def _socket_for(self, protonum: int, other: End, own: End, connected: bool) -> bool | None:
        """Whether the socket that takes what `other` sends to `own` listens on every address; None: no socket, or no connection."""
        if protonum == 6 and (*own, *other) in self.tcp.connections:
            return False
        if connected:
            return None
        if protonum == 6:
            listener = self.tcp.listening(*own)
            return None if listener is None else listener.address is None
        socket = self.udp.waiting(other, own)
        return None if socket is None else socket.address is None and socket.remote is None

    def _deliver(self, skb: Skb) -> None:
        if skb.packet.version == 6 and not self.ip.fragments.together6(skb):
            return
        for hear in list(self.raw_readers):
            hear(skb)
        protonum = skb.packet.protonum
        if protonum == 6:
            if skb.pkt_type:
                self.ip.drop(skb, "socket", "tcp", NOT_FOR_ONE)
            else:
                self.tcp.receive(skb)
        elif protonum == 17:
            self.udp.receive(skb)
        elif protonum == (1 if skb.packet.version == 4 else 58):
            self.icmp.receive(skb)
        elif protonum in (2, 59):
            if self.emit is not None:
                self.emit(Delivered(skb.packet.id, "nothing: no reader for it"))
        else:
            self.ip.complaints.unknown_protocol(skb)

    # ---- conntrack's clock -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Keep the timer at the moment at which the next entry expires. Whoever changes the table from outside calls this after."""
        at = self.ip.next_expiry()
        if at is None:
            self._expiry.stop()
        else:
            self._expiry.start_at(at)

    def _expire(self) -> None:
        self.ip.expire(self._clock())
        self.settle()
