"""The counters of rules, out of what iptables-save -c and nft list ruleset print. The rules' own text is for people to find them by."""

from __future__ import annotations

import re
from typing import Final

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
