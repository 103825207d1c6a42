"""Conversations that conntrack once got wrong in Linux: old answers, challenges, resets. ctlab and this machine's kernel, side by side.

The sequences of flags and numbers are those that Linux's own packetdrill scripts for conntrack are about
(tools/testing/selftests/net/netfilter/packetdrill); they go through a firewall here, and every field is compared.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import pytest

from sim import wire
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan
from sim.units import Address, parse_address

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 40000, 8080
ENDS: Final = {
    "IPv4": (parse_address("192.168.1.10"), parse_address("203.0.113.9")),
    "IPv6": (parse_address("fd00:1::10"), parse_address("fd00:2::9")),
}
SCALED, BARE = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\x08", b"\2\4\5\xb4"
ONE_SCALE = b"\2\4\5\xb4\1\1\x08\x0a\0\0\0\1\0\0\0\1\1\3\3\0"
INVALID_DROPPED = Load("*filter\n-A FORWARD -p tcp -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n")


class Said(NamedTuple):
    """A segment of the client (0) or the server (1), and what the kernel has to say of it: label and TCP state ("": no matter)."""

    side: int
    flags: int
    seq: int
    ack: int = 0
    size: int = 0
    window: int = 65535
    options: bytes = b""
    label: str = "ESTABLISHED"
    state: str = ""


HANDSHAKE = (
    Said(0, SYN, 0, options=SCALED, label="NEW", state="SYN_SENT"), Said(1, SYN | ACK, 1, 1, options=BARE, state="SYN_RECV"),
    Said(0, ACK, 1, 2, state="ESTABLISHED"),
)  # fmt: skip
DATA = (*(Said(1, ACK, 2 + 1000 * number, 1, 1000) for number in range(3)), *(Said(0, ACK, 1, 1002 + 1000 * number) for number in range(3)))
TROUBLES: Final[dict[str, tuple[Said, ...]]] = {
    "a SYN is challenged by an old connection's end, reset, and asked again": (
        Said(0, SYN, 0, options=SCALED, label="NEW"), Said(1, ACK, 145824453, 643160523, window=240, options=ONE_SCALE, state="SYN_SENT"),
        Said(0, RST, 643160523, window=0), Said(0, SYN, 0, options=SCALED, label="NEW", state="SYN_SENT"),
        Said(1, SYN | ACK, 0, 1, window=250, options=ONE_SCALE, state="SYN_RECV"), Said(0, ACK, 1, 1, window=256, state="ESTABLISHED"),
    ),
    "an answer to an older SYN comes before the right one": (
        Said(0, SYN, 0, options=SCALED, label="NEW"),
        Said(1, SYN | ACK, 145824453, 643160523, window=240, options=ONE_SCALE, label="INVALID"),
        Said(0, SYN, 0, options=SCALED, label="NEW", state="SYN_SENT"),
        Said(1, SYN | ACK, 145758918, 1, window=250, options=ONE_SCALE, state="SYN_RECV"),
        Said(0, PSH | ACK, 1, 145758919, 1, 256, state="ESTABLISHED"),
    ),
    "a SYN on a living connection is challenged, the reset clears it": (
        Said(0, SYN, 0, window=32792, options=SCALED, label="NEW"), Said(1, SYN | ACK, 0, 1, options=SCALED),
        Said(0, ACK, 1, 1, window=257),
        Said(0, PSH | ACK, 1, 1, 100, 257), Said(1, ACK, 1, 101, window=256), Said(0, SYN, 2000, window=32792, options=SCALED),
        Said(1, ACK, 1, 101, window=256), Said(0, RST, 101, 1, window=257, state="CLOSE"),
        Said(0, SYN, 2000, window=32792, options=ONE_SCALE, label="NEW", state="SYN_SENT"),
        Said(1, SYN | ACK, 5000, 2001, options=BARE, state="SYN_RECV"),
    ),
    "resets beside the window are INVALID, the exact one closes": (
        *HANDSHAKE, *DATA, Said(1, RST, 0, window=0, label="INVALID"), Said(1, RST, 1000000, window=0, label="INVALID"),
        Said(1, RST, 42, window=0, label="INVALID"), Said(0, PSH | ACK, 1, 3002, 1000, state="ESTABLISHED"), Said(1, ACK, 3002, 1001),
        Said(1, RST | ACK, 3001, 1001, window=0, label="INVALID"), Said(1, RST | ACK, 3002, 1001, window=0, state="CLOSE"),
    ),
    "once FIN was seen an inexact reset closes, and one more is no harm": (
        *HANDSHAKE, *DATA, Said(0, PSH | ACK, 1, 3002, 1000), Said(1, FIN | ACK, 3002, 1001), Said(0, ACK, 1001, 3003, state="CLOSE_WAIT"),
        Said(0, RST | ACK, 1001, 3003, state="CLOSE"), Said(1, RST, 2001, window=0, state="CLOSE"),
    ),
    "long acknowledged data comes again": (
        Said(0, SYN, 0, window=32792, options=b"\2\4\3\xe8", label="NEW"), Said(1, SYN | ACK, 0, 1, options=BARE), Said(0, ACK, 1, 1),
        *(said for number in range(46) for said in (
            Said(0, PSH | ACK, 1 + 1460 * number, 1, 1460, 257), Said(1, ACK, 1, 1461 + 1460 * number),
        )),
        Said(0, PSH | ACK, 1, 1, 1460, 257, state="ESTABLISHED"), Said(1, ACK, 1, 67161),
    ),
}  # fmt: skip


def feed(said: Said, ends: tuple[Address, Address]) -> Feed:
    """The packet, as it comes in."""
    src, dst = ends[said.side], ends[1 - said.side]
    ports = (CLIENT, SERVER) if said.side == 0 else (SERVER, CLIENT)
    segment = wire.tcp(
        src, dst, *ports, seq=said.seq, ack=said.ack, flags=said.flags, window=said.window, options=said.options, payload=bytes(said.size)
    )
    return Feed(("lan", "wan")[said.side], wire.ip(src, dst, 6, segment))


@pytest.mark.parametrize("family", ENDS)
@pytest.mark.parametrize("name", TROUBLES)
def test_ctlab_says_what_the_kernel_says_and_the_kernel_says_what_it_should(name: str, family: str) -> None:
    steps = [feed(said, ENDS[family]) for said in TROUBLES[name]]
    with Pair(Plan(rules=INVALID_DROPPED), keep=True) as pair:
        assert [str(each) for each in (*pair.run(steps), *pair.finish())] == []
        heard = [answer for _, answer in pair.heard]
    for said, answer in zip(TROUBLES[name], heard, strict=True):
        assert answer.label == said.label, said
        assert not said.state or (answer.entry is not None and answer.entry["state"] == said.state), (said, answer.entry)
