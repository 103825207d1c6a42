"""Corners of TCP, SCTP and ICMP, and of NAT's choice of ports: see corners.py."""

from __future__ import annotations

from typing import Final

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.edges.verify.fuzz.scene import ACK, FIN, SYN, Scene
from sim.edges.verify.plan import Load
from sim.units import parse_address

ME, HE = "192.168.1.10", "203.0.113.9"
ME6, HE6 = "fd00:1::10", "fd00:2::9"


# ---- TCP -----------------------------------------------------------------------------------------------------------------


def reused(s: Scene) -> None:
    """An open connection's client begins anew: challenge ACKs, a SYN/ACK that fits and some that do not, resets exact and inexact."""
    for port, answer in ((1000, 9001), (1001, 9002), (1002, 9001)):
        here, there = f"{ME}:{port}", f"{HE}:80"
        s.send(f"tcp {here} > {there} S seq 1000", f"tcp {there} > {here} S. seq 5000 ack 1001",
            f"tcp {here} > {there} . seq 1001 ack 5001")
        s.send(f"tcp {here} > {there} S seq 9000 win 65535", f"tcp {there} > {here} . seq 5001 ack 1001",
            f"tcp {here} > {there} S seq 9000")
        if port == 1002:
            s.send(f"tcp {here} > {there} R seq 1001", f"tcp {here} > {there} S seq 9000", f"tcp {there} > {here} R seq 77")
        s.send(f"tcp {here} > {there} S. seq 9000 ack 3", f"tcp {here} > {there} S seq 9000")
        s.send(f"tcp {there} > {here} S. seq 7000 ack {answer}", f"tcp {here} > {there} . seq 9001 ack 7001")
        s.send(f"tcp {there} > {here} P. seq 7001 ack 9001 len 20", f"tcp {here} > {there} R seq 9005",
            f"tcp {here} > {there} R seq 9001")


def strayed(s: Scene) -> None:
    """A SYN to a connection that waits for the last ACK; ACKs and resets to one that waits for its SYN/ACK; options of odd sizes."""
    line = s.tcp(f"{ME} 1000", f"{HE} 80")
    line.segment(0, FIN | ACK)
    line.segment(1, FIN | ACK)
    s.send(f"tcp {ME}:1000 > {HE}:80 S seq 90000", f"tcp {HE}:80 > {ME}:1000 . seq 5002 ack 1002",
        f"tcp {ME}:1000 > {HE}:80 . seq 1002 ack 5002")
    here, there = f"{ME}:1001", f"{HE}:80"
    s.send(f"tcp {here} > {there} S seq 1000", f"tcp {there} > {here} . seq 70 ack 500", f"tcp {here} > {there} R seq 500")
    s.send(f"tcp {here} > {there} S seq 3000", f"tcp {there} > {here} . seq 70 ack 500", f"tcp {there} > {here} R. seq 0 ack 3001")
    for number, options in enumerate((b"\4\3\0\1", b"\3\4\0\0", b"\3\2\1\1", b"\4\2\3\3\5\0\0\0")):
        wide = s.tcp(f"{ME} {1010 + number}", f"{HE} 80", options)
        wide.segment(1, ACK, options=b"\1\1\5\x0b" + bytes(8))
        wide.segment(1, ACK, options=b"\1\1\5\x0a" + (1000).to_bytes(4) + (1100).to_bytes(4))


# ---- SCTP ----------------------------------------------------------------------------------------------------------------


def associations(s: Scene) -> None:
    """Tags that fail and are mended by a heartbeat's answer, a closed association that is begun from the other side, cut INITs."""
    ends = tuple(map(parse_address, (ME, HE)))

    def chunk(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
        return bytes((kind, flags)) + (len(body) + 4).to_bytes(2) + body

    def send(way: int, tag: int, *chunks: bytes) -> None:
        bare = (1000, 80)[way].to_bytes(2) + (80, 1000)[way].to_bytes(2) + tag.to_bytes(4)
        body = b"".join(chunks)
        sums = crc32c(bare + bytes(4) + body).to_bytes(4, "little")
        s.feed(("lan", "wan")[way], wire.ip(ends[way], ends[1 - way], 132, bare + sums + body))

    def init(tag: int) -> bytes:
        return tag.to_bytes(4) + bytes(12)

    send(0, 0, chunk(1, b"\0\0\0\7"))
    send(0, 9, chunk(14))
    send(0, 0, chunk(1, init(7)))
    send(0, 0, chunk(6))
    send(1, 7, chunk(6))
    send(1, 0, chunk(1, init(4)))
    s.anew()
    for _ in range(2):
        send(0, 0, chunk(1, init(7)))
        send(1, 7, chunk(2, init(9)))
        send(0, 9, chunk(10, b"cook"))
        send(1, 7, chunk(11))
        for way, tag, kind in ((0, 5, 4), (0, 5, 5), (1, 6, 5), (1, 6, 5), (0, 5, 4), (1, 3, 4), (1, 3, 5), (0, 9, 4), (1, 7, 5)):
            send(way, tag, chunk(kind, b"beat"))
        for tag in (5, 77):
            send(0, tag, chunk(0, bytes(16)), chunk(4, b"beat"))
        send(0, 9, chunk(7, bytes(4)))
        send(1, 7, chunk(8))
        send(0, 9, chunk(14))
        send(1, 7, chunk(6))
        send(1, 0, chunk(1, init(4)))
        send(0, 0, chunk(1, b"\0\0\0\1"))
        send(1, 0, chunk(1, init(4)))


# ---- ICMP and fragments ----------------------------------------------------------------------------------------------------


def quoted(s: Scene) -> None:
    """Errors about packets that were cut: among IPv6's headers, behind fragments, with a longer header than there is."""
    me, he, me6, he6 = map(parse_address, (ME, HE, ME6, HE6))
    s.send(f"udp [{ME6}]:1000 > [{HE6}]:53 data x")
    inside = wire.udp(me6, he6, 1000, 53, b"x")
    for number, body in (
        (44, b"\x11\0\0\0\0\0\0\1" + inside), (44, b"\x11\0\0\x10\0\0\0\1" + inside), (44, b"\x11\0\0"), (0,
            b"\x11\0\1\4\0\0\0\0" + inside),
        (60, b"\x11"), (51, b"\x11\1" + bytes(10) + inside), (43, b"\x11\0\0\0"), (47, b"\x30\1\x88\x0b\0\4\0\7"),
    ):  # fmt: skip
        error = wire.icmpv6(he6, me6, 1, 0, 0, wire.ip(me6, he6, number, body))
        s.feed("wan", wire.ip(he6, me6, 58, error))
    for number, body in ((58, bytes(9)), (17, bytes(5)), (6, bytes(9)), (132, bytes(9)), (59, bytes(9))):
        for place in (0x11, 1):
            head = bytes((number, 0)) + place.to_bytes(2) + number.to_bytes(4)
            s.feed("lan", wire.ip(me6, he6, 44, head + body))
    s.feed("lan", wire.ip(me, he, 17, wire.udp(me, he, 1000, 53, b"x")[:6] + b"\0\0x"))
    s.feed("wan", wire.ip(he, me, 1, wire.icmp(5, 1, 0, wire.ip(me, he, 17, wire.udp(me, he, 1000, 53, b"x")))))


# ---- NAT -----------------------------------------------------------------------------------------------------------------


def one_port(s: Scene) -> None:
    """Everybody leaves by one port: TCP makes way for who begins anew behind a finished connection, and drops who does not."""
    first = s.tcp("192.168.1.11 1000", f"{HE} 80")
    s.send(f"tcp {ME}:1000 > {HE}:80 S seq 9000", f"udp {ME}:1000 > {HE}:80", f"udp 192.168.1.11:1000 > {HE}:80",
        f"udp {ME}:1001 > {HE}:80")
    for side in (0, 1):
        first.segment(side, FIN | ACK)
    first.segment(0, ACK)
    s.send(f"tcp {ME}:1000 > {HE}:80 S seq 500", f"tcp {ME}:1000 > {HE}:80 . seq 500 ack 1", f"tcp {ME}:1000 > {HE}:80 S seq 9000")
    again = s.tcp("192.168.1.12 7000", f"{HE} 81")
    again.segment(0, SYN)
    s.send(f"udp {HE}:80 > 203.0.113.50:2000", f"udp {HE}:99 > 203.0.113.50:2000", f"icmp {ME} > {HE} echo-request id 5")
    s.send(f"udp {ME}:1000 > {HE}:81", f"udp {HE}:81 > {ME}:2000", f"udp {HE}:2000 > {ME}:1000")


def all_ports(s: Scene) -> None:
    """More connections than ports: the search is given up, and what it found last is taken."""
    for number in range(131):
        s.send(f"udp {ME}:{3000 + number} > {HE}:53")


def shifted_ports(s: Scene) -> None:
    """Ports that keep their distance, that are in the range already, or are free of any address; addresses of a wide range."""
    for port in (3000, 3005, 3010, 2000, 80, 81, 82):
        s.send(f"tcp {HE}:1000 > 203.0.113.2:{port} S", f"tcp {HE}:1001 > 203.0.113.2:{port} S", f"udp {ME}:{port} > {HE}:{port}")
        s.send(f"udp [{ME6}]:{port} > [{HE6}]:{port}", f"udp [fd00:1::{port}]:{port} > [2001:db8::{port}]:{port}")


def refused(s: Scene) -> None:
    """A nat chain that drops."""
    s.send(f"udp {ME}:1000 > {HE}:53", f"tcp {ME}:1000 > {HE}:80 S", f"tcp {ME}:1000 > {HE}:80 S")


def labelled(s: Scene) -> None:
    """Entries with time-outs of a policy, with labels, in zones."""
    s.tcp(f"{ME} 1000", f"{HE} 80").say(0, "x")
    line = s.udp(f"{ME} 1000", f"{HE} 53")
    line.say(0, "x")
    line.say(1, "x")
    line.say(0, "x")
    s.wait(2.2)
    line.say(0, "x")
    line.say(1, "x")


def odd_pairs(s: Scene) -> None:
    """One source in two zones, an address that is another's target, no checksum, a redirect, a target of the old local kind."""
    me, he = parse_address(ME), parse_address(HE)
    s.send(f"udp {ME}:1000 > {HE}:53", f"udp {ME}:1000 > 203.0.113.77:53", f"udp {ME}:1000 > {HE}:54",
        f"udp {ME}:1000 > 203.0.113.99:54")
    s.feed("lan", wire.ip(me, he, 17, wire.udp(me, he, 1000, 55, b"x")[:6] + b"\0\0x"))
    out = parse_address("203.0.113.50")
    for kind, code in ((5, 1), (3, 1)):
        s.feed("wan", wire.ip(he, out, 1, wire.icmp(kind, code, 0, wire.ip(out, he, 17, wire.udp(out, he, 1000, 55, b"x")))))
    s.send(f"udp [{ME6}]:1 > [fec0::1]:2", f"udp [{ME6}]:1 > [fe80::1]:2")
    me6, he6 = map(parse_address, (ME6, HE6))
    for number in (59, 0, 43, 60, 135):
        s.feed("lan", wire.ip(me6, he6, number, b""))


def mixed_zones(s: Scene) -> None:
    """Two connections under the same tuples: the older goes first, then the newer; and the other way round."""
    ask, answer = f"udp {ME}:1000 > {HE}:53", f"udp {HE}:53 > {ME}:1000"
    for wait in ("1", "30"):
        s.set(udp_timeout="1")
        s.send(f"{ask} data xx")
        s.set(udp_timeout="30")
        s.send(f"{answer} data x")
        s.wait(1.35)
        s.send(f"{ask} data xxx", f"{ask} data xx")
        s.set(udp_timeout=wait)
        s.send(f"{answer} data x", f"{ask} data xx", f"{answer} data xxx")
        s.set(udp_timeout="30")


def two_original_zones(s: Scene) -> None:
    """One original tuple in two zones, under NAT; a third zone's way is what another's answers are; all of them end."""
    ask, answer = f"udp {ME}:1000 > {HE}:53", f"udp {HE}:53 > {ME}:1000"
    s.send(f"{ask} data x", f"{ask} data xx", f"{ask} data x", f"{answer} data xxx", f"{ask} data xxxx")
    s.send(f"udp {HE}:99 > {ME}:1000 data xxx", f"udp {ME}:1000 > {HE}:99 data x")
    s.send(f"udp {HE}:98 > {ME}:1000 data xxxxxx", f"udp {ME}:1000 > {HE}:98 data xxxxx")
    s.set(udp_timeout="1", udp_timeout_stream="1")
    s.send(f"{ask} data x", f"{ask} data xx")
    s.wait(1.35)
    s.send(f"{ask} data xxx")
    s.set(udp_timeout="30", udp_timeout_stream="120")


def sums_of_zero(s: Scene) -> None:
    """What NAT's rewriting would make a checksum of 0: UDP's becomes 65535."""
    me, he = parse_address(ME), parse_address(HE)
    for last in range(50, 56):
        bare = wire.udp(parse_address(f"203.0.113.{last}"), he, 1000 + last, 53, bytes(2))
        s.feed("lan", wire.ip(me, he, 17, wire.udp(me, he, 1000 + last, 53, bare[6:8])))


def nat_comes_late(s: Scene) -> None:
    """A connection that was there before NAT, and a redirect that speaks of it."""
    line = s.udp(f"{ME} 1000", f"{HE} 53")
    line.say(0, "x")
    s.load(Load("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"))
    me, he = parse_address(ME), parse_address(HE)
    s.feed("wan", wire.ip(he, me, 1, wire.icmp(5, 1, 0, wire.ip(me, he, 17, wire.udp(me, he, 1000, 53, b"x")))))
    line.say(0, "x")
    line.say(1, "x")


def answered_by_reset(s: Scene) -> None:
    """What a rule resets is over: once, again, and where it was never begun."""
    line = s.tcp(f"{ME} 1000", f"{HE} 80")
    line.say(0, "x", "y")
    s.send(f"tcp {ME}:1001 > {HE}:80 P. seq 1 ack 1 len 3", f"tcp {ME}:1002 > {HE}:80 S", f"tcp {ME}:1002 > {HE}:80 P. seq 1 ack 1")


ODD: Final = Load(
    "*raw\n-A PREROUTING -d 203.0.113.77 -j CT --zone 1\nCOMMIT\n*nat\n-A PREROUTING -d 203.0.113.99 -j DNAT --to-destination 203.0.113.9\n"
    "-A POSTROUTING -p udp -o wan ! --dport 54 -j SNAT --to-source 203.0.113.50-203.0.113.55\nCOMMIT\n",
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n",
)
ZONED: Final = Load(
    "*raw\n-A PREROUTING -m length --length 29 -j CT --zone-orig 7\n-A PREROUTING -m length --length 30 -j CT --zone-reply 7\nCOMMIT\n"
)
ZONED_NAT: Final = Load(
    "*raw\n-A PREROUTING -i lan -m length --length 29 -j CT --zone-orig 1\n"
    "-A PREROUTING -i wan -m length --length 34 -j CT --zone-orig 1\n-A PREROUTING -m length --length 33 -j CT --zone 1\nCOMMIT\n"
    "*nat\n-A POSTROUTING -o wan -p udp ! --dport 98:99 -j MASQUERADE\nCOMMIT\n"
)
RESET: Final = Load("*filter\n-A FORWARD -p tcp --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset\nCOMMIT\n")
ONE_PORT: Final = Load(
    "*nat\n-A POSTROUTING -p tcp -j SNAT --to-source 203.0.113.50:2000\n"
    "-A POSTROUTING -p udp --dport 80 -j SNAT --to-source 203.0.113.50:2000\nCOMMIT\n"
)
ALL_PORTS: Final = Load("*nat\n-A POSTROUTING -p udp --dport 53 -j SNAT --to-source 203.0.113.50:2000-2128\nCOMMIT\n")
PORTS: Final = Load(
    "*nat\n-A PREROUTING -p tcp --dport 3000:3010 -j DNAT --to-destination 192.168.1.10:2000-2010/3000\n"
    "-A PREROUTING -p tcp -j DNAT --to-destination 192.168.1.10:80-81\nCOMMIT\n",
    "*nat\n-A POSTROUTING -o wan -j SNAT --to-source fd00:2::50-fd00:3::1\nCOMMIT\n",
    "table ip t {\n chain post {\n  type nat hook postrouting priority 100;\n  udp sport 80-82 snat to :3000-3010\n }\n}\n",
)
REFUSED: Final = Load(nft=(
    "table ip t {\n chain post {\n  type nat hook postrouting priority 100;\n  udp dport 53 drop\n }\n}\n"
))  # fmt: skip
POLICIES: Final = Load(nft=(
    "table ip t {\n ct timeout u {\n  protocol udp; l3proto ip; policy = { unreplied : 20, replied : 40 };\n }\n"
    " ct timeout t {\n  protocol tcp; l3proto ip; policy = { established : 100, syn_sent : 9 };\n }\n"
    " chain pre {\n  type filter hook prerouting priority -150;\n  udp dport 53 ct timeout set \"u\"\n  tcp dport 80 ct timeout set \"t\"\n"
    "  ct label set 5\n }\n}\n"
))  # fmt: skip
PATHS: Final = (
    ("plain paths", Load(), (reused, strayed, associations, quoted)),
    ("one port", ONE_PORT, (one_port,)), ("all ports", ALL_PORTS, (all_ports,)), ("ports", PORTS, (shifted_ports,)),
    ("a nat chain that drops", REFUSED, (refused,)), ("policies", POLICIES, (labelled,)),
    ("odd pairs", ODD, (odd_pairs, sums_of_zero)), ("zones of one direction", ZONED, (mixed_zones,)),
    ("original zones and nat", ZONED_NAT, (two_original_zones,)), ("resets", RESET, (answered_by_reset,)),
    ("nat comes late", Load(), (nat_comes_late,)),
)  # fmt: skip
"""As corners.CORNERS."""
