"""iptables' modules about IPsec: ah (of each family), esp, ipcomp, policy. No packet here has an IPsec policy."""

from __future__ import annotations

from collections.abc import Callable

from sim.netfilter.words import Hook
from sim.ruleset.iptables.addresses import parse_protocol, resolved_net, show_net
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, Reader, by_name, integer, integer_range
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_U32 = 0xFFFFFFFF
_AHEAD, _BEHIND = {Hook.PREROUTING, Hook.INPUT}, {Hook.OUTPUT, Hook.POSTROUTING}


def range_text(low: int, high: int) -> str:
    """A range as it is saved."""
    return str(low) if low == high else f"{low}:{high}"


def range_listed(label: str, option: Option | None) -> str:
    """A range as -L has it: "spi:5", "spis:!5:10"; "" for the whole range."""
    if option is None:
        return ""
    many = "s" if ":" in option.value else ""
    return f"{label}{many}:{'!' if option.negated else ''}{option.value}"


def _spi_reader(name: str, size: int, at: int, width: int, default: tuple[int, int]) -> Reader:
    def read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
        names = by_name(given)
        low, high = integer_range(module, names[name], _U32) if name in names else default
        negated = name in names and names[name].negated
        options = [Option(name, range_text(low, high), negated)] if (low, high) != (0, _U32) else []
        options += [Option("compres")] if "compres" in names else []
        settings = (("size", size), ("at", at), ("bytes", width), ("low", low), ("high", high), ("negated", negated))
        return module.extension(options, (Judge("spi", settings),))

    return read


def _spi_lister(bare: str) -> Callable[[Extension, bool, str], str]:
    def show(extension: Extension, numeric: bool, family: str) -> str:
        judge = extension.parts[0]
        assert isinstance(judge, Judge)
        low, high, negated = judge["low"], judge["high"], judge["negated"]
        text = "" if (low, high) == (0, _U32) and not negated else range_listed("spi", Option("", range_text(low, high), negated))
        reserved = " reserved" if any(option.name == "compres" for option in extension.options) else ""
        return (f" {bare.strip()} {text}" if text else f" {bare}") + reserved

    return show


AH4 = Module(
    "ah", (Opt("ahspi", invert=True),), _spi_reader("ahspi", 12, 4, 4, (0, _U32)), _spi_lister("ah "), protocol=51, families=("ip",),
)  # fmt: skip
ESP = Module("esp", (Opt("espspi", invert=True),), _spi_reader("espspi", 8, 0, 4, (0, _U32)), _spi_lister("esp"), protocol=50)
IPCOMP = Module(
    "ipcomp", (Opt("ipcompspi", invert=True), Opt("compres", args=0)), _spi_reader("ipcompspi", 4, 2, 2, (0, 0)), _spi_lister("comp "),
    protocol=108,
)  # fmt: skip


# ---- ah of IPv6 ------------------------------------------------------------------------------------------------------


def _read_ah6(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    low, high = integer_range(module, names["ahspi"], _U32) if "ahspi" in names else (0, _U32)
    length = integer(module, names["ahlen"], 0, _U32) if "ahlen" in names else 0
    spi, size = ("ahspi" in names and names["ahspi"].negated), ("ahlen" in names and names["ahlen"].negated)
    options = [Option("ahspi", range_text(low, high), spi)] if (low, high) != (0, _U32) else []
    options += [Option("ahlen", str(length), size)] if length or size else []
    options += [Option("ahres")] if "ahres" in names else []
    settings = (("spi", (low, high, spi)), ("length", (length, length, size)), ("reserved", "ahres" in names))
    return module.extension(options, (Judge("ip6 ah", settings),))


def _show_ah6(extension: Extension, numeric: bool, family: str) -> str:
    named = {option.name: option for option in extension.options}
    judge = extension.parts[0]
    assert isinstance(judge, Judge)
    low, high, negated = judge["spi"]
    whole = (low, high) == (0, _U32) and not negated
    text = " ah " + range_listed("spi", None if whole else Option("", range_text(low, high), negated))
    if "ahlen" in named:
        text += f"length:{'!' if named['ahlen'].negated else ''}{named['ahlen'].value}"
    return text + (" reserved" if "ahres" in named else "")


AH6 = Module(
    "ah", (Opt("ahspi", invert=True), Opt("ahlen", invert=True), Opt("ahres", args=0)), _read_ah6, _show_ah6, families=("ip6",)
)

# ---- policy ----------------------------------------------------------------------------------------------------------

_ELEMENT = ("reqid", "spi", "proto", "mode", "tunnel-dst", "tunnel-src")
_MODES, _PROTOS = ("transport", "tunnel"), {"ah": 51, "esp": 50, "ipcomp": 108}


def _read_policy(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    way, wanted, strict, elements = "", "ipsec", False, [list[Option]()]
    seen: set[str] = set()
    for each in given:
        match each.opt.name:
            case "dir" | "pol" | "strict" if each.opt.name in seen:
                raise Mistake(f'policy: option "--{each.opt.name}" can only be used once.\n', each.span)
            case "dir":
                way = _one_of(each, ("in", "out"), "policy_match: invalid dir")
            case "pol":
                wanted = _one_of(each, ("none", "ipsec"), "policy match: invalid policy")
            case "strict":
                strict = True
            case "next":
                if len(elements) == 4:
                    raise Mistake("policy match: maximum policy depth reached", each.span)
                elements.append([])
            case _:
                _once(elements[-1], _element(module, each, context), each)
        seen.add(each.opt.name)
    if "next" in seen and not strict:
        raise Mistake('policy: option "--next" also requires "--strict".\n')
    if not way:
        raise Mistake("policy match: neither --dir in nor --dir out specified")
    _check_policy(wanted, strict, elements)
    return _policy(module, way, wanted, strict, elements)


def _once(element: list[Option], option: Option, given: Given) -> None:
    if any(option.name == other.name for other in element):
        raise Mistake(f"policy match: double --{option.name} option", given.span)
    element.append(option)


def _one_of(given: Given, words: tuple[str, ...], mistake: str) -> str:
    if given.value not in words:
        raise Mistake(f'{mistake} "{given.value}"', given.span)
    return given.value


def _element(module: Module, given: Given, context: Context) -> Option:
    name, text = given.opt.name, given.value
    if name == "reqid":
        text = str(integer(module, given, 0, _U32))
    elif name == "spi":
        text = f"{integer(module, given, 0, _U32):#x}"
    elif name == "mode":
        text = _one_of(given, _MODES, "policy match: invalid mode")
    elif name == "proto":
        number = parse_protocol(text, given.span)
        if number not in _PROTOS.values():
            raise Mistake("policy match: protocol must be ah/esp/ipcomp", given.span)
        text = next(name for name, value in _PROTOS.items() if value == number)
    else:
        text = show_net(resolved_net(text, context.family, given.span), False)
    return Option(name, text, given.negated)


def _check_policy(wanted: str, strict: bool, elements: list[list[Option]]) -> None:
    if wanted == "none":
        if strict:
            raise Mistake("policy match: policy none but --strict given")
        return
    for place, element in enumerate(elements):
        if strict and not element:
            wanted = "at least one of reqid, spi, tunnel-src, tunnel-dst, proto or mode is required."
            raise Mistake(f"policy match: empty policy element {place}. --strict is in effect, but {wanted}")
        tunnelled = {option.name for option in element} & {"tunnel-src", "tunnel-dst"}
        mode = next((option for option in element if option.name == "mode"), None)
        if tunnelled and (mode is None or mode.value != "tunnel" or mode.negated):
            raise Mistake("policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode")


def _policy(module: Module, way: str, wanted: str, strict: bool, elements: list[list[Option]]) -> Extension:
    options = [Option("dir", way), Option("pol", wanted)] + ([Option("strict")] if strict else [])
    for place, element in enumerate(elements if wanted == "ipsec" else ()):
        options += [Option("next")] if place else []
        options += [option for name in _ELEMENT for option in element if option.name == name]
    why = "no packet here comes or goes by IPsec"
    settings = (("answer", wanted == "none"), ("why", why), ("said", f"with IPsec policy {wanted}"))
    return module.extension(options, (Judge("fixed", settings),))


def _show_policy(extension: Extension, numeric: bool, family: str) -> str:
    text, place = " policy match", 0
    strict = any(option.name == "strict" for option in extension.options)
    elements = sum(option.name == "next" for option in extension.options) + 1
    opened = False
    for option in extension.options:
        if option.name == "next":
            place, opened = place + 1, False
        elif option.name in _ELEMENT and strict and elements > 1 and not opened:
            text, opened = text + f" [{place}]", True
        if option.name == "strict":
            text += " strict"
        elif option.name != "next":
            text += f" {'! ' if option.negated else ''}{option.name} {_listed(option, numeric)}"
    return text


def _listed(option: Option, numeric: bool) -> str:
    if option.name == "proto":
        return str(_PROTOS[option.value]) if numeric else option.value
    return option.value


def policy_fits(extension: Extension, hooks: set[Hook]) -> bool:
    """policy_mt_check: what is told of packets coming in is not known of those that leave, and the other way round."""
    return not hooks & (_AHEAD if extension.options[0].value == "out" else _BEHIND)


POLICY = Module(
    "policy",
    (
        Opt("dir"), Opt("pol"), Opt("strict", args=0), Opt("reqid", invert=True), Opt("spi", invert=True), Opt("tunnel-src", invert=True),
        Opt("tunnel-dst", invert=True), Opt("proto", invert=True), Opt("mode", invert=True), Opt("next", args=0),
    ),
    _read_policy, _show_policy, classic=True, at_hooks=policy_fits,
)  # fmt: skip

MODULES = (ESP, IPCOMP, POLICY)
