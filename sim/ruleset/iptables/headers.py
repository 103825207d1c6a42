"""iptables' modules that look into headers: dscp, tos, ecn, tcpmss, string, physdev, rpfilter."""

from __future__ import annotations

from sim.ruleset.iptables.chunks import DCCP, SCTP
from sim.ruleset.iptables.errors import NO_SUCH, Mistake, kernel
from sim.ruleset.iptables.marks import dscp_class, tos_name, tos_value
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, integer_range, required
from sim.ruleset.model import Compare, Extension, HeaderThere, Option, Part
from sim.ruleset.parts import Judge


def _op(given: Given) -> str:
    return "!=" if given.negated else "=="


def _not(option: Option) -> str:
    return "!" if option.negated else ""


# ---- dscp, tos, ecn --------------------------------------------------------------------------------------------------


def _read_dscp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("DSCP match: Parameter --dscp is required")
    option = given[0]
    value = integer(module, option, 0, 63) if option.opt.name == "dscp" else dscp_class(option)
    test = Compare(f"{context.family} dscp", (value,), _op(option))
    return module.extension([Option("dscp", f"0x{value:02x}", option.negated)], (test,))


DSCP = Module(
    "dscp", (Opt("dscp", invert=True, excludes=("dscp-class",)), Opt("dscp-class", invert=True, excludes=("dscp",))), _read_dscp,
    lambda extension, numeric, family: f" DSCP match {_not(extension.options[0])}{extension.options[0].value}",
)  # fmt: skip


def _read_tos(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "tos")
    value, mask = tos_value(option)
    test = Compare("xt tos", (value,), _op(option), mask=mask)
    return module.extension([Option("tos", f"0x{value:02x}/0x{mask:02x}", option.negated)], (test,))


def _show_tos(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    value, mask = (int(text, 16) for text in option.value.split("/"))
    name = None if numeric else tos_name(value, mask)
    return f" tos match{_not(option)}{' ' + name if name else option.value}"


TOS = Module("tos", (Opt("tos", invert=True),), _read_tos, _show_tos)
_ECN_TCP = {"ecn-tcp-ece": ("ECE", 64), "ecn-tcp-cwr": ("CWR", 128)}


def _read_ecn(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("ECN match: some option required")
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = [HeaderThere(drops=False)] if names.keys() & _ECN_TCP.keys() else []
    for name, (_, bit) in _ECN_TCP.items():
        if name in names:
            options.append(Option(name, "", names[name].negated))
            parts.append(Compare("tcp flags", (bit,), "!&" if names[name].negated else "&"))
    if "ecn-ip-ect" in names:
        value = integer(module, names["ecn-ip-ect"], 0, 3)
        options.append(Option("ecn-ip-ect", str(value), names["ecn-ip-ect"].negated))
        parts.append(Compare(f"{context.family} ecn", (value,), _op(names["ecn-ip-ect"])))
    return module.extension(options, tuple(parts))


def _show_ecn(extension: Extension, numeric: bool, family: str) -> str:
    said = {name: word for name, (word, _) in _ECN_TCP.items()}
    words = [_not(option) + said.get(option.name, f"ECT={option.value}") for option in extension.options]
    return " ECN match " + " ".join(words)


def _ecn_fits(extension: Extension, context: Context) -> bool:
    """ecn_mt_check4: the TCP flags want `-p tcp`."""
    wants = any(option.name in _ECN_TCP for option in extension.options)
    return not wants or (context.protocol == 6 and not context.protocol_negated)


ECN = Module(
    "ecn", (Opt("ecn-tcp-cwr", args=0, invert=True), Opt("ecn-tcp-ece", args=0, invert=True), Opt("ecn-ip-ect", invert=True)),
    _read_ecn, _show_ecn, needs=_ecn_fits,
)  # fmt: skip

# ---- tcpmss ----------------------------------------------------------------------------------------------------------


def _read_tcpmss(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "mss")
    low, high = integer_range(module, option, 65535)
    if high < low:
        raise Mistake("tcpmss: invalid range given", option.span)
    text = str(low) if low == high else f"{low}:{high}"
    part = Judge("tcpmss", (("low", low), ("high", high), ("negated", option.negated)))
    return module.extension([Option("mss", text, option.negated)], (part,))


TCPMSS = Module(
    "tcpmss", (Opt("mss", invert=True),), _read_tcpmss,
    lambda extension, numeric, family: f" tcpmss match {_not(extension.options[0])}{extension.options[0].value}", protocol=6,
)  # fmt: skip

# ---- string ----------------------------------------------------------------------------------------------------------

_LONGEST_PATTERN = 128  # XT_STRING_MAX_PATTERN_SIZE


def _read_string(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    if "string" not in names and "hex-string" not in names:
        raise Mistake("STRING match: You must specify `--string' or `--hex-string'")
    required(module, given, "algo")
    option = names.get("string") or names["hex-string"]
    pattern = option.value.encode() if option.opt.name == "string" else _hex_pattern(option)
    if len(pattern) > _LONGEST_PATTERN:
        raise Mistake(f'STRING too long "{option.value}"', option.span)
    low = integer(module, names["from"], 0, 65535) if "from" in names else 0
    high = integer(module, names["to"], 0, 65535) if "to" in names else 65535
    icase, algo = "icase" in names, names["algo"].value[:15]
    options = [_saved_pattern(pattern, option.negated), Option("algo", algo)]
    options += [Option("from", str(low))] if low else []
    options += [Option("to", str(high))] if high != 65535 else []
    options += [Option("icase")] if icase else []
    settings = (("pattern", pattern), ("from", low), ("to", high), ("icase", icase), ("algo", algo), ("negated", option.negated))
    return module.extension(options, (Judge("string", settings),))


def _hex_pattern(given: Given) -> bytes:
    """parse_hex_string: hex numbers between bars, text outside of them, a backslash before a bar that is meant."""
    out, text, at, inside = bytearray(), given.value, 0, False
    while at < len(text):
        if text[at] == "\\" and not inside and at + 1 < len(text):
            out += text[at + 1].encode()
            at += 2
        elif text[at] == "|":
            inside, at = not inside, at + 1
        elif inside and text[at].isspace():
            at += 1
        elif inside:
            pair = text[at : at + 2]
            if len(pair) < 2 or any(each not in "0123456789abcdefABCDEF" for each in pair):
                raise Mistake("Invalid hex block", given.span)
            out.append(int(pair, 16))
            at += 2
        else:
            out += text[at].encode()
            at += 1
    return bytes(out)


def _saved_pattern(pattern: bytes, negated: bool) -> Option:
    """print_hex_string where something is not to be printed, else print_string."""
    if any(byte < 32 or byte > 126 for byte in pattern) or (pattern and pattern[-1:] == b"\\"):
        return Option("hex-string", f'"|{pattern.hex()}|"', negated)
    text = "".join("\\" + char if char in '"\\' else char for char in pattern.decode())
    return Option("string", f'"{text}"', negated)


def _show_string(extension: Extension, numeric: bool, family: str) -> str:
    named = {option.name: option.value for option in extension.options}
    pattern = extension.options[0]
    text = f" STRING match {_not(pattern)} {pattern.value} ALGO name {named['algo']}"
    text += "".join(f" {name.upper()} {named[name]}" for name in ("from", "to") if name in named)
    return text + (" ICASE" if "icase" in named else "")


def _algorithm_there(extension: Extension, context: Context) -> bool:
    """The kernel's text searches that take a bare pattern are bm and kmp."""
    if any(option.name == "algo" and option.value not in ("bm", "kmp") for option in extension.options):
        raise kernel(NO_SUCH)
    return True


STRING = Module(
    "string",
    (
        Opt("from"), Opt("to"), Opt("algo"), Opt("string", invert=True, excludes=("hex-string",)),
        Opt("hex-string", invert=True, excludes=("string",)), Opt("icase", args=0),
    ),
    _read_string, _show_string, needs=_algorithm_there,
)  # fmt: skip

# ---- physdev, rpfilter -----------------------------------------------------------------------------------------------

_PHYSDEV = ("physdev-is-in", "physdev-in", "physdev-is-out", "physdev-out", "physdev-is-bridged")


def _read_physdev(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("PHYSDEV: no physdev option specified")
    names = by_name(given)
    options = [Option(name, names[name].value, names[name].negated) for name in _PHYSDEV if name in names]
    answer = all(option.negated for option in options)
    return module.extension(options, (Judge("physdev", (("answer", answer),)),))


def _show_physdev(extension: Extension, numeric: bool, family: str) -> str:
    words = [f"{'! ' if option.negated else ''}--{option.name}{' ' + option.value if option.value else ''}" for option in extension.options]
    return " PHYSDEV match " + " ".join(words)


PHYSDEV = Module(
    "physdev", tuple(Opt(name, args=int("is" not in name), invert=True) for name in _PHYSDEV), _read_physdev, _show_physdev
)
_RPFILTER = ("loose", "validmark", "accept-local", "invert")


def _read_rpfilter(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options = [Option(name) for name in _RPFILTER if name in names]
    settings = tuple((name, name in names) for name in _RPFILTER)
    return module.extension(options, (Judge("rpfilter", settings),))


RPFILTER = Module(
    "rpfilter", tuple(Opt(name, args=0) for name in _RPFILTER), _read_rpfilter,
    lambda extension, numeric, family: " rpfilter" + "".join(f" {option.name}" for option in extension.options),
    tables=frozenset(("raw", "mangle")),
)  # fmt: skip

MODULES = (DSCP, TOS, ECN, TCPMSS, SCTP, DCCP, STRING, PHYSDEV, RPFILTER)
