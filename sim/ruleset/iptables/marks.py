"""iptables' modules that put bits into packets and entries: connmark, CONNMARK, TOS, DSCP, TTL, HL, TCPMSS, ECN, CLASSIFY, CHECKSUM."""

from __future__ import annotations

import re

from sim.netfilter.words import Hook
from sim.ruleset.datatypes import DSCP
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, number, required, value_and_mask
from sim.ruleset.model import Assign, Compare, Extension, Option, Part
from sim.ruleset.parts import Blend, Nothing, Rewrite

ALL = 0xFFFFFFFF
_MANGLE = frozenset(("mangle",))

# ---- connmark, CONNMARK ----------------------------------------------------------------------------------------------


def _read_connmark(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "mark")
    value, mask = value_and_mask(module, option)
    whole = mask == ALL
    text = f"{value:#x}" if whole else f"{value:#x}/{mask:#x}"
    test = Compare("ct mark", (value,), "!=" if option.negated else "==", mask=None if whole else mask)
    return module.extension([Option("mark", text, option.negated)], (test,))


def _show_connmark(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    return f" connmark match {'!' if option.negated else ''} {option.value}"


CONNMARK_MATCH = Module("connmark", (Opt("mark", invert=True),), _read_connmark, _show_connmark)

_SHIFTS = ("left-shift-mark", "right-shift-mark")
_SETTING = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark", "save-mark", "restore-mark")


def _read_connmark_target(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    name = next((each for each in _SETTING if each in names), None)
    if name is None:
        raise Mistake("CONNMARK target: No operation specified")
    moved, shift = _shift(module, names)
    if name in ("save-mark", "restore-mark"):
        return _between(module, name, names, moved, shift)
    value, mask = _value(module, names[name])
    part: Part = Blend("ct mark", "ct mark", 0, mask ^ ALL, value, shift) if shift else Assign("ct mark", value, mask ^ ALL)
    return module.extension([Option("set-xmark", f"{value:#x}/{mask:#x}"), *moved], (part,))


def _shift(module: Module, names: dict[str, Given]) -> tuple[list[Option], int]:
    """How it is saved, and by how many bits the mark goes to the left (below 0: to the right)."""
    given = next((each for each in reversed(names.values()) if each.opt.name in _SHIFTS), None)
    bits = integer(module, given, 0, 32) if given is not None else 0
    if given is None or not bits:
        return [], 0
    return [Option(given.opt.name, str(bits))], bits if given.opt.name == "left-shift-mark" else -bits


def _value(module: Module, option: Given) -> tuple[int, int]:
    if option.opt.name in ("set-xmark", "set-mark"):
        value, mask = value_and_mask(module, option)
        return value, mask | (value if option.opt.name == "set-mark" else 0)
    bits = integer(module, option, 0, ALL)
    return {"and-mark": (0, bits ^ ALL), "or-mark": (bits, bits), "xor-mark": (bits, 0)}[option.opt.name]


def _between(module: Module, name: str, names: dict[str, Given], moved: list[Option], shift: int) -> Extension:
    """--save-mark, --restore-mark."""
    both = integer(module, names["mask"], 0, ALL) if "mask" in names else ALL
    nfmask = integer(module, names["nfmask"], 0, ALL) if "nfmask" in names else both
    ctmask = integer(module, names["ctmask"], 0, ALL) if "ctmask" in names else both
    selector, source, out, take = "ct mark", "meta mark", ctmask, nfmask
    if name == "restore-mark":
        selector, source, out, take = "meta mark", "ct mark", nfmask, ctmask
    whole = out == take == ALL and not shift
    part: Part = Assign(selector, 0, ALL, source) if whole else Blend(selector, source, out ^ ALL, take, 0, shift)
    return module.extension([Option(name), Option("nfmask", f"{nfmask:#x}"), Option("ctmask", f"{ctmask:#x}"), *moved], (part,))


def _show_connmark_target(extension: Extension, numeric: bool, family: str) -> str:
    options = {option.name: option.value for option in extension.options}
    moved = "".join(f" {name} {options[name]}" for name in _SHIFTS if name in options)
    if "set-xmark" in options:
        return " CONNMARK" + _bits_words(*(int(text, 16) for text in options["set-xmark"].split("/"))) + moved
    return f" CONNMARK {_between_words(extension.options[0].name.partition('-')[0], options)}{moved}"


def _between_words(word: str, options: dict[str, str]) -> str:
    nfmask, ctmask = int(options["nfmask"], 16), int(options["ctmask"], 16)
    if nfmask == ctmask:
        return word + (f" mask {nfmask:#x}" if nfmask != ALL else "")
    if word == "save":
        return f"save nfmask {nfmask:#x} ctmask ~{ctmask:#x}"
    return f"restore ctmask {ctmask:#x} nfmask ~{nfmask:#x}"


def _bits_words(value: int, mask: int) -> str:
    if value == 0:
        return f" and {mask ^ ALL:#x}"
    if value == mask:
        return f" or {value:#x}"
    if mask == 0:
        return f" xor {value:#x}"
    return f" set {value:#x}" if mask == ALL else f" xset {value:#x}/{mask:#x}"


CONNMARK = Module(
    "CONNMARK",
    (
        *(Opt(name, excludes=tuple(each for each in _SETTING if each != name)) for name in _SETTING[:5]),
        *(Opt(name, args=0, excludes=tuple(each for each in _SETTING if each != name)) for name in _SETTING[5:]),
        Opt("left-shift-mark"), Opt("right-shift-mark"), Opt("ctmask"), Opt("nfmask"), Opt("mask"),
    ),
    _read_connmark_target, _show_connmark_target, target=True,
    needs=lambda extension, context: all(option.name not in _SHIFTS or int(option.value) < 32 for option in extension.options),
)  # fmt: skip

# ---- TOS, DSCP -------------------------------------------------------------------------------------------------------

TOS_NAMES = {"Minimize-Delay": 0x10, "Maximize-Throughput": 0x08, "Maximize-Reliability": 0x04, "Minimize-Cost": 0x02, "Normal-Service": 0}
_SYMBOL_MASK = 0x3F


def tos_value(given: Given, default: int = 0xFF) -> tuple[int, int]:
    """TOS as value, value/mask or a name (xtables' tos_parse_numeric, tos_parse_symbolic)."""
    text, slash, mask_text = given.value.partition("/")
    value, mask = number(text), number(mask_text) if slash else default
    if value is not None and mask is not None and value < 256 and mask < 256:
        return value, mask
    name = next((each for each in TOS_NAMES if each.lower() == given.value.lower()), None)
    if name is None:
        raise Mistake(f'Symbolic name "{given.value}" is unknown', given.span)
    return TOS_NAMES[name], _SYMBOL_MASK


def tos_name(value: int, mask: int) -> str | None:
    """The name under which it is listed without -n."""
    return next((name for name, bits in TOS_NAMES.items() if bits == value), None) if mask == _SYMBOL_MASK else None


_TOS_SETTING = ("set-tos", "and-tos", "or-tos", "xor-tos")


def _read_tos_target(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("TOS: An action is required")
    option = given[0]
    if option.opt.name == "set-tos":
        value, mask = tos_value(option)
    else:
        bits = integer(module, option, 0, 255)
        value, mask = {"and-tos": (0, bits ^ 255), "or-tos": (bits, bits), "xor-tos": (bits, 0)}[option.opt.name]
    return module.extension([Option("set-tos", f"0x{value:02x}/0x{mask:02x}")], (Rewrite("tos", value, mask ^ 255),))


def _show_tos_target(extension: Extension, numeric: bool, family: str) -> str:
    value, mask = (int(text, 16) for text in extension.options[0].value.split("/"))
    name = tos_name(value, mask)
    if numeric:
        return f" TOS set {extension.options[0].value}"
    if name is not None:
        return f"  TOS set{name}"
    if value == 0:
        return f" TOS and 0x{mask ^ 255:02x}"
    if value == mask:
        return f" TOS or 0x{value:02x}"
    return f" TOS xor 0x{value:02x}" if mask == 0 else f" TOS set {extension.options[0].value}"


TOS = Module(
    "TOS", tuple(Opt(name, excludes=tuple(each for each in _TOS_SETTING if each != name)) for name in _TOS_SETTING),
    _read_tos_target, _show_tos_target, target=True, tables=_MANGLE,
)  # fmt: skip


def dscp_class(given: Given) -> int:
    """A DSCP class by its name."""
    known = {name: value for name, value in DSCP.items() if name not in ("lephb", "va")}
    if given.value.lower() not in known:
        raise Mistake(f"Invalid DSCP value `{given.value}'", given.span)
    return known[given.value.lower()]


def _read_dscp_target(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("DSCP target: Parameter --set-dscp is required")
    option = given[0]
    value = integer(module, option, 0, 63) if option.opt.name == "set-dscp" else dscp_class(option)
    return module.extension([Option("set-dscp", f"0x{value:02x}")], (Rewrite("tos", value << 2, 3, 4 if context.family == "ip" else 6),))


DSCP_TARGET = Module(
    "DSCP", (Opt("set-dscp", excludes=("set-dscp-class",)), Opt("set-dscp-class", excludes=("set-dscp",))), _read_dscp_target,
    lambda extension, numeric, family: f" DSCP set {extension.options[0].value}", target=True, tables=_MANGLE,
)  # fmt: skip

# ---- TTL, HL ---------------------------------------------------------------------------------------------------------

_HOW = {"set": "set to", "dec": "decrement by", "inc": "increment by"}


def _read_hops(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake(f"{module.name}: You must specify an action")
    option, how = given[0], given[0].opt.name[-3:]
    value = integer(module, option, 0 if how == "set" else 1, 255)
    return module.extension([Option(option.opt.name, str(value))], (Rewrite(f"ttl {how}", value),))


def _show_hops(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    return f" {extension.name} {_HOW[option.name[-3:]]} {option.value}"


def _hops(name: str, family: str) -> Module:
    names = tuple(f"{name.lower()}-{how}" for how in _HOW)
    options = tuple(Opt(each, excludes=tuple(other for other in names if other != each)) for each in names)
    return Module(name, options, _read_hops, _show_hops, target=True, tables=_MANGLE, families=(family,))


# ---- TCPMSS, ECN -----------------------------------------------------------------------------------------------------


def _read_mss(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("TCPMSS target: At least one parameter is required")
    option = given[-1]
    if option.opt.name == "clamp-mss-to-pmtu":
        return module.extension([Option("clamp-mss-to-pmtu")], (Rewrite("mss clamp"),))
    most = 65535 - (20 if context.family == "ip" else 40)
    value = integer(module, option, 0, most)
    return module.extension([Option("set-mss", str(value))], (Rewrite("mss", value),))


def _show_mss(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    return f" TCPMSS set {option.value}" if option.value else " TCPMSS clamp to PMTU"


TCPMSS = Module(
    "TCPMSS", (Opt("set-mss"), Opt("clamp-mss-to-pmtu", args=0)),
    _read_mss, _show_mss, target=True, protocol=6,
)  # fmt: skip


def _operation(given: tuple[Given, ...]) -> Given:
    if not given:
        raise Mistake("ECN target: An operation is required")
    return given[0]


ECN = Module(
    "ECN", (Opt("ecn-tcp-remove", args=0),),
    lambda module, given, context: module.extension([Option(_operation(given).opt.name)], (Rewrite("ecn remove"),)),
    lambda extension, numeric, family: " ECN TCP remove", target=True, protocol=6, tables=_MANGLE, families=("ip",),
)  # fmt: skip

# ---- CLASSIFY, CHECKSUM ----------------------------------------------------------------------------------------------


def _read_classify(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "set-class")
    if not re.fullmatch(r"[0-9a-fA-F]{1,8}:[0-9a-fA-F]{1,8}", option.value):
        raise Mistake(f'Bad class value "{option.value}"', option.span)
    major, minor = (int(text, 16) & 0xFFFF for text in option.value.split(":"))
    return module.extension([Option("set-class", f"{major:04x}:{minor:04x}")], (Assign("xt priority", major << 16 | minor),))


def _show_classify(extension: Extension, numeric: bool, family: str) -> str:
    major, minor = (int(text, 16) for text in extension.options[0].value.split(":"))
    return f" CLASSIFY set {major:x}:{minor:x}"


CLASSIFY = Module(
    "CLASSIFY", (Opt("set-class"),), _read_classify, _show_classify, target=True,
    hooks=frozenset((Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)),
)  # fmt: skip
CHECKSUM = Module(
    "CHECKSUM", (Opt("checksum-fill", args=0),),
    lambda module, given, context: module.extension(
        [Option(required(module, given, "checksum-fill").opt.name)], (Nothing("every packet here has its checksum already"),)
    ),
    lambda extension, numeric, family: " CHECKSUM fill", target=True, tables=_MANGLE,
)  # fmt: skip

TARGETS = (CONNMARK, TOS, DSCP_TARGET, _hops("TTL", "ip"), _hops("HL", "ip6"), TCPMSS, ECN, CLASSIFY, CHECKSUM)
