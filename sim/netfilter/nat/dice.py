"""What falls by chance where the kernel asks get_random_u16 and get_random_u32_below: from a machine's seed, so that it falls so again."""

from __future__ import annotations

from random import Random


class Dice:
    """A stream of its own for each `seed`: what is drawn here changes nothing else that the machine draws."""

    def __init__(self, seed: str) -> None:
        self._random = Random(f"{seed} nat")

    def port(self, low: int, size: int, manip: int) -> int:
        """Where a search among `size` ports from `low` on begins: 16 bits, taken modulo `size` by who asks. `manip`: SRC or DST."""
        return self._random.getrandbits(16)

    def expected(self, low: int, size: int) -> int:
        """Which of `size` ports from `low` on is tried for an expectation: 0 to `size` - 1."""
        return self._random.randrange(size)
