"""A line of the conntrack tool (or of ip), typed at ours and at the kernel's own: what both say they did.

Not in here: what came of it, which the packets that follow show.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from sim.edges.kernel import KernelFirewall, ToolFailed
from sim.edges.replay.console import Console
from sim.edges.replay.wall import Wall

CLOSING: Final = re.compile(r"conntrack v[\d.]+ \(conntrack-tools\): .*")


def typed(line: str, wall: Wall, kernel: KernelFirewall) -> tuple[str, str]:
    """The line with which each closes, ours first: how many entries were made or changed, or what is wrong."""
    ours = Console(wall).run(line)
    try:
        theirs = kernel.command(shlex.split(line))
    except ToolFailed as error:
        theirs = error.output
    return _closing(ours), _closing(theirs)


def _closing(text: str) -> str:
    """It goes to standard error, so that it may stand ahead of the entries, and in the midst of them where there are many."""
    found = CLOSING.search(text)
    return found[0] if found else text.strip()
