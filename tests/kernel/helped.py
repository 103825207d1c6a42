"""What clients and servers say to each other in FTP, TFTP, IRC and SIP: right, odd and wrong. For the comparison of helpers."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conntrack.talk import Talk, datagram, syn

Packets = Sequence[tuple[str, bytes]]
FOUR = """*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
-A PREROUTING -p tcp -m tcp --dport 6667 -j CT --helper irc
-A PREROUTING -p udp -m udp --dport 5060 -j CT --helper sip
-A PREROUTING -p tcp -m tcp --dport 5060 -j CT --helper sip
COMMIT
"""
SIX = """*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
-A PREROUTING -p udp -m udp --dport 5060 -j CT --helper sip
COMMIT
"""
CLIENT, SERVER, THIRD = "192.168.1.10", "203.0.113.9", "203.0.113.77"
CLIENT6, SERVER6 = "fd00:1::10", "fd00:2::9"


def said(conversation: Sequence[tuple[int, str]], client: str = CLIENT, server: str = SERVER, port: int = 21) -> list[tuple[str, bytes]]:
    """A TCP conversation with its handshake: (0 client or 1 server, text)."""
    talk = Talk(f"{client} 1000", f"{server} {port}")
    return [*talk.open(), *(talk.say(side, text) for side, text in conversation)]


def asked(*datagrams: tuple[int, bytes], port: int = 69) -> list[tuple[str, bytes]]:
    """Datagrams between a client and a server."""
    talk = Talk(f"{CLIENT} 1069", f"{SERVER} {port}", "udp")
    return [talk.say(side, text) for side, text in datagrams]


GREETING = [(1, "220 ready\r\n"), (0, "USER me\r\n"), (1, "230 in\r\n")]
FTP: dict[str, Packets] = {
    "PORT and its connection": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n"), (1, "200 ok\r\n")]),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51211")),
    ],
    "PASV and its connection": [
        *said([*GREETING, (0, "PASV\r\n"), (1, "227 Entering Passive Mode (203,0,113,9,100,1)\r\n")]),
        ("lan", syn(f"{CLIENT} 3333", f"{SERVER} 25601")),
    ],
    "PASV without brackets, with text": said([*GREETING, (1, "227 =203,0,113,9,100,1 there\r\n")]),
    "PASV with text around it": said([*GREETING, (1, "227 Mode 12 (203,0,113,9,100,1)\r\n")]),
    "EPRT": said([*GREETING, (0, "EPRT |1|192.168.1.10|51212|\r\n")]),
    "EPRT with another delimiter": said([*GREETING, (0, "EPRT !1!192.168.1.10!51212!\r\n")]),
    "EPRT of the wrong family": said([*GREETING, (0, "EPRT |2|fd00::1|51212|\r\n")]),
    "EPRT divided by dots": said([*GREETING, (0, "EPRT .1.192.168.1.10.51212.\r\n")]),
    "EPSV and its connection": [
        *said([*GREETING, (0, "EPSV\r\n"), (1, "229 Entering Extended Passive Mode (|||25602|)\r\n")]),
        ("lan", syn(f"{CLIENT} 3333", f"{SERVER} 25602")), ("lan", syn("192.168.1.11 3333", f"{SERVER} 25602")),
    ],
    "EPSV with port nought": said([*GREETING, (1, "229 x (|||0|)\r\n")]),
    "EPSV that wraps": said([*GREETING, (1, "229 x (|||65537|)\r\n")]),
    "EPSV cut short": said([*GREETING, (1, "229 x (||"), (1, "|25602|)\r\n")]),
    "somebody else's address": said([*GREETING, (0, "PORT 192,168,1,11,200,10\r\n"), (1, "227 (203,0,113,77,100,1)\r\n")]),
    "numbers above 255": said([*GREETING, (0, "PORT 192,168,0,266,456,10\r\n"), (0, "PORT 192,168,1,10,456,300\r\n")]),
    "garbage": said([*GREETING, (0, "PORT 1,2,x\r\n"), (0, "PORTX\r\n"), (0, "port\r\n"), (0, "\0PORT\r\n"), (0, "\r\n"), (0, "\n"),
    (1, "\xff\n")]),
    "in small letters": said([*GREETING, (0, "port 192,168,1,10,200,10\r\n")]),
    "without an end": said([*GREETING, (0, "PORT 192,168,1,10,200,10")]),
    "ended by a newline alone": said([*GREETING, (0, "PORT 192,168,1,10,200,10\n")]),
    "split after the word": said([*GREETING, (0, "PORT"), (0, " 192,168,1,10,200,10\r\n")]),
    "split in the word": said([*GREETING, (0, "PO"), (0, "PORT 192,168,1,10,200,10\r\n")]),
    "in the middle of a line": said([*GREETING, (0, "NOOP"), (0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,11\r\n")]),
    "two commands in one segment": said([*GREETING, (0, "NOOP\r\nPORT 192,168,1,10,200,10\r\n")]),
    "before anything ended in a newline": said([(0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,10\r\n")]),
    "one expectation takes the place of another": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,11\r\n"), (0, "PORT 192,168,1,10,200,11\r\n")]),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51211")),
    ],
    "the wrong direction": said([*GREETING, (1, "PORT 192,168,1,10,200,10\r\n"), (0, "227 (192,168,1,10,100,1)\r\n")]),
    "from another server": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")]), ("wan", syn(f"{THIRD} 20", f"{CLIENT} 51210")),
        ("wan", datagram(f"{SERVER} 20", f"{CLIENT} 51210")),
    ],
    "two clients' connections that would clash": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")]),
        *(lambda talk: [*talk.open(), talk.say(1, "220\r\n"), talk.say(0, "a\r\n"), talk.say(0, "PORT 192,168,1,10,200,10\r\n")])(
            Talk(f"{CLIENT} 1001", f"{SERVER} 21")
        ),
    ],
    "no helper on another port": said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")], port=2121),
}  # fmt: skip
FTP6: dict[str, Packets] = {
    "EPRT and its connection": [
        *said([*GREETING, (0, "EPRT |2|fd00:1::10|51212|\r\n")], CLIENT6, SERVER6), ("wan", syn(f"{SERVER6} 20", f"{CLIENT6} 51212")),
    ],
    "EPSV and its connection": [
        *said([*GREETING, (1, "229 Extended (|||25602|)\r\n")], CLIENT6, SERVER6), ("lan", syn(f"{CLIENT6} 3333", f"{SERVER6} 25602")),
    ],
    **{
        f"EPRT |2|{text}|": said([*GREETING, (0, f"EPRT |2|{text}|51212|\r\n")], CLIENT6, SERVER6)
        for text in (
            "fd00:1:0:0:0:0:0:10", "fd00:0001::10", "FD00:1::10", "fd00:1:::10", "fd00:1::0.0.0.16", "fd00:1:0:0:0:0:0.0.0.16", "::", ":",
            "fd00:1::1:", "12345::", "fd00:1:0:0:0:0:0:10:1", "fd00:1:0:0:0:0::10", "fd00:1:0:0:0:0:0::10", "fd00:1::10%", "",
            "::1:2:3:4:5:6:7:8",
        )
    },
    "PORT in IPv6": said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")], CLIENT6, SERVER6),
}  # fmt: skip
READ, WRITE, DATA = b"\0\1file\0octet\0", b"\0\2file\0octet\0", b"\0\3\0\1data"
TFTP: dict[str, Packets] = {
    "read": [*asked((0, READ)), ("wan", datagram(f"{SERVER} 4000", f"{CLIENT} 1069", DATA)), ("lan", datagram(f"{CLIENT} 1069",
    f"{SERVER} 4000"))],
    "write": [*asked((0, WRITE)), ("wan", datagram(f"{SERVER} 4000", f"{CLIENT} 1069", b"\0\4\0\0"))],
    "asked again": asked((0, READ), (0, READ), (0, WRITE)),
    "the server asks": asked((0, b"\0\5x"), (1, READ)),
    "other opcodes and stumps": asked((0, DATA), (0, b"\0"), (0, b""), (0, b"\1\1xx"), (0, b"\0\1")),
    "from a third machine": [*asked((0, READ)), ("wan", datagram(f"{THIRD} 4000", f"{CLIENT} 1069", DATA))],
}
OFFER = "PRIVMSG bob :\1DCC SEND file {} {} 1000\1\r\n"
HERE = 192 << 24 | 168 << 16 | 1 << 8 | 10
IRC: dict[str, Packets] = {
    "DCC SEND and its connection": [
        *said([(0, OFFER.format(HERE, 5555))], port=6667), ("wan", syn("203.0.113.200 9999", f"{CLIENT} 5555")),
    ],
    **{
        text: said([(0, text)], port=6667)
        for text in (
            OFFER.format(HERE, 0), OFFER.format(HERE + 1, 5555), OFFER.format(HERE + 2**32, 5555 + 65536), OFFER.format(HERE, "   5555"),
            OFFER.format("x", 5555), OFFER.format(HERE, "x"), "  \r\n" + OFFER.format(HERE, 5555), OFFER.format(HERE, 5555).lower(),
            "PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC TSEND file 3232235786 5556 1\1\n",
            "PRIVMSG bob :\1DCC RESUME file 3232235786 5556 1\1\n", "PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1",
            "PRIVMSG bob :hello :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC CHAT 3232235786 5556\1\r\n",
            "NOTICE bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG b",
            "PRIVMSG bob :\1DCC NONE :\1DCC CHAT chat 3232235786 5556\1\r\n",
            ":me PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC CHAT chatchatchatchatchat\1\r\n", "\n\n\n\n",
        )
    },
    "more offers than may be expected at once": said([(0, OFFER.format(HERE, 5000 + number)) for number in range(10)], port=6667),
    "the server says it": said([(1, OFFER.format(HERE, 5555))], port=6667),
}  # fmt: skip


def sip(first: str, *headers: str, body: str = "", cseq: str = "1 {}") -> str:
    """A SIP message: its first line, its headers, a CSeq for its method and its body."""
    method = first.split()[0]
    lines = [first, f"CSeq: {cseq.format(method)}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


def answer(code: int, method: str, *headers: str, number: int = 1, body: str = "") -> str:
    return sip(f"SIP/2.0 {code} Whatever", *headers, cseq=f"{number} {method}", body=body)


def calls(*messages: tuple[int, str], client: str = CLIENT, server: str = SERVER) -> list[tuple[str, bytes]]:
    talk = Talk(f"{client} 5060", f"{server} 5060", "udp")
    return [talk.say(side, message) for side, message in messages]


def media(address: str, *lines: str, family: int = 4) -> str:
    """A session description."""
    return "\r\n".join(["v=0", f"o=me 1 1 IN IP{family} {address}", "s=-", f"c=IN IP{family} {address}", "t=0 0", *lines, ""])


REGISTER = "REGISTER sip:registrar SIP/2.0"
INVITE = "INVITE sip:bob@203.0.113.9 SIP/2.0"
ME, HIM = "Contact: <sip:me@192.168.1.10:5060>", "Contact: <sip:bob@203.0.113.9:5060>"
OURS, THEIRS = media(CLIENT, "m=audio 4000 RTP/AVP 0"), media(SERVER, "m=audio 5000 RTP/AVP 0", "m=video 5004 RTP/AVP 31")
CALL = [(0, sip(INVITE, ME, body=OURS)), (1, answer(180, "INVITE")), (1, answer(200, "INVITE", HIM, body=THEIRS)),
(0, sip("ACK sip:bob SIP/2.0"))]
SIP: dict[str, Packets] = {
    "a registration, and a call from the registrar": [
        *calls((0, sip(REGISTER, ME, "Expires: 600")), (1, answer(100, "REGISTER")), (1, answer(200, "REGISTER", ME, "Expires: 300"))),
        ("wan", datagram(f"{SERVER} 5070", f"{CLIENT} 5060", sip("INVITE sip:me SIP/2.0", HIM, body=THEIRS).encode())),
        ("wan", datagram(f"{THIRD} 5070", f"{CLIENT} 5060", sip("INVITE sip:me SIP/2.0").encode())),
    ],
    "a call before the registrar has said yes": [
        *calls((0, sip(REGISTER, ME, "Expires: 600"))), ("wan", datagram(f"{SERVER} 5070", f"{CLIENT} 5060",
        b"INVITE sip:me SIP/2.0\r\n\r\n")),
    ],
    "registrations refused, ended, late": calls(
        (0, sip(REGISTER, ME, "Expires: 600")), (1, answer(401, "REGISTER")), (0, sip(REGISTER, ME, "Expires: 600", cseq="2 {}")),
        (1, answer(200, "REGISTER", ME, number=1)), (1, answer(200, "REGISTER", ME, "Expires: 60", number=2)),
        (0, sip(REGISTER, ME, "Expires: 0", cseq="3 {}")), (1, answer(200, "REGISTER", number=3)),
    ),
    "contacts in many forms": calls(*[
        (0, sip(REGISTER, contact, "Expires: 60", cseq=f"{number} {{}}"))
        for number, contact in enumerate((
            "m: <sip:me@192.168.1.10>", "Contact: sip:192.168.1.10:1023", "Contact: sip:192.168.1.10:1024",
            "Contact: <sip:me@192.168.1.11>",
            "Contact: sip:me@192.168.1.10:65536", "Contact: sip:me@192.168.1.10:065535", "Contact: sip:me@192.168.1.10:", "Contact: tel:5",
            "Contact: sip:me@192.168.1.10:5061;transport=udp", "Contact: sip:me@192.168.1.10:5062;transport=tcp",
            "Contact : <sip:me@192.168.1.10>",
            "Contact: <sip:me@192.168.1.10:5063>;expires=7", "Contact: <sip:me@192.168.1.10:5063>;expires=x",
            "Contact:\r\n <sip:me@192.168.1.10:5064>",
            "Contact: <sip:me@host>, <sip:me@192.168.1.10:5065>", "Contact: *", "Contact",
            "Contact: sip:me@192.168.1.10:5066\r\nContact: sip:a@1.1.1.1",
            "Contact: <sip:me@192.168.1.10:5067>;expires=0", "Contact: <sip:me@192.168.1.10:5067>;expires=4294967296",
            "contact: <SIP:me@192.168.1.10:5068>",
            "Contact: sip:me@192.168.1.10x", "Contact: sip:me@192.168.1.10.5", "Contact: sip:me@192.168.1.10a",
        ), 1)
    ]),
    "an answer with several contacts": calls(
        (0, sip(REGISTER, ME, "Expires: 600")),
        (1, answer(200, "REGISTER", "Contact: <sip:x@1.2.3.4>;expires=9, <sip:me@192.168.1.10:5060>;expires=90", "Contact: <sip:y@host>")),
    ),
    "an answer with several Contact headers": calls(
        (0, sip(REGISTER, ME, "Expires: 600")), (1, answer(200, "REGISTER", "Contact: <sip:y@host>", "Contact: <sip:x@1.2.3.4>",
        ME, "Expires: 40")),
    ),
    "a call and its media": [
        *calls(*CALL), ("wan", datagram(f"{SERVER} 5000", f"{CLIENT} 4000")), ("wan", datagram(f"{SERVER} 5001", f"{CLIENT} 4001")),
        ("lan", datagram(f"{CLIENT} 4000", f"{SERVER} 5000")), ("lan", datagram(f"{CLIENT} 4004", f"{SERVER} 5004")),
    ],
    "a call and BYE": calls(*CALL, (0, sip("BYE sip:bob SIP/2.0", cseq="2 {}"))),
    "a call refused": calls(CALL[0], (1, answer(486, "INVITE"))),
    "another call's refusal": calls(CALL[0], (1, answer(486, "INVITE", number=7))),
    "a call asked for anew": calls(*CALL, (0, sip(INVITE, ME, body=media(CLIENT, "m=audio 4100 RTP/AVP 0"), cseq="2 {}"))),
    **{
        f"media: {lines}": calls((0, sip(INVITE, ME, body=media(CLIENT, *lines))))
        for lines in (
            ("m=audio 4001 RTP/AVP 0",), ("m=audio 0 RTP/AVP 0", "m=video 4002 RTP"), ("m=audio 80 RTP",), ("m=audio 65536 RTP",),
            ("m=audio x RTP",), ("m=text 4000 RTP", "m=image 4000 udptl"), ("m=audio 4000 RTP", "m=audio 4002 RTP", "m=video 4004 RTP",
            "m=video 4006 R"),
            ("m=audio 4000 RTP", "m=video 4000 RTP"), ("m=audio 4000 RTP", "c=IN IP4 192.168.1.11"), ("m=audio 4000 RTP", "c=IN IP4 host"),
            ("m=audio 4000 RTP", "c=IN IP4 192.168.1.11", "m=video 4002 RTP"), ("m=audio 99999999999999 RTP",), ("m=audio 65535 RTP",),
        )
    },
    "media without an address": calls((0, sip(INVITE, body="v=0\r\no=x\r\nm=audio 4000 RTP\r\n"))),
    "media without a version": calls((0, sip(INVITE, body="o=x\r\nm=audio 4000 RTP\r\n"))),
    "media in lines that end with a newline alone": calls((0, sip(INVITE, body=OURS.replace("\r", "")))),
    "the same media in two connections": [
        *calls(CALL[0]),
        *(lambda talk: [talk.say(0, CALL[0][1])])(Talk(f"{CLIENT} 5099", f"{SERVER} 5060", "udp")),
    ],
    **{
        f"message: {message[:30]!r}": calls((0, message), (1, message))
        for message in (
            "SIP/2.0 200", "SIP/2.0 xyz OK\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:x SIP/2.0\r\n\r\n",
            "INVITE sip:x\r\nCSeq: x INVITE\r\n\r\n",
            "INVITE  sip:x\r\n", "invite sip:x\r\nCSEQ:1 INVITE\r\n", "INVITE 5\r\n", "REGISTER x\r\nCSeq: 99999999999 REGISTER\r\n",
            "hello", "",
            "NOTIFY sip:x SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\nCSeq: 1 NOTIFY\r\n\r\n", "SIP/2.0 200 OK\r\nCSeq: 1INVITE\r\n\r\n",
            "UPDATE a\r\n CSeq: 1\r\n",
        )
    },
}  # fmt: skip
ME6 = "Contact: <sip:me@[fd00:1::10]:5060>"
SIP6: dict[str, Packets] = {
    "a registration": calls(
        (0, sip(REGISTER, ME6, "Expires: 600")), (1, answer(200, "REGISTER", ME6, "Expires: 300")), client=CLIENT6, server=SERVER6
    ),
    "a contact without brackets": calls((0, sip(REGISTER, "Contact: <sip:me@fd00:1::10>", "Expires: 600")), client=CLIENT6, server=SERVER6),
    "a contact with half a bracket": calls((0, sip(REGISTER, "Contact: <sip:me@[fd00:1::10>", "Expires: 600")),
    client=CLIENT6, server=SERVER6),
    "a call": calls((0, sip(INVITE, ME6, body=media(CLIENT6, "m=audio 4000 RTP", family=6))), client=CLIENT6, server=SERVER6),
    "a call with the other family": calls((0, sip(INVITE, ME6, body=OURS)), client=CLIENT6, server=SERVER6),
}
TWO = sip(REGISTER, ME, "Expires: 600") + sip(INVITE, ME, body=OURS)
SIP_TCP: dict[str, Packets] = {
    "a call": said([*CALL], port=5060),
    "two messages in a segment": said([(0, TWO)], port=5060),
    "two messages, the second cut short": said([(0, TWO[:-5]), (0, TWO[-5:])], port=5060),
    "a message without its length": said([(0, "INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n" + OURS)], port=5060),
    "a length beyond the segment": said([(0, sip(INVITE, ME, body=OURS).replace("Length: ", "Length: 9"))], port=5060),
    "a broken message, and what follows": said([(0, sip(INVITE, body="v=0\r\nm=audio 4000 R\r\n") + TWO)], port=5060),
    "a call's transport": said([(0, sip(REGISTER, ME[:-1] + ";transport=TCP>", "Expires: 60")),
    (0, sip(REGISTER, ME[:-1] + ";transport=udp>"))], port=5060),
}
