"""Whether Python's regular expressions, which try one way after the other, come to an end on a pattern in good time.

grep's own never take long. What could take hours here (a repeat of what repeats or branches, many repeats in a row) is refused with a
sentence: no file from a stranger shall hold up the lab. Not in here: grep (commands/text.py).
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|\(\?:|[()|]|[*+]|\{\d*,\d*\}|\{\d+\}|.", re.DOTALL)
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}|\{\d+\}")
LONGEST = (1_000_000, 4096, 500, 300)
"""Characters of a line in which a pattern with so many repeats is looked for: each repeat more makes it as many times slower."""


def too_slow(pattern: str) -> str:
    """What of a pattern (as Python has it) could take too long, in words; "" when nothing could."""
    repeats, before = 0, ""
    depth: list[bool] = []  # for each open group, whether something in it repeats or branches
    closed = False
    for token in _TOKEN.findall(pattern):
        if _REPEAT.fullmatch(token) and before:
            repeats += 1
            if before == ")" and closed:
                return "a repeat of what itself repeats or branches"
        if token.startswith("("):
            depth.append(False)
        elif token == ")" and depth:
            closed = depth.pop()
            if depth:
                depth[-1] |= closed
        elif depth and (token == "|" or _REPEAT.fullmatch(token)):
            depth[-1] = True
        before = token
    return f"more than {len(LONGEST) - 1} repeats in a pattern" if repeats >= len(LONGEST) else ""


def longest_line(pattern: str) -> int:
    """In how long a line a pattern that is not too slow may be looked for, in characters."""
    return LONGEST[min(len(LONGEST) - 1, sum(bool(_REPEAT.fullmatch(token)) for token in _TOKEN.findall(pattern)))]
