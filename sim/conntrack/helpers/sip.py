"""The SIP helper: expects the calls that a registered client gets, and the media streams that two parties agree on.

As nf_conntrack_sip.c, Linux 6.18 (RFC 3261, 4566), over UDP and TCP, with its default parameters: calls are expected from the
registrar alone (sip_direct_signalling), media between the two that speak SIP (sip_direct_media). Every message keeps the
connection for an hour. What NAT writes into messages: netfilter/nat/helpers/sip.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.conntrack.expect import INACTIVE, PERMANENT, Expectation
from sim.conntrack.helpers import sip_text as text
from sim.conntrack.helpers.help import ESTABLISHED, Help, Helper, Policy
from sim.conntrack.helpers.numbers import is_alpha
from sim.conntrack.helpers.sip_media import CALL_OVER, SIGNALLING, flush, session
from sim.conntrack.helpers.sip_text import Found, Message, Wrong
from sim.conntrack.helpers.sip_uri import Uri, header_uri
from sim.conntrack.words import ACCEPT, EXPECTED
from sim.trace import Reason
from sim.units import SECOND

LIFETIME: Final = 3600 * SECOND
"""sip_timeout: how long a message keeps its connection."""
SHORTEST: Final = len("SIP/2.0 200")
POLICIES: Final = (Policy(1, 180 * SECOND), Policy(4, 180 * SECOND), Policy(4, 180 * SECOND), Policy(2, 180 * SECOND))
PROTOCOLS: Final = {b"TCP": 6, b"UDP": 17}
UNREGISTERED: Final = Reason("flushed", "The registrar says that the client is not registered: calls to it are no longer expected.")
RENEWED: Final = Reason("helper", "The registrar has accepted the registration: from now on calls may come.", {"helper": "sip"})


class Numbers:
    """The sequence numbers of the last REGISTER and INVITE, and the port that a phone wants its answers on (struct nf_ct_sip_master)."""

    def __init__(self) -> None:
        self.register = 0
        self.invite = 0
        self.forced_port = 0


def _memory(help: Help) -> Numbers:
    memory = help.conn.help
    assert isinstance(memory, Numbers)
    return memory


# ---- calls -----------------------------------------------------------------------------------------------------------


def _invite(help: Help, message: Message, cseq: int) -> int:
    flush(help, True, CALL_OVER)
    verdict = session(help, message)
    if verdict == ACCEPT:
        _memory(help).invite = cseq
    return verdict


def _with_session(help: Help, message: Message, cseq: int) -> int:
    return session(help, message)


def _bye(help: Help, message: Message, cseq: int) -> int:
    flush(help, True, CALL_OVER)
    return ACCEPT


def _answer(help: Help, message: Message, cseq: int, code: int) -> int:
    """To INVITE, UPDATE and PRACK: on the way or well, or no."""
    if 100 <= code <= 299:
        return session(help, message)
    if _memory(help).invite == cseq:
        flush(help, True, CALL_OVER)
    return ACCEPT


# ---- registration ----------------------------------------------------------------------------------------------------


def _transport(help: Help, message: Message, at: int) -> bool:
    """Whether transport= is the connection's own protocol, or not said (ct_sip_parse_transport)."""
    found = message.parameter(at, b"transport=")
    if found is None:
        return True
    return next((number for word, number in PROTOCOLS.items() if message.says(found.at, word)), 0) == help.mine.protonum


def _expires(message: Message, at: int, otherwise: int) -> int | None:
    """The parameter expires=, or what the header said; None for a word that is no number."""
    found = message.search(at, message.end_of_value(at), b"expires=")
    if found is None:
        return otherwise
    value, end = message.number(found + 8)
    return None if end == found + 8 else value


def _header_expires(message: Message) -> int:
    found = message.header(text.EXPIRES)
    return message.number(found.at)[0] if isinstance(found, Found) else 0


def _register(help: Help, message: Message, cseq: int) -> int:
    """A client registers: calls to it will come from the registrar, once it has said yes (process_register_request)."""
    if help.conn.status & EXPECTED:
        return ACCEPT
    contact = header_uri(message, text.CONTACT)
    if isinstance(contact, Wrong):
        return help.drop("cannot parse contact", "The Contact of this REGISTER cannot be read.")
    if contact is None or contact.where != help.mine.src or not _transport(help, message, contact.behind):
        return ACCEPT
    expires = _expires(message, contact.behind, _header_expires(message))
    if expires is None:
        return help.drop("cannot parse expires", "The time for which this REGISTER asks cannot be read.")
    verdict = ACCEPT
    if expires:
        new = help.expectation(
            help.other.src, contact.where, contact.port, help.mine.protonum, kind=SIGNALLING, helper="sip", flags=PERMANENT | INACTIVE
        )
        why = f"The client registers for calls to port {contact.port}: if the registrar says yes, they will come from it."
        verdict = _expect_call(help, message, new, why, contact)
    if verdict == ACCEPT:
        _memory(help).register = cseq
    return verdict


def _expect_call(help: Help, message: Message, new: Expectation, why: str, contact: Uri) -> int:
    nat = help.nat("sip expect")
    if nat is None:
        return help.expect(new, why, *contact.text)
    verdict: int = nat(help, message, new, why, contact.text, _memory(help).forced_port)
    return verdict


def _registered(help: Help, message: Message, cseq: int, code: int) -> int:
    """The registrar's answer names what is registered now (process_register_response)."""
    if _memory(help).register != cseq or 100 <= code <= 199:
        return ACCEPT
    if 200 <= code <= 299:
        done = _accepted(help, message)
        if done is not None:
            return done
    flush(help, False, UNREGISTERED)
    return ACCEPT


def _accepted(help: Help, message: Message) -> int | None:
    """The verdict, or None when no contact is the client's own, and its expectation goes."""
    common, at, among = _header_expires(message), 0, False
    while True:
        contact = header_uri(message, text.CONTACT, at, among)
        if isinstance(contact, Wrong):
            return help.drop("cannot parse contact", "A Contact in the registrar's answer cannot be read.")
        if contact is None:
            return None
        at, among = contact.end, True
        if contact.where != help.mine.dst or not _transport(help, message, contact.behind):
            continue
        expires = _expires(message, contact.behind, common)
        if expires is None:
            return help.drop("cannot parse expires", "The time that the registrar allows cannot be read.")
        if not expires:
            return None
        if _renew(help, contact, expires):
            return ACCEPT


def _renew(help: Help, contact: Uri, seconds: int) -> bool:
    """The expected calls may come from now on (refresh_signalling_expectation)."""
    wanted = (contact.where, contact.port, help.mine.protonum)
    for one in reversed(help.tracker.expectations.of(help.conn)):
        if one.kind == SIGNALLING and (one.tuple.dst, one.tuple.dport, one.tuple.protonum) == wanted:
            help.tracker.expectations.renew(one, help.now, seconds * SECOND, help.packet.id, RENEWED)
            return True
    return False


# ---- messages --------------------------------------------------------------------------------------------------------


Request = Callable[[Help, Message, int], int]
Response = Callable[[Help, Message, int, int], int]
HANDLERS: Final[tuple[tuple[bytes, Request, Response | None], ...]] = (
    (b"INVITE", _invite, _answer), (b"UPDATE", _with_session, _answer), (b"ACK", _with_session, None), (b"PRACK", _with_session, _answer),
    (b"BYE", _bye, None), (b"REGISTER", _register, _registered),
)  # fmt: skip


def _cseq(help: Help, message: Message) -> tuple[int, int] | int:
    """(number, offset behind the digits) of CSeq, or the verdict where it cannot be read."""
    found = message.header(text.CSEQ)
    if not isinstance(found, Found):
        return help.drop("cannot parse cseq", "The message has no CSeq that can be read.")
    value, end = message.number(found.at)
    if end == found.at:
        return help.drop("cannot get cseq", "The message's CSeq is no number.")
    return value, found.at + found.length


def _request(help: Help, message: Message) -> int:
    data = message.data
    via = header_uri(message, text.VIA_UDP)
    if isinstance(via, Uri) and via.port != help.mine.sport and via.where == help.mine.src:
        # phones that ask from a high port but want their answers on 5060: NAT sends them there
        _memory(help).forced_port = via.port
    for method, request, _ in HANDLERS:
        size = len(method)
        if len(data) >= size + 2 and message.says(0, method) and data[size] == text.SPACE and is_alpha(data[size + 1]):
            cseq = _cseq(help, message)
            return cseq if isinstance(cseq, int) else request(help, message, cseq[0])
    return ACCEPT


def _response(help: Help, message: Message) -> int:
    if len(message.data) < SHORTEST:
        return ACCEPT
    code, _ = message.number(len("SIP/2.0 "))
    if not code:
        return help.drop("cannot get code", "The answer's status is no number.")
    cseq = _cseq(help, message)
    if isinstance(cseq, int):
        return cseq
    for method, _, response in HANDLERS:
        at = cseq[1] + 1
        if response is not None and len(message.data) >= at + len(method) and message.says(at, method):
            return response(help, message, cseq[0], code)
    return ACCEPT


def _message(help: Help, message: Message) -> int:
    """The verdict on one message; NAT may have written into it then (process_sip_msg)."""
    verdict = _response(help, message) if message.says(0, b"SIP/2.0 ") else _request(help, message)
    nat = help.nat("sip message") if verdict == ACCEPT else None
    if nat is None or nat(help, message, _memory(help).forced_port) == ACCEPT:
        return verdict
    return help.drop("cannot NAT SIP message", "NAT cannot put the other addresses into this message.")


def help_udp(help: Help) -> int:
    """Look into one datagram: it is one message."""
    data = help.datagram()
    if not data:
        return ACCEPT
    help.tracker.refresh(help.conn, LIFETIME, help.now)
    return _message(help, Message(data, len(help.mine.src))) if len(data) >= SHORTEST else ACCEPT


def help_tcp(help: Help) -> int:
    """Look into one segment: message after message, as long as Content-Length tells where each ends."""
    data = help.segment()
    if help.ctinfo not in ESTABLISHED or not data:
        return ACCEPT
    help.tracker.refresh(help.conn, LIFETIME, help.now)
    if len(data) < SHORTEST:
        return ACCEPT
    at, grown = 0, 0
    while (end := _end(data[at:], len(help.mine.src))) is not None:
        if at + end > len(data):
            return ACCEPT
        message = Message(data[at : at + end], len(help.mine.src), at)
        verdict = _message(help, message)
        if verdict != ACCEPT:
            return verdict
        grown += len(message.data) - end
        at += len(message.data)
        data = help.segment()
    shift = help.nat("sip shift")
    if shift is not None:
        shift(help, grown)
    return ACCEPT


def _end(data: bytes, size: int) -> int | None:
    """Where the first message ends, perhaps behind the segment's end; None where that is not said or there is none."""
    message = Message(data, size)
    found = message.header(text.CONTENT_LENGTH)
    if not isinstance(found, Found):
        return None
    length, behind = message.number(found.at)
    if behind == found.at or length > len(data):
        return None
    blank = data.find(b"\r\n\r\n", behind)
    return None if blank < 0 else blank + 4 + length


SIP: Final = tuple(Helper("sip", protonum, ("ip", "ip6"), POLICIES, help, Numbers) for protonum, help in ((17, help_udp), (6, help_tcp)))
