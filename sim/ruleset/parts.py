"""Parts of rules beside comparisons and verdicts: a Judge (a test with a memory or a search of its own), Rewrite, Blend, Trace.

They belong to the model (model.py lists them in Test and Action). What a Judge does stands in judges.py, by its kind; what a
Rewrite does to the bytes in rewrite.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Judge:
    """A test that no comparison can say: `kind` is a key of judges.KINDS, `arguments` its settings by name.

    `name`: what it shares with other rules ("recent ip SSH"), "" when its memory is its own.
    """

    kind: str
    arguments: tuple[tuple[str, Any], ...] = ()
    name: str = ""

    def __getitem__(self, name: str) -> Any:
        return dict(self.arguments)[name]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Changes the packet's bytes. `field`: "tos" (field & `keep`) ^ `value`; "ttl set", "ttl inc", "ttl dec" by `value`;
    "mss" to `value`, "mss clamp" to what the path takes; "ecn remove" (TCP's ECE and CWR); "maxseg" to `value`, "maxseg rt" to what
    the path takes (nft: an option that is not there is not added). `only`: the IP version it is for, 0 for both.
    """

    field: str
    value: int = 0
    keep: int = 0
    only: int = 0


@dataclass(frozen=True, slots=True)
class Blend:
    """selector := (selector & keep) ^ (source & take): CONNMARK's save and restore with masks."""

    selector: str
    source: str
    keep: int
    take: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """An action that has nothing to do here, and why: CHECKSUM, where every packet has its checksum already."""

    why: str


@dataclass(frozen=True, slots=True)
class Nat:
    """The connection's source or destination becomes another one. `kind`: snat dnat masquerade redirect netmap.

    `family`: ip or ip6, that of the addresses; "" where none is named. `low` to `high` are the addresses (netmap: the network and its
    mask), `high` None for one address, both None to leave the address or to take the device's. `ports`: one, or lowest and highest.
    `base`: the port that goes to the lowest, where ports are shifted. `flags`: of NAT_FLAGS.
    """

    kind: str
    family: str = ""
    low: bytes | None = None
    high: bytes | None = None
    ports: tuple[int, ...] | None = None
    base: int | None = None
    flags: frozenset[str] = frozenset()


NAT_FLAGS = ("random", "fully-random", "persistent")
