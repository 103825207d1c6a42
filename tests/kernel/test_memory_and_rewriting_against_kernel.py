"""Rules with a memory (connlimit, recent, hashlimit) and rules that change bytes: the same packets through the kernel and through ours."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from sim import wire
from sim.craft import craft
from sim.edges.kernel import KernelFirewall, ToolFailed
from sim.ruleset.iptables import tool
from sim.ruleset.nft.tool import run as nft_run
from sim.units import parse_address
from tests.kernel.test_rules_against_kernel import DEVICES, Ours, counters

Open = Callable[..., KernelFirewall]
CLIENT, SERVER, CLIENT6, SERVER6 = "192.168.1.10", "203.0.113.9", "fd00:1::10", "fd00:2::9"

CONNLIMIT = """*filter
-A FORWARD -m conntrack --ctstate ESTABLISHED -m connlimit --connlimit-upto 0
-A FORWARD -m conntrack --ctstate ESTABLISHED -m connlimit --connlimit-above 0
-A FORWARD -p udp -m connlimit --connlimit-above 2
-A FORWARD -p udp -m connlimit --connlimit-upto 2 --connlimit-daddr --connlimit-mask 8
-A FORWARD -p udp --sport 5003 -j DROP
-A FORWARD -p tcp --syn -m connlimit --connlimit-above 1 -j DROP
COMMIT
"""
TALK = """
lan udp {c}:5001 > {s}:80 len 5
wan udp {s}:80 > {c}:5001 len 5
lan udp {c}:5001 > {s}:80 len 5
lan udp {c}:5002 > {s}:80 len 5
lan udp {c}:5003 > {s}:80 len 5
lan udp {c}:5003 > {s}:80 len 5
lan udp {c}:5004 > {s}:80 len 5
wan udp {s}:80 > {c}:5004 len 5
lan tcp {c}:6001 > {s}:80 S seq 100
lan tcp {c}:6002 > {s}:80 S seq 100
wan tcp {s}:80 > {c}:6001 R. seq 0 ack 101
lan tcp {c}:6003 > {s}:80 S seq 100
lan udp {c}:5001 > {s}:80 len 5
"""


def numbers(saved: str) -> list[str]:
    """Each rule's count of packets, with the rule."""
    return [re.sub(r"^\[(\d+):\d+\]", r"\1", line) for line in counters(saved) if line[0] == "["]


def test_connlimit_counts_the_connections_that_the_kernel_counts(real: Open) -> None:
    with real(DEVICES, iptables=CONNLIMIT) as kernel:
        mine = Ours(iptables=CONNLIMIT)
        for line in TALK.strip().splitlines():
            dev, _, packet = line.format(c=CLIENT, s=SERVER).partition(" ")
            data = craft(packet)
            kernel.feed_batch([(dev, data)])
            mine.ip.receive(data, dev, 1)
            time.sleep(0.01)  # conntrack's list of connections is tidied once a jiffy
            theirs, ours = numbers(kernel.counters("iptables")), numbers(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
            assert ours == theirs, line


CHANGES = {
    "ip": (
        "-j TOS --set-tos 0x10/0x3f", "-j TOS --xor-tos 0x85", "-j DSCP --set-dscp-class EF", "-j TTL --ttl-dec 5", "-j TTL --ttl-inc 250",
        "-j TTL --ttl-set 1", "-p tcp -j ECN --ecn-tcp-remove", "-p tcp --syn -j TCPMSS --set-mss 1000",
        "-p tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu", "-p tcp --syn -j TCPMSS --set-mss 400",
        "-p udp -j CHECKSUM --checksum-fill",
    ),
    "ip6": (
        "-j TOS --set-tos 0x10/0x3f", "-j DSCP --set-dscp 1", "-j HL --hl-dec 5", "-j HL --hl-inc 250",
        "-p tcp --syn -j TCPMSS --set-mss 1000", "-p tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu",
    ),
}  # fmt: skip
OPTIONS = (
    b"", b"\2\4\5\xb4", b"\2\4\1\0", b"\1\1\2\4\5\xb4\0\0", b"\1\2\4\5\xb4\1\1\0", b"\3\3\7\1\2\4\x23\0", b"\2\3\5\xb4",
    b"\x08\x0a" + bytes(10), b"\1" * 40, b"\2\4\5", b"\3\0\0\0\2\4\5\xb4",
)  # fmt: skip


def segments(r: random.Random, family: str) -> list[bytes]:
    """Packets with all sorts of TCP options, some with a wrong checksum, some cut short."""
    src, dst = (parse_address(CLIENT), parse_address(SERVER)) if family == "ip" else (parse_address(CLIENT6), parse_address(SERVER6))
    found = []
    for number, options in enumerate(OPTIONS * 6):
        flags = r.choice((2, 0xC2, 18, 16, 6))
        payload = r.choice((b"", b"", b"x", b"hello"))
        segment = wire.tcp(src, dst, 1000 + number, 80, seq=r.randrange(2**32), flags=flags, options=options, payload=payload)
        if r.random() < 0.15:
            segment = segment[:16] + b"\x12\x34" + segment[18:]
        if r.random() < 0.1:
            segment = segment[: r.choice((10, 20, 22))]
        found.append(wire.ip(src, dst, 6, segment, ttl=r.choice((64, 5, 2)), tos=r.choice((0, 0xFF, 0x10))))
    found.append(wire.ip(src, dst, 17, wire.udp(src, dst, 1, 2, b"hello"), ttl=3, tos=0xFF))
    return found


@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_what_a_rule_changes_leaves_with_the_kernels_bytes(real: Open, family: str) -> None:
    wrong = []
    for change in CHANGES[family]:
        loaded = {"iptables" if family == "ip" else "ip6tables": f"*mangle\n-A FORWARD {change}\nCOMMIT\n"}
        with real(DEVICES, **loaded) as kernel:
            mine = Ours(**loaded)
            sent = segments(random.Random(change), family)
            for data, answer in zip(sent, kernel.feed_batch([("lan", data) for data in sent]), strict=True):
                theirs, ours = [out for out in answer.out if out[0] == "wan"], [out for out in mine.feed(data) if out[0] == "wan"]
                if theirs != ours:
                    wrong.append(f"{change} {data.hex()}\n  {[out.hex() for _, out in theirs]}\n  {[out.hex() for _, out in ours]}")
    assert not wrong, "\n".join(wrong)


HASHLIMIT = """*filter
-A FORWARD -m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name a
-A FORWARD -m hashlimit --hashlimit-above 512b/s --hashlimit-mode dstip,dstport --hashlimit-name b
-A FORWARD -m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 4kb --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name c
-A FORWARD -m recent --set --name all --rsource
-A FORWARD -m recent --rcheck --seconds 1 --hitcount 5 --name all --rsource
-A FORWARD -m recent --update --seconds 1 --hitcount 7 --name all --rsource
-A FORWARD -m limit --limit 5/sec --limit-burst 2
COMMIT
"""


def test_rates_refill_and_lists_forget_as_in_the_kernel(real: Open) -> None:
    r = random.Random(4)
    with real(DEVICES, iptables=HASHLIMIT) as kernel:
        mine = Ours(iptables=HASHLIMIT)
        start, now = time.monotonic(), [0]
        mine.ip.clock = lambda: now[0]
        for step in range(30):
            host = f"192.168.1.{r.choice((10, 10, 11, 12))}"
            data = craft(f"udp {host}:1000 > {SERVER}:{r.choice((53, 80))} len {r.choice((10, 200, 900))}")
            for _ in range(r.choice((1, 2, 3))):
                now[0] = int((time.monotonic() - start) * 1_000_000) + 1_000_000
                kernel.feed_batch([("lan", data)])
                mine.ip.receive(data, "lan", 1)
            time.sleep(r.choice((0.0, 0.05, 0.12)))
            theirs, ours = numbers(kernel.counters("iptables")), numbers(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
            far = [(a, b) for a, b in zip(theirs, ours, strict=True) if abs(int(a.split()[0]) - int(b.split()[0])) > 1]
            assert not far, step  # within one: the two clocks' jiffies do not begin together


NFT = """
table inet t {
 chain pre {
  type filter hook prerouting priority -100;
  fib daddr type local counter
  fib daddr type != { local, unicast } counter
  fib saddr . iif oif missing counter
  fib saddr oif exists counter
  fib saddr oifname "wan" counter
  fib saddr type vmap { unicast : continue, local : drop }
  tcp option maxseg exists counter
  tcp option maxseg size 400-1400 counter
  tcp option window count 7 counter
  tcp option sack-perm missing counter
 }
 chain through {
  type filter hook forward priority 0;
  ct bytes > 100 counter
  ct original packets 2-3 counter
  ct reply avgpkt < 100 counter
  ct packets 1 counter
  ip dscp set ef counter
  ip ecn set ce
  ip ttl set 9
  ip6 hoplimit set 9
  ip6 dscp set af11 counter
  tcp option maxseg size set 1000 counter
  tcp flags syn tcp option maxseg size set rt mtu counter
  udp sport 5000-5010 ct count over 2 counter drop
  udp sport 5000-5010 ct count 2 counter
 }
}
"""


def test_nft_sees_counts_and_changes_what_the_kernel_does(real: Open) -> None:
    r = random.Random(7)
    sent = [*segments(r, "ip")[:60], *segments(r, "ip6")[:40]]
    sent += [craft(f"udp {CLIENT}:{port} > {SERVER}:53 len 5") for port in (5001, 5001, 5002, 5003, 5002, 5004)]
    sent += [craft(line) for line in (f"udp {CLIENT}:1 > 192.168.1.1:9", f"udp {SERVER}:7 > {SERVER}:8")]
    with real(DEVICES, nft=NFT) as kernel:
        mine = Ours()
        assert nft_run(["nft", "-f", "-"], mine.ip.rules, NFT).status == 0
        mine.ip.sysctls.preset("net.ipv4.conf.all.rp_filter", 0)
        for data in sent:
            (answer,) = kernel.feed_batch([("lan", data)])
            time.sleep(0.012)
            assert [out for out in mine.feed(data) if out[0] == "wan"] == [out for out in answer.out if out[0] == "wan"], data.hex()
        theirs = kernel.counters("nft")
    ours = nft_run(["nft", "list", "table", "inet", "t"], mine.ip.rules).out
    assert ours.splitlines() == theirs[theirs.index("table inet t") :].splitlines()[: ours.count("\n")]


SHIFTED = """*mangle
-A PREROUTING -p tcp -j CONNMARK --set-mark 0x9/0x9 --left-shift-mark 4
-A PREROUTING -p udp -j MARK --set-mark 0xf0f0
-A PREROUTING -p udp -j CONNMARK --save-mark --nfmask 0xff00 --ctmask 0xff --right-shift-mark 8
-A PREROUTING -p udp -j CONNMARK --xor-mark 0x80000001 --left-shift-mark 1
-A PREROUTING -p icmp -j CONNMARK --set-mark 0x80000003 --right-shift-mark 1
-A PREROUTING -p icmp -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xffff --left-shift-mark 31
-A PREROUTING -m connmark --mark 0x90
-A PREROUTING -m connmark --mark 0x990
-A PREROUTING -m connmark --mark 0x1e2
-A PREROUTING -m connmark --mark 0x40000001
-A PREROUTING -p icmp -m mark --mark 0x80000000
COMMIT
"""


def test_marks_of_connections_are_shifted_as_the_kernel_shifts_them(real: Open) -> None:
    packets = [craft(f"tcp {CLIENT}:6001 > {SERVER}:80 S seq 100"), craft(f"tcp {CLIENT}:6001 > {SERVER}:80 S seq 100"),
               craft(f"udp {CLIENT}:5001 > {SERVER}:80 len 5"), craft(f"icmp {CLIENT} > {SERVER} echo-request id 1 seq 1")]  # fmt: skip
    with real(DEVICES, iptables=SHIFTED) as kernel:
        mine = Ours(iptables=SHIFTED)
        for data in packets:
            kernel.feed_batch([("lan", data)])
            mine.ip.receive(data, "lan", 1)
        theirs, ours = numbers(kernel.counters("iptables")), numbers(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
    assert ours == theirs
    assert not [line for line in theirs if "-m " in line and line.startswith("0 ")], "each of these marks was seen"


LABELLED = """*mangle
-A PREROUTING -m connlabel --label 5
-A PREROUTING -m connlabel ! --label 5
-A PREROUTING -p udp -m connlabel --label 127 --set
-A PREROUTING -p udp -m connlabel ! --label 5 --set
-A PREROUTING -p tcp -m connlabel ! --label 127
-A FORWARD -m connlabel --label 127
COMMIT
*raw
-A PREROUTING -p udp --dport 81 -j CT --notrack
COMMIT
"""


def test_labels_of_connections_are_set_and_matched_as_the_kernel_does(real: Open) -> None:
    packets = [craft(f"udp {CLIENT}:5001 > {SERVER}:{port} len 5") for port in (80, 80, 81)]
    packets += [craft(f"tcp {CLIENT}:6001 > {SERVER}:80 S seq 100"), craft(f"udp {CLIENT}:5001 > {SERVER}:80 len 5")]
    with real(DEVICES, iptables=LABELLED) as kernel:
        mine = Ours(iptables=LABELLED)
        for data in packets:
            kernel.feed_batch([("lan", data)])
            mine.ip.receive(data, "lan", 1)
        theirs, ours = numbers(kernel.counters("iptables")), numbers(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
    assert ours == theirs


REMEMBERING = """*filter
-A FORWARD -p udp -m quota --quota 100
-A FORWARD -p udp -m limit --limit 1/hour --limit-burst 2
-A FORWARD -p udp -m statistic --mode nth --every 3 --packet 0
-A FORWARD -p udp -m connlimit --connlimit-above 2
-A FORWARD -p udp -m recent --name r --rcheck --hitcount 3
-A FORWARD -p udp -m recent --name r --set
-A FORWARD -p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-name h
COMMIT
"""
BETWEEN = (
    "-A OUTPUT -p tcp", "-I FORWARD 1 -p tcp", "-t mangle -A FORWARD -p tcp", "-Z FORWARD", "-P INPUT ACCEPT", "-D FORWARD 1",
    "-R OUTPUT 1 -p icmp", "-N x", "-L", "-A FORWARD --nonsense",
)  # fmt: skip


def test_what_rules_remember_begins_anew_when_their_table_is_changed_as_in_the_kernel(real: Open) -> None:
    with real(DEVICES, iptables=REMEMBERING) as kernel:
        mine = Ours(iptables=REMEMBERING)
        for turn, words in enumerate(("-L", *BETWEEN)):
            with suppress(ToolFailed):
                kernel.command(["iptables-legacy", *words.split()])
            tool.run(["iptables", *words.split()], mine.ip.rules)
            for port in range(5000 + turn * 4, 5004 + turn * 4):
                data = craft(f"udp {CLIENT}:{port} > {SERVER}:80 len 12")
                kernel.feed_batch([("lan", data)])
                mine.ip.receive(data, "lan", 1)
            theirs, ours = numbers(kernel.counters("iptables")), numbers(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
            assert ours == theirs, words
