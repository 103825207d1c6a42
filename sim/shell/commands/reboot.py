"""reboot: the machine boots anew, at once. What systemctl 252 says to those who may not.

A reboot begins as a loss of power does (machine/power.py): programs do not close their connections first. Not in here: shutdown, with its
times and its /run/nologin; at(1) runs a reboot later.
"""

from __future__ import annotations

from sim.apps.options import getopt
from sim.apps.program import Context, Steps
from sim.shell.registry import Command

_WHY = "Interactive authentication required."
_DENIED = f"Failed to set wall message, ignoring: {_WHY}\nCall to Reboot failed: {_WHY}"


def reboot(context: Context) -> Steps:
    """Root alone, as there is no desktop that would ask for a password."""
    yield from ()
    options = getopt(context.argv, "f", "")
    if options.problem:
        return context.failed(f"reboot: {options.problem}", 1)
    if not context.root:
        return context.failed(_DENIED, 1)
    if context.machine.restart is not None:
        context.machine.restart()
    return 0


COMMANDS = [Command("reboot", reboot, "boot anew, with what the disk has", "reboot")]
