"""Commands: lines of the conntrack tool typed while packets come: entries made, changed and deleted, expectations, too.

They are about what the shadow's table has, so most of them find something; what both tools say of each is compared, and what follows
shows what came of it. Not in here: lines that only list, and labels, whose names stand in a file of the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from sim.conntrack.conn import Conn, SctpConn, TcpConn
from sim.conntrack.expect import Expectation
from sim.conntrack.tuples import GRE, ICMPS
from sim.conntrack.zones import ID
from sim.edges.verify.fuzz.path import draw_path
from sim.packet import Tuple
from sim.shell.conntrack_words import SCTP_STATES, TCP_STATES
from sim.units import show_address

NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6", 132: "sctp", 136: "udplite"}
PORTED: Final = (6, 17, 132, 136)
LASTING: Final = ("60", "100", "777", "400000", "99999999")
"""Seconds: none ends while packets come."""
STATUS: Final = ("ASSURED", "SEEN_REPLY", "FIXED_TIMEOUT", "ASSURED,SEEN_REPLY", "FIXED_TIMEOUT,SEEN_REPLY", "UNSET", "EXPECTED")
FILTERED: Final = ("ASSURED", "UNREPLIED", "SEEN_REPLY", "SRC_NAT", "DST_NAT", "FIXED_TIMEOUT", "EXPECTED")
ELSEWHERE: Final = {4: "203.0.113.200", 6: "fd00:2::200"}


class Commands:
    """Draws lines about `entries` and `expected` ones."""

    def __init__(self, random: Random, entries: Sequence[Conn], expected: Sequence[Expectation]) -> None:
        self._random, self._entries, self._expected = random, entries, expected
        self._kinds = (*(self._change,) * 4, *(self._delete,) * 2, *(self._some,) * 2, *(self._make,) * 3, self._expect, self._expect)

    def next(self) -> str:
        """The next line."""
        return self._random.choice(self._kinds)()

    def _drawn(self) -> Conn | None:
        return self._random.choice(self._entries) if self._entries else None

    def _change(self) -> str:
        """-U: what an entry is to have; now and then of all that fit a part of it."""
        conn = self._drawn()
        if conn is None:
            return self._make()
        whole = self._random.random() < 0.8
        which = f"-f {_family(conn.original)} {_of(conn.original)}" if whole else self._partly(conn)
        return f"conntrack -U {which} {self._wish(conn)}"

    def _wish(self, conn: Conn) -> str:
        choose = self._random
        ways = [f"-m {choose.randrange(16)}", f"-t {choose.choice(LASTING)}", f"-u {choose.choice(STATUS)}", _state(choose, conn)]
        return " ".join(filter(None, choose.sample(ways, choose.choice((1, 1, 2)))))

    def _delete(self) -> str:
        conn = self._drawn()
        return f"conntrack -D {_named(conn)}" if conn is not None else "conntrack -F"

    def _some(self) -> str:
        """-D of all that fit."""
        choose, conn = self._random, self._drawn()
        family = f"-f {choose.choice(('ipv4', 'ipv6'))}"
        if conn is None or choose.random() < 0.3:
            return f"conntrack -D {family} " + choose.choice((
                f"-u {choose.choice(FILTERED)}", f"-m {choose.randrange(4)}/{choose.randrange(4)}", "-p udp", "-n", "-g",
                "-p tcp --state CLOSE",
            ))  # fmt: skip
        return f"conntrack -D {self._partly(conn)}"

    def _partly(self, conn: Conn) -> str:
        """Some of what tells an entry from others."""
        it = conn.original
        words = [f"-s {show_address(it.src)}", f"-d {show_address(it.dst)}"]
        return f"-f {_family(it)} -p {_protocol(it)} " + " ".join(self._random.sample(words, self._random.choice((0, 1, 1))))

    def _make(self) -> str:
        """-I: ahead of the packets for which it is, or where there is one already."""
        choose, conn = self._random, self._drawn()
        if conn is None or choose.random() < 0.6:
            ends = draw_path(choose, 0.2).ends
            protonum = choose.choice(PORTED)
            it = Tuple(*ends, choose.choice((1000, 1001, 40000)), choose.choice((22, 53, 80, 443)), protonum)
        else:
            it = conn.original
        line = [f"conntrack {choose.choice(('-I', '-I', '-A'))} {_of(it)} -t {choose.choice(LASTING)}", _first_state(choose, it.protonum)]
        line += [f"-u {choose.choice(STATUS)}"] * (choose.random() < 0.5) + [f"-m {choose.randrange(16)}"] * (choose.random() < 0.3)
        if it.protonum in PORTED and choose.random() < 0.25:
            other = ELSEWHERE[6 if len(it.src) == 16 else 4]
            port = f":{choose.randrange(3000, 3004)}" if len(it.src) == 4 and choose.random() < 0.5 else ""
            line.append(f"-n {other}{port}")
        return " ".join(filter(None, line))

    def _expect(self) -> str:
        """An expectation deleted, all of them, or one made for an entry that may have a helper."""
        choose, waiting, conn = self._random, self._expected, self._drawn()
        if waiting and choose.random() < 0.5:
            it = choose.choice(waiting).tuple
            if it.protonum in PORTED:
                return f"conntrack -D expect {_of(it)} --reply-port-src 1 --reply-port-dst 2"
        if conn is None or choose.random() < 0.1:
            return "conntrack -F expect"
        helped = [each for each in self._entries if each.helper is not None and each.original.protonum in PORTED]
        it = choose.choice(helped).original if helped and choose.random() < 0.8 else conn.original
        if it.protonum not in PORTED:
            return "conntrack -F expect"
        return _expecting(choose, it)


def _expecting(choose: Random, it: Tuple) -> str:
    """A line that lets what a master's other end sends be expected; UDP, for the tool garbles others."""
    ones = "255.255.255.255" if len(it.src) == 4 else ":".join(["ffff"] * 8)
    ports = f"--sport {it.sport} --dport {it.dport} --tuple-port-src 0 --tuple-port-dst {choose.choice((53, 1000, 1001))}"
    ports += f" --mask-port-src {choose.choice((0, 0, 65535))} --mask-port-dst 65535"
    ends = f"-s {show_address(it.src)} -d {show_address(it.dst)} -p {_protocol(it)}"
    wanted = f"--tuple-src {show_address(it.dst)} --tuple-dst {show_address(it.src)} --mask-src {ones} --mask-dst {ones}"
    return f"conntrack -I expect {ends} {ports} {wanted} -t {choose.choice(LASTING[:3])}"


def _named(conn: Conn) -> str:
    """The words that find one entry."""
    zone = f" -w {conn.zone & ID}" if conn.zone else ""
    return f"-f {_family(conn.original)} {_of(conn.original)}{zone}"


def _protocol(it: Tuple) -> str:
    return NAMES.get(it.protonum, str(it.protonum))


def _family(it: Tuple) -> str:
    return "ipv4" if len(it.src) == 4 else "ipv6"


def _of(it: Tuple) -> str:
    line = f"-s {show_address(it.src)} -d {show_address(it.dst)} -p {_protocol(it)}"
    if it.protonum in PORTED:
        return f"{line} --sport {it.sport} --dport {it.dport}"
    if it.protonum in ICMPS:
        kind, code = it.dport >> 8, it.dport & 255
        word = NAMES[it.protonum]
        return f"{line} --{word}-type {kind} --{word}-code {code} --{word}-id {it.sport}"
    return f"{line} --srckey {it.sport} --dstkey {it.dport}" if it.protonum == GRE else line


def _state(choose: Random, conn: Conn) -> str:
    if isinstance(conn, TcpConn):
        return f"--state {choose.choice(TCP_STATES)}"
    return f"--state {choose.choice(SCTP_STATES)}" if isinstance(conn, SctpConn) else ""


def _first_state(choose: Random, protonum: int) -> str:
    if protonum == 132:
        return f"--state {choose.choice(SCTP_STATES)} --orig-vtag {choose.randrange(3)} --reply-vtag {choose.randrange(3)}"
    return f"--state {choose.choice(TCP_STATES)}" if protonum == 6 else ""
