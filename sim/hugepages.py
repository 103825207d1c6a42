"""Huge pages for what this process holds in memory, where Linux gives them (madvise's MADV_COLLAPSE, Linux 6.1 and later).

A table of a million connections lies on a hundred thousand pages of 4 KiB, and a processor remembers where a few thousand of them are:
each lookup then pays for finding the page as well as for finding the entry. On pages of 2 MiB it pays for the entry alone. Nothing that
the simulator says depends on it; where there are none, all stays as it was. Not here: who asks for them (conntrack/table.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Final

SIZE: Final = 2 << 20
"""A huge page's, bytes (x86-64, and ARM64 with pages of 4 KiB; where they are larger Linux refuses, and nothing is lost)."""
MADV_COLLAPSE: Final = 25
Advise = Callable[[int, int, int], int]
_madvise: list[Advise | None] = []


def collapse() -> int:
    """Bytes of this process's private memory that lie in huge pages after this; 0 where Linux gives none.

    Takes about a second for each gigabyte that was not in huge pages before, and next to nothing for what was.
    """
    advise = _advise()
    if advise is None:
        return 0
    return sum(length for start, length in _anonymous() if advise(start, length, MADV_COLLAPSE) == 0)


def _advise() -> Advise | None:
    """madvise(2), or None where there is none."""
    if not _madvise:
        _madvise.append(_of_libc() if sys.platform == "linux" else None)
    return _madvise[0]


def _of_libc() -> Advise | None:
    try:
        import ctypes

        found = ctypes.CDLL(None).madvise
        found.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    except (ImportError, OSError, AttributeError):
        return None
    return lambda start, length, advice: int(found(start, length, advice))


def _anonymous() -> Iterator[tuple[int, int]]:
    """(start, length) of private memory that is no file's, in whole huge pages."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            lines = maps.read().splitlines()
    except OSError:
        return
    for line in lines:
        place, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights != "rw-p" or inode != "0" or name not in ([], ["[heap]"]):
            continue
        start, end = (int(number, 16) for number in place.split("-"))
        start, end = -(-start // SIZE) * SIZE, end // SIZE * SIZE
        if start < end:
            yield start, end - start
