"""Parts of rules beside comparisons and verdicts: what a judge decides (Judge, Quota, SetStatement, UseObject, AssignMap), Rewrite, Blend.

They belong to the model (model.py lists them in Test and Action). What a Judge does stands in judges.py, by its kind; what nft's
sets, maps and objects do in live.py and stateful.py; what a Rewrite does to the bytes in rewrite.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.ruleset.model import Item, Part, SetReference, TableKey


class Judged:
    """What a judge of its own decides: it has a memory, or does more than compare. Never a function of the connection alone."""

    __slots__ = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The selectors whose values the judge is given with the packet; a packet without one of them does not match."""
        return ()


@dataclass(frozen=True, slots=True)
class Judge(Judged):
    """A test that no comparison can say: `kind` is a key of judges.KINDS, `arguments` its settings by name.

    `name`: what it shares with other rules ("recent ip SSH"), "" when its memory is its own.
    """

    kind: str
    arguments: tuple[tuple[str, Any], ...] = ()
    name: str = ""

    def __getitem__(self, name: str) -> Any:
        return dict(self.arguments)[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The setting, or `default`."""
        return dict(self.arguments).get(name, default)


@dataclass(frozen=True, slots=True)
class Quota(Judged):
    """nft's `quota [over] BYTES used BYTES`: matches until (with `over`: once) so many bytes have come by. Both in bytes."""

    bytes: int
    over: bool = False
    used: int = 0


@dataclass(frozen=True, slots=True)
class MapOf:
    """nft's `SELECTOR map { key : data }` or `SELECTOR map @name`. `data`: the data's types, or the kind of an object."""

    selector: str
    entries: tuple[tuple[Item, Item], ...] | SetReference
    data: str


@dataclass(frozen=True, slots=True)
class SetStatement(Judged):
    """nft's `add`, `update` and `delete @set { key timeout ... statements }` (`op`), and `meter` (an add to a set of the rule's own).

    `key`, and of a map `data`: the selectors read. `timeout`: µs, 0 for the set's. `parts`: what a new element keeps for itself;
    `quiet`: they are not listed, because the set declares them.
    """

    op: str
    table: TableKey
    set: str
    key: str
    data: str = ""
    timeout: int = 0
    parts: tuple[Part, ...] = ()
    meter: bool = False
    size: int = 0
    comment: str = ""
    quiet: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The key, and the data of a map."""
        return (self.key, self.data) if self.data else (self.key,)


@dataclass(frozen=True, slots=True)
class UseObject(Judged):
    """nft's statements by an object: `counter name "c"`, `quota name`, `limit name`, `ct timeout set "t"`, ... (`object`: its kind).

    `which`: the object's name, or the map that gives it.
    """

    object: str
    table: TableKey
    which: str | MapOf

    @property
    def reads(self) -> tuple[str, ...]:
        """What the map looks at."""
        return (self.which.selector,) if isinstance(self.which, MapOf) else ()


@dataclass(frozen=True, slots=True)
class AssignMap(Judged):
    """nft's `meta mark set SELECTOR map ...`, `ct mark set ...`: what is not in the map ends the rule. `selector`: what is set."""

    selector: str
    map: MapOf
    table: TableKey

    @property
    def reads(self) -> tuple[str, ...]:
        """What the map looks at."""
        return (self.map.selector,)


@dataclass(frozen=True, slots=True)
class Act(Judge):
    """What is done by a kind of its own (acts.KINDS): `meta priority set`, `meta nftrace set`, `ct zone set`, `reset tcp option` ...

    Like a Judge it may end the rule (where the kernel breaks it off) or drop the packet; else the rule goes on.
    """


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Changes the packet's bytes. `field`: "tos" (field & `keep`) ^ `value`; "ttl set", "ttl inc", "ttl dec" by `value`;
    "mss" to `value`, "mss clamp" to what the path takes; "ecn remove" (TCP's ECE and CWR); "maxseg" to `value`, "maxseg rt" to what
    the path takes; "set tcp dport": that field
    of a header (headers.py) to `value`; (nft: an option that is not there is not added). `only`: the IP version it is for, 0 for both.
    """

    field: str
    value: int = 0
    keep: int = 0
    only: int = 0


@dataclass(frozen=True, slots=True)
class Blend:
    """CONNMARK with masks or shifts: selector := (selector & keep) ^ (((source & take) ^ value) << shift); below 0, to the right."""

    selector: str
    source: str
    keep: int
    take: int
    value: int = 0
    shift: int = 0

    def mixed(self, own: int, source: int) -> int:
        """The new value of 32 bits (connmark_tg_shift, net/netfilter/xt_connmark.c, Linux 6.18)."""
        bits = (source & self.take) ^ self.value
        bits = bits << self.shift & 0xFFFFFFFF if self.shift >= 0 else bits >> -self.shift
        return (own & self.keep) ^ bits


@dataclass(frozen=True, slots=True)
class Nothing:
    """An action that has nothing to do here, and why: CHECKSUM, where every packet has its checksum already. `text`: how nft lists it."""

    why: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Nat:
    """The connection's source or destination becomes another one. `kind`: snat dnat masquerade redirect netmap.

    `family`: ip or ip6, that of the addresses; "" where none is named. `low` to `high` are the addresses (netmap: the network and its
    mask), `high` None for one address, both None to leave the address or to take the device's. `ports`: one, or lowest and highest.
    `base`: the port that goes to the lowest, where ports are shifted. `flags`: of NAT_FLAGS.

    nft's: `source` and `port_source` say where address (or address and ports) and ports come from instead: a selector or a map.
    `form` is prefix where only the network changes and the host stays; `told`: the family is always written.
    """

    kind: str
    family: str = ""
    low: bytes | None = None
    high: bytes | None = None
    ports: tuple[int, ...] | None = None
    base: int | None = None
    flags: frozenset[str] = frozenset()
    source: str | MapOf = ""
    port_source: str | MapOf = ""
    form: str = ""
    told: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The selectors that say where to."""
        return tuple(each.selector if isinstance(each, MapOf) else each for each in (self.source, self.port_source) if each)


NAT_FLAGS = ("random", "fully-random", "persistent")
