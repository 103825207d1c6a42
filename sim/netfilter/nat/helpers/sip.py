"""NAT for the SIP helper: the addresses in a message's request line and headers, and the calls that are expected. nf_nat_sip.c, Linux 6.18.

An address of the connection's own becomes what the other end knows it by; any other stays. Session descriptions: sdp.py.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.conntrack.helpers import sip_text as text
from sim.conntrack.helpers.sip_text import Found, Header, Message
from sim.conntrack.helpers.sip_uri import Uri, address_parameter, header_uri, number_parameter, request_uri
from sim.conntrack.seqadj import shift
from sim.conntrack.words import ACCEPT, DROP
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.helpers.expected import MANGLED, WHY_MANGLED, WHY_NOT_WRITTEN, at_address, find_port
from sim.netfilter.nat.helpers.mangle import mangle, payload_at
from sim.netfilter.nat.ranges import NatRange, single
from sim.packet import Packet
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat

TCP: Final = 6
SIGNALLING: Final = 0
REPLY: Final = 1
FROM_TO: Final = ((text.FROM, "cannot mangle SIP from/to"), (text.TO, "cannot mangle SIP from/to"))


def put(help: Help, message: Message, found: Found, new: str) -> bool:
    """Write `new` there, and read the message anew (mangle_packet)."""
    if not mangle(help, message.base + found.at, found.length, new.encode(), adjust=False):
        return False
    start = payload_at(help.packet, help.conn.original.protonum) + message.base
    message.data = help.packet.data[start : start + len(message.data) + len(new) - found.length]
    return True


def with_port(address: Address, port: int) -> str:
    """203.0.113.2:5060, [fd00::1]:5060"""
    return f"{bracketed(address)}:{port}"


def bracketed(address: Address) -> str:
    """IPv6 in brackets."""
    return show_address(address) if len(address) == 4 else f"[{show_address(address)}]"


def _map(help: Help, message: Message, uri: Uri, forced: int) -> bool:
    """map_addr: False where it would have to be written but cannot."""
    mine, other = help.mine, help.other
    if (uri.where, uri.port) == (mine.src, mine.sport):
        new, port = other.dst, other.dport
    elif (uri.where, uri.port) == (mine.dst, mine.dport):
        new, port = other.src, forced or other.sport
    else:
        return True
    return (new, port) == (uri.where, uri.port) or put(help, message, uri.text, with_port(new, port))


def _cannot(help: Help, text: str) -> int:
    return help.drop(text, WHY_MANGLED)


def nat_message(nat: Nat, help: Help, message: Message, forced: int) -> int:
    """The addresses of one message. `forced`: the port on which the phone wants its answers, 0 for the one it asked from."""
    request = not message.says(0, b"SIP/2.0")
    uri = request_uri(message) if request else None
    if uri is not None and not _map(help, message, uri, forced):
        return _cannot(help, "cannot mangle SIP message")
    verdict = _via(help, message, request, forced)
    if verdict != ACCEPT:
        return verdict
    if not _contacts(help, message, forced):
        return _cannot(help, "cannot mangle contact")
    for kind, words in FROM_TO:
        found = header_uri(message, kind)
        if isinstance(found, Uri) and not _map(help, message, found, forced):
            return _cannot(help, words)
    if help.direction == REPLY and forced:
        if help.conn.protonum == TCP:  # a phone that wants its answers on another port does so over UDP alone
            return DROP
        help.packet = _to_port(help.packet, forced)
        mangle(help, 0, 0, b"", adjust=False)
    return ACCEPT


def _contacts(help: Help, message: Message, forced: int) -> bool:
    at, among = 0, False
    while isinstance(found := header_uri(message, text.CONTACT, at, among), Uri):
        at, among = found.end, True
        if not _map(help, message, found, forced):
            return False
    return True


def _via(help: Help, message: Message, request: bool, forced: int) -> int:
    """The topmost Via and its parameters: only one that is about this connection."""
    kind: Header = text.VIA_TCP if help.conn.original.protonum == TCP else text.VIA_UDP
    via = header_uri(message, kind)
    mine, other = help.mine, help.other
    if not isinstance(via, Uri) or (via.where, via.port) != ((mine.src, mine.sport) if request else (mine.dst, mine.dport)):
        return ACCEPT
    before = len(message.data)
    if not _map(help, message, via, forced):
        return _cannot(help, "cannot mangle Via header")
    at = via.behind + len(message.data) - before
    for name, old, new, brackets in ((b"maddr=", mine.src, other.dst, True), (b"received=", mine.dst, other.src, False)):
        found = address_parameter(message, at, name, brackets)
        if found is None or found[0] != old or old == new:
            continue
        if not put(help, message, found[1], bracketed(new) if brackets else show_address(new)):
            return _cannot(help, f"cannot mangle {name.decode().rstrip('=')}")
    port = number_parameter(message, at, b"rport=")
    if port is not None and 1024 <= port[0] <= 65535 and port[0] == mine.dport != other.sport and not put(
        help, message, port[1], str(other.sport)
    ):
        return _cannot(help, "cannot mangle rport")
    return ACCEPT


def _to_port(packet: Packet, port: int) -> Packet:
    """The datagram to another port."""
    at = packet.l4 + 2
    return Packet(packet.data[:at] + port.to_bytes(2) + packet.data[at + 2 :], packet.id)


def nat_expect(nat: Nat, help: Help, message: Message, new: Expectation, why: str, found: Found, forced: int) -> int:
    """A registered client's calls: expected where the registrar will send them, and written so into the Contact (nf_nat_sip_expect)."""
    mine, other = help.mine, help.other
    prepare(nat, help, new)
    port = other.dport if new.saved_port == (forced or mine.sport) else new.saved_port
    port = find_port(nat, help, new, port, why)
    if not port:
        return help.drop("all ports in use for SIP", "No port is left on which calls could be expected, so the helper drops the packet.")
    if (new.tuple.dst, port) == (new.saved_addr, new.saved_port) or put(help, message, found, with_port(new.tuple.dst, port)):
        return ACCEPT
    help.unexpect(new, WHY_NOT_WRITTEN)
    return help.drop(MANGLED, WHY_MANGLED)


def prepare(nat: Nat, help: Help, new: Expectation) -> None:
    """It will come to the address that the other end knows, and is then sent on to where it is expected now."""
    new.saved_addr, new.saved_port, new.dir = new.tuple.dst, new.tuple.dport, 1 - help.direction
    new.expectfn = partial(expected, nat)
    if help.mine.src != help.other.dst:
        at_address(new, help.other.dst)


def expected(nat: Nat, conn: Conn, new: Expectation) -> None:
    """A call or a stream has come (nf_nat_sip_expected)."""
    assert new.saved_addr is not None
    nat.bind(conn, NatRange(new.saved_addr, new.saved_addr, (new.saved_port, new.saved_port)), DST)
    source = _source(nat, conn, new)
    if source is not None:
        nat.bind(conn, source, SRC)


def _source(nat: Nat, conn: Conn, new: Expectation) -> NatRange | None:
    """A stream comes from where its counterpart is expected; anything else from where the master's packets do."""
    came, master = conn.original, new.master
    for pair in reversed(nat.tracker.expectations.of(master)) if new.kind != SIGNALLING else ():
        if pair.tuple.protonum == came.protonum and (pair.saved_addr, pair.saved_port) == (came.src, came.sport):
            return NatRange(pair.tuple.dst, pair.tuple.dst, (pair.tuple.dport, pair.tuple.dport))
    mine, other = (master.reply, master.original) if new.dir else (master.original, master.reply)
    return single(other.dst) if came.src == mine.src else None


def nat_shift(nat: Nat, help: Help, by: int) -> None:
    """All that was written into one segment, at once (nf_nat_sip_seq_adjust)."""
    shift(help.conn, help.direction, help.packet.seq, by)
