"""iptables-translate, iptables-restore-translate and ip6tables': rules of iptables in nft's words; they change nothing."""

from __future__ import annotations

from sim.apps.paths import absolute
from sim.apps.program import Context, Steps, clock, read_all
from sim.ruleset.iptables import translator
from sim.shell import files
from sim.shell.registry import Command


def translate(context: Context) -> Steps:
    """Any of them, told apart by argv[0]; -f FILE is a file of the machine."""
    argv, stdin = context.argv, ""
    if "restore" in argv[0]:
        if "-f" in argv[:-1]:
            path = argv[argv.index("-f") + 1]
            try:
                stdin = files.read(context.machine, absolute(path, context.place), root=context.root)
            except OSError as error:
                return context.failed(f"Couldn't open file {path}: {error.strerror}", 1)
        else:
            stdin = yield from read_all(context)
    result = translator.run(argv, context.machine.ip.rules.ipsets, stdin, clock(context.now))
    if result.out:
        context.write(result.out)
    if result.err:
        context.error(result.err)
    return result.status


COMMANDS = [
    Command(
        name, translate, "an iptables command in nft's words" if "restore" not in name else "a file of iptables rules in nft's words",
        f"{name} -A INPUT -p tcp --dport 22 -j ACCEPT" if "restore" not in name else f"{name} -f FILE", hidden=name.startswith("ip6"),
    )
    for name in translator.NAMES
]  # fmt: skip
