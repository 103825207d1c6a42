"""Which name was meant: nft's own measure, so that its "did you mean" comes for the same names.

nft 1.0.6 computes Wagner's string-to-string correction, but compares each letter with the one *behind* it (the last with the ending
zero) and lets the rows of its table overlap by one cell; what it suggests follows from that, and so must we.
"""

from __future__ import annotations

from collections.abc import Iterable

FURTHEST = 2  # what is further away than this is not suggested


def distance(known: str, wanted: str) -> int:
    """string_distance of nft 1.0.6 (misspell.c)."""
    a, b, width = known + "\0", wanted + "\0", len(wanted)
    cells = [0] * ((len(known) + 1) * (width + 1))
    for i in range(len(known) + 1):
        cells[i * width] = i
    for j in range(width + 1):
        cells[j] = j
    for i in range(1, len(known) + 1):
        for j in range(1, width + 1):
            cost = 0 if a[i] == b[j] else 1
            above, here = (i - 1) * width + j, i * width + j
            cells[here] = min(cells[above] + 1, cells[here - 1] + 1, cells[above - 1] + cost)
            if i > 1 and j > 1 and a[i] == b[j - 1] and a[i - 1] == b[j]:
                cells[here] = min(cells[here], cells[(i - 2) * width + j - 2] + cost)
    return cells[len(known) * width + width]


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """The first of the nearest names, or None when none is near."""
    best, least = None, FURTHEST + 1
    for name in known:
        far = distance(name, wanted)
        if far < least:
            best, least = name, far
    return best
