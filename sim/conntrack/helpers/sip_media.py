"""The SIP helper's media: the streams that a session description (SDP, RFC 4566) names are expected, RTP and RTCP one port above.

As process_sdp and set_expected_rtp_rtcp, nf_conntrack_sip.c, Linux 6.18, with sip_direct_media: only streams between the two
that speak SIP with each other. Messages and registrations: sip.py.
"""

from __future__ import annotations

from typing import Final

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
    common = _sdp_address(message, start.at)
    at, streams = start.at, 0
    while streams < MOST_MEDIA:
        found = message.sdp(text.MEDIA, at)
        if not isinstance(found, Found):
            break
        kind = next(((word, kind) for word, kind in MEDIA if message.data[found.at : found.at + found.length].startswith(word)), None)
        if kind is None:
            at = found.at + found.length
            continue
        at = found.at + len(kind[0])
        port, end = message.number(at)
        if port == 0 or end == at:
            continue
        verdict = _stream(help, message, at, port, kind[1], common)
        if verdict != ACCEPT:
            return verdict
        streams += 1
    return ACCEPT


def _stream(help: Help, message: Message, at: int, port: int, kind: int, common: Address | None) -> int:
    if not 1024 <= port <= 65535:
        return help.drop(f"wrong port {port}", f"The session description names port {port}: no stream may be there.")
    where = _sdp_address(message, at) or common
    if where is None:
        return help.drop("cannot parse SDP message", "The session description names a port but no address.")
    if _expect_media(help, where, port, kind):
        return ACCEPT
    return help.drop("cannot add expectation for voice", f"The streams to port {port} cannot be expected now.")


def _expect_media(help: Help, where: Address, port: int, kind: int) -> bool:
    """set_expected_rtp_rtcp; False where that cannot be. An address that is not the speaker's own is passed over."""
    if where != help.mine.src:
        return True
    src, table = help.other.src, help.tracker.expectations
    there = table.lookup((src, where, 0, port, 17), help.conn.zone)
    if there is not None and there.master is not help.conn and there.master.helper == help.conn.helper and there.kind == kind:
        return True
    base = port & ~1
    why = f"The session description names {show_address(where)} port {port}: the other party's stream will come there."
    made: list[Expectation] = []
    for each in (base, base + 1):
        new = help.expectation(src, where, each, 17, kind=kind)
        error = help.related(new, why, any_master=True)
        if error not in ("", "EALREADY"):
            for earlier in made:
                table.remove(earlier, "removed", CALL_OVER, help.packet.id)
            return False
        made += [new] if not error else []
    return True


def flush(help: Help, media: bool, reason: Reason) -> None:
    """Forget the media streams that are expected, or the newest expected call (flush_expectations)."""
    for one in list(reversed(help.conn.expecting or ())):
        if (one.kind != SIGNALLING) == media:
            help.tracker.expectations.remove(one, "removed", reason, help.packet.id)
            if not media:
                break
