"""SIP that goes as it should: registrations, calls with their streams, each message well formed. So the helper gets somewhere.

What goes wrong on the way is sip.py's; here at most one thing is odd in a message, so that what stands behind it is read, too.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Final, NamedTuple

from sim.edges.verify.fuzz.path import View
from sim.units import Address, show_address

Way = int


class Step(NamedTuple):
    """Who says it (0 the one who began), a request's method, or a status and the method that it answers; whether streams are named."""

    way: Way
    method: str
    code: int = 0
    streams: bool = False


REGISTERED: Final = (Step(0, "REGISTER"), Step(1, "REGISTER", 200))
CALLED: Final = (Step(0, "INVITE", 0, True), Step(1, "INVITE", 180), Step(1, "INVITE", 200, True), Step(0, "ACK"))
COURSES: Final[tuple[tuple[Step, ...], ...]] = (
    REGISTERED, REGISTERED, (*REGISTERED, Step(1, "INVITE", 0, True), Step(0, "INVITE", 200, True), Step(1, "ACK")), CALLED,
    (*CALLED, Step(0, "BYE"), Step(1, "BYE", 200)), (*CALLED, Step(1, "INVITE", 0, True), Step(0, "INVITE", 200, True)),
    (Step(0, "REGISTER"), Step(1, "REGISTER", 100), Step(1, "REGISTER", 401), *REGISTERED),
    (Step(0, "INVITE", 0, True), Step(1, "INVITE", 486)),
    (
        Step(0, "INVITE", 0, True), Step(1, "INVITE", 183, True), Step(0, "PRACK", 0, True), Step(1, "PRACK", 200, True),
        Step(0, "UPDATE", 0, True),
    ),
)  # fmt: skip
EXPIRES: Final = ("300", "300", "3600", "0", "x", "99999999999999")
STREAMS: Final = (20000, 20000, 20002, 20004, 21000, 65534, 65535)


class Course:
    """`say(way, view)` is that end's next message, b"" when it is not its turn."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._coming: deque[Step] = deque()
        self._cseq = random.randrange(1, 50)
        self._port = random.choice(STREAMS)
        self._contact = b""

    def say(self, way: Way, view: View) -> bytes:
        """The message, if it is this end's turn."""
        choose = self._random
        if not self._coming:
            self._coming = deque(choose.choice(COURSES))
            self._cseq += choose.choice((0, 1, 1))
        if self._coming[0].way != way:
            return b""
        step = self._coming.popleft() if choose.random() < 0.9 else self._coming[0]
        return odd(choose, self._message(step, view)) if choose.random() < 0.25 else self._message(step, view)

    def _message(self, step: Step, view: View) -> bytes:
        choose = self._random
        me, him = _end(view.src, view.sport), _end(view.dst, view.dport)
        asker, asked = (him, me) if step.code else (me, him)
        first = f"SIP/2.0 {step.code} Said" if step.code else f"{step.method} sip:you@{him} SIP/2.0"
        via = f"Via: SIP/2.0/{'TCP' if choose.random() < 0.4 else 'UDP'} {asker}{choose.choice(VIA).format(asker=show_address(view.dst))}"
        lines = [
            first, via, f"From: <sip:me@{asker}>;tag=1", f"To: <sip:you@{asked}>", "Call-ID: 7@here", f"CSeq: {self._cseq} {step.method}",
            *self._contact_lines(step, asker, me), *(["Content-Type: application/sdp"] * step.streams),
        ]  # fmt: skip
        body = self._streams(view) if step.streams else ""
        if choose.random() < 0.95:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", body]).encode()

    def _contact_lines(self, step: Step, asker: str, me: str) -> list[str]:
        """A registrar's answer names the client's contact; it may name others before, and say how long each holds."""
        choose = self._random
        whose = asker if step.method == "REGISTER" else me
        until = f";expires={choose.choice(EXPIRES)}" if choose.random() < 0.4 else ""
        other = choose.choice(("", "", "<sip:z@9.9.9.9:5060>, ", "<sip:z@host>, "))
        return [f"Contact: {other}<sip:me@{whose}>{until}"] + [f"Expires: {choose.choice(EXPIRES)}"] * (choose.random() < 0.8)

    def _streams(self, view: View) -> str:
        choose = self._random
        where = f"IN IP{4 if len(view.src) == 4 else 6} {show_address(view.src)}"
        if choose.random() < 0.3:
            self._port = choose.choice(STREAMS)
        lines = ["v=0", f"o=me 1 1 {where}", "s=-", *([f"c={where}"] if choose.random() < 0.8 else []), "t=0 0"]
        for number in range(choose.choice((1, 1, 2))):
            lines.append(f"m={('audio', 'video')[number]} {min(self._port + 2 * number, 65535)} RTP/AVP 0")
            lines += [f"c={where}"] * (choose.random() < 0.4)
        return "\r\n".join([*lines, ""])


VIA: Final = (
    ";branch=z9", ";rport;branch=z9", ";received={asker};rport=5060", ";maddr={asker}", ";rport=", ";rport=x",
    ";received=1.2.3.4;rport=1000", "",
)  # fmt: skip


def _end(address: Address, port: int) -> str:
    shown = show_address(address)
    return f"[{shown}]:{port}" if len(address) == 16 else f"{shown}:{port}"


def odd(random: Random, text: bytes) -> bytes:
    """One thing otherwise: a header folded into two lines, cut at the end of a word, without a bracket, or a number too long."""
    at = random.random()
    if at < 0.3:
        return _folded(random, text)
    if at < 0.6:
        ends = [place for place in range(1, len(text)) if text[place - 1 : place].isalnum() != text[place : place + 1].isalnum()]
        return text[: random.choice(ends)]
    wrong, right = random.choice(ODD)
    return text.replace(wrong, right, random.choice((1, 9)))


def _folded(random: Random, text: bytes) -> bytes:
    places = [place for place in range(len(text) - 1) if text[place : place + 1] in b" :;,<"]
    place = random.choice(places) + random.choice((0, 1))
    fold = random.choice((b"\r\n ", b"\r\n\t ", b"\n ", b"\r ", b"\r\n", b"\r", b"\n", b"\r\n   \r\n "))
    return text[:place] + fold + (text[place:] if random.random() < 0.8 else b"")


ODD: Final = (
    (b"audio", b"audi\xe9"), (b"INVITE sip", b"INVITE \xe9"), (b"received=", b"received=x"), (b"Contact: <", b"Contact:\r\n <"),
    (b"[", b""), (b"]", b""), (b"CSeq: ", b"CSeq: x"), (b"CSeq: ", b"CSeq: 99999999999"), (b"SIP/2.0 2", b"SIP/2.0 x"),
    (b"SIP/2.0 ", b"SIP/2.0 0"), (b"Content-Length: ", b"Content-Length: x"), (b"Content-Length: ", b"Content-Length: 99999"),
    (b"Contact: ", b"Contact"), (b"sip:", b""), (b"audio ", b"audio"), (b"audio ", b"audio x"), (b"v=0\r\n", b""),
    (b"o=", b"z="), (b"c=IN", b"c=XX"), (b"To: ", b"To: sip:"), (b"Via: ", b"Via"),
    (b"Contact: <sip:me@", b"Contact: <sip:me@x"), (b"\r\n\r\n", b"\r\n"), (b"CSeq", b"CSek"), (b"m=audio", b"m=audio1"),
    (b"IP4 ", b"IP4 x"), (b"IP6 ", b"IP6 x"), (b"5060", b"999"), (b"5060", b"123456"), (b"5060", b""), (b":5060", b""),
    (b"Contact: ", b"Contact: *"),
)  # fmt: skip
"""What stands there, and what instead."""
