"""Corners: cases with a purpose, for what random traffic seldom meets: two calls that want one port, a header that ends too early.

A corner is a function of a Scene, under the rules for which it is listed (CORNERS). SIP's are in corners_sip.py, PPTP's in
corners_pptp.py, TCP's and NAT's in corners_paths.py, the conntrack tool's in corners_typed.py. Each begins with an empty table; those
of one ruleset are one case, so that a run of all takes ten seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sim import wire
from sim.edges.verify.fuzz.assign import HELPERS
from sim.edges.verify.fuzz.corners_paths import PATHS
from sim.edges.verify.fuzz.corners_pptp import PPTP
from sim.edges.verify.fuzz.corners_sip import SIP, SIP_NAT
from sim.edges.verify.fuzz.corners_typed import TYPED
from sim.edges.verify.fuzz.scene import ACK, FIN, PSH, RST, SYN, Scene, Tcp
from sim.edges.verify.plan import Case, Load
from sim.units import parse_address

Corner = Callable[[Scene], None]
ME, HE, IT = "192.168.1.10", "203.0.113.9", "203.0.113.77"
ME6, HE6 = "fd00:1::10", "fd00:2::9"


def _ftp(s: Scene, port: int = 1000, server: str = HE, client: str = ME) -> Tcp:
    line = s.tcp(f"{client} {port}", f"{server} 21")
    line.say(1, "220 ready\r\n")
    return line


# ---- FTP, IRC, SANE ----------------------------------------------------------------------------------------------------


def ftp_lines(s: Scene) -> None:
    """Lines that are nearly an address, each in a connection of its own: one that is begun and not ended is dropped."""
    for number, text in enumerate((
        "PORT 1,2,3,4,5,6,7\r\n", "PORT 1,2,3,4,5\r\n", "PORT 1,2,3,4,5,6", "PORT 1,2,3,4,5,6,\r\n", "PORT\r\n",
            "EPRT |1|192.168.1.10|\r\n",
        "EPRT |1|192.168.1.10|12", "EPRT |1|192.168.1.10|0|\r\n", "EPRT |1|192.168.1.10|1x|\r\n", "EPRT 1\r\n", "EPRT \x7f1\x7f1\r\n",
        "EPRT |x1|\r\n", "EPRT |2|fd00::1|5000|\r\n", "EPRT |12|192.168.1.10|5000|\r\n", "EPRT |1|192.168.1.x|5000|\r\n",
        "EPRT |1|192.168.1.10|5000|\r\n", "EP", "PORT %me,%,255,255\r\n", "PORT %me,%,255,255\r\n",
    )):  # fmt: skip
        line = _ftp(s, 1000 + number)
        line.say(0, "NOOP\r\n", text)
    for number, text in enumerate((
        "229 (|||\r\n", "229 (||||)\r\n", "229 (||x|5000|)\r\n", "229 (|x|5000|)\r\n", "229 no\r\n", "229 (|x||5|)\r\n",
            "229 (|||5001|)\r\n", "22",
    )):  # fmt: skip
        _ftp(s, 2000 + number).say(1, text)
    for number, text in enumerate((
        "EPRT |2|fd00:1::10|5000|\r\n", "EPRT |2|fd00:1::zz|5000|\r\n", "EPRT |1|192.168.1.10|5000|\r\n",
            "EPRT |2|fd00:1::10x5000|\r\n",
    )):  # fmt: skip
        _ftp(s, 3000 + number, HE6, ME6).say(0, "NOOP\r\n", text)
    _ftp(s, 3100, HE6, ME6).say(1, "229 (|||5001|)\r\n", "227 (1,2,3,4,5,6)\r\n")


def one_port_twice(s: Scene) -> None:
    """Two connections announce the same port: from one server they clash, from two they do not; and from anybody with both."""
    lines = [_ftp(s), _ftp(s, 1001), _ftp(s, 1002, IT)]
    for line in lines:
        line.say(0, "PORT %me,%,195,80\r\n", "EPRT |1|%me%|50001|\r\n")
    chat = s.tcp(f"{ME} 1003", f"{IT} 6667")
    chat.say(0, "PRIVMSG x :\1DCC SEND f %number% 50000 1\1\r\n", "PRIVMSG x :\1DCC SEND f %number% 50002 1\1\r\n")
    lines[2].say(0, "PORT %me,%,195,82\r\n")
    for number in range(5):
        chat.say(0, f"PRIVMSG x :\1DCC CHAT c %number% {50010 + number}\1\r\n")
    s.send(f"tcp {HE}:20 > {ME}:50001 . seq 5 ack 7 len 9", f"tcp 203.0.113.88:20 > {ME}:50000 S", f"tcp {HE}:20 > {ME}:50000 S",
        f"tcp {IT}:20 > {ME}:50000 S",
        f"tcp {IT}:21 > {ME}:50002 S", f"tcp {IT}:21 > {ME}:50014 S")


def offers(s: Scene) -> None:
    """What is nearly an offer of IRC, and an answer of SANE."""
    chat = s.tcp(f"{ME} 1003", f"{HE} 6667")
    chat.say(0, "PRIVMSG bob :\1DCD SEND file 16909060 5000 1000\1\r\n", "PRIVMSG b :\1DCC SEND ffffffffffffffffffffff\r\n",
        "x \1DCD SEND f 1 2\1\r\n",
        "x \1DCC SEND f 1 2", "\1DCC", "x \1DCC SEND ", "x \1DCC SEND  \r\n", "x \1DCC SEND f 1 2 \n",
        "x \1DCC SEND f 16909060 99999\1\r\n",
        "\1DCC SEND f %number% 0\1\r\n")
    scan = s.tcp(f"{ME} 1004", f"{HE} 6566")
    scan.say(0, b"\0\0\0\7\0\0\0\1")
    scan.say(1, b"\0\0\0")
    scan.say(0, b"\0\0\0\7\0\0\0\1")
    scan.say(1, b"\0\0\0\0\0\0\x20\x21" + bytes(8))


# ---- Amanda, TFTP, NetBIOS, SNMP ----------------------------------------------------------------------------------------


def backups(s: Scene) -> None:
    """Answers without a word, with streams that are expected already (in any order), and with no port at all."""
    one, two = (s.udp(f"{HE} {port}", f"{ME} 10080") for port in (1000, 1001))
    for line in (one, two):
        line.say(0, "x")
        bare = b"Amanda CONNECT DATA 5100 MESG 5101\n"
        line.message(1, b"\x27\x60" + line.sides[0].me[1].to_bytes(2) + (len(bare) + 8).to_bytes(2) + b"\0\0" + bare)
        line.say(1, "", "CONNECT DATA 5000 MESG 5001 INDEX 5002 STATE 5003\n", "CONNECT DATA 5000 MESG 5004\n", "CONNECT DATA 0\n",
            "CONNECT DATA x")
        line.say(1, "CONNECT DATA 5005 MESG 5006\n", "CONNECT DATA 65535\n", "CONNECT DATA 65534 MESG 6000\n", "CONNECT MESG 700000\n",
            "CONNECT STATE 5003 MESG 5001\n", "CONNECT INDEX 5001 STATE 5002 DATA 5003\n")
    for line in (one, two):
        line.say(1, "CONNECT DATA 65535\n", "CONNECT DATA 65535 MESG 7000\n")


def files(s: Scene) -> None:
    """A question asked twice, and two that ask from one port."""
    for port in (69, 69):
        s.udp(f"{ME} 2000", f"{HE} {port}").say(0, b"\0\1f\0octet\0", b"\0\2f\0octet\0", b"\0")
    s.udp(f"{ME} 2000", f"{IT} 69").say(0, b"\0\1f\0octet\0")
    s.send(f"udp {HE}:3000 > {ME}:2000", f"udp {IT}:3000 > {ME}:2000")


def _ber(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def traps(s: Scene) -> None:
    """SNMP whose parts are longer or shorter than what is around them; a trap's answer; a wrong checksum that stays wrong."""
    name, address = b"\6\1\1", b"\x40\4" + parse_address(ME)
    numbers, start = b"\2\1\1" * 3, b"\2\1\1\4\1p"
    bindings = (
        _ber(0x30, name, address), _ber(0x30, name, b"\2\1\1"), _ber(0x30, name, b"\5\0"), _ber(0x30, name),
            b"\x30\x80" + name + b"\5\0\0\0",
        b"\x30\x80" + name + address + b"\0\0", _ber(0x30, name, b"\x40\x09\1"), _ber(0x30, name, b"\x40\x80\1"), _ber(0x30, name,
            b"\x04\x80\0\0"),
        _ber(0x30, name, address, b"x"), _ber(0x30, b"\6\x80\1", address),
    )  # fmt: skip
    agent = s.udp(f"{ME} 1000", f"{HE} 162")
    for binding in bindings:
        agent.say(0, _ber(0x30, start, _ber(0xA2, numbers, _ber(0x30, binding))))
    agent.say(0, _ber(0x30, start) + b"x", _ber(0x30, start + b"x"), _ber(0x30, start, _ber(0xA8, numbers, _ber(0x30, bindings[0])),
        b"xx"))
    for pdu in (0xA0, 0xA4):
        agent.say(0, b"\x30\x80" + start + _ber(pdu, numbers, _ber(0x30, bindings[0])) + b"\0\0")
    agent.say(0, b"\x30\x80" + start + b"\0\1", b"\x30\x80" + start + _ber(0xA2, numbers, _ber(0x30, bindings[0])) + b"\0\1")
    agent.say(1, _ber(0x30, start, _ber(0xA2, numbers, _ber(0x30, bindings[0]))))
    other = s.udp(f"{HE} 1000", f"{IT} 162")
    other.say(0, b"x")
    asked = s.udp(f"{HE} 1000", f"{ME} 161")
    asked.say(0, "x")
    asked.say(1, _ber(0x30, start, _ber(0xA2, numbers, _ber(0x30, bindings[0]))))


# ---- sequence numbers ------------------------------------------------------------------------------------------------------


def shifted(s: Scene) -> None:
    """A line grows twice, is retransmitted, and what is behind it is acknowledged in every way; SACK blocks that are none."""
    line = _ftp(s)
    line.say(0, "NOOP\r\n")
    text = b"PORT 192,168,1,10,195,80\r\n"
    line.segment(0, PSH | ACK, text, moves=False)
    line.segment(0, PSH | ACK, text)
    line.say(0, "PORT %me,%,195,81\r\n", "NOOP\r\n")
    far = line.sides[1]
    for options in (
        b"\5\x0a" + (far.ack - 8).to_bytes(4) + far.ack.to_bytes(4) + b"\0\0", b"\0\5\x0a\0", b"\1\1\1\5", b"\5\1\0\0",
            b"\5\x09" + bytes(10),
        b"\5\x0b" + bytes(10), b"\5\x06" + bytes(6), b"\x08\x0a" + bytes(10), b"\1\1\5\x0a" + bytes(4), b"\5\x0c" + bytes(10),
    ):  # fmt: skip
        line.segment(1, ACK, options=options)
    far.ack -= 40
    line.segment(1, ACK)
    line.segment(1, RST)
    line.segment(0, SYN)


def cut_short(s: Scene) -> None:
    """Segments of a shifted connection that end among their options."""
    line = _ftp(s)
    line.say(0, "NOOP\r\n", "PORT %me,%,195,80\r\n")
    far = line.sides[1]
    assert far.far is not None
    whole = wire.tcp(far.me[0], far.far[0], far.me[1], far.far[1], seq=far.seq, ack=far.ack, flags=ACK, options=b"\1" * 8)
    s.set(checksum="0", tcp_be_liberal="1")
    for size in (20, 24, 12, 8):
        line.message(1, whole[:size])
    s.set(checksum="1", tcp_be_liberal="0")


def sum_of_zero(s: Scene) -> None:
    """A line that NAT writes anew and whose checksum would be 0 then: the kernel's is 65535, as UDP's."""
    line = _ftp(s)
    line.say(0, "NOOP\r\n")
    mine, far = line.sides
    if mine.far is None or far.far is None:
        return
    (src, sport), (dst, dport) = far.far, far.me
    begun = f"PORT {','.join(map(str, src))},195,80\r\n"
    filled = begun + "NOOP " + "x" * (1 - len(begun) % 2)
    bare = wire.tcp(src, dst, sport, dport, seq=mine.seq, ack=mine.ack, flags=PSH | ACK, payload=filled.encode() + b"\0\0")
    rest = filled[len(begun) :].encode() + bare[16:18] + b"\r\n"
    again = wire.tcp(src, dst, sport, dport, seq=mine.seq, ack=mine.ack, flags=PSH | ACK, payload=begun.encode() + rest)
    ending = rest[:-4] + ((int.from_bytes(rest[-4:-2]) + int.from_bytes(again[16:18])) % 0xFFFF).to_bytes(2) + rest[-2:]
    line.segment(0, PSH | ACK, b"PORT 192,168,1,10,195,80\r\n" + ending)


def late(s: Scene) -> None:
    """An announced connection of which the middle is seen first, and then what is long past."""
    line = _ftp(s)
    line.say(0, "NOOP\r\n", "PORT %me,%,195,80\r\n")
    for ack in (9_000_000, 7):
        s.send(f"tcp {HE}:20 > {ME}:50000 . seq 3000 ack {ack} len 9")
    line.say(0, "PORT %me,%,195,81\r\n")
    s.send(f"tcp {HE}:20 > {ME}:50001 S seq 3000", f"tcp {HE}:20 > {ME}:50001 R. seq 3001 ack 2642235654")


# ---- the table -------------------------------------------------------------------------------------------------------------


def ends(s: Scene) -> None:
    """Connections end with what they announced, by themselves and by time; what ICMP says of them."""
    s.set(tcp_timeout_established="1", tcp_timeout_close="1", udp_timeout="1", udp_timeout_stream="1")
    line = _ftp(s)
    line.say(0, "PORT %me,%,195,80\r\n")
    s.udp(f"{ME} 2000", f"{HE} 69").say(0, b"\0\1f\0octet\0")
    other = _ftp(s, 1001)
    other.say(0, "PORT %me,%,195,81\r\n")
    other.segment(0, RST)
    s.wait(1.35)
    line.say(0, "NOOP\r\n")
    s.set(tcp_timeout_established="432000", tcp_timeout_close="10", udp_timeout="30", udp_timeout_stream="120")


def closings(s: Scene) -> None:
    """A connection closed from both sides whose last acknowledgement a reset follows."""
    line = s.tcp(f"{ME} 1000", f"{HE} 80")
    for side in (0, 1):
        line.segment(side, FIN | ACK)
    line.segment(1, RST)
    line = s.tcp(f"{ME} 1001", f"{HE} 80")
    line.segment(0, FIN | ACK)
    line.segment(1, ACK)
    line.segment(1, FIN | ACK)
    line.segment(1, RST | ACK)


def oddities(s: Scene) -> None:
    """Protocols in the wrong family, headers behind the packet's end."""
    me, he, me6, he6 = map(parse_address, (ME, HE, ME6, HE6))
    s.feed("lan", wire.ip(me, he, 58, bytes((128, 0)) + bytes(6)))
    s.feed("lan", wire.ip(me6, he6, 1, bytes((8, 0)) + bytes(6)))
    s.feed("lan", wire.ip(me6, he6, 0, bytes((58, 0, 1, 4)) + bytes(4)))
    for body in (b"\x2c\0\1", b"\x2c", b"\x11\0\0\1\0\0\0\7", b"\x3a\0\0\x10\0\0\0\7x"):
        s.feed("lan", wire.ip(me6, he6, 44, body))
    s.feed("lan", wire.ip(me, he, 136, b"\0\1\0\2\0\0"))
    for number, body in ((60, bytes(3)), (60, b"\0\x19" + bytes(26)), (43, bytes(3)), (0, bytes(3))):
        s.feed("wan", wire.ip(he6, me6, number, body))
    quoted = wire.ip(me, he, 17, wire.udp(me, he, 1000, 53, b"x"))
    s.feed("wan", wire.ip(he, me, 1, wire.icmp(3, 1, 0, b"\x4f" + quoted[1:])))
    s.feed("wan", wire.ip(he, me, 1, wire.icmp(3, 1, 0, quoted[:20])))


# ---- rules -----------------------------------------------------------------------------------------------------------------


def _raw(family: str) -> str:
    lines = [f"-A {chain} -p {protocol} --dport {port} -j CT --helper {name}"
             for chain in ("PREROUTING", "OUTPUT") for name, protocol, port, families in HELPERS if family in families]  # fmt: skip
    return "\n".join(["*raw", *lines, "COMMIT", ""])


SOURCE: Final = "*nat\n-A POSTROUTING -o wan -j SNAT --to-source {0}\n-A POSTROUTING -o lan -j SNAT --to-source {1}\nCOMMIT\n"
FEW: Final = "*nat\n-A POSTROUTING -p {} -j SNAT --to-source 203.0.113.50:{}\nCOMMIT\n"
HELPED: Final = Load(_raw("ip"), _raw("ip6"))
TRANSLATED: Final = Load(
    _raw("ip") + SOURCE.format("203.0.113.150", "192.168.1.50"), _raw("ip6") + SOURCE.format("fd00:2::50", "fd00:1::50")
)
BOTH: Final = (ftp_lines, one_port_twice, offers, backups, files, traps, *PPTP, shifted, cut_short, ends, late, sum_of_zero)
NOT_MET: Final = "*nat\n-A POSTROUTING -d 9.9.9.9 -j SNAT --to-source 203.0.113.50\nCOMMIT\n"
BOUND: Final = Load(_raw("ip") + NOT_MET, _raw("ip6") + NOT_MET.replace("9.9.9.9", "9::").replace("203.0.113.50", "9::1"))
"""Every connection is bound, and stays as it is."""
CORNERS: Final[tuple[tuple[str, Load, Sequence[Corner]], ...]] = (
    ("plain", Load(), (closings, oddities)),
    ("helped", HELPED, (*BOTH, *SIP)),
    ("helped, translated", TRANSLATED, (*BOTH, *SIP, *SIP_NAT)),
    ("helped, bound", BOUND, (one_port_twice, *PPTP, traps, *SIP, *SIP_NAT)),
    *PATHS,
    *TYPED,
)
"""What they are called, under which rules, which."""


def corners() -> Iterator[Case]:
    """A case for each ruleset, with all of its corners."""
    for name, rules, each in CORNERS:
        scene = Scene(f"corners: {name}", rules)
        for corner in each:
            scene.anew()
            corner(scene)
        yield scene.case()
