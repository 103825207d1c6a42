"""iptables' modules for `-j`: REJECT, LOG, NFLOG, MARK; and the table of all. Verdicts and chains are no modules: rule.py."""

from __future__ import annotations

from sim.ruleset.iptables import nat
from sim.ruleset.iptables.actions import TARGETS as ACTIONS
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.handed import TARGETS as HANDED
from sim.ruleset.iptables.marks import TARGETS as MARKS
from sim.ruleset.iptables.module import (
    Context,
    Given,
    Module,
    Opt,
    by_name,
    integer,
    saved_string,
    value_and_mask,
)
from sim.ruleset.iptables.sets import TARGET as SET
from sim.ruleset.iptables.template import CT, NOTRACK
from sim.ruleset.model import Assign, Extension, Log, Option, Reject

# ---- REJECT ----------------------------------------------------------------------------------------------------------

_REJECT = {
    "ip": (
        ("icmp-net-unreachable", "net-unreach", "net-unreachable"), ("icmp-host-unreachable", "host-unreach", "host-unreachable"),
        ("icmp-proto-unreachable", "proto-unreach", "prot-unreachable"), ("icmp-port-unreachable", "port-unreach", "port-unreachable"),
        ("icmp-net-prohibited", "net-prohib", "net-prohibited"), ("icmp-host-prohibited", "host-prohib", "host-prohibited"),
        ("tcp-reset", "tcp-rst", "tcp reset"), ("icmp-admin-prohibited", "admin-prohib", "admin-prohibited"),
    ),
    "ip6": (
        ("icmp6-no-route", "no-route", "no-route"), ("icmp6-adm-prohibited", "adm-prohibited", "admin-prohibited"),
        ("icmp6-addr-unreachable", "addr-unreach", "addr-unreachable"), ("icmp6-port-unreachable", "port-unreach", "port-unreachable"),
        ("tcp-reset", "tcp-reset", "tcp reset"), ("icmp6-policy-fail", "policy-fail", "policy-fail"),
        ("icmp6-reject-route", "reject-route", "reject-route"),
    ),
}  # fmt: skip


def _read_reject(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    text = given[0].value if given else "port-unreach"
    for name, alias, kind in _REJECT[context.family]:
        if name.startswith(text.lower()) or alias.startswith(text.lower()):
            return module.extension([Option("reject-with", name)], (Reject(kind, context.family),))
    message = f'unknown reject type "{text}"'
    raise Mistake(message, given[0].span)


def _reject_fits(extension: Extension, context: Context) -> bool:
    """tcp-reset wants `-p tcp` (reject_tg_check)."""
    return extension.options[0].value != "tcp-reset" or (context.protocol == 6 and not context.protocol_negated)


REJECT = Module(
    "REJECT", (Opt("reject-with"),), _read_reject, lambda extension, numeric, family: f" reject-with {extension.options[0].value}",
    target=True, tables=frozenset(("filter",)), needs=_reject_fits,
)  # fmt: skip

# ---- LOG, NFLOG ------------------------------------------------------------------------------------------------------

_LEVELS = ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
_LISTED_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_FLAGS = (
    ("log-tcp-sequence", "tcp sequence", "tcp-sequence", 1), ("log-tcp-options", "tcp options", "tcp-options", 2),
    ("log-ip-options", "ip options", "ip-options", 4), ("log-uid", "skuid", "uid", 8), ("log-macdecode", "ether", "macdecode", 32),
)  # fmt: skip


def _text(given: Given, limit: int) -> str:
    if not given.value:
        raise Mistake("Argument must have a minimum length of 1 characters\n", given.span)
    return given.value.encode()[:limit].decode(errors="ignore")


def _read_log(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    prefix = _text(names["log-prefix"], 29) if "log-prefix" in names else ""
    level = _level(names["log-level"]) if "log-level" in names else 4
    options = [Option("log-prefix", saved_string(prefix))] if prefix else []
    if level != 4:
        options.append(Option("log-level", str(level)))
    options += [Option(name) for name, _, _, _ in _FLAGS if name in names]
    flags = frozenset(flag for name, flag, _, _ in _FLAGS if name in names)
    return module.extension(options, (Log(prefix, level, flags),))


def _level(given: Given) -> int:
    if given.value.isdecimal() and int(given.value) < 8:
        return int(given.value)
    names = {**{name: number for number, name in enumerate(_LEVELS)}, "panic": 0}
    if given.value not in names:
        raise Mistake(f'log level "{given.value}" unknown\n', given.span)
    return names[given.value]


def _show_log(extension: Extension, numeric: bool, family: str) -> str:
    part = extension.parts[0]
    assert isinstance(part, Log)
    if numeric:
        text = f" LOG flags {sum(bit for _, flag, _, bit in _FLAGS if flag in part.flags)} level {part.level}"
    else:
        words = "".join(f" {word}" for _, flag, word, _ in _FLAGS if flag in part.flags)
        text = f" LOG level {_LISTED_LEVELS[part.level]}{words}"
    return text + (f' prefix "{part.prefix}"' if part.prefix else "")


LOG = Module(
    "LOG", (Opt("log-level"), Opt("log-prefix"), *(Opt(name, args=0) for name, _, _, _ in _FLAGS)), _read_log, _show_log, target=True,
)  # fmt: skip


_RANGE = "warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead\n"


def _read_nflog(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    prefix = _text(names["nflog-prefix"], 63) if "nflog-prefix" in names else ""
    group = integer(module, names["nflog-group"], 0, 65535) if "nflog-group" in names else 0
    size = integer(module, names["nflog-size"], 0, 0xFFFFFFFF) if "nflog-size" in names else 0
    length = integer(module, names["nflog-range"], 0, 0xFFFFFFFF) if "nflog-range" in names else 0
    threshold = integer(module, names["nflog-threshold"], 0, 65535) if "nflog-threshold" in names else 0
    options = [Option("nflog-prefix", saved_string(prefix))] if prefix else []
    options += [Option("nflog-group", str(group))] if group else []
    options += [Option("nflog-size", str(size))] if "nflog-size" in names else []
    options += [Option("nflog-range", str(length))] if length else []
    options += [Option("nflog-threshold", str(threshold))] if threshold else []
    return module.extension(options, (Log(prefix, group=group, snaplen=size, threshold=threshold),))


def _show_options(extension: Extension, numeric: bool, family: str) -> str:
    return "".join(f" {option.name} {option.value}" for option in extension.options)


NFLOG = Module(
    "NFLOG",
    (
        Opt("nflog-group"), Opt("nflog-prefix"), Opt("nflog-range", excludes=("nflog-size",), says=lambda given: _RANGE),
        Opt("nflog-size"), Opt("nflog-threshold"),
    ),
    _read_nflog, _show_options, target=True,
)  # fmt: skip

# ---- MARK -----------------------------------------------------------------------------------------------------------

_MARKS = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")


def _read_mark(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required")
    option = given[0]
    value, mask = value_and_mask(module, option)
    match option.opt.name:
        case "set-mark":
            mask |= value
        case "and-mark":
            value, mask = 0, value ^ 0xFFFFFFFF
        case "or-mark":
            mask = value
        case "xor-mark":
            mask = 0
    shown = Option("set-xmark", f"{value:#x}/{mask:#x}")
    return module.extension([shown], (Assign("meta mark", value, mask ^ 0xFFFFFFFF),))


def _show_mark(extension: Extension, numeric: bool, family: str) -> str:
    value_text, mask_text = extension.options[0].value.split("/")
    value, mask = int(value_text, 16), int(mask_text, 16)
    if value == 0:
        return f" MARK and {mask ^ 0xFFFFFFFF:#x}"
    if value == mask:
        return f" MARK or {value:#x}"
    if mask == 0:
        return f" MARK xor {value:#x}"
    return f" MARK set {value:#x}" if mask == 0xFFFFFFFF else f" MARK xset {value:#x}/{mask:#x}"


MARK = Module(
    "MARK", tuple(Opt(name, excludes=tuple(other for other in _MARKS if other != name)) for name in _MARKS), _read_mark, _show_mark,
    target=True,
)  # fmt: skip


TARGETS = {module.name: module for module in (REJECT, LOG, NFLOG, MARK, CT, NOTRACK, *nat.MODULES, *MARKS, *ACTIONS, *HANDED, SET)}
NOT_SIMULATED = frozenset("""
    CLUSTERIP DNPT HMARK LED QUEUE RATEEST SNPT SYNPROXY ULOG
""".split())  # fmt: skip
