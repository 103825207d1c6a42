"""NAT beside this machine's own: a firewall of ours with the kernel's dice, and what differs packet by packet.

Where the kernel draws a port by chance, ours is told which one came out: it must then be one that ours could have drawn, and that
is free here too. All else must be equal: labels, verdicts, bytes that leave, entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sim.conntrack.show import entry_view
from sim.conntrack.tuples import ICMPS, key_of
from sim.edges.kernel import Answer, KernelFirewall
from sim.edges.replay.rules import load_rules
from sim.edges.replay.wall import Wall
from sim.errors import Malformed
from sim.packet import Packet

DEVICES = {
    "lan": ["192.168.1.1/24", "192.168.7.1/24", "fd00:1::1/64"],
    "wan": ["203.0.113.2/24", "203.0.113.77/24", "fd00:2::1/64", "fd00:2::77/64"],
}
COMPARED = ("family", "protocol", "state", "original", "reply", "unreplied", "assured", "mark")
Fed = tuple[str | None, bytes]


class Ours:
    """A wall with rules and with dice that fall as the kernel's fell."""

    def __init__(self, rules: Mapping[str, str], devices: Mapping[str, Sequence[str]], told: bool, sysctls: Mapping[str, int]) -> None:
        self.wall = Wall(devices, told)
        self.wall.ip.nat.chooser.dice = self._fall
        for key, value in sysctls.items():
            self.wall.ip.sysctls.set(key, str(value))
        self.load(rules)
        self._fell: tuple[int | None, int | None] = (None, None)
        self._number = 0

    def load(self, rules: Mapping[str, str]) -> None:
        """Load texts by the name of their tool."""
        for language, text in rules.items():
            if text:
                load_rules(self.wall.ip.rules, text, language, ipv6=language == "ip6tables")

    def _fall(self, low: int, size: int, manip: int) -> int:
        drawn = self._fell[manip]
        return 0 if drawn is None else (drawn - low) % size

    def feed(self, fed: Fed, answer: Answer) -> dict[str, Any]:
        """What we say of one packet, in the words of Answer."""
        dev, data = fed
        self._number += 1
        self._fell = _ports_drawn(answer)
        self.wall.advance(answer.at_us)
        outcome = self.wall.send(data, self._number) if dev is None else self.wall.receive(data, dev, self._number)
        conn = self.wall.lookup(data)
        return {
            "label": outcome.label, "direction": outcome.direction, "verdict": outcome.verdict, "out": outcome.out,
            "entry": None if conn is None else entry_view(conn, self.wall.now),
            "made": [(label, way) for _, label, way in outcome.made], "kernel_log": list(outcome.kernel_log),
        }  # fmt: skip


def _ports_drawn(answer: Answer) -> tuple[int | None, int | None]:
    """What random choices for this packet's entry must have come to: the ports, or the id, of the answers (for the source, the target)."""
    reply = answer.entry["reply"] if answer.entry is not None else {}
    return reply.get("dport", reply.get("id")), reply.get("sport", reply.get("id"))


def without_chance(data: bytes) -> str:
    """A packet without what the kernel draws anew for what it makes itself: an ICMP error's id, an ICMPv6 error's flow label."""
    if data[0] >> 4 == 4 and data[9] == 1:
        return (data[:4] + b"\0\0" + data[6:10] + b"\0\0" + data[12:]).hex()
    if data[0] >> 4 == 6 and data[6] == 58:
        return (data[:1] + bytes((data[1] & 0xF0, 0, 0)) + data[4:]).hex()
    return data.hex()


def _looked_up(data: bytes) -> bool:
    """Whether the packet has a tuple of its own to look up: not an ICMP error."""
    try:
        key = key_of(Packet(data))
    except Malformed:
        return False
    return key is not None and (key[4] not in ICMPS or key[3] >> 8 in (0, 8, 13, 14, 15, 16, 17, 18, 128, 129))


def differences(fed: Fed, answer: Answer, ours: Mapping[str, Any]) -> list[str]:
    """Every field in which the two answers differ."""
    found = [
        f"{name}: kernel {getattr(answer, name)!r}, ours {ours[name]!r}"
        for name in ("label", "direction", "verdict")
        if getattr(answer, name) != ours[name]
    ]
    theirs, mine = ([(dev, without_chance(data)) for dev, data in out] for out in (answer.out, ours["out"]))
    found += [f"out: kernel {theirs}\n     ours   {mine}"] if theirs != mine else []
    if not _looked_up(fed[1]):
        return found
    entry, own = answer.entry, ours["entry"]
    if entry is None or own is None:
        return found + ([f"entry: kernel {entry}, ours {own}"] if (entry is None) != (own is None) else [])
    return found + [f"{name}: kernel {entry[name]}, ours {own[name]}" for name in COMPARED if entry[name] != own[name]]


def compare(
    packets: Iterable[Fed], *, iptables: str = "", ip6tables: str = "", nft: str = "", devices: Mapping[str, Sequence[str]] = DEVICES,
    told: bool = False, sysctls: Mapping[str, int] | None = None,
) -> list[str]:  # fmt: skip
    """What differed, a line a packet and field; empty when the two agree on every packet and, at the end, on the whole table."""
    batch, settings = list(packets), dict(sysctls or {})
    rules = {"iptables": iptables, "ip6tables": ip6tables, "nft": nft}
    with KernelFirewall(devices, **rules, sysctls=settings) as firewall:
        answers = firewall.feed_batch(batch)
        table = firewall.table()
    mine = Ours(rules, devices, told, settings)
    lines = []
    for number, (fed, answer) in enumerate(zip(batch, answers, strict=True)):
        lines += [f"packet {number} on {fed[0]} {_said(fed[1])}: {line}" for line in differences(fed, answer, mine.feed(fed, answer))]
    return lines + same_tables(table, mine)


def same_tables(table: list[dict[str, Any]], mine: Ours) -> list[str]:
    """Entries that only one side has."""
    views = [entry_view(conn, mine.wall.now) for conn in mine.wall.ip.tracker.entries()]
    theirs, ours = (sorted(str({name: entry[name] for name in COMPARED}) for entry in entries) for entries in (table, views))
    found = [f"only the kernel: {line}" for line in theirs if line not in ours]
    return found + [f"only ours: {line}" for line in ours if line not in theirs]


def _said(data: bytes) -> str:
    try:
        return repr(Packet(data))
    except Malformed:
        return data.hex()
