"""Random words of the rarer expressions and statements of nft, by seed: concatenations, maps, sets that packets fill, rewriting.

The commoner ones, and whole rulesets: nft.py.
"""

from __future__ import annotations

from random import Random
from typing import Final

NAMED: Final = """ set seen {{ type {kind}; flags dynamic; timeout 1h; size 100; }}
 set met {{ type {kind} . inet_service; size 65535; flags dynamic,timeout; }}
 set pairs {{ type {kind} . inet_service; flags interval; elements = {{ {some} . 80, {net} . 1000-2000, {net} . 22 }}; }}
 map marks {{ type inet_service : mark; flags interval; elements = {{ 1-100 : 0x1, 1000 : 0x8, 2000-65535 : 0x3 }}; }}
 map ways {{ type {kind} . inet_proto : verdict; elements = {{ {some} . tcp : accept, {some} . udp : drop }}; }}
 counter seen {{ }}
 quota most {{ over 3000 bytes }}
 limit few {{ rate 1/day burst 5 packets }}
"""
"""What the rules below name; kind is a type of addresses, some an address, net a network."""
ADDRESSES: Final = {"ip": ("192.168.1.10", "192.168.1.0/24"), "ip6": ("fd00:1::10", "fd00:1::/64")}
MATCHES: Final = (
    "{ip} saddr . tcp dport @pairs", "{ip} saddr . udp dport @pairs", "{ip} saddr . tcp dport {{ {some} . 80, {net} . 1-100 }}",
    "{ip} saddr . {ip} daddr . meta l4proto {{ {some} . {net} . tcp, {some} . {some} . udp }}", "{ip} saddr . th dport @met",
    "{ip} saddr @seen", "{ip} saddr . meta l4proto vmap @ways", "meta l4proto . th dport {{ tcp . 22, udp . 53, tcp . 80 }}",
    "meta l4proto {{ tcp, udp }} th dport 53", "meta l4proto {{ tcp, udp }} th sport != 1-1000", "@th,16,16 80", "@nh,0,4 {version}",
    "iifname . tcp dport {{ \"lan\" . 80, \"wan\" . 22 }}", "ct state . ct direction {{ new . original, established . reply }}",
    "{ip} saddr & {mask} == {masked}", "tcp dport & 1 == 1", "ct mark & 0x3 == 0x2", "meta mark and 0xf != 0",
    "tcp option maxseg size > 1000",
    "tcp option sack-perm exists", "tcp option timestamp missing", "tcp option window count 3",
    "numgen inc mod 3 == 0", "numgen inc mod 5 < 2", "numgen inc mod 2 vmap {{ 0 : accept, 1 : continue }}",
    "jhash {ip} saddr mod 4 seed 0x1 == 1", "jhash {ip} saddr . {ip} daddr mod 16 seed 0xdeadbeef < 8", "fib saddr . iif oif missing",
    "fib daddr . iif type local", "fib saddr . mark oifname \"lan\"", "fib daddr oif exists",
    "ct original {ip} saddr {net}", "tcp flags syn / syn,ack", "tcp flags != syn / fin,syn,rst,ack", "{ip} saddr {some}-{last}",
    "tcp dport != {{ 22, 80-443 }}", "ct status snat", "meta length vmap {{ 0-60 : continue, 61-100 : return }}",
    "{ip} dscp vmap {{ cs0 : continue, cs1 : drop }}", "quota over 2000 bytes", "quota until 1 kbytes", "quota name \"most\"",
    "limit name \"few\"", "counter name \"seen\"", "limit rate over 1/hour burst 9 packets", "limit rate 1 kbytes/day burst 500 bytes",
    "tcp sequence > 1000", "udp length 8-100", "{ip} saddr != @seen",
    "{ip} saddr & {mask} . tcp dport {{ {masked} . 80, {masked} . 1000 }}", "{ip} daddr & {mask} @seen",
)  # fmt: skip
ACTIONS: Final = (
    "update @seen {{ {ip} saddr & {mask} limit rate 1/day burst 2 packets }}", "meta mark set {ip} saddr & {mask} map {{ {masked} : 0x6 }}",
    "ct mark set jhash {ip} saddr & {mask} . th dport mod 4 seed 0x3 offset 8", "meta priority set tcp dport map {{ 80 : 1:3 }}",
    "meta mark set tcp sequence & 0xff", "ct mark set ct mark and 0x3 map {{ 0x0 : 0x1, 0x1 : 0x2 }}", "meta mark set meta length",
    "meta mark set ct zone",
    "add @seen {{ {ip} saddr }}", "update @seen {{ {ip} saddr timeout 2h }}", "delete @seen {{ {ip} daddr }}",
    "add @seen {{ {ip} saddr limit rate 1/day burst 2 packets }}", "update @met {{ {ip} saddr . th dport timeout 1h counter }}",
    "meta mark set tcp dport map @marks", "ct mark set th sport map @marks",
    "meta mark set tcp dport map {{ 80 : 0x5, 1000 : 0x6 }}", "meta mark set numgen inc mod 4", "meta mark set numgen inc mod 8 offset 16",
    "meta mark set jhash {ip} saddr mod 8 seed 0x12", "meta mark set ct mark and 0xf", "ct mark set meta mark or 0x100",
    "{ip} dscp set cs1",
    "{ip} dscp set 4", "{ip} {hops} set 33", "{ip} {hops} set 64", "{ip} ecn set ce", "tcp option maxseg size set 600",
    "reset tcp option timestamp", "meta priority set 1:2", "meta pkttype set broadcast", "meta pkttype set host",

    "counter name tcp dport map {{ 80 : \"seen\" }}", "quota name \"most\" drop", "limit name \"few\" accept",
)  # fmt: skip


def named(family: str) -> str:
    """The sets, maps and objects that MATCHES and ACTIONS name, for a table of this family."""
    words = _words(family)
    return NAMED.format(**words)


def match(r: Random, family: str) -> str:
    """A match."""
    return r.choice(MATCHES).format(**_words(family))


def action(r: Random, family: str) -> str:
    """A statement; one of those that change a packet or a set."""
    return r.choice(ACTIONS).format(**_words(family))


def _words(family: str) -> dict[str, str]:
    six = family == "ip6"
    some, net = ADDRESSES["ip6" if six else "ip"]
    return {
        "ip": "ip6" if six else "ip", "some": some, "net": net, "kind": "ipv6_addr" if six else "ipv4_addr", "version": "6" if six else "4",
        "mask": "ffff::" if six else "255.255.0.0", "masked": "fd00::" if six else "192.168.0.0", "hops": "hoplimit" if six else "ttl",
        "last": "fd00:1::20" if six else "192.168.1.20",
    }  # fmt: skip
