"""nft's sets, maps, meters and objects at work: the same packets through the kernel and through ours, then the same listing.

What is listed holds all of it: which elements packets added, what elements and objects have counted, which rules went on. Only the time
that is left to an element is masked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.ruleset.nft.tool import run as nft_run
from tests.kernel.test_rules_against_kernel import DEVICES, Ours

Open = Callable[..., KernelFirewall]
NFT = """
table inet t {
 counter a { }
 counter b { packets 5 bytes 500 }
 quota q { over 2000 bytes }
 quota u { 1500 bytes used 100 bytes }
 limit fast { rate 1/day burst 4 packets }
 set seen { type ipv4_addr; flags dynamic; }
 set pairs { type ipv4_addr . inet_service; flags dynamic; counter; }
 set three { type inet_service; flags dynamic; size 3; }
 set kept { type ipv4_addr; flags dynamic,timeout; timeout 1h; quota over 300 bytes; }
 set counted { type ipv4_addr; counter; elements = { 192.168.1.10, 192.168.1.12 counter packets 3 bytes 4 } }
 set nets { type ipv4_addr; flags interval; counter; elements = { 192.168.1.8/30, 192.168.1.32-192.168.1.40 } }
 set boxes { type ipv4_addr . inet_service; flags interval; elements = { 192.168.1.8/30 . 53-60, 192.168.1.0/24 . 80, 10.0.0.0/8 . 1-9 } }
 set rest { type ipv4_addr; elements = { * } }
 map marks { type ipv4_addr : mark; elements = { 192.168.1.10 : 7, * : 9 } }
 map learnt { type ipv4_addr : inet_service; flags dynamic; }
 map by { type inet_service : counter; flags interval; elements = { 53 : "a", 80-90 : "b" } }
 map ways { type ipv4_addr : verdict; counter; elements = { 192.168.1.11 : jump side, 192.168.1.12 counter packets 1 bytes 1 : continue } }
 chain side { counter; }
 chain through {
  type filter hook forward priority 0;
  add @seen { ip saddr } counter
  add @pairs { ip saddr . udp dport } counter
  add @three { udp sport } counter
  update @kept { ip saddr timeout 2h } counter
  ip saddr @seen counter
  ip saddr @counted counter
  ip saddr != @counted counter
  ip saddr @nets counter
  ip saddr . udp dport @boxes counter
  ip saddr @rest counter
  meta mark set ip saddr map @marks counter
  meta mark 9 counter
  ct mark set udp dport map { 53 : 0x35, 80-100 : 0x50, * : 1 }
  ct mark 0x35 counter
  ct mark 1 counter
  add @learnt { ip saddr : udp dport }
  counter name "a"
  counter name udp dport map @by
  counter name ip saddr map { 192.168.1.10 : "b" } counter
  quota name "q" counter
  quota name "u" counter
  limit name "fast" counter
  quota over 1000 bytes counter
  quota 700 bytes used 20 bytes counter
  ip saddr vmap @ways
  ip saddr vmap { 192.168.1.10 : continue, * : jump side } counter
  udp sport 5003 delete @seen { ip saddr }
  meter m { ip saddr limit rate over 1/day burst 3 packets } counter
  meter n size 2 { ip daddr . udp dport counter } counter
  tcp dport 22 add @seen { ip saddr } counter
 }
}
"""


def masked(listing: str) -> list[str]:
    """Without the time left, and without the order of the kernel's hash where nft does not sort."""
    return re.sub(r"expires \w+", "expires", listing).splitlines()


def sent() -> list[bytes]:
    r = random.Random(5)
    found = []
    for _ in range(60):
        host, server = f"192.168.1.{r.choice((10, 10, 11, 12, 35, 99))}", f"203.0.113.{r.choice((9, 9, 10))}"
        sport, dport, size = r.choice((5001, 5002, 5003, 5004)), r.choice((53, 80, 85, 443)), r.choice((1, 40, 90))
        found.append(craft(f"udp {host}:{sport} > {server}:{dport} len {size}"))
    found.append(craft("tcp 192.168.1.77:99 > 203.0.113.9:22 S"))
    found.append(craft("udp [fd00:1::10]:5001 > [fd00:2::9]:53 len 5"))
    return found


def test_sets_maps_meters_and_objects_learn_and_count_as_in_the_kernel(real: Open) -> None:
    with real(DEVICES, nft=NFT) as kernel:
        mine = Ours()
        assert nft_run(["nft", "-f", "-"], mine.ip.rules, NFT).err == ""
        for data in sent():
            kernel.feed_batch([("lan", data)])
            mine.feed(data)
        theirs = kernel.counters("nft")
    ours = nft_run(["nft", "list", "table", "inet", "t"], mine.ip.rules).out
    assert masked(ours) == masked(theirs[theirs.index("table inet t") :])[: ours.count("\n")]
