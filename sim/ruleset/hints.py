"""What may have been meant by a word that a rule's reader refused: the nearest word that can stand there. The editor's, not the tools'."""

from __future__ import annotations

from functools import cache

from sim.errors import did_you_mean
from sim.netfilter.words import Hook
from sim.ruleset.iptables import chains
from sim.ruleset.iptables.matches import MATCHES
from sim.ruleset.iptables.targets import TARGETS
from sim.ruleset.iptables.words import LONG
from sim.ruleset.nft.words import KEYWORDS

_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT")
_VERDICTS = ("ACCEPT", "DROP", "RETURN")


@cache
def _iptables() -> tuple[str, ...]:
    options = {f"--{option.name}" for module in (*MATCHES.values(), *TARGETS.values()) for option in module.options}
    return (
        *_VERDICTS, *TARGETS, *_STATES, *(hook.name for hook in Hook), *MATCHES, *sorted(options), *(f"--{name}" for name in LONG),
        *(f"*{name}" for name in chains.TABLES), "COMMIT",
    )  # fmt: skip


@cache
def _nft() -> tuple[str, ...]:
    return (*(state.lower() for state in _STATES), *KEYWORDS)


def hint(word: str, language: str) -> str:
    """ "did you mean 'dport'?", or "" where nothing is near. Of values in a row (`NEW,RELATD`) the first that is not known counts."""
    known = _nft() if language == "nft" else _iptables()
    unknown = next((each for each in word.strip("\"'").split(",") if each and each not in known), "")
    return did_you_mean(unknown, known) if len(unknown) > 2 else ""
