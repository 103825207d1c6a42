"""iptables' other modules for `-m`: icmp, icmp6, comment, limit, mark, pkttype, length, ttl, hl; and the table of all."""

from __future__ import annotations

from sim.ruleset.bucket import XT_SCALE, XT_UNITS, xt_limit_overflows
from sim.ruleset.iptables import icmp
from sim.ruleset.iptables.accounted import NFACCT
from sim.ruleset.iptables.addressed import ADDRTYPE, IPRANGE
from sim.ruleset.iptables.bytecode import BPF
from sim.ruleset.iptables.counted import MODULES as COUNTED
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.extensions6 import MODULES as EXTENSIONS6
from sim.ruleset.iptables.hashlimited import HASHLIMIT
from sim.ruleset.iptables.headers import MODULES as HEADERS
from sim.ruleset.iptables.ipsec import AH4, AH6
from sim.ruleset.iptables.ipsec import MODULES as IPSEC
from sim.ruleset.iptables.labelled import CONNLABEL
from sim.ruleset.iptables.local import MODULES as LOCAL
from sim.ruleset.iptables.marks import CONNMARK_MATCH
from sim.ruleset.iptables.module import (
    Context,
    Given,
    Module,
    Opt,
    by_name,
    integer,
    integer_range,
    required,
    saved_string,
    value_and_mask,
)
from sim.ruleset.iptables.ports import MULTIPORT, TCP, UDP
from sim.ruleset.iptables.sets import MATCH as SET
from sim.ruleset.iptables.socketed import MODULES as SOCKETED
from sim.ruleset.iptables.srh import SRH
from sim.ruleset.iptables.targets import TARGETS
from sim.ruleset.iptables.times import TIME
from sim.ruleset.iptables.tracked import CONNTRACK, HELPER, STATE
from sim.ruleset.iptables.u32 import U32
from sim.ruleset.model import Compare, Extension, HeaderThere, Item, Limit, Option, Part, Range


def _op(given: Given) -> str:
    return "!=" if given.negated else "=="


def _mark(negated: bool) -> str:
    return "! " if negated else ""


# ---- icmp, icmp6 -----------------------------------------------------------------------------------------------------


def _read_icmp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, module.options[0].name)
    six = module.name == "icmp6"
    row = icmp.parse(option.value, icmp.ICMPV6 if six else icmp.ICMP, "ICMPv6" if six else "ICMP", option.span)
    selector = "icmpv6" if six else "icmp"
    text = str(row.type) if row.low != row.high else f"{row.type}/{row.low}"
    parts: tuple[Part, ...] = (HeaderThere(),)
    if row.type == 255 and not six:
        text = "any"
        if option.negated:
            parts += (Compare(f"{selector} type", (Range(0, 255),), "!="),)
    elif row.low == row.high:
        parts += _type_and_code(selector, row, option)
    else:
        parts += (Compare(f"{selector} type", (row.type,), _op(option)),)
    return module.extension([Option(module.options[0].name, text, option.negated)], parts)


def _type_and_code(selector: str, row: icmp.IcmpName, option: Given) -> tuple[Part, ...]:
    if option.negated:
        return (Compare(f"{selector} type . {selector} code", ((row.type, row.low),), "!=", braces=True),)
    return Compare(f"{selector} type", (row.type,)), Compare(f"{selector} code", (row.low,))


def _show_icmp(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    six = extension.name == "icmp6"
    label, table = ("ipv6-icmp", icmp.ICMPV6) if six else ("icmp", icmp.ICMP)
    kind, slash, code = (option.value if option.value != "any" else "255").partition("/")
    row = icmp.IcmpName("", int(kind), int(code or 0), int(code) if slash else 255)
    name = "" if numeric else icmp.name_of(row, table)
    if name:
        return f" {label} {'!' if option.negated else ''}{name}"
    head = f" {label} !type {kind}" if option.negated else f" {label}type {kind}"
    return head + (f" code {code}" if slash else "")


ICMP = Module("icmp", (Opt("icmp-type", invert=True),), _read_icmp, _show_icmp, protocol=1, families=("ip",))
ICMP6 = Module("icmp6", (Opt("icmpv6-type", invert=True),), _read_icmp, _show_icmp, protocol=58, families=("ip6",))


# ---- comment, mark, length, ttl, hl, pkttype -------------------------------------------------------------------------


def _read_comment(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    text = required(module, given, "comment").value.encode()[:255].decode(errors="ignore")
    return module.extension([Option("comment", saved_string(text))], ())


def comment_of(extension: Extension) -> str:
    """The comment itself, without the quotes of its saved form."""
    value = extension.options[0].value
    if not value.startswith('"'):
        return value
    text, at = "", 1
    while at < len(value) - 1:
        at += value[at] == "\\"
        text += value[at]
        at += 1
    return text


COMMENT = Module("comment", (Opt("comment"),), _read_comment, lambda extension, numeric, family: f" /* {comment_of(extension)} */")


def _read_mark(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "mark")
    value, mask = value_and_mask(module, option)
    whole = mask == 0xFFFFFFFF
    text = f"{value:#x}" if whole else f"{value:#x}/{mask:#x}"
    test = Compare("meta mark", (value,), _op(option), mask=None if whole else mask)
    return module.extension([Option("mark", text, option.negated)], (test,))


MARK = Module(
    "mark", (Opt("mark", invert=True),), _read_mark,
    lambda extension, numeric, family: f" mark match {_mark(extension.options[0].negated)}{extension.options[0].value}",
)  # fmt: skip


def _read_length(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "length")
    low, high = integer_range(module, option, 65535)
    item: Item = low if low == high else Range(low, high)
    text = str(low) if low == high else f"{low}:{high}"
    return module.extension([Option("length", text, option.negated)], (Compare("meta length", (item,), _op(option)),))


LENGTH = Module(
    "length", (Opt("length", invert=True),), _read_length,
    lambda extension, numeric, family: f" length {'!' if extension.options[0].negated else ''}{extension.options[0].value}",
)  # fmt: skip

_HOPS = {"eq": "==", "lt": "<", "gt": ">"}


def _read_hops(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        name = module.name
        shown = "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt" if name == "ttl" else (
            "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'")  # fmt: skip
        raise Mistake(shown)
    values = [integer(module, each, 0, 255) for each in given]
    option, value = given[0], values[0]
    op = "!=" if option.negated else _HOPS[option.opt.name[-2:]]
    selector = "ip ttl" if module.name == "ttl" else "ip6 hoplimit"
    return module.extension([Option(option.opt.name, str(value), option.negated)], (Compare(selector, (value,), op),))


def _show_hops(extension: Extension, numeric: bool, family: str) -> str:
    option, name = extension.options[0], extension.name.upper()
    return f" {name} match {name} {'!=' if option.negated else _HOPS[option.name[-2:]]} {option.value}"


def _hops(name: str, family: str) -> Module:
    names = (f"{name}-lt", f"{name}-gt", f"{name}-eq")
    options = tuple(
        Opt(each, (name,) if each == "ttl-eq" else (), 1, each.endswith("eq"), tuple(other for other in names if other != each))
        for each in names
    )
    return Module(name, options, _read_hops, _show_hops, families=(family,))


_PACKET_TYPES = {"unicast": 0, "broadcast": 1, "multicast": 2, "otherhost": 3}
_PACKET_ALIASES = {"host": "unicast", "bcast": "broadcast", "mcast": "multicast"}


def _read_pkttype(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "pkt-type")
    name = _PACKET_ALIASES.get(option.value.lower(), option.value.lower())
    if name not in _PACKET_TYPES:
        raise Mistake(f"Bad packet type '{option.value}'", option.span)
    test = Compare("meta pkttype", (_PACKET_TYPES[name],), _op(option))
    return module.extension([Option("pkt-type", name, option.negated)], (test,))


PKTTYPE = Module(
    "pkttype", (Opt("pkt-type", invert=True),), _read_pkttype,
    lambda extension, numeric, family: f" PKTTYPE {'!' if extension.options[0].negated else ''}= {extension.options[0].value}",
)  # fmt: skip


# ---- limit -----------------------------------------------------------------------------------------------------------


def _read_limit(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    rate, unit = _rate(names["limit"]) if "limit" in names else (3, "hour")
    burst = integer(module, names["limit-burst"], 0, 10000) if "limit-burst" in names else 5
    options = [Option("limit", _rate_text(XT_SCALE * XT_UNITS[unit] // rate))]
    if burst != 5:
        options.append(Option("limit-burst", str(burst)))
    return module.extension(options, (Limit(rate, unit, burst, iptables=True),))


def _rate(given: Given) -> tuple[int, str]:
    text, slash, unit_text = given.value.partition("/")
    units = [unit for unit in XT_UNITS if unit.startswith(unit_text.lower())] if unit_text else []
    if slash and not units:
        raise Mistake(f"bad rate \"{given.value}\"'", given.span)
    if text.startswith("-"):
        raise Mistake(f'Rate too fast "{given.value}"', given.span)
    if not text.isdecimal() or int(text) == 0:
        raise Mistake(f"bad rate \"{given.value}\"'", given.span)
    unit = units[0] if units else "second"
    if int(text) > XT_SCALE * XT_UNITS[unit]:
        raise Mistake(f'Rate too fast "{given.value}"', given.span)
    return int(text), unit


def _rate_text(period: int) -> str:
    """print_rate: the largest unit in which the rate comes out whole."""
    shown = (XT_SCALE * 86400, "day")
    for size, name in ((XT_SCALE * 3600, "hour"), (XT_SCALE * 60, "min"), (XT_SCALE, "sec")):
        if period > size or size // period < size % period:
            break
        shown = (size, name)
    return f"{shown[0] // period}/{shown[1]}"


def _show_limit(extension: Extension, numeric: bool, family: str) -> str:
    limit = extension.parts[0]
    assert isinstance(limit, Limit)
    return f" limit: avg {extension.options[0].value} burst {limit.burst}"


def limit_fits(extension: Extension) -> bool:
    """Whether the kernel can hold the limit's burst in 32 bits (limit_mt_check)."""
    limit = extension.parts[0]
    assert isinstance(limit, Limit)
    return not xt_limit_overflows(limit)


LIMIT = Module("limit", (Opt("limit"), Opt("limit-burst")), _read_limit, _show_limit)

_ALL = (
    TCP, UDP, ICMP, ICMP6, MULTIPORT, CONNTRACK, STATE, COMMENT, MARK, LENGTH, _hops("ttl", "ip"), _hops("hl", "ip6"), PKTTYPE, IPRANGE,
    ADDRTYPE, LIMIT, CONNMARK_MATCH, HASHLIMIT, *COUNTED, *HEADERS, HELPER, *EXTENSIONS6,
    *IPSEC, AH4, *LOCAL, TIME, U32, SET, CONNLABEL,
    *SOCKETED, BPF, SRH, NFACCT,
)  # fmt: skip
MATCHES = {module.name: module for module in _ALL}
_OF_IPV6 = {"ah": AH6}
_ALIASES = {"icmpv6": "icmp6", "ipv6-icmp": "icmp6"}
NOT_SIMULATED = frozenset(("ipvs", "rateest"))


def module_of(extension: Extension, family: str) -> Module:
    """The module that an extension of a rule of that family comes from."""
    if extension.target:
        return TARGETS[extension.name]
    found = find_match(extension.name, family)
    assert found is not None
    return found


def find_match(name: str, family: str) -> Module | None:
    """The module for `-m name`, or None."""
    module = _OF_IPV6.get(name) if family == "ip6" else None
    module = module or MATCHES.get(_ALIASES.get(name, name))
    return module if module is not None and family in module.families else None
