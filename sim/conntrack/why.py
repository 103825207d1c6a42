"""Reasons other than a cell of TCP's grid: made once, where no numbers are in them. `code` stays, the sentence is a learner's."""

from __future__ import annotations

from typing import Final

from sim.trace import Reason
from sim.units import Address, show_address

# ---- any protocol
NO_TUPLE: Final = Reason(
    "no-tuple",
    "There is nothing in this packet by which a connection could be known: its headers are cut short or "
    "end in none.",
)
NO_INVERSE: Final = Reason(
    "no-answer",
    "This ICMP type neither asks nor answers, so no connection can start with it or be continued by "
    "it.",
)
BAD_CHECKSUM: Final = Reason(
    "bad-checksum",
    "The checksum is wrong: the packet was damaged on its way, and no host would take "
    "it.",
)
TABLE_FULL: Final = Reason(
    "table-full",
    "The connection table is full (nf_conntrack_max): no entry could be made, so the packet is "
    "dropped.",
)
UNTRACKED: Final = Reason("untracked", "A rule said NOTRACK: connection tracking leaves this packet alone.")
NOT_ADJUSTED: Final = Reason(
    "seqadj",
    "NAT has changed the length of what was said in this connection, and this segment's header is cut short or its options make no"
    " sense: its sequence numbers cannot be shifted.",
)
CLASH: Final = Reason(
    "clash",
    "Another packet has just opened the same connection: this one's entry could not be put into the "
    "table.",
)
NEW: Final = Reason("new", "No entry knows this packet: it begins a connection.")
GENERIC: Final = Reason(
    "original",
    "A packet in the direction that began the connection; no answer was seen yet, so it is still "
    "NEW.",
)
FIRST_REPLY: Final = Reason(
    "first-reply",
    "The first packet back: now both ends have spoken, the connection is "
    "ESTABLISHED.",
)
GOES_ON: Final = Reason("goes-on", "The entry has seen packets both ways: this one belongs to it.")
MADE_BY_REJECT: Final = Reason(
    "reject",
    "This machine made it to refuse a packet: it is RELATED to that packet's "
    "connection.",
)
EXPECTED: Final = Reason(
    "expected",
    "An expectation foretold this connection: it is RELATED to the one that announced "
    "it.",
)

# ---- the ends of entries
EXPIRED: Final = Reason("expired", "No packet came for as long as the time-out allows: the entry is forgotten.")
DELETED: Final = Reason(
    "deleted",
    "Somebody deleted the entry: what comes next is judged as if nothing had been "
    "before.",
)
FLUSHED: Final = Reason("flushed", "The whole table was emptied: every connection is unknown now.")
EARLY_DROP: Final = Reason("early_drop", "The table was full: this entry, not ASSURED, made room for a new one.")
COLLECTED: Final = Reason(
    "early_drop", "The table was full, and more than 95 % of it is still taken: entries that are closing or not ASSURED make room."
)
NAT_CLASH: Final = Reason("closed", "The entry was only there to see one reply through a clash.")
MARKED: Final = Reason("marked", "A rule changed the entry's mark.")
CONFIRMED: Final = Reason(
    "confirmed",
    "The first packet left the machine, or reached it: now its entry stands in the "
    "table.",
)

# ---- TCP
TCP_SHORT: Final = Reason("tcp-short", "The packet ends inside its TCP header.")
TCP_TRUNCATED: Final = Reason(
    "tcp-truncated",
    "The TCP header claims a length that cannot be: below 20 bytes, or longer than the "
    "packet.",
)
TCP_FLAGS: Final = Reason("tcp-flags", "This combination of flags makes no sense: no TCP sends it, scanners do.")
TCP_NOT_LOOSE: Final = Reason(
    "tcp-not-loose",
    "The middle of a connection that we did not see begin, and tcp_loose = 0 forbids to pick it "
    "up.",
)
TCP_REOPENED: Final = Reason("reopened", "A SYN on a closed connection begins a new one: the old entry makes way.")
TCP_REFUSED: Final = Reason(
    "closed",
    "A RST before any real answer: there is no connection, so its entry is removed at "
    "once.",
)
TCP_REFUSED_BY_RULE: Final = Reason(
    "closed",
    "A rule here has answered with a reset: both ends will take the connection for closed.",
)
TCP_RESYNCHRONISED: Final = Reason(
    "tcp-resynchronised",
    "This SYN/ACK answers a SYN that we had ignored: both ends agree, so we follow "
    "them.",
)
TCP_CHALLENGE_ACK: Final = Reason(
    "tcp-challenge-ack",
    "An ACK in answer to a stray SYN (RFC 5961), not the last ACK: it is let through and closes "
    "nothing.",
)
TCP_SIMULTANEOUS: Final = Reason(
    "tcp-simultaneous",
    "Both ends sent SYN and SYN/ACK: this ACK ends their handshake, the connection is "
    "established.",
)
TCP_RST_INEXACT: Final = Reason(
    "tcp-rst-inexact",
    "A RST in the window but not at the exact number: its receiver will not believe it (RFC 5961), so "
    "neither do we.",
)

# ---- UDP and UDP-Lite
UDP_SHORT: Final = Reason("udp-short", "The packet ends inside its UDP header.")
UDP_TRUNCATED: Final = Reason("udp-truncated", "The UDP length field is below 8 or larger than the packet.")
UDPLITE_COVERAGE: Final = Reason("udplite-coverage", "The checksum coverage is below 8 or larger than the packet.")
UDPLITE_NO_CHECKSUM: Final = Reason("udplite-no-checksum", "UDP-Lite must have a checksum, and this has none.")
UDP_NEW: Final = Reason("udp-new", "UDP has no handshake: the first datagram between two ports begins a conversation.")
UDP_UNANSWERED: Final = Reason(
    "udp-unanswered",
    "Another datagram the same way. No answer was seen yet, so it has the label of the first, however "
    "many are sent.",
)
UDP_FIRST_REPLY: Final = Reason(
    "udp-first-reply",
    "The first datagram back: both ends have spoken, so it is "
    "ESTABLISHED.",
)
UDP_REPLIED: Final = Reason(
    "udp-replied",
    "Both ends have spoken; it is still younger than two seconds, so it keeps the short "
    "time-out.",
)
UDP_STREAM: Final = Reason(
    "udp-stream",
    "Both ends have spoken and are still speaking after two seconds: a stream, which gets the long "
    "time-out.",
)

# ---- ICMP and ICMPv6
ICMP_SHORT: Final = Reason("icmp-short", "The packet ends inside its ICMP header.")
ICMP_TYPE: Final = Reason("icmp-type", "There is no such ICMP type; a host would ignore it.")
ICMP_NOT_A_QUERY: Final = Reason(
    "icmp-not-a-query",
    "An answer to a question that nobody asked: only a query can begin "
    "something.",
)
ICMP_WRONG_FAMILY: Final = Reason(
    "icmp-wrong-family",
    "ICMP belongs to IPv4, ICMPv6 to IPv6; this is the one in the "
    "other.",
)
ICMP_QUERY: Final = Reason(
    "icmp-query",
    "A question (echo request or the like): its answer will come with the same "
    "identifier.",
)
ICMP_ASKED_AGAIN: Final = Reason(
    "icmp-asked-again",
    "The same question again; no answer was seen yet, so it is still "
    "NEW.",
)
ICMP_ANSWER: Final = Reason("icmp-answer", "The answer to a question that we saw: same identifier, the other way.")
ICMP_ERROR: Final = Reason(
    "icmp-error",
    "An ICMP error that quotes a packet of a known connection: it is RELATED to that "
    "connection.",
)
ICMP_ERROR_UNKNOWN: Final = Reason(
    "icmp-error-unknown",
    "An ICMP error about a packet of no connection that we know: nothing it could be related "
    "to.",
)
ICMP_ERROR_UNREADABLE: Final = Reason(
    "icmp-error-unreadable",
    "An ICMP error must quote the packet it is about; what it quotes cannot be "
    "read.",
)
NDP: Final = Reason(
    "ndp",
    "Neighbour discovery, router discovery and multicast listener messages keep IPv6 alive: they are "
    "never tracked.",
)
REDIRECT_SHORT: Final = Reason("redirect-short", "The packet ends inside the redirect message.")
REDIRECT_ORIGIN: Final = Reason(
    "redirect-origin",
    "A redirect must come from a link-local address of this very link (hop limit "
    "255).",
)
REDIRECT_EMPTY: Final = Reason("redirect-empty", "The redirect does not say what it redirects.")

# ---- GRE, SCTP
SCTP_SHORT: Final = Reason("sctp-short", "The packet ends inside its SCTP header.")
SCTP_CHUNKS: Final = Reason("sctp-chunks", "These chunks cannot stand together in one packet, or there is none.")
SCTP_OUT_OF_BLUE: Final = Reason(
    "sctp-out-of-the-blue",
    "No association knows this packet, and what it carries cannot begin one (RFC 9260 section "
    "8.4).",
)
SCTP_VTAG: Final = Reason("sctp-vtag", "The verification tag is not the one the two ends agreed on.")
SCTP_STATE: Final = Reason("sctp-state", "This chunk cannot come in the association's present state.")
SCTP_TAKEN: Final = Reason("sctp-taken", "The chunks and the verification tag fit the association.")


def tcp_invalid_rst(seq: int, maxack: int) -> Reason:
    """A RST below what its receiver has acknowledged."""
    text = f"The RST's sequence number {seq} is below {maxack}, which its receiver has already acknowledged: too old to be believed."
    return Reason("tcp-rst-old", text, {"seq": seq, "maxack": maxack})


def outer_address(outer: Address, inner: Address) -> Reason:
    """An ICMP error sent to somebody else than the one whose packet it quotes."""
    text = f"The error goes to {show_address(outer)} but quotes a packet between others ({show_address(inner)}): nobody honest sends that."
    return Reason("icmp-error-address", text, {"outer": show_address(outer), "inner": show_address(inner)})
