"""What the ends of helped protocols say: FTP, IRC, TFTP, SANE, Amanda, NetBIOS names. Valid, nearly so, and `spoilt`.

SIP: sip.py; PPTP: pptp.py; SNMP: snmp.py.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from sim.edges.verify.fuzz.path import View
from sim.units import Address, show_address

PORTS: Final = (0, 1, 20, 80, 1023, 1024, 2000, 4000, 5060, 20000, 20001, 51210, 51211, 65534, 65535, 65536)
SCRAPS: Final = (
    b"\r\n", b"\n", b" ", b":", b",", b"|", b"(", b")", b"192,168,1,10,4,1", b"227 ", b"229 ", b"PORT ", b"EPRT ", b"sip:", b"@", b"\r\n ",
    b";expires=5", b"m=audio 4000 x\r\n", b"c=IN IP4 192.168.1.10\r\n", b"\0", b"\xff", b"0", b"9", b"v=0\r\n", b"CSeq: 2 INVITE\r\n",
    b"\1DCC ", b"DCC SEND ", b" :", b"[", b"]", b"\1", b"65536", b"4294967296", b";transport=tcp", b";received=1.2.3.4", b";rport=",
)  # fmt: skip
MOST: Final = 1200
"""Bytes of a text: what fits a segment."""
STRANGERS: Final = ("192.168.1.11", "203.0.113.77", "198.51.100.7", "192.168.1.1", "203.0.113.2", "0.0.0.0", "255.255.255.255")
STRANGERS6: Final = ("fd00:1::11", "fd00:2::77", "fd00:1::1", "::", "fd00:2::1")
Speak = Callable[[Random, int, View], bytes]
"""(chance, way, how the speaker's packets are addressed) -> what it says."""


def spoilt(random: Random, text: bytes) -> bytes:
    """Cut, inserted into, flipped, repeated: one to three times."""
    made = bytearray(text)
    for _ in range(random.choice((1, 1, 2, 3))):
        at, other = random.randrange(len(made) + 1), random.randrange(len(made) + 1)
        match random.randrange(6):
            case 0:
                del made[at : at + random.choice((1, 2, 5, 20))]
            case 1:
                made[at:at] = random.choice(SCRAPS)
            case 2:
                made[at : at + 1] = bytes((random.randrange(256),))
            case 3:
                del made[at:]
            case 4:
                made[at : at + 1] = random.choice(b"0123456789 \r\n,.:|;()").to_bytes()
            case _:
                made[at:at] = made[min(at, other) : max(at, other)][:60]
    return bytes(made[:MOST])


def address_of(random: Random, mine: Address) -> str:
    """The speaker's own address mostly, else somebody else's; now and then of the other family."""
    at = random.random()
    if at < 0.85:
        return show_address(mine) if len(mine) == 4 or at < 0.7 else _spelled(random, mine)
    four = (len(mine) == 4) == (at < 0.97)
    return random.choice(STRANGERS if four else STRANGERS6)


def _spelled(random: Random, address: Address) -> str:
    """An IPv6 address as it may be written besides: at length, in capitals, its end as IPv4's; and too long, or broken."""
    groups = [address[at : at + 2].hex() for at in range(0, 16, 2)]
    dotted = ".".join(map(str, address[12:]))
    short = show_address(address)
    return random.choice((
        ":".join(groups), ":".join(groups).upper(), ":".join([*groups[:6], dotted]), f"{short.rpartition(':')[0]}:{dotted}",
        f"::ffff:{dotted}", ":".join([*groups, "1"]), ":".join(groups[:7]), f"{short}::", ":".join(groups[:7]) + "::",
        f"0{groups[0]}::1", f"::{dotted}.1",
    ))  # fmt: skip


def port_of(random: Random) -> int:
    """A port that may be taken, privileged, or none at all."""
    return random.choice(PORTS) if random.random() < 0.6 else random.randrange(1024, 65536)


# ---- FTP -------------------------------------------------------------------------------------------------------------


def ftp(random: Random, way: int, view: View) -> bytes:
    """A line of the control connection: a client's (way 0) or a server's."""
    ends = random.choice(("\r\n", "\r\n", "\r\n", "\r\n", "\n", "", "\r", "\r\nNOOP\r\n"))
    return (random.choice(("", "", "", "", "NOOP\r\n", " ")) + (_ftp_asks if way == 0 else _ftp_answers)(random, view) + ends).encode()


def _ftp_asks(random: Random, view: View) -> str:
    address, port = address_of(random, view.src), port_of(random)
    words = (
        f"PORT {_commas(random, address, port)}", f"PORT {_commas(random, address, port)}", _eprt(random, address, port),
        _eprt(random, address, port), "PASV", "EPSV", "EPSV ALL", "USER me", f"port {_commas(random, address, port)}", "QUIT",
    )  # fmt: skip
    return random.choice(words)


def _ftp_answers(random: Random, view: View) -> str:
    address, port = address_of(random, view.src), port_of(random)
    mark = random.choice("||||!/1")
    words = (
        f"227 Entering Passive Mode ({_commas(random, address, port)})", f"227 Entering Passive Mode ({_commas(random, address, port)}).",
        f"227 {random.choice(('=', '', 'at 12 ', '('))}{_commas(random, address, port)} there",
        f"229 Entering Extended Passive Mode ({mark * 3}{port}{mark})", f"229 Entering Extended Passive Mode ({mark * 3}{port}{mark})",
        f"229 ({mark * 2}x{mark}{port}{mark})", "220 ready", "200 ok", "425 no",
    )  # fmt: skip
    return random.choice(words)


def _commas(random: Random, address: str, port: int) -> str:
    numbers = [*address.replace(":", ".").split("."), port >> 8, port & 255]
    if random.random() < 0.05:
        numbers[random.randrange(len(numbers))] = random.choice(("256", "", "007", "-1", "x", "999"))
    return ",".join(map(str, numbers))


def _eprt(random: Random, address: str, port: int) -> str:
    mark = random.choice(("|", "|", "|", "|", "!", ".", " ", "1"))
    family = random.choice(("2" if ":" in address else "1",) * 5 + ("1", "2", "3", ""))
    return f"EPRT {mark}{family}{mark}{address}{mark}{port}{random.choice((mark, mark, mark, '', ' '))}"


# ---- IRC -------------------------------------------------------------------------------------------------------------


def irc(random: Random, way: int, view: View) -> bytes:
    """A line with an offer in it, mostly."""
    address = address_of(random, view.src)
    number = int.from_bytes(bytes(map(int, address.split(".")))) if ":" not in address else random.randrange(2**32)
    word = random.choice(("SEND file", "CHAT chat", "MOVE file", "TSEND file", "SCHAT chat", "RESUME file", "CHAT", "SEND a file"))
    size = random.choice((" 1000", " 1", "", " 1 2"))
    offer = f"\1DCC {word} {number + (random.random() < 0.04) * 2**32} {port_of(random)}{size}\1"
    head = random.choice(("PRIVMSG bob :", "PRIVMSG bob :", ":me!u@h PRIVMSG bob :", "NOTICE bob :", "privmsg bob :", "PRIVMSG bob "))
    lines = random.choice((offer, offer, offer, offer + " " + offer, "hello", "\1ACTION waves\1"))
    return (head + lines + random.choice(("\r\n", "\n", "\r\n", ""))).encode()


# ---- TFTP ------------------------------------------------------------------------------------------------------------


def tftp(random: Random, way: int, view: View) -> bytes:
    """A datagram of TFTP: a request, mostly."""
    opcode = random.choice((1, 1, 1, 2, 2, 3, 4, 5, 0, 6, 256))
    return opcode.to_bytes(2) + random.choice((b"file\0octet\0", b"", b"\0\1data", b"x"))


# ---- SANE, Amanda, and what is asked of everybody -----------------------------------------------------------------------


def sane(random: Random, way: int, view: View) -> bytes:
    """A request to start a scan, or the answer with a port."""
    if way == 0:
        return random.choice((b"\0\0\0\7", b"\0\0\0\7", b"\0\0\0\1")) + random.choice((b"\0\0\0\0", b"\0\0\0\1", b""))
    status = random.choice((b"\0\0\0\0",) * 5 + (b"\0\0\0\4",))
    number = random.choice((b"\0\0", b"\0\0", b"\0\1")) + port_of(random).to_bytes(4)[2:]
    return status + number + random.choice((b"", b"\0" * 4, b"\0" * 10))


def amanda(random: Random, way: int, view: View) -> bytes:
    """A server's answer with up to three ports, or a client's request."""
    if way == 0:
        return b"Amanda 2.4 REQ HANDLE 000 SEQ 1\nSERVICE sendbackup\n"
    first, second = random.choice(("DATA", "DATA", "MESG", "STATE")), random.choice(("MESG", "MESG", "DATA"))
    words = first, second, random.choice(("INDEX", "INDEX", "X"))
    ports = " ".join(f"{word} {port_of(random)}" for word in words[: random.choice((1, 2, 3, 3))])
    return f"Amanda 2.4 REP HANDLE 000 SEQ 1\n{random.choice(('CONNECT ', 'CONNECT ', 'CONNECT', 'connect '))}{ports}\nOPTIONS ;\n".encode()


def name_asked(random: Random, way: int, view: View) -> bytes:
    """Whatever: NetBIOS' helper reads nothing of it."""
    return random.choice((b"\0\1\1\x10\0\1", b""))
