"""Reads and runs tests/conversations/*.yaml: packets at moments, and what conntrack is to say of each.

    - name: a sentence
      begin: established            (optional: client and server have shaken hands before 0)
      sysctls: {nf_conntrack_…: 0}  (optional)
      steps:
        - {at: 10ms, send: server > client, tcp: S. seq 0 ack 1, expect: ESTABLISHED SYN_RECV 60, log: "the kernel's words"}

`tcp` and `udp` are the words of sim/craft.py; seq and ack count from each end's initial number (client 1000, server 5000).
`packet` is a whole packet in those words. `expect`: label, direction, TCP state, whole seconds left, assured, unreplied,
gone (no entry): whichever are said. Without a packet the entry of the last one is looked at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from sim.conntrack.settings import Settings
from sim.conntrack.show import seconds_left
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import Key, key_of
from sim.conntrack.words import LABEL, TCP_STATE_NAMES, direction
from sim.craft import craft
from sim.packet import Packet
from sim.units import parse_time

FOLDER = Path(__file__).parents[1] / "conversations"
ENDS = {"client": ("192.168.1.10:1000", 1000), "server": ("203.0.113.9:80", 5000)}
ESTABLISHED = [
    {"at": 0, "send": "client > server", "tcp": "S seq 0"},
    {"at": 0, "send": "server > client", "tcp": "S. seq 0 ack 1"},
    {"at": 0, "send": "client > server", "tcp": ". seq 1 ack 1"},
]
Step = dict[str, Any]


def load() -> list[tuple[str, dict[str, Any]]]:
    """(file and sentence, conversation) of every conversation."""
    found = [(path.stem, one) for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load(path.read_text())]
    return [(f"{stem}: {one['name']}", one) for stem, one in found]


def packet_of(step: Step) -> bytes | None:
    """The bytes that a step sends."""
    if "packet" in step:
        return craft(step["packet"])
    if "send" not in step:
        return None
    sender, receiver = step["send"].split(" > ")
    (src, mine), (dst, theirs) = ENDS[sender], ENDS[receiver]
    protocol = "tcp" if "tcp" in step else "udp"
    words = re.sub(r"\bseq (-?\d+)", lambda m: f"seq {(int(m[1]) + mine) % 2**32}", step[protocol])
    words = re.sub(r"\back (\d+)", lambda m: f"ack {int(m[1]) + theirs}", words)
    return craft(f"{protocol} {src} > {dst} {words}")


class Conversation:
    """One tracker, fed step by step."""

    def __init__(self, sysctls: dict[str, Any]) -> None:
        self.tracker = Tracker(Settings())
        for key, value in sysctls.items():
            self.tracker.settings.set(key, str(value))
        self.key: Key | None = None

    def say(self, step: Step) -> tuple[set[str], tuple[str, ...]]:
        """Every word that is true after the step, and the kernel's log lines."""
        now, data = parse_time(step["at"]), packet_of(step)
        words: set[str] = set()
        log: tuple[str, ...] = ()
        if data is not None:
            packet = Packet(data)
            tracked = self.tracker.track(packet, 0, now)
            if tracked.conn is not None:
                assert self.tracker.confirm(tracked.conn, packet, now, tracked.ctinfo) == 1
            words |= {LABEL[tracked.ctinfo], str(direction(tracked.ctinfo))}
            log, self.key = tracked.kernel_log, key_of(packet)
        self.tracker.expire(now)
        return words | self._entry_words(now), log

    def _entry_words(self, now: int) -> set[str]:
        found = self.tracker.find(self.key) if self.key is not None else None
        if found is None:
            return {"gone"}
        conn = found[0]
        words = {str(seconds_left(conn, now)), "assured" if conn.status & 4 else "", "" if conn.status & 2 else "unreplied"}
        # the label ESTABLISHED and the state of that name are two words: the state is said second
        return words | {f"state {conn.state_name()}"}


def wanted(step: Step) -> set[str]:
    """The words of `expect`; a TCP state is told from the label ESTABLISHED by its place."""
    words = str(step.get("expect", "")).split()
    found: set[str] = set()
    for at, word in enumerate(words):
        is_state = word in TCP_STATE_NAMES and (word != "ESTABLISHED" or at > 0)
        found.add(f"state {word}" if is_state else word)
    return found
