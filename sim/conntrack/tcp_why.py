"""Why a cell of TCP's grid is what it is: a learner's sentence for every (direction, segment, state).

One line a cell: state so far, `>`, what the grid says, the sentence. A test holds these against the grid in tcp.py.
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.words import Segment, TcpState
from sim.trace import Reason

TEXT: Final = """
original syn
NO>SS A SYN on a pair of ports that nobody is using: a new connection may begin here.
SS>SS The client's SYN again: no answer came to the first, so it asks once more. The entry keeps its old time-out.
SR>IG A SYN, but the server has already answered one. Let through; if it starts something new, the server's answer will show it.
ES>IG A SYN inside an established connection: the client starts over, or it is forged. The server's answer will tell.
FW>IG A SYN while the connection is closing. Let through; the server knows better than we do whether it is stray.
CW>IG A SYN while the connection is half closed. Let through; the server's answer will tell.
LA>IG A SYN while only the last ACK is missing. Let through; the ACK that may answer it is not taken for that last ACK.
TW>SS The connection had closed: this SYN may open a new one with the same ports.
CL>SS The connection was reset or closed: this SYN may open a new one with the same ports.
S2>S2 The client's SYN again, while both ends are trying to open the connection at once.
original synack
NO>IV A SYN/ACK answers a SYN, but nobody sent one: it belongs to no connection.
SS>IV The client sent a SYN; it cannot now answer one. Only the server's SYN/ACK fits here.
SR>SR The client's SYN/ACK again, late, in a simultaneous open.
ES>IV The connection is established: a SYN/ACK from the client has no place in it.
FW>IV The connection is closing: a SYN/ACK from the client has no place in it.
CW>IV The connection is half closed: a SYN/ACK from the client has no place in it.
LA>IV Only the last ACK is missing: a SYN/ACK from the client has no place here.
TW>IV The connection has closed: the client cannot answer a SYN that nobody sent.
CL>IV The connection was reset: the client cannot answer a SYN that nobody sent.
S2>SR Both ends sent a SYN at once, and the client answers the server's: simultaneous open, half way.
original fin
NO>IV A FIN closes a connection, but there is none between these ports: too late, or a scan.
SS>IV The client says goodbye before the server has said hello: a real one would wait for the SYN/ACK.
SR>FW The client closes at once: it has nothing (more) to send.
ES>FW The client has nothing more to send and begins to close.
FW>LA Now a FIN was seen again while closing: both ends have said goodbye, or one repeats it; the last ACK is missing.
CW>LA The other half closes too: now only the last ACK is missing.
LA>LA The FIN again: the last ACK has not arrived yet.
TW>TW The FIN again after the close: its ACK was lost, and will be sent once more.
CL>CL A FIN after the reset: an echo of a connection that is gone.
S2>IV A FIN while both ends still try to open the connection: nothing is open that could be closed.
original ack
NO>ES An ACK from the middle of a connection whose beginning we did not see: picked up, as tcp_loose allows.
SS>IV The client acknowledges, but no SYN/ACK has come that it could acknowledge.
SR>ES The client acknowledges the SYN/ACK: step three of the handshake, the connection is established.
ES>ES A segment of the established connection, inside the window.
FW>CW The FIN is acknowledged: one half of the connection is closed.
CW>CW A segment in a half-closed connection: the half that is still open goes on.
LA>TW The last ACK: both halves are closed. The entry lingers for stragglers.
TW>TW The last ACK again: the first one was lost.
CL>CL An ACK after the reset: an echo of a connection that is gone.
S2>IV An ACK while both ends try to open at once: there is no SYN/ACK yet that it could acknowledge.
original rst
NO>IV A RST aborts a connection, but there is none between these ports.
SS>CL The client takes its SYN back: the connection is aborted before it began.
SR>CL The client does not want the answer that came: the connection is aborted.
ES>CL The client aborts the connection.
FW>CL The client aborts what was closing.
CW>CL The client aborts the half-closed connection.
LA>CL The client aborts, the last ACK will not come.
TW>CL A RST after the close: nothing is left, the entry can go soon.
CL>CL Another RST: the connection is gone already.
S2>CL The client aborts the simultaneous open.
original none
NO>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that.
SS>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that, least of all after a SYN.
SR>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that during a handshake.
ES>IV Neither SYN nor ACK nor FIN nor RST: in an established connection every segment has ACK.
FW>IV Neither SYN nor ACK nor FIN nor RST: while closing, too, every segment has ACK.
CW>IV Neither SYN nor ACK nor FIN nor RST: a half-closed connection still acknowledges.
LA>IV Neither SYN nor ACK nor FIN nor RST: what is missing here is an ACK.
TW>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that after the close.
CL>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that after a reset.
S2>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that while opening.
reply syn
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>S2 The server sends a SYN of its own instead of an answer: both ends open at once (simultaneous open).
SR>IV The server has answered already; it does not send a bare SYN after that.
ES>IV The connection is established: the server does not open it again.
FW>IV The connection is closing: the server does not open it again.
CW>IV The connection is half closed: the server does not open it again.
LA>IV Only the last ACK is missing: the server does not open it again.
TW>SS The connection had closed, and the server now opens one the other way, with the same ports.
CL>IV The connection was reset: a SYN from the server's side does not bring it back.
S2>S2 The server's SYN again, while both ends are trying to open at once.
reply synack
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>SR The server answered: step two of the handshake.
SR>IG The server's SYN/ACK again: the client's ACK has not reached it yet. Let through, nothing changes.
ES>IG A late SYN/ACK in an established connection. Let through; the client will acknowledge it again.
FW>IG A SYN/ACK while the connection closes: perhaps the answer to a SYN that we ignored. Let through.
CW>IG A SYN/ACK in a half-closed connection: perhaps the answer to a SYN that we ignored. Let through.
LA>IG A SYN/ACK while the last ACK is missing: perhaps the answer to a SYN that we ignored. Let through.
TW>IG A SYN/ACK after the close: perhaps the answer to a SYN that we ignored. Let through.
CL>IG A SYN/ACK after the reset: perhaps the answer to a SYN that we ignored. Let through.
S2>SR Both ends sent a SYN at once, and the server answers the client's: simultaneous open, half way.
reply fin
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>IV The server says goodbye before it said hello: it must answer the SYN first.
SR>FW The server closes at once, even before the client's ACK was seen.
ES>FW The server has nothing more to send and begins to close.
FW>LA Now a FIN was seen again while closing: both ends have said goodbye, or one repeats it; the last ACK is missing.
CW>LA The other half closes too: now only the last ACK is missing.
LA>LA The FIN again: the last ACK has not arrived yet.
TW>TW The FIN again after the close: its ACK was lost, and will be sent once more.
CL>CL A FIN after the reset: an echo of a connection that is gone.
S2>IV A FIN while both ends still try to open the connection: nothing is open that could be closed.
reply ack
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>IG An ACK where a SYN/ACK should come: the server still holds an older connection on these ports (a challenge ACK). Let through.
SR>SR The server acknowledges before the client did: perhaps the answer to a SYN that was sent again.
ES>ES A segment of the established connection, inside the window.
FW>CW The FIN is acknowledged: one half of the connection is closed.
CW>CW A segment in a half-closed connection: the half that is still open goes on.
LA>TW The last ACK: both halves are closed. The entry lingers for stragglers.
TW>TW The last ACK again: the first one was lost.
CL>CL An ACK after the reset: an echo of a connection that is gone.
S2>IG An ACK while both ends try to open at once. Let through; only a SYN/ACK brings this further.
reply rst
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>CL The server refuses: nobody listens on this port (connection refused).
SR>CL The server aborts during the handshake.
ES>CL The server aborts the connection.
FW>CL The server aborts what was closing.
CW>CL The server aborts the half-closed connection.
LA>CL The server aborts, the last ACK will not come.
TW>CL A RST after the close: nothing is left, the entry can go soon.
CL>CL Another RST: the connection is gone already.
S2>CL The server aborts the simultaneous open.
reply none
NO>IV An entry is made by a packet in the original direction: an answer cannot come first.
SS>IV Neither SYN nor ACK nor FIN nor RST: that answers no SYN.
SR>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that during a handshake.
ES>IV Neither SYN nor ACK nor FIN nor RST: in an established connection every segment has ACK.
FW>IV Neither SYN nor ACK nor FIN nor RST: while closing, too, every segment has ACK.
CW>IV Neither SYN nor ACK nor FIN nor RST: a half-closed connection still acknowledges.
LA>IV Neither SYN nor ACK nor FIN nor RST: what is missing here is an ACK.
TW>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that after the close.
CL>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that after a reset.
S2>IV Neither SYN nor ACK nor FIN nor RST: no TCP sends that while opening.
"""

_STATES: Final = "NO SS SR ES FW CW LA TW CL S2".split()


def parse(text: str) -> tuple[dict[tuple[int, int, int], str], dict[tuple[int, int, int], str]]:
    """(sentence, the grid's word) by (direction, segment, state)."""
    sentences: dict[tuple[int, int, int], str] = {}
    cells: dict[tuple[int, int, int], str] = {}
    direction = segment = 0
    for line in text.strip().splitlines():
        if line[2:3] != ">":
            words = line.split()
            direction, segment = ("original", "reply").index(words[0]), Segment[words[1].upper()]
            continue
        key = (direction, segment, _STATES.index(line[:2]))
        cells[key], sentences[key] = line[3:5], line[6:]
    return sentences, cells


WHY, CELLS = parse(TEXT)


def _code(direction: int, segment: int, state: int) -> str:
    return f"tcp-{('original', 'reply')[direction]}-{Segment(segment).name.lower()}-{TcpState(state).name}"


REASONS: Final = tuple(
    tuple(
        tuple(Reason(_code(way, segment, state), WHY[way, segment, state]) for state in range(10)) for segment in range(6)
    )
    for way in range(2)
)
"""REASONS[direction][segment][state]: made once."""
REASON_OF: Final = tuple(reason for rows in REASONS for row in rows for reason in row)
"""The same in one row, as tcp_grid.NEXT."""
