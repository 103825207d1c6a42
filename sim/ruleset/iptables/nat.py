"""iptables' targets of the nat table: SNAT, DNAT, MASQUERADE, REDIRECT, NETMAP. As extensions/libxt_NAT.c, libxt_NETMAP.c, 1.8.9."""

from __future__ import annotations

import ipaddress
import re

from sim.netfilter.words import Hook
from sim.ruleset.iptables.addresses import inet6, mask_length, why_unresolved
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Lister, Module, Opt, by_name, number, required
from sim.ruleset.iptables.names import service_port
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Nat
from sim.units import inet_aton, show_address

_TABLES = frozenset(("nat",))
_WITH_PORTS = frozenset((1, 6, 17, 33, 132))
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_FLAGS = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}  # iptables' word: nft's
_NO_PORTS = "Need TCP, UDP, SCTP or DCCP with port specification"

Ports = tuple[int, ...]


# ---- ports -----------------------------------------------------------------------------------------------------------


def _number(text: str, low: int = 0) -> tuple[int | None, str]:
    """The number at the start of a text and what follows; None where there is none in range (xtables_strtoui)."""
    found = _NUMBER.match(text)
    value = number(found[0]) if found else None
    if found is None or value is None or not low <= value <= 65535:
        return None, text
    return value, text[found.end() :]


def _port(text: str, given: Given, low: int = 0) -> tuple[int, str]:
    value, rest = _number(text, low)
    if value is not None:
        return value, rest
    named = service_port(text, None)
    if named is None:
        raise Mistake(f"Port `{text}' not valid", given.span)
    return named, ""


def _ports(text: str, given: Given, context: Context) -> tuple[Ports, int | None]:
    """PORT[-PORT[/BASE]] (parse_ports)."""
    if context.protocol not in _WITH_PORTS:
        raise Mistake(_NO_PORTS, given.span)
    low, rest = _port(text, given)
    if not rest:
        return (low,), None
    if rest[0] == ":":
        raise Mistake("Invalid port:port syntax - use dash", given.span)
    if rest[0] != "-":
        raise Mistake(f"Garbage after port value: `{rest}'", given.span)
    high, after = _number(rest[1:])  # a range has no service names
    if high is None:
        raise Mistake(f"Port `{rest[1:]}' not valid", given.span)
    if high < low:
        raise Mistake(f"Port range `{rest[1:]}' funky", given.span)
    if not after:
        return (low, high), None
    if after[0] != "/":
        raise Mistake(f"Garbage after port range: `{after}'", given.span)
    return (low, high), _port(after[1:], given, 1)[0]


def _ports_text(ports: Ports, base: int | None = None) -> str:
    text = str(ports[0]) if ports[0] == ports[-1] else f"{ports[0]}-{ports[-1]}"
    return text if base is None else f"{text}/{base}"


# ---- SNAT, DNAT ------------------------------------------------------------------------------------------------------


def _divided(given: Given, context: Context) -> tuple[str, str | None]:
    """Addresses and ports of ADDRESS[-ADDRESS][:PORTS], IPv6 addresses in brackets where ports follow (parse_to)."""
    text = given.value
    if "[" in text:
        start = text[text.index("[") + 1 :]
        addresses, closed, behind = start.partition("]")
        if not closed or context.family == "ip":
            raise Mistake("Invalid address format", given.span)
        _, colon, ports = behind.partition(":")
        return addresses, ports if colon else None
    if text.count(":") != 1:
        return text, None
    addresses, _, ports = text.partition(":")
    return addresses, ports


def _address(text: str, given: Given, context: Context) -> bytes:
    try:
        if context.family == "ip":
            return ipaddress.IPv4Address(text).packed
        return ipaddress.IPv6Address(text).packed
    except ValueError:
        raise Mistake(f'Bad IP address "{text}"', given.span) from None


def _range(kind: str, given: Given, context: Context) -> Nat:
    addresses, ports_text = _divided(given, context)
    ports, base = _ports(ports_text, given, context) if ports_text is not None else (None, None)
    if base is not None and kind == "snat":
        base = 0  # SNAT hands the kernel an older structure, which has no room for it
    if ports_text is not None and not addresses:
        return Nat(kind, "", None, None, ports, base)
    first, dash, last = addresses.partition("-")
    low = _address(first, given, context)
    return Nat(kind, context.family, low, _address(last, given, context) if dash else None, ports, base)


def range_text(part: Nat) -> str:
    """1.2.3.4-1.2.3.9:1000-2000/80, [fd00::1]:80."""
    text = ""
    if part.low is not None:
        text = show_address(part.low) + (f"-{show_address(part.high)}" if part.high not in (None, part.low) else "")
        if part.ports is not None and part.family == "ip6":
            text = f"[{text}]"
    return text + (f":{_ports_text(part.ports, part.base)}" if part.ports is not None else "")


def _flags(given: tuple[Given, ...]) -> frozenset[str]:
    return frozenset(_FLAGS[each.opt.name] for each in given if each.opt.name in _FLAGS)


def _flag_words(part: Nat) -> list[str]:
    return [word for word, flag in _FLAGS.items() if flag in part.flags]


def _extension(module: Module, part: Nat, first: Option | None) -> Extension:
    options = [first] if first is not None else []
    return module.extension([*options, *(Option(word) for word in _flag_words(part))], (part,))


def _read_range(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    name = module.options[0].name
    bare = _range(module.name.lower(), required(module, given, name), context)
    part = Nat(bare.kind, bare.family, bare.low, bare.high, bare.ports, bare.base, _flags(given))
    return _extension(module, part, Option(name, range_text(part)))


def _part(extension: Extension) -> Nat:
    part = extension.parts[0]
    assert isinstance(part, Nat)
    return part


def _show_range(extension: Extension, numeric: bool, family: str) -> str:
    part = _part(extension)
    return " ".join([f" to:{range_text(part)}", *_flag_words(part)])


_FLAG_OPTS = {word: Opt(word, args=0) for word in _FLAGS}
SNAT = Module(
    "SNAT", (Opt("to-source"), *_FLAG_OPTS.values()), _read_range, _show_range, target=True, tables=_TABLES,
    hooks=frozenset((Hook.POSTROUTING, Hook.INPUT)),
)  # fmt: skip
DNAT = Module(
    "DNAT", (Opt("to-destination"), _FLAG_OPTS["random"], _FLAG_OPTS["persistent"]), _read_range, _show_range, target=True,
    tables=_TABLES, hooks=frozenset((Hook.PREROUTING, Hook.OUTPUT)),
)  # fmt: skip

# ---- MASQUERADE, REDIRECT --------------------------------------------------------------------------------------------


def _read_ports(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    ports, base = _ports(names["to-ports"].value, names["to-ports"], context) if "to-ports" in names else (None, None)
    if base is not None and module.name == "REDIRECT":
        raise Mistake("Shifted portmap ranges not supported with this kernel")
    part = Nat(module.name.lower(), "", None, None, ports, 0 if base is not None else None, _flags(given))
    return _extension(module, part, Option("to-ports", _ports_text(ports, part.base)) if ports is not None else None)


def _show_ports(lead: str) -> Lister:
    def show(extension: Extension, numeric: bool, family: str) -> str:
        part = _part(extension)
        ports = [f"{lead} {_ports_text(part.ports, part.base)}"] if part.ports is not None else []
        return "".join(f" {word}" for word in [*ports, *_flag_words(part)])

    return show


MASQUERADE = Module(
    "MASQUERADE", (Opt("to-ports"), _FLAG_OPTS["random"], _FLAG_OPTS["random-fully"]), _read_ports, _show_ports("masq ports:"),
    target=True, tables=_TABLES, hooks=frozenset((Hook.POSTROUTING,)),
)  # fmt: skip
REDIRECT = Module(
    "REDIRECT", (Opt("to-ports"), _FLAG_OPTS["random"]), _read_ports, _show_ports("redir ports"),
    target=True, tables=_TABLES, hooks=frozenset((Hook.PREROUTING, Hook.OUTPUT)),
)  # fmt: skip

# ---- NETMAP ----------------------------------------------------------------------------------------------------------


def _read_netmap(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "to")
    host, slash, mask_text = option.value.partition("/")
    address = _resolved(host, context)
    if address is None:
        raise Mistake(f"getaddrinfo: {why_unresolved(host, context.family)}\n", option.span)
    length = _length(mask_text, option, context) if slash else context.bits
    mask = ((1 << length) - 1 << context.bits - length).to_bytes(context.bits // 8)
    network = bytes(a & m for a, m in zip(address, mask, strict=True))
    return module.extension([Option("to", f"{show_address(network)}/{length}")], (Nat("netmap", context.family, network, mask),))


def _resolved(text: str, context: Context) -> bytes | None:
    """An address as getaddrinfo reads numbers; None for a name, and for an address of the other family."""
    return inet_aton(text) if context.family == "ip" else inet6(text)


def _length(text: str, option: Given, context: Context) -> int:
    """A length or a mask; a mask that is no prefix counts as the whole address (xtopt_parse_plenmask)."""
    if text.isdecimal() and int(text) <= context.bits:
        return int(text)
    mask = _resolved(text, context)
    if mask is None:
        what = f"neither a valid network mask nor valid CIDR (0-{context.bits})"
        raise Mistake(f'NETMAP: bad value for option "--to", {what}.\n', option.span)
    length = mask_length(mask)
    return context.bits if length is None else length


NETMAP = Module(
    "NETMAP", (Opt("to"),), _read_netmap, lambda extension, numeric, family: f" to:{extension.options[0].value}", target=True,
    tables=_TABLES, hooks=frozenset((Hook.PREROUTING, Hook.OUTPUT, Hook.POSTROUTING, Hook.INPUT)),
)  # fmt: skip
MODULES = (SNAT, DNAT, MASQUERADE, REDIRECT, NETMAP)
_TARGETS = {module.name.lower(): module for module in MODULES}


def target_text(part: Nat) -> str | None:
    """`-j SNAT --to-source ...` for a part of nft's making; None where the target has no such flag."""
    module = _TARGETS[part.kind]
    words = _flag_words(part)
    if not set(words) <= {opt.name for opt in module.options}:
        return None
    where = []
    if part.low is not None or part.ports is not None:
        where = [f"--{module.options[0].name} {range_text(part) if part.kind in ('snat', 'dnat') else _ports_text(part.ports or ())}"]
    return " ".join([f"-j {module.name}", *where, *(f"--{word}" for word in words)])
