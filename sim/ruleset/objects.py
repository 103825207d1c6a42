"""nft's named objects: counters, quotas, limits, and those of conntrack: `ct helper`, `ct timeout`, `ct expectation`.

They belong to the model: a Table lists them in the order in which they came. What they count lives in live.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from sim.ruleset.helping import CtHelper


@dataclass(frozen=True, slots=True)
class CounterObject:
    """`counter name { packets 0 bytes 0 }`, with the numbers as they stand."""

    kind: ClassVar[str] = "counter"
    name: str
    packets: int = 0
    bytes: int = 0
    handle: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class QuotaObject:
    """`quota name { over 25 mbytes used 3 bytes }`. In bytes."""

    kind: ClassVar[str] = "quota"
    name: str
    bytes: int
    over: bool = False
    used: int = 0
    handle: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class LimitObject:
    """`limit name { rate over 10/second burst 5 packets }`; the fields are a Limit's (model.py)."""

    kind: ClassVar[str] = "limit"
    name: str
    rate: int
    unit: str
    burst: int
    per: str = "packets"
    over: bool = False
    handle: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CtTimeout:
    """`ct timeout name { protocol tcp; l3proto ip; policy = { established : 120 } }`. `policy`: (state, seconds), as nft names them."""

    kind: ClassVar[str] = "ct timeout"
    name: str
    protonum: int
    family: str
    policy: tuple[tuple[str, int], ...] = ()
    handle: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CtExpectation:
    """`ct expectation name { protocol tcp; dport 9876; timeout 2m; size 12; l3proto ip }`. `timeout`: ms."""

    kind: ClassVar[str] = "ct expectation"
    name: str
    protonum: int
    family: str
    dport: int
    timeout: int
    size: int
    handle: int = 0
    comment: str = ""


NamedObject: TypeAlias = CounterObject | QuotaObject | LimitObject | CtHelper | CtTimeout | CtExpectation
KINDS = ("counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation")
