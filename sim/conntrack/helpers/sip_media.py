"""The SIP helper's media: the streams that a session description (SDP, RFC 4566) names are expected, RTP and RTCP one port above.

As process_sdp and set_expected_rtp_rtcp, nf_conntrack_sip.c, Linux 6.18, with sip_direct_media: only streams between the two
that speak SIP with each other. Messages and registrations: sip.py; what NAT writes: netfilter/nat/helpers/sip.py.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sim.conntrack.conn import Conn
from sim.conntrack.expect import Expectation
from sim.conntrack.helpers import sip_text as text
from sim.conntrack.helpers.help import Help
from sim.conntrack.helpers.sip_text import Found, Message
from sim.conntrack.words import ACCEPT
from sim.trace import Reason
from sim.units import Address, show_address

SIGNALLING, AUDIO, VIDEO, IMAGE = range(4)
"""Classes of expectations."""
MEDIA: Final = ((b"audio ", AUDIO), (b"video ", VIDEO), (b"image ", IMAGE))
MOST_MEDIA: Final = 3
CALL_OVER: Final = Reason("flushed", "The call is over, refused or asked for anew: its media streams are no longer expected.")
NOT_BOTH: Final = Reason("flushed", "The second of the two streams cannot be expected.")


class Stream(NamedTuple):
    """A media line's port: where its digits stand, the `port`, and the class of what is expected there."""

    text: Found
    port: int
    kind: int


def _sdp_address(message: Message, at: int) -> Address | None:
    """The connection address of the session (up to the first media line), or of one media description."""
    found = message.sdp(text.CONNECTION[message.size], at, text.MEDIA)
    if not isinstance(found, Found):
        return None
    read = message.address(found.at, found.at + found.length, brackets=False)
    return read[0] if read else None


def session(help: Help, message: Message) -> int:
    """Every media line names a port: expect RTP there and RTCP one above (process_sdp)."""
    start = message.sdp(text.VERSION, 0)
    if not isinstance(start, Found):
        return ACCEPT
    common = where = _sdp_address(message, start.at)
    at, streams = start.at, 0
    while streams < MOST_MEDIA:
        found = message.sdp(text.MEDIA, at)
        if not isinstance(found, Found):
            break
        line = message.data[found.at : found.at + found.length]
        known = next(((word, kind) for word, kind in MEDIA if line.startswith(word)), None)
        if known is None:
            at = found.at + found.length
            continue
        at = found.at + len(known[0])
        port, end = message.number(at)
        if port == 0 or end == at:
            continue
        verdict, where = _stream(help, message, Stream(Found(at, found.length - len(known[0])), port, known[1]), common)
        if verdict != ACCEPT:
            return verdict
        streams += 1
    return _session_addresses(help, message, start.at, where)


def _session_addresses(help: Help, message: Message, at: int, where: Address | None) -> int:
    """NAT writes the address of the last stream, or else the session's own, into the session's owner and connection lines."""
    nat = help.nat("sip session")
    if nat is None or where is None or nat(help, message, at, where):
        return ACCEPT
    return help.drop("", "NAT cannot write the other address into the session description: it has no owner's or no Content-Length line.")


def _stream(help: Help, message: Message, stream: Stream, common: Address | None) -> tuple[int, Address | None]:
    """The verdict, and where the stream goes as the other end is told."""
    port = stream.port
    if not 1024 <= port <= 65535:
        return help.drop(f"wrong port {port}", f"The session description names port {port}: no stream may be there."), None
    own = _sdp_address(message, stream.text.at)
    where = own or common
    if where is None:
        return help.drop("cannot parse SDP message", "The session description names a port but no address."), None
    told = _expect_media(help, message, where, stream)
    if told is None:
        return help.drop("cannot add expectation for voice", f"The streams to port {port} cannot be expected now."), None
    nat = help.nat("sip address") if own is not None else None
    if nat is not None and not nat(help, message, stream.text.at, told):
        return help.drop("cannot mangle SDP", "NAT cannot write the other address into the session description."), None
    return ACCEPT, told


def _same_helper(one: Conn, other: Conn) -> bool:
    """SIP over UDP and over TCP are two helpers."""
    return (one.helper, one.protonum) == (other.helper, other.protonum)


def _known_elsewhere(help: Help, where: Address, stream: Stream) -> tuple[Address, int, bool, bool]:
    """(address, port, whether they are what another connection's expectation stands for behind NAT, whether nothing need be expected).

    The same description may be seen in several connections. Where both are under NAT, the two ends can reach each other directly.
    """
    src, table = help.other.src, help.tracker.expectations
    port, direct = stream.port, False
    while True:
        there = table.lookup((src, where, 0, port, 17), help.conn.zone)
        if there is None or there.master is help.conn or there.kind != stream.kind or not _same_helper(there.master, help.conn):
            return where, port, direct, False
        saved = bytes(len(where)) if there.saved_addr is None else there.saved_addr
        if direct or (saved, there.saved_port) == (there.tuple.dst, there.tuple.dport) or help.nat("sip port") is None:
            return where, port, direct, True
        where, port, direct = saved, there.saved_port, True


def _expect_media(help: Help, message: Message, where: Address, stream: Stream) -> Address | None:
    """set_expected_rtp_rtcp: the address to tell, None where it cannot be. An address that is not the speaker's own is passed over."""
    if where != help.mine.src:
        return where
    where, port, direct, known = _known_elsewhere(help, where, stream)
    base = port & ~1
    write_port, media = help.nat("sip port"), help.nat("sip media")
    if direct and write_port is not None and not write_port(help, message, stream.text, base):
        return None
    if known:
        return where
    why = f"The session description names {show_address(where)} port {port}: the other party's stream will come there."
    pair = [help.expectation(help.other.src, where, each, 17, kind=stream.kind) for each in (base, base + 1)]
    if media is not None and not direct:
        told: Address | None = media(help, message, pair, stream.text, why)
        return told
    return where if _expect_both(help, pair, why) else None


def _expect_both(help: Help, pair: list[Expectation], why: str) -> bool:
    """What is expected already, perhaps by another connection, is as good."""
    made: list[Expectation] = []
    for new in pair:
        error = help.related(new, why, any_master=True)
        if error not in ("", "EALREADY"):
            for earlier in made:
                help.unexpect(earlier, NOT_BOTH)
            return False
        made += [new] if not error else []
    return True


def flush(help: Help, media: bool, reason: Reason) -> None:
    """Forget the media streams that are expected, or the newest expected call (flush_expectations)."""
    for one in list(reversed(help.tracker.expectations.of(help.conn))):
        if (one.kind != SIGNALLING) == media:
            help.tracker.expectations.remove(one, "removed", reason, help.packet.id)
            if not media:
                break
