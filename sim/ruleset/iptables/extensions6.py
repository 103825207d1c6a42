"""ip6tables' modules about extension headers: hbh, dst, frag, rt, ipv6header, mh, eui64."""

from __future__ import annotations

import ipaddress
import re

from sim.netfilter.words import Hook
from sim.ruleset.headers6 import DEST, HOP, MASKS
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.ipsec import range_listed, range_text
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, integer_range, required
from sim.ruleset.iptables.names import protocol_number
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge
from sim.units import show_address

_U32 = 0xFFFFFFFF
_SIX = ("ip6",)
_ANY = (0, _U32, False)
_MOST = 16
_NUMBER = re.compile(r"\s*[-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
Bounds = tuple[int, int, bool]


def _bounds(module: Module, names: dict[str, Given], name: str) -> Bounds:
    if name not in names:
        return _ANY
    return (*integer_range(module, names[name], _U32), names[name].negated)


def _length(module: Module, names: dict[str, Given], name: str) -> Bounds:
    if name not in names:
        return _ANY
    value = integer(module, names[name], 0, _U32)
    return value, value, names[name].negated


def _saved(name: str, bounds: Bounds) -> list[Option]:
    """The option as it is saved: nothing for the whole range, even with `!`."""
    return [] if bounds[:2] == (0, _U32) else [Option(name, range_text(*bounds[:2]), bounds[2])]


def _ranged(label: str, bounds: Bounds) -> str:
    return "" if bounds == _ANY else range_listed(label, Option("", range_text(*bounds[:2]), bounds[2]))


def _judge(extension: Extension) -> Judge:
    judge = extension.parts[0]
    assert isinstance(judge, Judge)
    return judge


# ---- hbh, dst --------------------------------------------------------------------------------------------------------


def _read_options(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names, name = by_name(given), module.name
    length = _length(module, names, f"{name}-len")
    wanted = _wanted(name, names[f"{name}-opts"]) if f"{name}-opts" in names else ()
    options = _saved(f"{name}-len", length)
    options += [Option(f"{name}-opts", _wanted_text(wanted))] if wanted else []
    settings = (("kind", HOP if name == "hbh" else DEST), ("length", length), ("options", wanted))
    return module.extension(options, (Judge("ip6 options", settings),))


def _wanted(name: str, given: Given) -> tuple[tuple[int, int], ...]:
    words = given.value.split(",")
    if len(words) > _MOST:
        raise Mistake("too many addresses specified", given.span)
    found = []
    for word in words:
        kind, colon, length = word.partition(":")
        found.append((_byte(name, "opt", kind, given), _byte(name, "length", length, given) if colon else 255))
    return tuple(found)


def _byte(name: str, what: str, text: str, given: Given) -> int:
    """strtol of which the lowest byte is kept."""
    found = _NUMBER.match(text)
    if found is None:
        raise Mistake(f"{name}: no valid digits in {what} `{text}'", given.span)
    if found.end() != len(text):
        raise Mistake(f"{name}: error parsing {what} `{text}'", given.span)
    digits = found[0].strip().lstrip("+-")
    value = int(digits, 8) if digits[0] == "0" and digits[1:2] not in tuple("xX") else int(digits, 0)
    return (-value if "-" in found[0] else value) & 255


def _wanted_text(wanted: tuple[tuple[int, int], ...]) -> str:
    return ",".join(f"{kind}" if length == 255 else f"{kind}:{length}" for kind, length in wanted)


def _show_options(extension: Extension, numeric: bool, family: str) -> str:
    text = f" {extension.name}"
    for option in extension.options:
        if option.name.endswith("-len"):
            text += f" length:{'!' if option.negated else ''}{option.value}"
        else:
            text += f" opts {option.value}"
    return text


def _optioned(name: str) -> Module:
    return Module(name, (Opt(f"{name}-len", invert=True), Opt(f"{name}-opts")), _read_options, _show_options, families=_SIX)


# ---- frag ------------------------------------------------------------------------------------------------------------

_FRAG = {"fragres": "reserved", "fragfirst": "first", "fragmore": "more", "fraglast": "last"}


def _read_frag(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    bounds, length = _bounds(module, names, "fragid"), _length(module, names, "fraglen")
    options = _saved("fragid", bounds) + _saved("fraglen", length) + [Option(name) for name in _FRAG if name in names]
    settings = (("id", bounds), ("flags", frozenset(name for name in _FRAG if name in names)))
    return module.extension(options, (Judge("ip6 frag", settings),))


def _show_frag(extension: Extension, numeric: bool, family: str) -> str:
    text = " frag " + _ranged("id", _judge(extension)["id"])
    for option in extension.options:
        if option.name == "fraglen":
            text += f" length:{'!' if option.negated else ''}{option.value}"
    return text + "".join(f" {_FRAG[option.name]}" for option in extension.options if option.name in _FRAG)


FRAG = Module(
    "frag",
    (
        Opt("fragid", invert=True), Opt("fraglen", invert=True), Opt("fragres", args=0), Opt("fragfirst", args=0),
        Opt("fragmore", args=0, excludes=("fraglast",)), Opt("fraglast", args=0, excludes=("fragmore",)),
    ),
    _read_frag, _show_frag, families=_SIX,
)  # fmt: skip

# ---- rt --------------------------------------------------------------------------------------------------------------


def _read_rt(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    _in_order(module, given)
    names = by_name(given)
    kind, segments, length = _length(module, names, "rt-type"), _bounds(module, names, "rt-segsleft"), _length(module, names, "rt-len")
    addresses = _addresses(names["rt-0-addrs"]) if "rt-0-addrs" in names else ()
    options = _saved("rt-type", kind) + _saved("rt-segsleft", segments) + _saved("rt-len", length)
    options += [Option("rt-0-res")] if "rt-0-res" in names else []
    options += [Option("rt-0-addrs", ",".join(map(show_address, addresses)))] if addresses else []
    options += [Option("rt-0-not-strict")] if "rt-0-not-strict" in names else []
    settings = (
        ("type", kind), ("segsleft", segments), ("length", length), ("reserved", "rt-0-res" in names), ("addresses", addresses),
        ("loose", "rt-0-not-strict" in names),
    )  # fmt: skip
    return module.extension(options, (Judge("ip6 rt", settings),))


def _in_order(module: Module, given: tuple[Given, ...]) -> None:
    """The options of type 0 want `--rt-type 0` ahead of them."""
    seen: list[str] = []
    for each in given:
        name = each.opt.name
        if name in ("rt-0-res", "rt-0-addrs") and "rt-type" not in seen:
            raise Mistake(f"`--rt-type 0' required before `--{name}'", each.span)
        if name == "rt-0-not-strict" and "rt-0-addrs" not in seen:
            raise Mistake("`--rt-0-addr ...' required before `--rt-0-not-strict'", each.span)
        if name != "rt-type" or (integer(module, each, 0, _U32) == 0 and not each.negated):
            seen.append(name)


def _addresses(given: Given) -> tuple[bytes, ...]:
    words = given.value.split(",")
    if len(words) > _MOST:
        raise Mistake("too many addresses specified", given.span)
    found = []
    for word in words:
        try:
            found.append(ipaddress.IPv6Address(word).packed)
        except ValueError:
            raise Mistake(f"bad address: {word}", given.span) from None
    return tuple(found)


_RT_SAID = {"rt-0-res": "reserved", "rt-0-addrs": "0-addrs", "rt-0-not-strict": "0-not-strict"}


def _show_rt(extension: Extension, numeric: bool, family: str) -> str:
    judge = _judge(extension)
    text = " rt"
    for label, name in (("type", "type"), ("segsleft", "segsleft"), ("length", "length")):
        shown = _ranged(label, judge[name])
        text += f" {shown}" if shown else ""
    for option in extension.options:
        if option.name in _RT_SAID:
            text += f" {_RT_SAID[option.name]}" + (f" {option.value}" if option.value else "")
    return text


RT = Module(
    "rt",
    (
        Opt("rt-type", invert=True), Opt("rt-segsleft", invert=True), Opt("rt-len", invert=True), Opt("rt-0-res", args=0),
        Opt("rt-0-addrs"), Opt("rt-0-not-strict", args=0),
    ),
    _read_rt, _show_rt, families=_SIX,
)  # fmt: skip

# ---- ipv6header ------------------------------------------------------------------------------------------------------

_SHORT = {"hop": "hop-by-hop", "dst": "ipv6-opts", "route": "ipv6-route", "frag": "ipv6-frag", "auth": "ah", "none": "ipv6-nonxt",
          "prot": "protocol"}  # fmt: skip
_BY_NUMBER = {0: "hop-by-hop", 60: "ipv6-opts", 43: "ipv6-route", 44: "ipv6-frag", 51: "ah", 50: "esp", 59: "ipv6-nonxt", 255: "protocol"}


def _read_headers(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "header")
    if not option.value:
        raise Mistake("ip6t_ipv6header: cannot parse header names", option.span)
    wanted = {_header(word, option) for word in option.value.split(",") if word}
    bits = sum(MASKS[name] for name in wanted)
    soft = any(each.opt.name == "soft" for each in given)
    options = [Option("header", _header_names(bits), option.negated)] + ([Option("soft")] if soft else [])
    return module.extension(options, (Judge("ip6 headers", (("headers", bits), ("soft", soft), ("negated", option.negated))),))


def _header(word: str, given: Given) -> str:
    name = _SHORT.get(word, word)
    if name in MASKS:
        return name
    number = int(word) if word.isdecimal() else protocol_number(word)
    if number not in _BY_NUMBER:
        raise Mistake(f"unknown header `{word if number is None else number}' specified", given.span)
    return _BY_NUMBER[number]


def _header_names(bits: int) -> str:
    return ",".join(name for name, bit in MASKS.items() if bits & bit)


def _show_headers(extension: Extension, numeric: bool, family: str) -> str:
    judge = _judge(extension)
    shown = f"0x{judge['headers']:02X}" if numeric else _header_names(judge["headers"])
    return f" ipv6header flags:{'!' if judge['negated'] else ''}{shown}" + (" soft" if judge["soft"] else "")


IPV6HEADER = Module("ipv6header", (Opt("header", invert=True), Opt("soft", args=0)), _read_headers, _show_headers, families=_SIX)

# ---- mh --------------------------------------------------------------------------------------------------------------

_MH = (
    ("binding-refresh-request", "brr"), ("home-test-init", "hoti"), ("careof-test-init", "coti"), ("home-test", "hot"),
    ("careof-test", "cot"), ("binding-update", "bu"), ("binding-acknowledgement", "ba"), ("binding-error", "be"),
)  # fmt: skip


def _read_mh(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    bounds: Bounds = (*_mh_range(names["mh-type"]), names["mh-type"].negated) if "mh-type" in names else (0, 255, False)
    low, high, negated = bounds
    options = [] if (low, high) == (0, 255) else [Option("mh-type", range_text(low, high), negated)]
    return module.extension(options, (Judge("mh", (("low", low), ("high", high), ("negated", negated))),))


def _mh_range(given: Given) -> tuple[int, int]:
    low_text, colon, high_text = given.value.partition(":")
    low = _mh_type(low_text, given) if low_text or not colon else 0
    high = (_mh_type(high_text, given) if high_text else 255) if colon else low
    if low > high:
        raise Mistake("Invalid MH type range (min > max)", given.span)
    return low, high


def _mh_type(text: str, given: Given) -> int:
    """A name or the start of one, the first that fits; a number."""
    lower = text.lower()
    exact = [number for number, names in enumerate(_MH) if lower in names]
    near = exact or [number for number, names in enumerate(_MH) if lower and any(name.startswith(lower) for name in names)]
    if near:
        return near[0]
    if not text.isdecimal() or int(text) > 255:
        raise Mistake(f"Invalid MH type `{text}'", given.span)
    return int(text)


def _show_mh(extension: Extension, numeric: bool, family: str) -> str:
    judge = _judge(extension)
    low, high, negated = judge["low"], judge["high"], judge["negated"]
    if (low, high, negated) == (0, 255, False):
        return " mh"
    ends = [str(end) if numeric or end >= len(_MH) else _MH[end][0] for end in ((low, high) if low != high else (low,))]
    return f" mh {'!' if negated else ''}{':'.join(ends)}"


MH = Module("mh", (Opt("mh-type", invert=True),), _read_mh, _show_mh, protocol=135, families=_SIX)

# ---- eui64 -----------------------------------------------------------------------------------------------------------


def _read_eui64(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    why = "no link layer here: there is no hardware address to compare with"
    settings = (("answer", False), ("why", why), ("said", "whose address holds their hardware address"))
    return module.extension([], (Judge("fixed", settings),))


EUI64 = Module(
    "eui64", (), _read_eui64, lambda extension, numeric, family: "eui64 ", families=_SIX,
    hooks=frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)),
)  # fmt: skip

MODULES = (_optioned("hbh"), _optioned("dst"), FRAG, RT, IPV6HEADER, MH, EUI64)
