"""Helpers behind NAT in ours alone: a file transfer between simulated hosts, what the trace tells, shifted numbers, the seed's dice."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import pytest
import simpy

from sim import wire
from sim.conntrack.conn import Conn
from sim.conntrack.seqadj import Shift, adjusted, shift
from sim.conntrack.tuples import pack
from sim.conntrack.words import Status
from sim.machine.errors import SocketError
from sim.machine.machine import Machine
from sim.machine.routes import Route
from sim.netfilter.nat import Dice
from sim.network import Network
from sim.packet import Packet, Tuple
from sim.ruleset.iptables import tool
from sim.ruleset.text import Result
from sim.trace import EntryCreated, Trace, Translated
from sim.units import parse_address

Steps = Generator[simpy.Event, Any, None]
CLIENT, SERVER = "192.168.1.10", "203.0.113.9"
RULES = (
    "-t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp", "-t nat -A POSTROUTING -o wan -j MASQUERADE",
    "-P FORWARD DROP", "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "-A FORWARD -i lan -p tcp --dport 21 -j ACCEPT",
)  # fmt: skip


class Office:
    """A client behind a router that masquerades and helps FTP, and a server outside."""

    def __init__(self, public: str = "203.0.113.2", seed: int = 1) -> None:
        self.env = simpy.Environment()
        self.trace = Trace(lambda: int(self.env.now))
        network = Network(self.env, self.trace, seed)
        self.client = self._machine(network, "client", "host", eth0=f"{CLIENT}/24")
        self.router = self._machine(network, "router", "router", lan="192.168.1.1/24", wan=f"{public}/24")
        self.server = self._machine(network, "server", "host", eth0=f"{SERVER}/24")
        network.connect(self.client, "eth0", self.router, "lan")
        network.connect(self.router, "wan", self.server, "eth0")
        self.client.ip.routes.add(Route.through("0.0.0.0/0", "192.168.1.1"))
        for rule in RULES:
            assert tool.run(["iptables", *rule.split()], self.router.ip.rules) == Result()
        self.router.ip.arrange_conntrack()

    @staticmethod
    def _machine(network: Network, name: str, kind: str, **devices: str) -> Machine:
        machine = network.add_machine(name, kind)
        for dev, address in devices.items():
            machine.ip.add_interface(dev, [address])
        return machine

    def told(self) -> list[Translated]:
        """What NAT wrote."""
        return [each.event for each in self.trace if isinstance(each.event, Translated)]


def transfer(office: Office, got: list[bytes]) -> None:
    """An active transfer: the client names a port of its own, the server opens the data connection to whatever it was told."""

    def serve() -> Steps:
        control = yield office.server.tcp.listen(21).accept()
        control.send(b"220 ready\r\n")
        yield control.recv()
        control.send(b"230 in\r\n")
        line = yield control.recv()
        numbers = [int(word) for word in line.decode().split()[1].split(",")]
        try:
            data = office.server.tcp.connect(bytes(numbers[:4]), numbers[4] << 8 | numbers[5], sport=20)
            yield data.connected
        except SocketError:
            return  # it was told an address that means nothing outside
        data.send(b"the file")
        control.send(b"226 done\r\n")
        got.append((yield control.recv()))

    def fetch() -> Steps:
        listener = office.client.tcp.listen(51210)
        control = office.client.tcp.connect(parse_address(SERVER), 21)
        yield control.connected
        yield control.recv()
        control.send(b"USER me\r\n")  # the helper reads lines that follow a line
        got.append((yield control.recv()))
        control.send(b"PORT 192,168,1,10,200,10\r\n")
        data = yield listener.accept()
        got.append((yield data.recv()))
        got.append((yield control.recv()))
        control.send(b"QUIT\r\n")

    office.server.run(serve())
    office.client.run(fetch())
    office.env.run(until=5_000_000)


@pytest.mark.parametrize("public", ["203.0.113.2", "203.0.113.177", "203.0.113.77"])
def test_an_active_ftp_transfer_works_through_a_masquerading_router(public: str) -> None:
    office, got = Office(public), list[bytes]()
    transfer(office, got)
    assert got == [b"230 in\r\n", b"the file", b"226 done\r\n", b"QUIT\r\n"]
    written = [event for event in office.told() if event.what == "payload"]
    numbers = public.replace(".", ",")
    assert [(event.hook, event.before.split('"')[1], event.after.split('"')[1]) for event in written] == [
        ("POSTROUTING", "192,168,1,10,200,10", f"{numbers},200,10")
    ]
    assert any(event.what == "seqadj" for event in office.told()) == (len(numbers) != len("192,168,1,10"))
    data = [each.event for each in office.trace if isinstance(each.event, EntryCreated) and each.event.entry["original"]["sport"] == 20]
    assert [event.entry["status"][0] for event in data] == ["EXPECTED"]


def test_without_the_helper_the_server_cannot_reach_what_it_was_told() -> None:
    office, got = Office(), list[bytes]()
    assert tool.run(["iptables", "-t", "raw", "-F"], office.router.ip.rules) == Result()
    transfer(office, got)
    assert b"the file" not in got


def conn_with(position: int, before: int, after: int) -> Conn:
    ends = pack(Tuple(b"\1\1\1\1", b"\2\2\2\2", 1, 2, 6))
    conn = Conn(1, ends, ends, 0)
    conn.seqadj = (Shift(), Shift())
    conn.seqadj[0].position, conn.seqadj[0].before, conn.seqadj[0].after = position, before, after
    return conn


def test_numbers_up_to_the_change_are_shifted_as_before_and_those_behind_it_anew() -> None:
    conn = conn_with(1000, 2, 5)
    assert conn.seqadj is not None
    assert [conn.seqadj[0].of(seq) for seq in (999, 1000, 1001)] == [2, 2, 5]
    assert conn.seqadj[1].of(5000) == 0


def test_a_change_further_on_takes_the_place_of_the_one_before_and_the_same_one_again_changes_nothing() -> None:
    conn = conn_with(0, 0, 0)
    for seq, by in ((1000, 3), (1000, 3), (900, 7), (2000, -1)):
        shift(conn, 0, seq, by)
    assert conn.seqadj is not None
    mine = conn.seqadj[0]
    assert (mine.position, mine.before, mine.after, bool(conn.status & Status.SEQ_ADJUST)) == (2000, 3, 2, True)


def test_what_is_acknowledged_is_turned_back_whatever_the_numbers_are() -> None:
    chance = Random(1)
    for _ in range(200):
        position, by = chance.randrange(1 << 32), chance.randrange(-20, 20)
        conn = conn_with(position, 0, by)
        assert conn.seqadj is not None
        for sent in (position - 5, position, position + 40):
            seen = sent + conn.seqadj[0].of(sent & 0xFFFFFFFF)
            assert conn.seqadj[0].undone(seen & 0xFFFFFFFF) == sent & 0xFFFFFFFF or 0 < sent - position < abs(by)


def test_a_shifted_segment_has_a_right_checksum_and_its_sack_blocks_turned_back() -> None:
    conn = conn_with(1000, 0, 7)
    src, dst = parse_address(SERVER), parse_address(CLIENT)
    options = b"\1\1\5\x0a" + (1507).to_bytes(4) + (1607).to_bytes(4)
    data = wire.ipv4(src, dst, 6, wire.tcp(src, dst, 21, 1000, seq=1, ack=1407, flags=16, options=options, payload=b"x"))
    assert conn.seqadj is not None
    made = adjusted(data, 20, conn.seqadj, 1)
    assert made is not None
    packet = Packet(made)
    assert (packet.seq, packet.ack) == (1, 1400)
    assert [int.from_bytes(made[at : at + 4]) for at in (44, 48)] == [1500, 1600]
    assert wire.transport_checksum_ok(src, dst, 6, made[20:])
    assert adjusted(data[:38], 20, conn.seqadj, 1) is None


def test_dice_fall_by_their_seed_and_each_machine_has_its_own() -> None:
    def fallen(seed: str) -> list[int]:
        dice = Dice(seed)
        return [dice.port(1024, 64512, 0) for _ in range(5)] + [dice.expected(1, 100) for _ in range(5)]

    assert fallen("1 router") == fallen("1 router") != fallen("2 router")
    assert fallen("1 router") != fallen("1 other")
    assert all(0 <= number < 100 for number in fallen("x")[5:])
