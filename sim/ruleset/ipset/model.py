"""IpSet and Sets: elements by their key, with time-outs, counters, comments; the types there are.

A key is a tuple, one value a dimension: an address (bytes), a network (address, length), a port (protocol, port), a device's name.
Not in here: text (entries.py, show.py), packets (packets.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sim.units import SECOND

Key = tuple[Any, ...]


class SetType(NamedTuple):
    """A type: its dimensions (ip, net, port, iface, set), its revision, the bytes that the kernel takes for an empty one of each family."""

    name: str
    dims: tuple[str, ...]
    revision: int
    sizes: tuple[int, int]
    element: tuple[int, int]

    @property
    def kind(self) -> str:
        """hash, bitmap or list."""
        return self.name.split(":")[0]

    @property
    def networks(self) -> bool:
        """Whether a dimension is a network, whose length is tried from long to short."""
        return "net" in self.dims


TYPES = {
    row.name: row
    for row in (
        SetType("hash:ip", ("ip",), 6, (216, 224), (4, 16)),
        SetType("hash:net", ("net",), 7, (456, 1240), (8, 20)),
        SetType("hash:ip,port", ("ip", "port"), 7, (216, 232), (8, 20)),
        SetType("hash:net,port", ("net", "port"), 8, (456, 1240), (8, 20)),
        SetType("hash:ip,port,ip", ("ip", "port", "ip"), 6, (208, 232), (12, 36)),
        SetType("hash:ip,port,net", ("ip", "port", "net"), 8, (464, 1256), (12, 36)),
        SetType("hash:net,iface", ("net", "iface"), 8, (488, 1264), (28, 40)),
        SetType("bitmap:ip", ("ip",), 3, (88, 88), (0, 0)),
        SetType("bitmap:port", ("port",), 3, (72, 72), (0, 0)),
        SetType("list:set", ("set",), 3, (80, 80), (48, 48)),
    )
}
ALIASES = {
    "iphash": "hash:ip", "nethash": "hash:net", "ipporthash": "hash:ip,port", "netporthash": "hash:net,port",
    "ipportiphash": "hash:ip,port,ip", "ipportnethash": "hash:ip,port,net", "netifacehash": "hash:net,iface", "ipmap": "bitmap:ip",
    "portmap": "bitmap:port", "setlist": "list:set",
}  # fmt: skip
NOT_IN_KERNEL = frozenset(("hash:mac", "hash:ip,mac", "hash:ip,mark", "hash:net,net", "hash:net,port,net"))
"""Types that ipset knows and a plain kernel does not have."""

NOT_SIMULATED = frozenset(("bitmap:ip,mac", "macipmap"))


@dataclass(slots=True)
class Element:
    """One element. `expires`: µs, None for never; `nomatch`: what is in it is left out; `packets`, `bytes` of a set with counters."""

    key: Key
    expires: int | None = None
    packets: int = 0
    bytes: int = 0
    comment: str = ""
    nomatch: bool = False


@dataclass(slots=True)
class IpSet:
    """One set. `family`: ip or ip6; `low` to `high` is a bitmap's range; `timeout` in seconds, None without; `mask`: netmask or bitmask.

    `references` counts the rules and lists that use it.
    """

    name: str
    type: SetType
    family: str = "ip"
    hashsize: int = 1024
    maxelem: int = 65536
    size: int = 8
    low: int = 0
    high: int = 0
    timeout: int | None = None
    counters: bool = False
    comment: bool = False
    forceadd: bool = False
    netmask: int = 0
    bitmask: bytes = b""
    bucketsize: int = 12
    initval: int = 0
    elements: dict[Key, Element] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """How long an address is."""
        return 32 if self.family == "ip" else 128

    def expire(self, now: int) -> None:
        """Take out what is over."""
        if self.timeout is not None:
            for key in [key for key, each in self.elements.items() if each.expires is not None and each.expires <= now]:
                self.remove(key)

    def alive(self, key: Key, now: int) -> Element | None:
        """The element of that key, if it is there and not over."""
        found = self.elements.get(key)
        return found if found is not None and (found.expires is None or found.expires > now) else None

    def put(self, element: Element) -> None:
        """Add or replace."""
        if element.key not in self.elements and self.type.networks:
            length = self._length(element.key)
            self.lengths[length] = self.lengths.get(length, 0) + 1
        self.elements[element.key] = element

    def remove(self, key: Key) -> None:
        """Take an element out."""
        if self.elements.pop(key, None) is not None and self.type.networks:
            length = self._length(key)
            self.lengths[length] -= 1
            if not self.lengths[length]:
                del self.lengths[length]

    def _length(self, key: Key) -> int:
        length: int = key[self.type.dims.index("net")][1]
        return length

    def clear(self) -> None:
        """Take all out."""
        self.elements.clear()
        self.lengths.clear()

    def life(self, seconds: int | None, now: int) -> int | None:
        """When an element added now is over; `seconds` None for the set's own time-out, 0 for never."""
        seconds = self.timeout if seconds is None else seconds
        return now + seconds * SECOND if seconds else None

    @property
    def memory(self) -> int:
        """What the kernel takes for it, in bytes, when no two elements fall into one bucket of a hash."""
        extra = 8 * (self.timeout is not None) + 16 * self.counters + 8 * self.comment
        six = self.family == "ip6"
        base = self.type.sizes[six]
        texts = sum(17 + len(each.comment.encode()) for each in self.elements.values() if each.comment)
        if self.type.kind == "list":
            return base + len(self.elements) * (48 + extra) + texts
        if self.type.kind == "bitmap":
            count = (self.high - self.low >> (32 - self.netmask if self.netmask else 0)) + 1
            return base + -(-count // 64) * 8 + count * extra + texts
        element = self.type.element[six]
        one = 32 + 2 * (-(-element // 8) * 8 + extra if extra else element)
        return base + 24 * (max(1, self.hashsize // 1024) - 1) + len(self.elements) * (-(-one // 8) * 8) + texts


class Sets:
    """All sets of one machine, in the slots in which the kernel keeps them: a slot that was freed is taken again first.

    `users(name)` tells how many rules look into a set; who loads rules gives it.
    """

    def __init__(self) -> None:
        self._slots: list[IpSet | None] = []
        self._made = 0
        self.users: Callable[[str], int] = lambda name: 0

    def __iter__(self) -> Iterator[IpSet]:
        """As they are listed: lists of sets come last."""
        there = [each for each in self._slots if each is not None]
        return iter([each for each in there if each.type.kind != "list"] + [each for each in there if each.type.kind == "list"])

    def find(self, name: str) -> IpSet | None:
        """The set of that name, or None."""
        return next((each for each in self._slots if each is not None and each.name == name), None)

    def add(self, made: IpSet) -> None:
        """Take a new set."""
        self._made += 1
        if not made.initval:
            made.initval = self._made * 0x9E3779B9 & 0xFFFFFFFF
        if None in self._slots:
            self._slots[self._slots.index(None)] = made
        else:
            self._slots.append(made)

    def drop(self, name: str) -> None:
        """Destroy a set; what lists hold goes first."""
        self._slots = [None if each is not None and each.name == name else each for each in self._slots]

    def exchange(self, first: IpSet, second: IpSet) -> None:
        """Let two sets take each other's name and slot."""
        here, there = self._slots.index(first), self._slots.index(second)
        self._slots[here], self._slots[there] = second, first
        first.name, second.name = second.name, first.name

    def references(self, name: str) -> int:
        """How many rules and lists use the set."""
        listed = sum((name,) in each.elements for each in self if each.type.kind == "list")
        return self.users(name) + listed
