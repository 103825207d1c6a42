"""NAT for SIP's session descriptions: addresses and ports of streams, and the Content-Length that follows. nf_nat_sip.c, Linux 6.18.

The offsets that these are given are not moved when Content-Length becomes a digit longer in front of them: neither are the kernel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack.helpers import sip_text as text
from sim.conntrack.helpers.sip_text import Found, Header, Message
from sim.netfilter.nat.helpers.expected import WHY_NOT_WRITTEN, at_port
from sim.netfilter.nat.helpers.sip import prepare, put
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat


def _content_length(help: Help, message: Message) -> bool:
    """mangle_content_len."""
    start = message.sdp(text.VERSION, 0)
    header = message.header(text.CONTENT_LENGTH)
    if not isinstance(start, Found) or not isinstance(header, Found):
        return False
    return put(help, message, header, str(len(message.data) - start.at + len("v=")))


def _line(help: Help, message: Message, at: int, kind: Header, address: Address) -> bool | None:
    """The address of one line of the description; None where there is none (mangle_sdp_packet)."""
    found = message.sdp(kind, at, text.MEDIA)
    return put(help, message, found, show_address(address)) if isinstance(found, Found) else None


def nat_address(nat: Nat, help: Help, message: Message, at: int, address: Address) -> bool:
    """A stream's own connection line (nf_nat_sdp_addr)."""
    return bool(_line(help, message, at, text.CONNECTION[message.size], address)) and _content_length(help, message)


def nat_port(nat: Nat, help: Help, message: Message, found: Found, port: int) -> bool:
    """A stream's port (nf_nat_sdp_port)."""
    return put(help, message, found, str(port)) and _content_length(help, message)


def nat_session(nat: Nat, help: Help, message: Message, at: int, address: Address) -> bool:
    """The session's owner, which must be there, and its connection line (nf_nat_sdp_session)."""
    if not _line(help, message, at, text.OWNER[message.size], address):
        return False
    written = _line(help, message, at, text.CONNECTION[message.size], address)
    return written is not False and _content_length(help, message)


def nat_media(nat: Nat, help: Help, message: Message, pair: list[Expectation], found: Found, why: str) -> Address | None:
    """Expect RTP and RTCP on a pair of free ports, and write the first (nf_nat_sdp_media): the address to tell, None where it cannot be."""
    for each in pair:
        prepare(nat, help, each)
    rtp, rtcp = pair
    port = _find_pair(help, rtp, rtcp, why)
    if not port:
        help.drop("all ports in use for SDP media", "No pair of ports is left on which the streams could be expected.")
        return None
    if port != rtp.saved_port and not nat_port(nat, help, message, found, port):
        help.drop("cannot mangle SDP message", "NAT cannot write the other port into the session description.")
        help.unexpect(rtp, WHY_NOT_WRITTEN)
        help.unexpect(rtcp, WHY_NOT_WRITTEN)
        return None
    return rtp.tuple.dst


def _find_pair(help: Help, rtp: Expectation, rtcp: Expectation, why: str) -> int:
    for port in range(rtp.tuple.dport, 65536, 2):
        at_port(rtp, port)
        error = help.related(rtp, why, any_master=True)
        if error == "EBUSY":
            continue
        if error:
            return 0
        at_port(rtcp, port + 1)
        error = help.related(rtcp, why, any_master=True)
        if not error:
            return port
        help.unexpect(rtp, WHY_NOT_WRITTEN)
        if error != "EBUSY":
            return 0
    return 0
