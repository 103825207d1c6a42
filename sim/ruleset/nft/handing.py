"""queue, tproxy, dup: from what is written to the model, and how nft lists them.

`queue to numgen ...` and maps of `dup` and `tproxy` are refused: not built.
"""

from __future__ import annotations

from sim.ruleset.model import Item, Part, Prefix, Range, Verdict
from sim.ruleset.nft.elements import Interfaces, Values
from sim.ruleset.nft.fields import Known
from sim.ruleset.nft.literals import WIDTH
from sim.ruleset.nft.printing import address
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import CopyOf, Expression, MapExpr, Mistake, ProxyOf, QueueOf, RangeOf, Symbol
from sim.ruleset.parts import Act
from sim.ruleset.selectors import Selector

_TYPE = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}
_U16 = 0xFFFF


def _row(datatype: str) -> tuple[Selector, ...]:
    return (Selector(datatype, datatype, WIDTH.get(datatype, 16), (), ""),)


# ---- queue -----------------------------------------------------------------------------------------------------------


def queue_parts(statement: QueueOf) -> tuple[Part, ...]:
    """What nobody listens to is lost, or with bypass goes on: the packet's end in this chain either way."""
    first, last = _numbers(statement.numbers) if statement.numbers is not None else (0, 0)
    return handed(first, last, "bypass" in statement.flags, "fanout" in statement.flags)


def handed(first: int, last: int, bypass: bool = False, fanout: bool = False) -> tuple[Part, ...]:
    """The parts of a queue: those of the model, and the verdict that it comes to."""
    settings = (("first", first), ("last", last), ("bypass", bypass), ("fanout", fanout))
    return Act("queue", settings), Verdict("accept" if bypass else "drop", quiet=True)


def _numbers(written: Expression) -> tuple[int, int]:
    if isinstance(written, RangeOf):
        low, high = _number(written.low), _number(written.high)
        if low > high:
            raise Mistake(written.at, "Range negative size")
        return low, high
    if not isinstance(written, Symbol):
        raise NotSimulated("to", written.at)
    return _number(written), _number(written)


def _number(written: Expression) -> int:
    if not isinstance(written, Symbol) or not written.text.isdecimal():
        raise Mistake(written.at, "Could not parse integer")
    if int(written.text) > _U16:
        raise Mistake(written.at, f"Value {written.text} exceeds valid range 0-{_U16}")
    return int(written.text)


def _queue_words(part: Act) -> str:
    flags = ",".join(name for name in ("bypass", "fanout") if part[name])
    first, last = part["first"], part["last"]
    return f"queue{' flags ' + flags if flags else ''} to {first if first == last else f'{first}-{last}'}"


# ---- tproxy ----------------------------------------------------------------------------------------------------------


def proxy_part(statement: ProxyOf, known: Known, interfaces: Interfaces) -> Act:
    """tproxy. Raises Mistake and NotSimulated."""
    if known.transport is None:
        raise Mistake(statement.at, "Transparent proxy support requires transport protocol match")
    if statement.family and known.network not in (None, statement.family):
        conflict = f"conflicting protocols specified: {known.network} vs. {statement.family}"
        raise Mistake(statement.at, f"{conflict}. You must specify ip or ip6 family in tproxy statement")
    family = statement.family or known.network or ""
    where = _address(statement.address, family, statement.at, interfaces) if statement.address is not None else None
    port = _port(statement, interfaces) if statement.port is not None else None
    told = statement.family if known.family == "inet" else ""
    return Act("proxy", (("family", told), ("address", where), ("port", port)))


def _address(written: Expression, family: str, statement: At, interfaces: Interfaces) -> bytes:
    if not family:
        raise Mistake(statement, "ip or ip6 must be specified with address for inet tables.")
    found = _constant(written, _TYPE[family], interfaces)
    if isinstance(found, Range | Prefix):
        raise Mistake(statement, "Address ranges are not supported for tproxy.")
    assert isinstance(found, bytes)
    return found


def _port(statement: ProxyOf, interfaces: Interfaces) -> int:
    assert statement.port is not None
    found = _constant(statement.port, "inet_service", interfaces)
    if isinstance(found, Range):
        raise Mistake(statement.at, "Port ranges are not supported for tproxy.")
    assert isinstance(found, int)
    return found


def _constant(written: Expression, datatype: str, interfaces: Interfaces) -> Item:
    if not isinstance(written, Symbol | RangeOf):
        raise NotSimulated("map" if isinstance(written, MapExpr) else "to", written.at)
    return Values(_row(datatype), interfaces).item(written)


def _proxy_words(part: Act) -> str:
    where, port = part["address"], part["port"]
    words = ["tproxy", *([part["family"]] if part["family"] else []), "to"]
    shown = "" if where is None else f"[{address(where)}]" if len(where) == 16 and port is not None else address(where)
    return " ".join([*words, shown + (f":{port}" if port is not None else "")])


# ---- dup -------------------------------------------------------------------------------------------------------------


def copy_part(statement: CopyOf, known: Known, interfaces: Interfaces) -> Act:
    """dup to. Raises Mistake and NotSimulated."""
    if known.family == "inet":
        raise Mistake(statement.at, "unsupported family")
    gateway = _constant(statement.address, _TYPE[known.family], interfaces)
    device = _constant(statement.device, "iface_index", interfaces) if statement.device is not None else ""
    if not isinstance(gateway, bytes):
        raise NotSimulated("to", statement.address.at)
    return Act("tee", (("gateway", gateway), ("oif", device)))


def _copy_words(part: Act) -> str:
    device = f' device "{part["oif"]}"' if part["oif"] else ""
    return f"dup to {address(part['gateway'])}{device}"


WORDS = {"queue": _queue_words, "proxy": _proxy_words, "tee": _copy_words}
"""Kinds of acts: how nft lists each."""
