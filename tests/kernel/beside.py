"""The same packets through this machine's netfilter and through ours; what differs is said packet by packet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sim.conntrack.settings import Settings
from sim.conntrack.show import entry_view
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import key_of
from sim.conntrack.words import ACCEPT, LABEL, direction
from sim.edges.kernel import Answer, KernelFirewall
from sim.errors import Malformed
from sim.packet import Packet
from sim.units import SECOND

DEVICES = {"lan": ["192.168.1.1/24", "fd00:1::1/64"], "wan": ["203.0.113.1/24", "fd00:2::1/64"]}
COMPARED = ("family", "protocol", "protonum", "state", "original", "reply", "unreplied", "assured", "mark")
SLACK = 12_000
"""µs that the kernel's ticks of 4 ms may be off ours: one on each side of packet and look-up, and one in between."""


class Ours:
    """The simulated router: what the kernel says passes is confirmed here too."""

    def __init__(self, sysctls: Mapping[str, int]) -> None:
        self.tracker = Tracker(Settings())
        for key, value in sysctls.items():
            self.tracker.settings.set(key, str(value))

    def feed(self, data: bytes, now: int, passes: bool) -> dict[str, Any]:
        """What we say of one packet, in the words of Answer."""
        try:
            packet = Packet(data)
        except Malformed:
            return {"label": None, "direction": None, "kernel_log": (), "entry": None}
        tracked = self.tracker.track(packet, 0, now)
        if tracked.conn is not None and passes and tracked.verdict == ACCEPT:
            self.tracker.confirm(tracked.conn, packet, now, tracked.ctinfo)
        key = key_of(packet)
        found = self.tracker.find(key) if key is not None else None
        return {
            "label": LABEL[tracked.ctinfo], "direction": direction(tracked.ctinfo), "kernel_log": tracked.kernel_log,
            "entry": entry_view(found[0], now) if found else None, "reason": tracked.reason.text, "odd_gre": _odd_gre(packet),
        }  # fmt: skip


def _odd_gre(packet: Packet) -> bool:
    """GRE whose tuple the kernel's side of the comparison does not look up as the kernel would: short, or version 1 without PPP."""
    head = packet.data[packet.l4 : packet.l4 + 4]
    return packet.protonum == 47 and head[:2] != b"\0\0" and head[2:] != b"\x88\x0b"


def differences(kernel: Answer, ours: Mapping[str, Any]) -> list[str]:
    """Every field in which the two answers differ."""
    found = [
        f"{name}: kernel {getattr(kernel, name)!r}, ours {ours[name]!r}"
        for name in ("label", "direction", "kernel_log")
        if getattr(kernel, name) != ours[name]
    ]
    theirs, mine = kernel.entry, ours["entry"]
    if ours.get("odd_gre"):
        return found
    if theirs is None or mine is None:
        return found + ([f"entry: kernel {theirs}, ours {mine}"] if (theirs is None) != (mine is None) else [])
    found += [f"{name}: kernel {theirs[name]}, ours {mine[name]}" for name in COMPARED if theirs[name] != mine[name]]
    left = mine["timeout"]
    if not max(0, left - SLACK) // SECOND <= theirs["timeout"] <= (left + SLACK) // SECOND:
        found.append(f"timeout: kernel {theirs['timeout']}, ours {left / SECOND}")
    return found


def compare(packets: Iterable[tuple[str, bytes]], sysctls: Mapping[str, int] | None = None) -> list[str]:
    """What differed, a line a packet and field; empty when the two agree on every packet."""
    batch, settings = list(packets), dict(sysctls or {})
    with KernelFirewall(DEVICES, sysctls={f"net.netfilter.{key}": value for key, value in settings.items()}) as firewall:
        answers = firewall.feed_batch(batch)
    mine = Ours(settings)
    lines = []
    for number, ((device, data), answer) in enumerate(zip(batch, answers, strict=True)):
        ours = mine.feed(data, answer.at_us, answer.verdict == "ACCEPT")
        lines += [f"packet {number} on {device} {data.hex()}: {line}" for line in differences(answer, ours)]
    return lines
