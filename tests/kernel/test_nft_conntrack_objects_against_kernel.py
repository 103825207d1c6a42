"""What nft's rules say a connection will be like, and what they ask of sockets and routes: each rule's counter as the kernel's.

The time-outs that a policy gives, the labels, and what is expected are seen by the rules behind, and by conntrack's own list.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.ruleset.nft.tool import run as nft_run
from tests.kernel.test_rules_against_kernel import DEVICES, Ours

Open = Callable[..., KernelFirewall]
NFT = """
table ip t {
 ct timeout brief {
  protocol udp
  policy = { unreplied : 7, replied : 9 }
 }
 ct timeout slow {
  protocol tcp
  policy = { syn_sent : 77, established : 99, close : 4 }
 }
 ct expectation back {
  protocol tcp
  dport 9876
  timeout 1m
  size 1
  l3proto ip
 }
 chain early {
  type filter hook prerouting priority mangle;
  tcp dport 80 tproxy to :3128 counter
  socket transparent 0 counter
  socket wildcard 1 counter
  ether saddr 00:01:02:03:04:05 counter
  ether saddr != 00:01:02:03:04:05 counter
 }
 chain through {
  type filter hook forward priority 0;
  ct state established,related counter
  ct state related counter
  udp dport 53 ct timeout set "brief"
  tcp dport 22 ct timeout set "slow"
  tcp dport 21 ct expectation set "back" counter
  udp dport 53 ct label set 5 counter
  ct label 5 counter
  ct label != 5 counter
  ct label 5,6 counter
  ct expiration > 8s counter
  ct expiration <= 9s counter
  ct expiration 70s-80s counter
  ct event set destroy
  meta skuid 0 counter
  meta skuid != 5 counter
  meta cgroup 0 counter
  rt ip nexthop 203.0.113.9 counter
  rt ip nexthop != 203.0.113.9 counter
  rt mtu 1460 counter
  rt classid 0 counter
  meta rtclassid != 7 counter
  rt ipsec missing counter
  ct mark set 3 counter
  meta mark set ct mark counter
 }
}
"""
PACKETS = """
udp 192.168.1.10:5000 > 203.0.113.9:53 len 5
udp 203.0.113.9:53 > 192.168.1.10:5000 len 9
udp 192.168.1.10:5000 > 203.0.113.9:53 len 5
udp 192.168.1.10:5001 > 203.0.113.9:99 len 5
tcp 192.168.1.10:6000 > 203.0.113.9:22 S seq 1
tcp 203.0.113.9:22 > 192.168.1.10:6000 S. seq 9 ack 2
tcp 192.168.1.10:6000 > 203.0.113.9:22 . seq 2 ack 10
tcp 192.168.1.10:6000 > 203.0.113.9:22 P. seq 2 ack 10 len 8
tcp 192.168.1.10:6000 > 203.0.113.9:22 R seq 10
tcp 192.168.1.10:6001 > 203.0.113.9:21 S seq 1
tcp 203.0.113.9:21 > 192.168.1.10:6001 S. seq 9 ack 2
tcp 203.0.113.9:700 > 192.168.1.10:9876 S seq 7
tcp 203.0.113.9:701 > 192.168.1.10:9876 S seq 7
tcp 192.168.1.11:6002 > 203.0.113.9:80 S seq 1
udp 192.168.1.10:5003 > 192.168.1.1:99 len 5
icmp 192.168.1.10 > 203.0.113.9 echo-request id 5 seq 1
""".strip().splitlines()


def sides(line: str) -> tuple[str, bytes]:
    """The device by which a packet comes, and its bytes."""
    return "lan" if " 192.168" in line.partition(">")[0] else "wan", craft(line)


def test_what_rules_say_of_new_connections_and_ask_of_sockets_and_routes_counts_as_in_the_kernel(real: Open) -> None:
    with real(DEVICES, nft=NFT) as kernel:
        mine = Ours()
        assert nft_run(["nft", "-f", "-"], mine.ip.rules, NFT).err == ""
        mine.ip.arrange_conntrack()
        for line in PACKETS:
            kernel.feed_batch([sides(line)])
            mine.ip.receive(sides(line)[1], sides(line)[0])
        theirs = kernel.counters("nft")
    ours = nft_run(["nft", "list", "table", "ip", "t"], mine.ip.rules).out
    pairs = zip(ours.splitlines(), theirs[theirs.index("table ip t") :].splitlines(), strict=False)
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
