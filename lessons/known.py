"""What a check may ask for where only so many words make sense: a label, a direction, a machine, a field of a packet.

A word that is none of them would never fit, and the check fail for a reason that nobody sees. Not in here: checks (expect.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sim.errors import did_you_mean

Places = Mapping[str, Sequence[str]]
"""The scenario's machines and terminals, by "machine" and "terminal"."""

PACKET = (
    "version", "protocol", "src", "dst", "ttl", "tos", "len", "ip_id", "df", "fragment", "more", "sport", "dport", "payload", "flags",
    "seq", "ack", "win", "mss", "wscale", "sack_permitted", "ts", "ts_echo", "sack", "type", "code", "id", "mtu", "inner",
)  # fmt: skip
"""The fields of sim/machine/describe.py."""
ENTRY = (
    "family", "protocol", "protonum", "state", "original", "reply", "unreplied", "assured", "mark", "zone", "status", "helper", "timeout",
    "expires", "packets", "bytes", "line",
)  # fmt: skip
"""The fields of sim/conntrack/show.py."""
_WORDS = {
    "label": ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"), "direction": ("original", "reply"),
    "hook": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}  # fmt: skip
_FLAGS = re.compile(r"(has |not )*([SFRPUEW.]+|none)")
_HOOKED = _WORDS["hook"]


class Wrong(NamedTuple):
    """What is wrong at `path` of a check's fields; `key`: it is the name that is wrong, not what stands behind it."""

    path: tuple[str, ...]
    message: str
    hint: str
    key: bool = False


def wrong_words(fields: Mapping[str, Any], places: Places) -> Iterator[Wrong]:
    """Each word of a check that can never fit."""
    for name, value in fields.items():
        known = _WORDS.get(name) or places.get(name)
        if isinstance(value, dict) and name in ("packet", "entry"):
            yield from _keys(name, value)
        elif isinstance(value, str) and known:
            yield from _word(name, value, known, places)
        elif name == "where" and isinstance(value, str) and value not in _HOOKED and value.upper() in _HOOKED:
            yield Wrong((name,), f"nothing is dropped in '{value}'", f"did you mean '{value.upper()}'?")


def _keys(name: str, value: Mapping[str, Any]) -> Iterator[Wrong]:
    known = PACKET if name == "packet" else ENTRY
    article = "a packet" if name == "packet" else "an entry"
    for key in value:
        if key not in known:
            hint = did_you_mean(key, known) or f"it has {', '.join(known)}"
            yield Wrong((name, key), f"{article} has no field '{key}'", hint, key=True)
    flags = value.get("flags")
    if name == "packet" and isinstance(flags, str) and not _FLAGS.fullmatch(flags):
        told = f"there are no flags '{flags}'"
        yield Wrong((name, "flags"), told, "they are written as by tcpdump: S, S. (SYN/ACK), . (ACK), P., F., R")


def _word(name: str, value: str, known: Sequence[str], places: Places) -> Iterator[Wrong]:
    word = value.removeprefix("not ")
    if word.startswith("has ") or word in known or (name == "machine" and not word):
        return
    hint = did_you_mean(word, known) or did_you_mean(word.upper(), known) or f"there are {', '.join(known)}"
    what = f"the scenario has no {name}" if name in places else f"there is no {name}"
    yield Wrong((name,), f"{what} '{word}'", hint)
