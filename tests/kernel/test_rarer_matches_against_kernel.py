"""The rarer matches at work: the same packets through the kernel and through ours, and every rule's counter."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable

import pytest

from sim import wire
from sim.edges.kernel import KernelFirewall
from sim.edges.verify.pair import Pair, Refused
from sim.edges.verify.plan import Feed, Load, Plan
from sim.netfilter.words import Hook
from sim.ruleset.ipset import tool as ipset
from sim.ruleset.iptables import tool
from sim.units import parse_address
from tests.kernel.oddities import Oddities
from tests.kernel.test_rules_against_kernel import DEVICES, Ours, counters
from tests.ruleset.random_rules import packets

Open = Callable[..., KernelFirewall]

FOUR = """
-p ah --ahspi 0:100000
-m pkttype --pkt-type unicast
-m pkttype ! --pkt-type multicast
-m pkttype --pkt-type broadcast
-p esp ! --espspi 66562
-p esp --espspi 65538
-p ipcomp --ipcompspi 0
-m u32 --u32 "6&0xff=6"
-m u32 --u32 "0>>22&0x3c@0>>16=1000:2000"
-m u32 ! --u32 "0>>22&0x3c@12>>26&0x3c@0=0:0xffffffff"
-m u32 --u32 "4&0x1fff=0&&0>>22&0x3c@2&0xffff=80,443,53"
-p sctp --chunk-types any DATA
-p sctp --chunk-types any DATA:E,INIT
-p sctp --chunk-types all INIT
-p sctp --chunk-types all DATA,SACK
-p sctp ! --chunk-types all COOKIE_ECHO
-p sctp --chunk-types only DATA,SACK,HEARTBEAT
-p sctp ! --chunk-types only INIT,INIT_ACK
-p sctp --sport 1000 --chunk-types any ABORT,SHUTDOWN
-p dccp --dccp-types REQUEST,DATA
-p dccp ! --dccp-types INVALID
-p dccp --dccp-option 5
-m cluster --cluster-total-nodes 3 --cluster-local-node 2 --cluster-hash-seed 0xbeef
-m cluster --cluster-total-nodes 5 ! --cluster-local-nodemask 9 --cluster-hash-seed 1
-m time --datestart 2020 --datestop 2037
-m time --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun
-m time --datestop 2000
-m policy --dir in --pol none
-m policy --dir in --pol ipsec
-m mac --mac-source 00:01:02:03:04:05
-m mac ! --mac-source 00:01:02:03:04:05
-m realm --realm 0
-m realm ! --realm 1
-m devgroup --src-group 0
-m devgroup ! --src-group 0x1/0x1
-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"
-m bpf --bytecode "5,177 0 0 0,72 0 0 2,21 0 1 80,6 0 0 1,6 0 0 0"
-m bpf --bytecode "4,128 0 0 0,37 0 1 60,6 0 0 1,6 0 0 0"
-m bpf --bytecode "9,48 0 0 12,4 0 0 7,2 0 0 3,148 0 0 3,7 0 0 0,96 0 0 3,29 1 0 0,22 0 0 0,6 0 0 0"
-m bpf --bytecode "7,32 0 0 12,7 0 0 0,48 0 0 1,124 0 0 0,148 0 0 5,69 0 0 1,22 0 0 0"
-m bpf --bytecode "4,40 0 0 4293918722,116 0 0 3,132 0 0 0,22 0 0 0"
-m bpf --bytecode "5,40 0 0 4294963200,21 0 1 2048,6 0 0 1,6 0 0 0,6 0 0 0"
-m bpf --bytecode "2,64 0 0 60,22 0 0 0"
-p tcp -m osf --genre Linux
-p tcp -m osf ! --genre Linux
""".strip().splitlines()
SIX = """
-m hbh
-m hbh --hbh-len 8
-m hbh --hbh-opts 1:4
-m dst
-m dst ! --dst-len 8
-m dst --dst-opts 1:4
-m dst --dst-opts 1
-m dst --dst-opts 5:2,1
-m frag
-m frag --fragfirst
-m frag --fragmore
-m frag ! --fragid 5:9
-m rt
-m rt --rt-type 0
-m rt --rt-segsleft 1:3
-m rt ! --rt-len 24
-m rt --rt-type 0 --rt-0-res --rt-0-addrs fd00:9::1
-m rt --rt-type 0 --rt-0-addrs fd00:9::1 --rt-0-not-strict
-m ah
-m ah --ahspi 0:100
-m ah ! --ahlen 12
-m ah --ahres
-m ipv6header --header prot
-m ipv6header --header hop,prot
-m ipv6header --header dst,prot
-m ipv6header --header dst --soft
-m ipv6header ! --header prot --soft
-m ipv6header ! --header dst,prot
-m ipv6header --header auth,none --soft
-p mh --mh-type 1:3
-p mh -m mh
-p esp --espspi 1:5
-m u32 --u32 "40>>24=0:255"
-m cluster --cluster-total-nodes 3 --cluster-local-node 2 --cluster-hash-seed 0xbeef
-m srh
-m srh --srh-next-hdr 17
-m srh ! --srh-next-hdr 17
-m srh --srh-hdr-len-eq 4
-m srh ! --srh-hdr-len-gt 2
-m srh --srh-segs-left-lt 1
-m srh --srh-segs-left-eq 1 ! --srh-last-entry-eq 0
-m srh --srh-tag 513
-m srh --srh-tag 258
-m srh --srh-psid fd00:9::1
-m srh --srh-nsid fd00:9::/64
-m srh ! --srh-nsid fd00:9::1
-m srh --srh-lsid fd00:9::2/127
-m srh ! --srh-psid fd00:9::2 ! --srh-lsid fd00:8::/16
-m bpf --bytecode "4,48 0 0 6,21 0 1 43,6 0 0 1,6 0 0 0"
""".strip().splitlines()


def ruleset(tests: list[str]) -> str:
    """Each test counts in INPUT and in FORWARD; what drops at once is not seen by those behind."""
    rules = [f"-A {chain} {test}" for chain in ("INPUT", "FORWARD") for test in tests]
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT DROP [0:0]", *rules, "COMMIT", ""])


def extended(r: random.Random) -> bytes:
    """IPv6 with one to three headers between, some of them cut short."""
    src, dst = parse_address("fd00:1::10"), parse_address(r.choice(("fd00:2::9", "fd00:1::1")))
    body, number = r.choice(((wire.udp(src, dst, 1000, 53, b"x"), 17), (b"", 59), (bytes((59, 1, r.randrange(6), 0)) + bytes(12), 135),
                             (bytes((0, 0, 0, r.randrange(8))) + bytes(20), 50)))  # fmt: skip
    for kind in r.choices((0, 60, 60, 43, 51), k=r.randrange(4)):
        body, number = head(kind, number, r) + body, kind
    whole = wire.ipv6(src, dst, number, body)
    if r.random() < 0.15 and len(whole) > 44:
        cut = r.randrange(41, len(whole))
        whole = whole[:4] + (cut - 40).to_bytes(2) + whole[6:cut]
    return whole


def head(kind: int, following: int, r: random.Random) -> bytes:
    if kind == 51:
        return bytes((following, 1)) + r.choice((b"\0\0", b"\0\1")) + r.choice((5, 500)).to_bytes(4) + bytes(4)
    if kind == 43 and r.random() < 0.5:
        segments = r.randrange(3)
        body = b"".join(parse_address(r.choice(("fd00:9::1", "fd00:9::2", "fd00:8::1"))) for _ in range(segments))
        tag = r.choice((b"\1\2", b"\2\1", b"\0\0"))
        return bytes((following, segments * 2, 4, r.randrange(3), max(0, segments - r.randrange(2)), 0)) + tag + body
    if kind == 43:
        return bytes((following, 2, r.choice((0, 0, 4)), r.choice((0, 0, 2)))) + bytes(4) + parse_address("fd00:9::1")
    return bytes((following, 0)) + r.choice((b"\1\4\0\0\0\0", b"\5\2\0\0\1\0", b"\0\0\0\0\0\0"))


def ported(r: random.Random) -> bytes:
    """IPv4 with DCCP, ESP, AH or IPComp inside."""
    src, dst = parse_address("192.168.1.10"), parse_address(r.choice(("203.0.113.9", "192.168.1.1")))
    if r.random() < 0.5:
        options = r.choice((b"", b"\5\3\1\0", b"\1\1\1\0", b"\7\4\1\1"))
        kind = r.randrange(11)
        size = 16 + {0: 4, 1: 12, 2: 0, 7: 12}.get(kind, 0 if kind > 9 else 8)
        body = b"\x03\xe8\0\x50" + bytes(((size + len(options)) // 4, 0, 0, 0, kind << 1 | 1)) + bytes(size - 9) + options
        return wire.ip(src, dst, 33, body[: r.choice((len(body), len(body), 11))])
    return wire.ip(src, dst, r.choice((50, 51, 108)), r.choice((b"\0\1\0\2\0\1\4\2\0\0\0\5", b"\0\0\0\0", bytes(12), b"\0\0")))


def compare(real: Open, family: str, text: str, sent: list[bytes]) -> None:
    loaded = {"iptables" if family == "ip" else "ip6tables": text}
    program = "iptables" if family == "ip" else "ip6tables"
    with real(DEVICES, **loaded) as kernel:
        mine = Ours(**loaded)
        kernel.feed_batch([("lan", data) for data in sent])
        for data in sent:
            mine.feed(data)
        theirs = counters(kernel.counters(program))
    ours = counters(tool.run([f"{program}-save", "-c"], mine.ip.rules).out)
    wrong = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert not wrong, "\n".join(f"ctlab {mine_}  kernel {their}" for mine_, their in wrong)


@pytest.mark.parametrize("seed", range(2))
def test_every_counter_of_the_rarer_matches_of_ipv4_is_the_kernels(real: Open, seed: int) -> None:
    r, odd = random.Random(f"rarer {seed}"), Oddities(seed)
    sent = packets(r, "ip", 80) + [ported(r) for _ in range(120)]
    sent += [data for _, data in (odd.packet() for _ in range(300)) if data[0] >> 4 == 4]
    compare(real, "ip", ruleset(FOUR), sent)


@pytest.mark.parametrize("seed", range(2))
def test_every_counter_of_the_extension_headers_matches_is_the_kernels(real: Open, seed: int) -> None:
    r = random.Random(f"headers {seed}")
    compare(real, "ip6", ruleset(SIX), [extended(r) for _ in range(400)] + packets(r, "ip6", 60))


SETS = """
create nets hash:net
add nets 192.168.1.0/24
add nets 192.168.1.10 nomatch
add nets 203.0.113.0/24
create hosts hash:ip counters
add hosts 192.168.1.10
add hosts 203.0.113.9
create pairs hash:ip,port
add pairs 203.0.113.9,80
add pairs 203.0.113.9,udp:53
add pairs 192.168.1.10,icmp:echo-request
create ports bitmap:port range 0-1024
add ports 80
add ports 53
create ways hash:net,iface
add ways 192.168.1.0/24,lan
create all list:set
add all pairs
add all hosts
create seen hash:ip
create seennets hash:net
""".strip()
LOOKS = """
-m set --match-set nets src
-m set ! --match-set nets src
-m set --match-set nets src --return-nomatch
-m set --match-set nets dst
-m set --match-set hosts src
-m set --match-set hosts dst --packets-gt 3
-m set --match-set hosts dst ! --update-counters --bytes-lt 900
-m set --match-set hosts src,dst
-m set --match-set pairs dst,dst
-m set --match-set pairs src,dst
-m set --match-set ports dst
-m set --match-set ports src
-m set --match-set ways src,src
-m set --match-set all dst,dst
-m set --match-set seen dst
-j SET --add-set seen dst --exist
-m set --match-set seen dst
-m set --match-set seennets src
-j SET --add-set seennets src
-m set --match-set seennets src
-p udp -j SET --del-set seen dst
-m set ! --match-set seen dst
""".strip().splitlines()


@pytest.mark.skipif(shutil.which("ipset") is None, reason="the program ipset is not here")
def test_every_counter_of_rules_that_look_into_sets_is_the_kernels(real: Open) -> None:
    r = random.Random("sets")
    sent, text = packets(r, "ip", 150), ruleset(LOOKS)
    with real(DEVICES) as kernel:
        kernel.command(["ipset", "restore"], SETS + "\n")
        kernel.command(["iptables-legacy-restore"], text)
        mine = Ours()
        assert ipset.run(["ipset", "restore"], mine.ip.rules.ipsets, 0, SETS).err == ""
        assert tool.run(["iptables-restore"], mine.ip.rules, text) == tool.Result()
        kernel.feed_batch([("lan", data) for data in sent])
        for data in sent:
            mine.feed(data)
        theirs = counters(kernel.counters("iptables"))
    ours = counters(tool.run(["iptables-save", "-c"], mine.ip.rules).out)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


HANDED = """
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m socket -j MARK --set-mark 7
-A PREROUTING -m socket --nowildcard
-A PREROUTING -p tcp --dport 80 -j TPROXY --on-port 3128 --tproxy-mark 1/1
-A PREROUTING -p tcp --dport 80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT DROP [0:0]
-A FORWARD -j IDLETIMER --timeout 600 --label lan
-A FORWARD -p tcp --dport 22 -j NFQUEUE --queue-num 3
-A FORWARD -p tcp --dport 22
-A FORWARD -p udp --dport 53 -j NFQUEUE --queue-balance 0:3 --queue-bypass
-A FORWARD -p udp --dport 53
-A FORWARD
-A INPUT -m cgroup --cgroup 0
-A INPUT -m cgroup ! --cgroup 5
COMMIT
"""


def test_what_is_handed_to_programs_that_are_not_there_fares_as_in_the_kernel(real: Open) -> None:
    compare(real, "ip", HANDED, packets(random.Random("handed"), "ip", 200))


RENAMED = """
table inet t {
 chain pre {
  type filter hook prerouting priority 0;
  meta pkttype host tcp dport 80 meta pkttype set multicast
  udp dport 53 meta pkttype set broadcast
  icmp type echo-request meta pkttype set other
  meta pkttype broadcast udp dport 53 ip ttl 1-80 meta pkttype set host
  meta pkttype { multicast, other } counter
 }
 chain in { type filter hook input priority 0; meta pkttype vmap { host : accept, broadcast : continue }; counter reject; }
 chain on { type filter hook forward priority 0; meta pkttype != host counter; counter; udp dport 53 reject; }
}
"""


@pytest.mark.kernel
def test_what_a_rule_calls_a_packet_to_many_is_neither_passed_on_nor_answered() -> None:
    sent = packets(random.Random("renamed"), "ip", 200)
    with Pair(Plan(DEVICES, Load(nft=RENAMED))) as pair:
        assert [*pair.run([Feed("lan", data) for data in sent]), *pair.finish()] == []
        assert "multicast" in pair.kernel.counters("nft")


@pytest.mark.kernel
@pytest.mark.parametrize("hook", [hook.name.lower() for hook in Hook])
def test_a_packet_may_be_called_so_ahead_of_routing_alone(hook: str) -> None:
    text = f"table ip t {{ chain c {{ type filter hook {hook} priority 0; meta pkttype set broadcast; }}; }}"
    try:
        Pair(Plan(DEVICES, Load(nft=text))).close()
    except Refused as refused:
        assert hook != "prerouting" and "not supported" in refused.ours and "not supported" in refused.kernels
    else:
        assert hook == "prerouting"
