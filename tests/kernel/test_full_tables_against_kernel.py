"""A full connection table and a full expectation table. Their limits are the machine's, not a namespace's: each is lowered for an instant.

Both tables are full already when that is done, so the machine's own connections notice nothing. Skipped where the limits are
not ours to set (no root, or a network namespace that is not the machine's first).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sim.craft import craft
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan

SYSCTLS = Path("/proc/sys/net/netfilter")
ENTRIES, EXPECTED = 600, 60
CLIENT, SERVER = "192.168.1.10", "203.0.113.9"
TFTP = "*raw\n-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp\nCOMMIT\n"

pytestmark = pytest.mark.skipif(
    not os.access(SYSCTLS / "nf_conntrack_max", os.W_OK), reason="nf_conntrack_max is not ours to set on this machine"
)


@contextmanager
def lowered(pair: Pair, name: str, value: int) -> Iterator[None]:
    """The limit is `value` in ours, and in all of this machine, for as long as the block takes."""
    file = SYSCTLS / name
    before = file.read_text()
    try:
        file.write_text(str(value))
        pair.wall.ip.sysctls.set(f"net.netfilter.{name}", str(value))
        yield
    finally:
        file.write_text(before)
        pair.wall.ip.sysctls.set(f"net.netfilter.{name}", before.strip())


def opened(port: int) -> list[Feed]:
    """A TCP connection that has come as far as ASSURED: no early drop takes it."""
    there, back = f"tcp {CLIENT}:{port} > {SERVER}:80", f"tcp {SERVER}:80 > {CLIENT}:{port}"
    said = (("lan", f"{there} S seq 1"), ("wan", f"{back} S. seq 1 ack 2"), ("lan", f"{there} . seq 2 ack 2"))
    return [Feed(dev, craft(words)) for dev, words in said]


def asked(port: int) -> Feed:
    return Feed("lan", craft(f"udp {CLIENT}:{port} > {SERVER}:53 data ask"))


def test_a_full_table_of_assured_connections_drops_what_is_new_and_lets_go_on_what_is_not() -> None:
    with Pair(Plan(), keep=True) as pair:
        assert list(pair.run([feed for port in range(2000, 2000 + ENTRIES) for feed in opened(port)])) == []
        assert len(pair.kernel.table()) == ENTRIES
        with lowered(pair, "nf_conntrack_max", ENTRIES):
            told = list(pair.run([asked(5000), Feed("lan", craft(f"tcp {CLIENT}:2000 > {SERVER}:80 P. seq 2 ack 2 data more"))]))
        told += pair.run([asked(5000)])
    assert told == []
    said = [(answer.label, answer.verdict) for _, answer in pair.heard[-3:]]
    assert said == [(None, "DROP"), ("ESTABLISHED", "ACCEPT"), ("NEW", "ACCEPT")]


def test_a_full_table_has_room_for_one_more_than_its_limit_less_one() -> None:
    with Pair(Plan(), keep=True) as pair:
        assert list(pair.run([feed for port in range(2000, 2000 + ENTRIES) for feed in opened(port)])) == []
        with lowered(pair, "nf_conntrack_max", ENTRIES + 1):
            told = list(pair.run([asked(5000)]))
    assert told == []
    assert pair.heard[-1][1].label == "NEW"


def test_a_full_expectation_table_makes_the_helper_drop_what_it_has_read() -> None:
    def read(port: int) -> Feed:
        return Feed("lan", craft(f"udp {CLIENT}:{port} > {SERVER}:69 hex 000166696c65006f6374657400"))

    with Pair(Plan(rules=Load(iptables=TFTP)), keep=True) as pair:
        assert list(pair.run([read(port) for port in range(3000, 3000 + EXPECTED)])) == []
        with lowered(pair, "nf_conntrack_expect_max", EXPECTED):
            told = list(pair.run([read(5000)]))
        told += pair.run([read(5001)])
    assert told == []
    full, room = (answer for _, answer in pair.heard[-2:])
    assert full.verdict == "DROP" and full.kernel_log == ("nf_ct_tftp: dropping packet: cannot add expectation ",)
    assert room.verdict == "ACCEPT" and len(room.expected or ()) == EXPECTED + 1
