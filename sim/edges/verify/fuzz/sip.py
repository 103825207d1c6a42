"""SIP as its ends say it: requests, answers and session descriptions, valid and nearly so. Each talk remembers its last request."""

from __future__ import annotations

from random import Random
from typing import Final

from sim.edges.verify.fuzz.path import View
from sim.edges.verify.fuzz.sip_course import Course
from sim.edges.verify.fuzz.texts import address_of, port_of
from sim.units import Address, show_address

METHODS: Final = ("REGISTER",) * 4 + ("INVITE",) * 5 + ("UPDATE", "CANCEL", "ACK", "PRACK", "BYE", "OPTIONS", "SUBSCRIBE", "NOTIFY")
CODES: Final = (100, 180, 183, 200, 200, 200, 200, 202, 302, 401, 404, 486, 500, 99, 1000)
MEDIA: Final = ("audio", "audio", "video", "image", "text", "application")
EXPIRES: Final = (0, 1, 60, 300, 3600, 3600, 4294967296, "x")
BODIES: Final = ("INVITE", "UPDATE", "PRACK", "ACK")


def show_host(address: Address) -> str:
    """An address as a URI has it."""
    return show_address(address) if len(address) == 4 else f"[{show_address(address)}]"


class Sip:
    """A talk's SIP. `say(way, view)` is the next message of that end."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._cseq, self._method, self._asker = random.randrange(1, 100), "INVITE", 0
        self._call = random.choice(("1@here", "abc", "x-1@192.168.1.10"))
        self._course = Course(random) if random.random() < 0.5 else None

    def say(self, way: int, view: View) -> bytes:
        """A request, or an answer to the last one of the other end; in every other talk, mostly what its course has next."""
        choose = self._random
        if self._course is not None and choose.random() < 0.9 and (next_one := self._course.say(way, view)):
            return next_one
        answers = way != self._asker and choose.random() < 0.75
        if not answers:
            self._method, self._asker = choose.choice(METHODS), way
            self._cseq += choose.random() < 0.8
        body = self._session(view) if self._method in BODIES and choose.random() < 0.8 else ""
        first = self._status() if answers else f"{self._method} {self._uri(view.dst, view.dport)} SIP/2.0"
        return self._whole(first, view, body, answers and self._method == "REGISTER").encode()

    def _status(self) -> str:
        return f"SIP/2.0 {self._random.choice(CODES)} {self._random.choice(('OK', 'Whatever', ''))}"

    def _whole(self, first: str, view: View, body: str, registered: bool) -> str:
        choose = self._random
        lines = [line for line in self._headers(view, registered) if choose.random() < 0.93]
        if choose.random() < 0.1:
            choose.shuffle(lines)
        length = len(body) + (choose.random() < 0.05) * choose.choice((-1, 1, 5, 1000))
        colon = choose.choice((": ", ": ", ": ", ":", " : ", ":\t"))
        lines.append(f"{choose.choice(('Content-Length', 'Content-Length', 'l', 'CONTENT-LENGTH'))}{colon}{length}")
        end = "\r\n" if choose.random() < 0.95 else "\n"
        return end.join([first, *lines, "", body])

    def _headers(self, view: View, registered: bool) -> list[str]:
        """`registered`: it is the registrar's answer, which names the client's own contact."""
        choose = self._random
        number = self._cseq + (choose.random() < 0.1)
        me, him = self._uri(view.src, view.sport), self._uri(view.dst, view.dport)
        contact = f"sip:{show_host(view.dst)}:{view.dport}" if registered and choose.random() < 0.85 else me
        return [
            f"{choose.choice(('Via', 'v'))}: SIP/2.0/{choose.choice(('UDP', 'UDP', 'TCP'))} {self._host(view.src, view.sport)}"
            f"{choose.choice((';branch=z9', ';rport', ';received=' + show_address(view.dst), ';maddr=1.2.3.4', ''))}"
            f"{choose.choice(('', '', ';rport=' + str(view.sport), ';received=192.168.1.10;rport=5060'))}",
            f"{choose.choice(('From', 'f'))}: <{me}>;tag=1", f"{choose.choice(('To', 't'))}: {choose.choice(('<' + him + '>', him))}",
            f"{choose.choice(('Call-ID', 'i'))}: {self._call}", f"CSeq: {number} {self._method}", *self._contacts(contact),
            f"{choose.choice(('Expires', 'Expires', 'expires'))}: {choose.choice(EXPIRES)}", *self._routes(view),
            "Content-Type: application/sdp",
        ]  # fmt: skip

    def _contacts(self, me: str) -> list[str]:
        choose = self._random
        name = choose.choice(("Contact", "Contact", "m", "contact"))
        after = choose.choice(("", "", f";expires={choose.choice(EXPIRES)}", ";transport=tcp", ";transport=UDP", ";q=1"))
        one = choose.choice((f"<{me}>{after}", f"<{me}{after}>", f"{me}{after}", "*", f"<sip:you@host>, <{me}>{after}"))
        return [f"{name}: {one}", f"Contact: <sip:a@1.1.1.1>, {one}"] if choose.random() < 0.1 else [f"{name}: {one}"]

    def _routes(self, view: View) -> list[str]:
        choose = self._random
        if choose.random() > 0.15:
            return []
        name = choose.choice(("Record-Route", "Route"))
        return [f"{name}: <{self._uri(choose.choice((view.src, view.dst)), 5060)};lr>"]

    def _uri(self, address: Address, port: int) -> str:
        choose = self._random
        scheme = choose.choice(("sip:", "sip:", "sip:", "SIP:", "tel:", "sips:"))
        return f"{scheme}{choose.choice(('me@', '', 'me:pw@'))}{self._host(address, port)}"

    def _host(self, address: Address, port: int) -> str:
        choose = self._random
        shown = address_of(choose, address) if choose.random() < 0.3 else show_address(address)
        if ":" in shown and choose.random() < 0.9:
            shown = f"[{shown}]"
        return choose.choice((f"{shown}:{port}", f"{shown}:{port}", shown, f"{shown}:{port_of(choose)}", f"{shown}:"))

    def _session(self, view: View) -> str:
        choose = self._random
        kind = "IP4" if len(view.src) == 4 else "IP6"
        lines = ["v=0", f"o=me 1 1 IN {kind} {address_of(choose, view.src)}", "s=-"]
        if choose.random() < 0.85:
            lines.append(f"c=IN {kind} {address_of(choose, view.src)}")
        lines.append("t=0 0")
        for _ in range(choose.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            lines.append(f"m={choose.choice(MEDIA)} {choose.choice((20000, 20002, port_of(choose)))} RTP/AVP 0")
            if choose.random() < 0.3:
                lines.append(f"c=IN {kind} {address_of(choose, view.src)}")
            if choose.random() < 0.2:
                lines.append(f"a=rtcp:{port_of(choose)}")
        kept = [line for line in lines if choose.random() < 0.98]
        return choose.choice(("\r\n",) * 9 + ("\n",)).join([*kept, ""])
