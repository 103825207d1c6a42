"""LOG's line against lines that the kernel wrote for the same packets (kernel_log_lines.txt)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.craft import craft
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.log import log_line
from sim.ruleset.model import LOG_FLAGS, Log
from sim.wire import with_ttl

LINES = Path(__file__).with_name("kernel_log_lines.txt").read_text().splitlines()[1:]
EVERY = frozenset(LOG_FLAGS)
RULES = {  # by prefix: the flags of the rule, and whether it stood in FORWARD (where TTL is one less)
    "raw: ": (EVERY, False),
    "fwd6 ": (EVERY, True),
    "fwd": (frozenset[str](), True),
}


def cases() -> list[tuple[str, str]]:
    found, packet = [], ""
    for line in LINES:
        if line.startswith("    "):
            found.append((packet, line[4:]))
        else:
            packet = line
    return found


@pytest.mark.parametrize(("packet", "line"), cases())
def test_a_packet_is_logged_as_the_kernel_logs_it(packet: str, line: str) -> None:
    prefix = next(prefix for prefix in RULES if line.startswith(prefix))
    flags, forwarded = RULES[prefix]
    data = craft(packet)
    skb = Skb(Packet(with_ttl(data, 63) if forwarded else data), 0, "lan", "wan" if forwarded else "")
    assert log_line(Log(prefix, flags=flags), skb) == line


def test_a_mark_is_logged_and_a_locally_made_packet_has_no_mac() -> None:
    skb = Skb(Packet(craft("udp 10.0.0.1:1 > 10.0.0.2:2")), 0, "", "eth0")
    skb.mark = 26
    text = log_line(Log("out: "), skb)
    assert text.startswith("out: IN= OUT=eth0 SRC=10.0.0.1 ")
    assert text.endswith("LEN=8 MARK=0x1a ")
