"""SIP's corners: what is nearly a header, calls that know each other, phones that want their answers elsewhere. See corners.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sim.edges.verify.fuzz.scene import ACK, Scene, Udp

ME, HE, IT = "192.168.1.10", "203.0.113.9", "203.0.113.77"
ME6, HE6 = "fd00:1::10", "fd00:2::9"
CONTACT: Final = "Contact: <sip:me@%me%:%my-port%>"
THEIRS: Final = "Contact: <sip:me@%far%:%far-port%>"


def said(first: str, *headers: str, cseq: str = "", body: str = "") -> str:
    """A message; CSeq of its own method, or as given."""
    lines = [first, cseq or f"CSeq: 1 {first.split()[0]}", *headers]
    return "\r\n".join([*lines, "Content-Length: %length%", "", body])


def to(code: str, method: str, *headers: str, number: int = 1, body: str = "") -> str:
    """An answer."""
    return said(f"SIP/2.0 {code} So", *headers, cseq=f"CSeq: {number} {method}", body=body)


def streams(*lines: str, family: int = 4, where: str = "%me%") -> str:
    """A session description."""
    at = f"IN IP{family} {where}"
    return "\r\n".join(["v=0", f"o=me 1 1 {at}", "s=-", f"c={at}", "t=0 0", *lines, ""])


INVITE: Final = "INVITE sip:you@%far% SIP/2.0"
REGISTER: Final = "REGISTER sip:%far% SIP/2.0"
AUDIO: Final = "m=audio 4000 RTP/AVP 0"


def _phone(s: Scene, port: int = 5060, server: str = HE, client: str = ME) -> Udp:
    return s.udp(f"{client} {port}", f"{server} 5060")


def registers(s: Scene) -> None:
    """Registrations: granted, for a moment, by another contact, refused, asked again; from a call that was expected itself."""
    line = _phone(s)
    line.say(0, said(REGISTER, CONTACT, "Expires: 600"))
    line.say(1, to("100", "REGISTER"), to("200", "REGISTER", "Contact: <sip:z@9.9.9.9>, <sip:me@%far%:%far-port%>;expires=1"))
    s.wait(1.35)
    line.say(0, said(REGISTER, CONTACT + ";expires=60"), said(REGISTER, CONTACT + ";expires=0"), said(REGISTER, CONTACT + ";expires=x"))
    line.say(0, said(REGISTER, "Contact: <sip:me@%me%:99>"), said(REGISTER, CONTACT + ";transport=tcp"), said(REGISTER))
    line.say(1, to("200", "REGISTER", "Contact: <sip:me@%far%:4999>;expires=30"), to("200", "REGISTER", THEIRS + ";expires=x"))
    line.say(1, to("403", "REGISTER"))
    for port in (4000, 4001, 5060):
        line.say(0, said(REGISTER, f"Contact: <sip:me@%me%:{port}>", "Expires: 60"))
    line.say(1, to("200", "REGISTER", "Contact: <sip:me@%far%:4001>, <sip:me@%far%:%far-port%>", "Expires: 60"))
    line.say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    line.say(1, to("200", "REGISTER", THEIRS + ";expires=0"), to("200", "REGISTER", THEIRS, "Expires: 0"))
    again = _phone(s, 5061)
    for each in (line, again):
        each.say(0, said(REGISTER, "Contact: <sip:me@%me%:5060>", "Expires: 60"))


def called(s: Scene) -> None:
    """A call that was expected, with streams that answer each other; a header's value that goes on in the next line."""
    line = _phone(s)
    line.say(0, said(REGISTER, CONTACT + "\r\n ;transport=udp;x=1\r\n ;expires=60"))
    line.say(1, to("200", "REGISTER", THEIRS, "Expires: 60"))
    caller = s.udp(f"{HE} 5070", f"{ME} 5060")
    caller.say(0, said(INVITE, CONTACT, body=streams("m=audio 6000 RTP/AVP 0")), said(REGISTER, CONTACT, "Expires: 60"))


def sessions(s: Scene) -> None:
    """Streams: to ports that are too low, to others, twice, known from another call, taken by something else, more than may be."""
    line, second = _phone(s), _phone(s, 5061)
    for each in (line, second):
        each.say(0, said(INVITE, CONTACT, body=streams(AUDIO, "m=video 4002 RTP/AVP 0", "m=audio 80 x")))
        each.say(0, said(INVITE, CONTACT, body=streams(AUDIO, "c=IN IP4 %me%", "m=image 4004 x", "c=IN IP4 9.9.9.9")))
        each.say(0, said(INVITE, CONTACT, body=streams("m=video 4000 RTP/AVP 0")), said(INVITE, CONTACT, body=streams("m=audio x",
            "m=audio  9")))
        each.say(1, to("183", "INVITE", body=streams("m=audio 7000 x")), to("200", "INVITE", CONTACT, body=streams("m=audio 7000 x")))
        each.say(0, said("ACK sip:you SIP/2.0"), said("PRACK sip:you SIP/2.0", body=streams("m=audio 4006 x")))
        each.say(0, said("UPDATE sip:you SIP/2.0", body=streams("m=audio 65535 x")), said("UPDATE sip:you SIP/2.0",
            body=streams("m=audio")))
    for number in range(10):
        second.say(0, said(INVITE, CONTACT, body=streams(f"m=audio {4100 + 2 * number} RTP/AVP 0", f"m=video {4200 + 2 * number} x")))
    s.tcp(f"{ME} 1003", f"{IT} 6667")
    line.say(0, said("BYE sip:you SIP/2.0"))
    other = _phone(s, 5062, IT)
    other.say(0, said(INVITE, CONTACT, body=streams(AUDIO)), said(INVITE, CONTACT, body=streams("m=audio 7000 x", where=HE)))


def headers(s: Scene) -> None:
    """Headers that end where the message does, are folded there, or are none."""
    line = _phone(s)
    for text in (
        "SIP/2.0 xx So\r\nCSeq: 1 INVITE\r\n\r\n", "SIP/2.0 200 So\r\nCSeq: x INVITE\r\n\r\n", "SIP/2.0 200 So\r\nCSeq: \r\n\r\n",
        "SIP/2.0 200 So\r\nCSeq: 99999999999999 INVITE\r\n\r\n", "SIP/2.0 200 So\r\nCSeq", "SIP/2.0 200 So\r\nCSeq:",
            "SIP/2.0 200 So\r\nCSeq: ",
        "SIP/2.0 200 So\r\nCSeq:\r\n 1 INVITE\r\n\r\n", "SIP/2.0 200 So\r\nCSeq:\r\n ", "SIP/2.0 200 So\r\nCSeq:\r",
            "SIP/2.0 200 So\r\nCSeq:\r\n",
        "SIP/2.0 200 So\r\nCSeq:\r\n\t", "SIP/2.0 200 So\r\nCSeq \r\n : 1 INVITE", "SIP/2.0 200 So\r\nCSeq\r1",
            "SIP/2.0 200 So\r\nCSeq x\r\n\r\n",
        "INVITE sip:you@[fd00:1::10 SIP/2.0\r\n", "INVITE sip:you@%far%:", "INVITE sip:you@%far%:5", "INVITE sip:you@", "INVITE sip:",
        "INVITE \xe9", "INVITEx sip:you@x SIP/2.0\r\n", "OPTIONS sip:you@%far%:5060", "OPTIONS sip:you@%far%:", "OPTIONS sip:you@",
        "OPTIONSOPTIONSOPTIONSOPTIONS", "INVITE 1 sip:you@x SIP/2.0\r\n", "INVITE \xc0x", "INVITE \xd7x",
            "REGISTER s", f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%:",
        f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%", f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%>,",
        f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%>;expires=",
            f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: x, y, <sip:me@1.2.3.999>",
        f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%>;transport=",
            f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nVia: SIP/2.0/UDP %me%;rport=",
        f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nVia: SIP/2.0/UDP %me%:%my-port%;received=",
            f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: *\r\n\r\n",
        f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@host>, <sip:me@host>",
            f"{REGISTER}\r\nCSeq: 1 REGISTER\r\nContact: sip:me",
    ):  # fmt: skip
        line.say(0, text)
    for body in ("v=0\r\nm=audio", "v=0\r\nm=audio ", "v=0\r\nm=audio 4", "v=0\r\nc=IN IP4 ", "v=0\r\nc=IN IP4 1.2.3", "v=0",
        "v=0\r\nm=\xe1\r\n",
                 "v=0\r\nm=audio 4000", "v=0\r\nc=IN IP4 %me%", "v=0\r\no=", "v=0\r\nm=audio 4000 x\r\nc=IN IP4",
                     "v=0\nm=audio 4000 x\n"):  # fmt: skip
        line.say(0, said(INVITE, CONTACT, body=body))


def six(s: Scene) -> None:
    """Over IPv6: addresses in brackets, at length, with IPv4's at the end, and what is none."""
    line = _phone(s, server=HE6, client=ME6)
    for where in ("[%me%]", "[fd00:1:0:0:0:0:0:10]", "[fd00:1::0.0.0.16]", "[fd00:1::10", "fd00:1::10", "[::ffff:1.2.3.4]",
        "[1:2:3:4:5:6:7:8:9]",
                  "[fd00:1::1::10]", "[fd00:1:::10]", "[fd00:1::1.2.3.4.5]", "[1:2:3:4:5:6:7]", "[12345::]", "[1:2:3:4:5:6:7::]",
                  "[1:2:3:4:5:6:7:1.2.3.4]", "[::1:2:3:4:5:6:7]", "[]", "[:1]", "[1:2:3:4:5:6:1.2.3.256]"):  # fmt: skip
        line.say(0, said(REGISTER, f"Contact: <sip:me@{where}:%my-port%>", "Expires: 60"))
    for where in ("%me%", "fd00:1:0:0:0:0:0:10", "fd00:1::1::2", "1:2"):
        line.say(0, said("INVITE sip:you@[%far%] SIP/2.0", "Contact: <sip:me@[%me%]:%my-port%>", body=streams(AUDIO, family=6,
            where=where)))
    line.say(1, to("200", "INVITE", body=streams("m=audio 5000 x", family=6)))
    line.say(0, said("INVITE sip:you@[%far%]:5060 SIP/2.0", "Via: SIP/2.0/UDP [%me%]:%my-port%;maddr=[%me%];received=%me%;rport=5060"))


def over_tcp(s: Scene) -> None:
    """Messages end to end, in halves, with lengths that are none."""
    line = s.tcp(f"{ME} 5062", f"{HE} 5060")
    one, two = said(INVITE, CONTACT, body=streams(AUDIO)), said("BYE sip:you SIP/2.0")
    line.say(0, one, one + two, one[:60], one[60:], two + two)
    for text in ("OPTIONS sip:you SIP/2.0\r\nContent-Length: x\r\n\r\n",
        "OPTIONS sip:you SIP/2.0\r\nContent-Length: 4000000000\r\n\r\n",
                 "OPTIONS sip:you SIP/2.0\r\nContent-Length: 0\r\n",
                     "OPTIONS sip:you SIP/2.0\r\nContent-Length: 5\r\n\r\n12345xxxxxxxxxxxxxxxxxxxxxxx",
                 "OPTIONS sip:you SIP/2.0\r\nContent-Length: \r\n\r\n", "OPTIONS"):  # fmt: skip
        line.say(0, text)
    line.say(1, to("200", "INVITE", "Via: SIP/2.0/TCP %far%:%far-port%;received=%far%;rport=%far-port%", CONTACT,
        body=streams("m=audio 5000 x")))
    line.segment(0, ACK, moves=False)


def elsewhere(s: Scene) -> None:
    """Phones that ask from a high port and want their answers on 5060, over UDP and over TCP; what stands in Via behind that."""
    for line in (_phone(s, 40000), s.tcp(f"{ME} 40001", f"{HE} 5060"), _phone(s, 40002)):
        via = f"Via: SIP/2.0/{'UDP' if line.number == 17 else 'TCP'} "
        for at in ("%me%:5060", "%me%:%my-port%", "%me%", "%far%:5060", "9.9.9.9:5060"):
            line.say(0, said("OPTIONS sip:you@%far%:%far-port% SIP/2.0", via + at + ";maddr=%me%;received=%me%;rport=5060", CONTACT))
        line.say(0, said("OPTIONS sip:you@%far%:%far-port% SIP/2.0", "Via: SIP/2.0/UDP %me%:5060", CONTACT))
        line.say(0, said(REGISTER, "Contact: <sip:me@%me%:5060>", "Expires: 60"))
        for at in ("%far%:%far-port%", "%far%:5060", "%far%"):
            line.say(1, to("200", "OPTIONS", via + at + ";maddr=%far%;received=%far%;rport=%far-port%", THEIRS))
            line.say(1, to("200", "OPTIONS", via + at + ";maddr=x;received=y"), to("200", "OPTIONS", via + at + ";received=%me%"))
            line.say(1, to("200", "OPTIONS", via + at + ";received=9.9.9.9;rport=80", "From: <sip:a@%far%:%far-port%>",
                "To: <sip:b@%me%:5060>"))


def known(s: Scene) -> None:
    """Two phones behind one address call each other by way of a server that sends both the same description on."""
    one, two = _phone(s), _phone(s, client="192.168.1.11")
    one.say(0, said(INVITE, CONTACT, body=streams(AUDIO, where="%me%")))
    for where, port in (("203.0.113.150", 4000), ("203.0.113.150", 4001), ("203.0.113.150", 4002)):
        two.say(0, "OPTIONS sip:x SIP/2.0\r\n\r\n")
        two.say(1, said(INVITE, CONTACT, body=streams(f"m=audio {port} x", where=where)))
    two.say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    three = s.udp("203.0.113.150 5070", f"{HE} 5060")
    three.say(0, said(INVITE, CONTACT, body=streams("m=audio 4000 x")), said(INVITE, CONTACT, body=streams("m=audio 4002 x")))
    s.send(f"udp {HE}:9000 > 203.0.113.150:4000", f"udp {HE}:9000 > 203.0.113.150:4001", f"udp {HE}:9000 > {ME}:4000")
    one.say(1, said(INVITE, CONTACT, body=streams("m=audio 4000 x", where="203.0.113.150")))


def same_answer(s: Scene) -> None:
    """A server tells two of a phone's calls one stream; over TCP the stream comes, too."""
    lines = [_phone(s), _phone(s, 5061)]
    for number, line in enumerate(lines):
        line.say(0, said(INVITE, CONTACT, body=streams(f"m=audio {4000 + 100 * number} x")))
        line.say(1, to("200", "INVITE", CONTACT, body=streams("m=audio 7000 x")))
    line = s.tcp(f"{ME} 5062", f"{HE} 5060")
    line.say(0, said(REGISTER, CONTACT + ";transport=tcp", "Expires: 60"), said(INVITE, CONTACT, body=streams("m=audio 4400 x")))
    line.say(1, to("200", "INVITE", CONTACT, body=streams("m=audio 5400 x")))
    s.send(f"udp {HE}:9999 > 203.0.113.150:4401")
    s.send(f"udp {HE}:5400 > 203.0.113.150:4400", f"udp {HE}:5400 > {ME}:4400", f"udp {ME}:4401 > {HE}:5401")


def directly(s: Scene) -> None:
    """What the far end is told of a stream is what another call's stream stands for, and a third call knows that one, too."""
    one = _phone(s, 5070)
    one.say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    caller = s.udp(f"{HE} 5080", f"{ME} 5060")
    caller.say(0, said(INVITE, CONTACT, body=streams("m=audio 6000 x")))
    caller.say(1, to("200", "INVITE", CONTACT, body=streams(AUDIO)))
    again = s.udp("203.0.113.150 5070", f"{HE} 5060")
    again.say(0, said(INVITE, CONTACT, body=streams(AUDIO)), said(INVITE, CONTACT, body=streams(AUDIO)))


def unowned(s: Scene) -> None:
    """Descriptions without an owner, with an address for each stream, without a word of how long they are."""
    line = _phone(s)
    line.say(0, said(INVITE, CONTACT, body="v=0\r\nm=audio 4000 x\r\nc=IN IP4 %me%\r\n"))
    line.say(0, said(INVITE, CONTACT, body=streams("m=audio 4000 x", "c=IN IP4 %me%")))
    line.say(0, "INVITE sip:you@%far% SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\no=me 1 1 IN IP4 %me%\r\nc=IN IP4 %me%\r\nm=audio 4000 x\r\n")


def shared(s: Scene) -> None:
    """One phone, two servers, and then what it expects of both is taken by something else; streams that answer each other."""
    lines = [_phone(s), _phone(s, 5061), _phone(s, 5062, IT)]
    for line in lines:
        line.say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    lines[2].say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    s.udp(f"{ME} 4000", f"{HE} 69").say(0, b"\0\1f\0octet\0")
    lines[0].say(0, said(REGISTER, "Contact: <sip:me@%me%:4101>", "Expires: 60"), said(INVITE, CONTACT, body=streams("m=audio 4100 x")))
    lines[1].say(0, said(INVITE, CONTACT, body=streams("m=audio 4100 x")), said(REGISTER, "Contact: <sip:me@%me%:4000>", "Expires: 60"))
    lines[1].say(0, said(REGISTER, "Contact: <sip:me@%me%:65534>", "Expires: 60"))
    for port in (65534, 65535, 65532):
        lines[0].say(0, said(INVITE, CONTACT, body=streams(f"m=audio {port} x")))
    lines[0].say(1, to("200", "INVITE", CONTACT, body=streams("m=audio 5000 x")))
    s.send(f"udp {HE}:5000 > {ME}:4000", f"udp {ME}:4000 > {HE}:5000", f"udp {HE}:5000 > 203.0.113.150:4000",
        f"udp {IT}:1 > 203.0.113.150:4000")


def answered(s: Scene) -> None:
    """An answer names a stream, too, and both come; an INVITE that ends where its address begins."""
    line = _phone(s)
    line.say(0, said(INVITE, CONTACT, body=streams(AUDIO)))
    line.say(1, to("200", "INVITE", CONTACT, body=streams("m=audio 5000 x")))
    s.send(f"udp {HE}:5000 > {ME}:4000", f"udp {HE}:5000 > 203.0.113.150:4000", f"udp {ME}:4001 > {HE}:5001")
    long = _phone(s, server=HE6, client=ME6)
    for text in ("OPTIONS sip:you-who-are-so-far-away@", "OPTIONS sip:you-who-are-so-far-away:", "OPTIONS sip:you@[%far%]:5060",
        "OPTIONS sip:you@["):
        long.say(0, text)


Corner = Callable[[Scene], None]
SIP: Final[Sequence[Corner]] = (shared, answered, called, registers, sessions, headers, six, over_tcp)
SIP_NAT: Final[Sequence[Corner]] = (elsewhere, known, unowned, same_answer, directly)
