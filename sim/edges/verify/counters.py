"""The counters of rules, out of what iptables-save -c and nft list ruleset print, and conntrack's own, out of `conntrack -S`.

The rules' own text is for people to find them by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from shutil import which
from typing import Final

from sim.conntrack.tracker import Tracker
from sim.edges.kernel import KernelFirewall

_IPTABLES: Final = re.compile(r"^(\[\d+:\d+\]) (-A \S+)|^:(\S+) \S+ (\[\d+:\d+\])")
_NFT: Final = re.compile(r"counter packets \d+ bytes \d+|^\s*chain \S+|^table .*?(?= \{)")


def saved_counters(saved: str) -> list[str]:
    """The lines of rules and policies; tables with rules alone, in one order, whichever is saved first."""
    bare = re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE)
    tables = sorted(table for table in bare.split("COMMIT\n") if "-A " in table)
    return [line for table in tables for line in table.splitlines() if _IPTABLES.match(line)]


def listed_counters(listed: str) -> list[str]:
    """The lines of chains, and of rules that count."""
    return [line.strip() for line in listed.splitlines() if not line.startswith("#") and _NFT.search(line)]


def counted(line: str) -> tuple[str, ...]:
    """What is compared of such a line."""
    match = _IPTABLES.match(line)
    if match:
        return tuple(group for group in match.groups() if group)
    return tuple(_NFT.findall(line))


def summed(text: str) -> dict[str, int]:
    """The numbers of every processor's line of `conntrack -S` added up."""
    found: dict[str, int] = {}
    for name, count in re.findall(r"(\w+)=(\d+)", text):
        found[name] = found.get(name, 0) + int(count)
    return {name: count for name, count in found.items() if name != "cpu"}


def statistics(kernel: KernelFirewall, tracker: Tracker, by_chance: bool = False) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """(ours, the kernel's) where they differ, entries' and expectations'; nothing where the tool is not there.

    With `by_chance` ports were drawn: how many taken ones were `found` by that is nobody's to say.
    """
    for words, ours in (([], tracker.stats), (["expect"], tracker.expectations.stats)):
        theirs = summed(kernel.command(["conntrack", "-S", *words])) if which("conntrack") else ours
        unlike = [name for name in theirs if ours.get(name) != theirs[name] and not (by_chance and name == "found")]
        if unlike:
            yield {name: ours.get(name, 0) for name in unlike}, {name: theirs[name] for name in unlike}
