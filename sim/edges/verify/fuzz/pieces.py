"""Fragments: a packet cut where it pleases, its pieces in any order, twice, over one another, or not all, with bits of ECN of their own."""

from __future__ import annotations

from random import Random

from sim.edges.verify.fuzz.spoil import summed


def pieces(random: Random, data: bytes, wrong: float, ident: int) -> list[bytes]:
    """The fragments of `data` in the order in which they come; [data] where it is too small."""
    start = (data[0] & 15) * 4 if data[0] >> 4 == 4 else 40
    body = data[start:]
    if len(body) < 16:
        return [data]
    size = random.choice((8, 16, 24, 64, 128, 256, 512))
    size = max(size, -(-len(body) // 8) & ~7)
    cuts = [(at, body[at : at + size], at + size < len(body)) for at in range(0, len(body), size)]
    at = random.random()
    if at < wrong / 2:
        cuts = _wrong(random, cuts)
    if random.random() < 0.4:
        random.shuffle(cuts)
    heads = _heads(Random(f"ecn {ident}"), data, len(cuts))
    return [_fragment(head, start, offset, part, more, ident) for head, (offset, part, more) in zip(heads, cuts, strict=True)] or [data]


def _heads(random: Random, data: bytes, count: int) -> list[bytes]:
    """`data` for each piece: in one packet of four with one of two ECN fields, by chance."""
    if random.random() < 0.75:
        return [data] * count
    both = [_with_ecn(data, random.randrange(4)) for _ in range(2)]
    return [random.choice(both) for _ in range(count)]


def _with_ecn(data: bytes, ecn: int) -> bytes:
    low = 0 if data[0] >> 4 == 4 else 4
    return data[:1] + bytes((data[1] & ~(3 << low) | ecn << low,)) + data[2:]


Cut = tuple[int, bytes, bool]


def _wrong(random: Random, cuts: list[Cut]) -> list[Cut]:
    kind, which = random.randrange(7), random.randrange(len(cuts))
    offset, part, more = cuts[which]
    if kind == 0:
        return cuts[:which] + cuts[which + 1 :]
    if kind == 1:
        return [*cuts, cuts[which]]
    if kind == 2:
        return [*cuts[: which + 1], (max(0, offset - 8), part, more), *cuts[which + 1 :]]
    if kind == 3:
        return [*cuts[:which], (offset, part[:-1] or b"x", more), *cuts[which + 1 :]]
    if kind == 4:
        return [*cuts[:which], (offset, part, not more), *cuts[which + 1 :]]
    if kind == 5:
        return [*cuts, (65528, part[:8], False)]
    return [*cuts[:which], (offset, part + b"x" * random.choice((1, 8)), more), *cuts[which + 1 :]]


def _fragment(data: bytes, start: int, offset: int, part: bytes, more: bool, ident: int) -> bytes:
    word = offset // 8 | more << 13
    if data[0] >> 4 == 4:
        head = (
            data[:2] + (start + len(part)).to_bytes(2) + (ident & 0xFFFF).to_bytes(2) + word.to_bytes(2) + data[8:start]
        )
        return summed(head + part)
    extension = data[6:7] + b"\0" + (offset | more).to_bytes(2) + ident.to_bytes(4)
    return data[:4] + (8 + len(part)).to_bytes(2) + b"\x2c" + data[7:40] + extension + part
