"""Storm: packets of fuzzed cases with their bytes spoilt without mercy, through the firewall of the replay. Nothing may raise.

No kernel is asked, nothing is compared: this finds the bytes on which ctlab itself breaks. Helpers, translations, zones and filters
are loaded as the cases have them; every packet is spoilt many times, and what comes out is written as a replay writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple

from sim.edges.replay import Replay
from sim.edges.replay.outcome import Outcome, dumps, to_json
from sim.edges.replay.wall import Wall
from sim.edges.verify.fuzz.session import session, with_rules
from sim.edges.verify.fuzz.spoil import lengths_mended
from sim.edges.verify.measure import give_rules
from sim.edges.verify.plan import Case, Feed
from sim.errors import CtlabError

A_CASE: Final = 100
"""Packets of a case, before they are spoilt."""
WRITTEN: Final = 16
"""One outcome in so many is written as a line, too."""
STEP: Final = 1000
"""µs from packet to packet, so that time-outs and fragments' ends come."""


class Broken(NamedTuple):
    """What broke: the case, the packet, the device it came in, and the exception's name and text."""

    case: Case
    data: bytes
    dev: str | None
    error: str


def storm(packets: int, seed: int, told: Callable[[int], None] = lambda count: None) -> Iterator[Broken]:
    """Feed `packets` spoilt packets; yields what breaks, at most one a case. `told` hears how many were fed."""
    number, left = seed, packets
    while left > 0:
        random = Random(f"storm {number}")
        case = (session if random.random() < 0.7 else with_rules)(number, A_CASE)
        count = min(left, A_CASE * random.choice((50, 100, 200)))
        broken = _one(case, count, random)
        if broken is not None:
            yield broken
        told(count)
        number, left = number + 1, left - count


def _one(case: Case, count: int, random: Random) -> Broken | None:
    wall = Replay(case.plan.addresses).wall
    try:
        for key, value in case.plan.sysctls.items():
            wall.ip.sysctls.set(key, value)
        give_rules(wall, case.plan.rules)
    except CtlabError:  # rules that ours refuses with a sentence are no exception
        return None
    feeds = [step for step in case.steps if isinstance(step, Feed)]
    for number in range(count):
        feed = feeds[number % len(feeds)]
        data = feed.data if number < len(feeds) else spoilt(random, feed.data, feeds)
        dev = feed.dev if random.random() < 0.95 else random.choice(("lan", "wan", None))
        try:
            _feed(wall, data, dev, number)
        except Exception as error:  # that is what is looked for
            return Broken(case, data, dev, f"{type(error).__name__}: {error}")
    return None


def _feed(wall: Wall, data: bytes, dev: str | None, number: int) -> None:
    if not data:
        return  # a capture has no such frame
    wall.advance(wall.now + STEP)
    outcome: Outcome = wall.send(data, number + 1) if dev is None else wall.receive(data, dev, number + 1)
    if number % WRITTEN == 0:
        dumps(to_json(outcome, wall.entry(data), trace=False))


def spoilt(random: Random, data: bytes, others: list[Feed]) -> bytes:
    """The packet with one to six wounds; its lengths and sums put right again mostly, so that it gets somewhere."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 6))):
        _wound(random, made, others)
    return lengths_mended(bytes(made)) if random.random() < 0.8 else bytes(made)


def _wound(random: Random, made: bytearray, others: list[Feed]) -> None:
    if not made:
        return
    at = random.randrange(len(made))
    match random.randrange(9):
        case 0 | 1:
            made[at] ^= 1 << random.randrange(8)
        case 2:
            made[at] = random.choice((0, 1, 4, 6, 17, 44, 58, 127, 128, 255))
        case 3:
            made[at : at + 2] = random.choice((b"\0\0", b"\xff\xff", b"\0\1", b"\x7f\xff", b"\x80\0"))
        case 4:
            del made[at:]
        case 5:
            del made[at : at + random.choice((1, 2, 4, 8))]
        case 6:
            made[at:at] = random.randbytes(random.choice((1, 2, 4, 8, 20)))
        case 7:
            other = random.choice(others).data
            start = random.randrange(len(other) + 1)
            made[at : at + 20] = other[start : start + 20]
        case _:
            made[at : at + 4] = random.randbytes(4)
