"""Corners of what is typed while packets come: entries and expectations made, changed and deleted, addresses moved. See corners.py."""

from __future__ import annotations

from typing import Final

from sim.edges.verify.fuzz.scene import ACK, FIN, PSH, Scene
from sim.edges.verify.plan import Load

ME, HE = "192.168.1.10", "203.0.113.9"
LINE: Final = f"-s {ME} -d {HE} -p tcp --sport 1000 --dport 80"
PAIR: Final = f"-s {ME} -d {HE} -p udp --sport 1000 --dport 53"
ONES: Final = "255.255.255.255"
WANTED: Final = f"--tuple-src {HE} --tuple-dst {ME} --mask-src {ONES} --mask-dst {ONES} --mask-port-src 0 --mask-port-dst 65535"


def changed(s: Scene) -> None:
    """A connection is marked, fixed in time, moved to another state, made ASSURED; what may not be changed; and it goes on."""
    line = s.tcp(f"{ME} 1000", f"{HE} 80")
    for wish in ("-m 5", "-t 100", "-m 6/3 -t 200", "-u EXPECTED", "-u UNSET", "-u ASSURED", "-m 7 -u SEEN_REPLY"):
        s.typed(f"conntrack -U {LINE} {wish}")
        line.say(0, "x")
    for state in ("SYN_SENT", "CLOSE_WAIT", "TIME_WAIT", "NONE", "ESTABLISHED"):
        s.typed(f"conntrack -U {LINE} --state {state}")
        line.segment(1, PSH | ACK, b"x")
        line.segment(0, ACK)
    s.typed(f"conntrack -U {LINE} -t 3000 -u FIXED_TIMEOUT")
    line.say(1, "x")
    s.typed(f"conntrack -U {LINE} -t 30")
    for side in (0, 1):
        line.segment(side, FIN | ACK)
    line.segment(0, ACK)
    s.typed(f"conntrack -D {LINE}")
    line.segment(1, ACK)


def made(s: Scene) -> None:
    """Entries that were there before their packets: with states, statuses and translations; and one that is there already."""
    s.typed(f"conntrack -I {LINE} --state SYN_SENT -t 60 -m 3")
    line = s.tcp(f"{ME} 1000", f"{HE} 80")
    line.say(0, "x")
    for number, more in enumerate(("-n 203.0.113.50:4000", "-g 203.0.113.50:4000", "-n 203.0.113.50 -u ASSURED,SEEN_REPLY")):
        port = 2000 + number
        s.typed(f"conntrack -I -s {ME} -d {HE} -p udp --sport {port} --dport 53 -t 60 {more}")
        s.send(f"udp {ME}:{port} > {HE}:53", f"udp {HE}:53 > 203.0.113.50:4000", f"udp 203.0.113.50:4000 > {ME}:{port}",
            f"udp {HE}:53 > 203.0.113.50:{port}", f"udp {HE}:53 > {ME}:{port}")
    s.typed(f"conntrack -I {PAIR} -t 77 -u FIXED_TIMEOUT")
    s.typed(f"conntrack -A {PAIR} -t 99")
    udp = s.udp(f"{ME} 1000", f"{HE} 53")
    for side in (0, 1, 0):
        udp.say(side, "x")
    s.typed(f"conntrack -I -s {ME} -d {HE} -p sctp --sport 1 --dport 2 -t 60 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2")
    s.typed(f"conntrack -D -f ipv4 -d {HE} -p udp")
    s.typed("conntrack -F")


def expected(s: Scene) -> None:
    """An expectation that a helper made is deleted; others are made by hand, also where one is; what they wait for comes."""
    line = s.tcp(f"{ME} 1000", f"{HE} 21")
    line.say(0, "PORT %me,%,195,80\r\n")
    s.typed(f"conntrack -D expect -s {HE} -d {ME} -p tcp --sport 20 --dport 50000 --reply-port-src 1 --reply-port-dst 2")
    s.send(f"tcp {HE}:20 > {ME}:50000 S")
    asked = s.udp(f"{ME} 2000", f"{HE} 69")
    asked.say(0, b"\0\1f\0octet\0")
    master = f"-s {ME} -d {HE} -p udp --sport 2000 --dport 69"
    for port in ("3000", "3000", "3001", "3002"):
        s.typed(f"conntrack -I expect {master} --tuple-port-src 0 --tuple-port-dst {port} {WANTED} -t 30")
    s.typed(f"conntrack -D expect -s {HE} -d {ME} -p udp --sport 9 --dport 3002 --reply-port-src 1 --reply-port-dst 2")
    ends = f"-s {ME} -d {HE} -p tcp --sport 1000 --dport 21"
    for port in ("1700", "60"):
        s.typed(f"conntrack -I expect {ends} --tuple-port-src 0 --tuple-port-dst {port} {WANTED} -t 30")
    s.send(f"udp {HE}:9 > {ME}:3000", f"udp {HE}:9 > {ME}:3001", f"udp {HE}:9 > {ME}:3002",
        f"tcp {HE}:9 > {ME}:1700 S", f"tcp {HE}:9 > {ME}:60 S")
    line.say(0, "PORT %me,%,195,81\r\n")
    s.typed("conntrack -F expect")
    s.send(f"tcp {HE}:20 > {ME}:50001 S")


def moved(s: Scene) -> None:
    """The device gets another address and loses the one by which connections are masqueraded: they end, and others go by the other."""
    for number, line in enumerate(("add 198.51.100.1/24", "del 203.0.113.2/24", "add 203.0.113.2/24", "del 198.51.100.1/24", "")):
        s.send(f"udp {ME}:1000 > {HE}:53", f"tcp {ME}:{1000 + number} > {HE}:80 S", f"udp {HE}:53 > 203.0.113.2:1000",
            f"udp {HE}:53 > 198.51.100.1:1000", "udp 192.168.1.10:7 > 192.168.1.1:53")
        if line:
            s.typed(f"ip addr {line} dev wan")
            s.wait(0.1)


MASQUERADED: Final = Load("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n")
HELPED: Final = Load(
    "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -p udp --dport 69 -j CT --helper tftp\nCOMMIT\n"
)
TYPED: Final = (("typed", Load(), (changed, made)), ("typed, helped", HELPED, (expected,)), ("addresses", MASQUERADED, (moved,)))
"""As corners.CORNERS."""
