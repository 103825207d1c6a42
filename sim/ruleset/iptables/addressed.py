"""iptables' modules that look at addresses: iprange and addrtype."""

from __future__ import annotations

import ipaddress

from sim.ruleset.datatypes import FIB_ADDRTYPE
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name
from sim.ruleset.model import Compare, Extension, Option, Part, Range


def _op(given: Given) -> str:
    return "!=" if given.negated else "=="


def _read_iprange(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("iprange match: You must specify `--src-range' or `--dst-range'")
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = []
    for name, field in (("src-range", "saddr"), ("dst-range", "daddr")):
        if name in names:
            low, high = _address_range(names[name], context)
            options.append(Option(name, f"{ipaddress.ip_address(low)}-{ipaddress.ip_address(high)}", names[name].negated))
            parts.append(Compare(f"{context.family} {field}", (Range(low, high),), _op(names[name])))
    return module.extension(options, tuple(parts))


def _address_range(given: Given, context: Context) -> tuple[bytes, bytes]:
    first, dash, last = given.value.partition("-")
    ends = []
    for text in (first, last if dash else first):
        try:
            ends.append((ipaddress.IPv4Address(text) if context.family == "ip" else ipaddress.IPv6Address(text)).packed)
        except ValueError:
            raise Mistake(f'iprange: Bad value for "--{given.opt.name}" option: "{text}"', given.span) from None
    return ends[0], ends[1]


def _show_iprange(extension: Extension, numeric: bool, family: str) -> str:
    which = {"src-range": "source", "dst-range": "destination"}
    return "".join(f" {which[option.name]} IP range {'! ' if option.negated else ''}{option.value}" for option in extension.options)


def _reversed(given: Given) -> str:
    first, _, last = given.value.partition("-")
    try:
        low, high = (ipaddress.ip_address(text).packed for text in (first, last or first))
    except ValueError:
        return ""
    wrong = len(low) == len(high) and low > high
    return f"xt_iprange: range {ipaddress.ip_address(low)}-{ipaddress.ip_address(high)} is reversed and will never match\n" if wrong else ""


IPRANGE = Module(
    "iprange", (Opt("src-range", invert=True, says=_reversed), Opt("dst-range", invert=True, says=_reversed)), _read_iprange, _show_iprange
)

_TYPES = {name.upper(): number for name, number in FIB_ADDRTYPE.items()}


def _read_addrtype(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    if "src-type" not in names and "dst-type" not in names:
        raise Mistake("addrtype: you must specify --src-type or --dst-type")
    device = " . iif" if "limit-iface-in" in names else " . oif" if "limit-iface-out" in names else ""
    options: list[Option] = []
    parts: list[Part] = []
    for name, field in (("src-type", "saddr"), ("dst-type", "daddr")):
        if name in names:
            types = _address_types(names[name])
            options.append(Option(name, ",".join(types), names[name].negated))
            parts.append(_type_test(field, device, types, names[name], context))
    options += [Option(name) for name in ("limit-iface-in", "limit-iface-out") if name in names]
    return module.extension(options, tuple(parts))


def _type_test(field: str, device: str, types: list[str], given: Given, context: Context) -> Part:
    numbers = tuple(_TYPES[each] for each in types)
    if context.family == "ip" or (len(types) == 1 and numbers[0] in _AS_NFT):
        return Compare(f"fib {field}{device} type", numbers, _op(given), braces=len(types) > 1)
    good = [kind * 16 + found for kind in (0, 1, 5) for found in range(9) if _type6(kind, found, set(numbers))]
    return Compare(f"xt {field} type{device.removeprefix(' .')}", tuple(good), _op(given), braces=True)


_LOOKED_UP = frozenset((2, 4, 7, 8))  # LOCAL ANYCAST UNREACHABLE PROHIBIT: asked of the routes
_AS_NFT = frozenset((2, 4))  # and those in which nft's fib looks no further


def _type6(kind: int, found: int, wanted: set[int]) -> bool:
    """match_type6 (net/netfilter/xt_addrtype.c): UNSPEC, UNICAST and MULTICAST must each hold, of the others one."""
    if wanted & {0, 1, 5} - {kind}:
        return False
    return not wanted & _LOOKED_UP or found in wanted & _LOOKED_UP


def _types_fit(extension: Extension, context: Context) -> bool:
    """addrtype_mt_checkentry_v1 refuses what IPv6 does not have."""
    words = {word for option in extension.options for word in option.value.split(",")}
    return context.family == "ip" or not words & {"BROADCAST", "BLACKHOLE", "PROHIBIT"}


def _address_types(given: Given) -> list[str]:
    words = given.value.split(",")
    wanted = [word.upper() for word in words]
    for word in words:
        if word.upper() not in _TYPES:
            raise Mistake(f'addrtype: bad type "{word}"', given.span)
    return [name for name in _TYPES if name in wanted]


def _show_addrtype(extension: Extension, numeric: bool, family: str) -> str:
    text = " ADDRTYPE match"
    for option in extension.options:
        value = f"{option.name} {'!' if option.negated else ''}{option.value}" if option.value else option.name.replace("-iface", "")
        text += f" {value}"
    return text


ADDRTYPE = Module(
    "addrtype",
    (
        Opt("src-type", invert=True), Opt("dst-type", invert=True), Opt("limit-iface-in", args=0, excludes=("limit-iface-out",)),
        Opt("limit-iface-out", args=0, excludes=("limit-iface-in",)),
    ),
    _read_addrtype, _show_addrtype, needs=_types_fit,
)  # fmt: skip
