"""iptables' modules that count: statistic, quota, connbytes, connlimit, recent."""

from __future__ import annotations

from sim.ruleset.iptables.addresses import parse_mask, resolved
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, number, required
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge
from sim.units import show_address

_U32, _U64 = 0xFFFFFFFF, (1 << 64) - 1

# ---- statistic -------------------------------------------------------------------------------------------------------


def _read_statistic(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    mode = names["mode"].value if "mode" in names else "random"
    if mode not in ("random", "nth"):
        raise Mistake(f'Bad mode "{mode}"', names["mode"].span)
    if mode == "random":
        return _random(module, given, names)
    return _nth(module, names)


def _random(module: Module, given: tuple[Given, ...], names: dict[str, Given]) -> Extension:
    if "probability" not in names:
        raise Mistake("--probability must be specified when using random mode")
    required(module, given, "mode")
    option = names["probability"]
    try:
        value = float(option.value)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise Mistake('statistic: bad value for option "--probability", or out of range (0-1).\n', option.span)
    bits = round(value * 0x80000000)
    text = f"{bits / 0x80000000:.11f}"
    settings = (("mode", "random"), ("probability", bits), ("negated", option.negated))
    return module.extension([Option("mode", "random"), Option("probability", text, option.negated)], (Judge("statistic", settings),))


def _nth(module: Module, names: dict[str, Given]) -> Extension:
    if "every" not in names and "packet" not in names:
        raise Mistake("--every and --packet must be specified when using nth mode")
    every = integer(module, names["every"], 1, _U32) if "every" in names else 0
    packet = integer(module, names["packet"], 0, _U32) if "packet" in names else 0
    if packet >= every:
        raise Mistake("the --packet p must be 0 <= p <= n-1")
    negated = "every" in names and names["every"].negated
    settings = (("mode", "nth"), ("every", every - 1), ("packet", packet), ("negated", negated))
    options = [Option("mode", "nth"), Option("every", str(every), negated), Option("packet", str(packet))]
    return module.extension(options, (Judge("statistic", settings),))


def _show_statistic(extension: Extension, numeric: bool, family: str) -> str:
    mode, main, *rest = extension.options
    text = f" statistic mode {mode.value}{' !' if main.negated else ''} {main.name} {main.value}"
    return text + "".join(f" packet {option.value}" for option in rest if option.value != "0")


STATISTIC = Module(
    "statistic",
    (
        Opt("mode"), Opt("probability", invert=True, excludes=("every", "packet")),
        Opt("every", invert=True, excludes=("probability",), also="packet"),
        Opt("packet", excludes=("probability",), also="every"),
    ),
    _read_statistic, _show_statistic,
)  # fmt: skip

# ---- quota -----------------------------------------------------------------------------------------------------------


def _read_quota(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "quota")
    value = integer(module, option, 0, _U64)
    part = Judge("quota", (("quota", value), ("negated", option.negated)))
    return module.extension([Option("quota", str(value), option.negated)], (part,))


QUOTA = Module(
    "quota", (Opt("quota", invert=True),), _read_quota,
    lambda extension, numeric, family: f" quota: {extension.options[0].value} bytes",
)  # fmt: skip

# ---- connbytes -------------------------------------------------------------------------------------------------------


def _read_connbytes(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    option = required(module, given, "connbytes")
    low, high = _byte_range(option)
    way, mode = required(module, given, "connbytes-dir"), required(module, given, "connbytes-mode")
    if way.value not in ("original", "reply", "both"):
        raise Mistake(f"Unknown --connbytes-dir `{way.value}'", way.span)
    if mode.value not in ("packets", "bytes", "avgpkt"):
        raise Mistake(f"Unknown --connbytes-mode `{mode.value}'", mode.span)
    text = str(low) if high == _U64 else f"{low}:{high}"
    options = [Option("connbytes", text, option.negated), Option("connbytes-mode", mode.value), Option("connbytes-dir", way.value)]
    if option.negated:
        low, high = high, low
    settings = (("low", low), ("high", high), ("mode", mode.value), ("dir", names["connbytes-dir"].value))
    return module.extension(options, (Judge("connbytes", settings),))


def _byte_range(given: Given) -> tuple[int, int]:
    low_text, colon, high_text = given.value.partition(":")
    low = number(low_text) if low_text or not colon else 0
    high = number(high_text) if high_text else _U64
    if low is None or high is None or max(low, high) > _U64:
        near = given.value if low is None else high_text
        message = f'connbytes: bad value for option "--connbytes" near "{near}", or out of range (0-{_U64}).\n'
        raise Mistake(message, given.span)
    if high < low:
        raise Mistake(f"{low} should be less than {high}", given.span)
    return low, high


def _show_connbytes(extension: Extension, numeric: bool, family: str) -> str:
    option, mode, way = extension.options
    return f"{' !' if option.negated else ''} connbytes {option.value} connbytes mode {mode.value} connbytes direction {way.value}"


CONNBYTES = Module(
    "connbytes", (Opt("connbytes", invert=True), Opt("connbytes-dir"), Opt("connbytes-mode")), _read_connbytes, _show_connbytes
)

# ---- connlimit -------------------------------------------------------------------------------------------------------


def _read_connlimit(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    option = names.get("connlimit-above") or names.get("connlimit-upto")
    if option is None:
        raise Mistake('You must specify "--connlimit-above" or "--connlimit-upto".')
    above = integer(module, option, 0, _U32)
    upto = (option.opt.name == "connlimit-upto") != option.negated
    length = _prefix(names["connlimit-mask"], context) if "connlimit-mask" in names else context.bits
    mask = ((1 << length) - 1 << context.bits - length).to_bytes(context.bits // 8)
    which = "connlimit-daddr" if "connlimit-daddr" in names else "connlimit-saddr"
    options = [Option("connlimit-upto" if upto else "connlimit-above", str(above)), Option("connlimit-mask", str(length)), Option(which)]
    settings = (("above", above), ("negated", upto), ("mask", mask), ("daddr", which == "connlimit-daddr"))
    return module.extension(options, (Judge("connlimit", settings),))


def _prefix(given: Given, context: Context) -> int:
    """A prefix length, or IPv4's dotted mask. What is too long ends in the whole address."""
    value = number(given.value)
    if value is not None:
        return min(value, context.bits)
    mask = parse_mask(given.value, context.family, given.span)
    return int.from_bytes(mask).bit_count()


def _show_connlimit(extension: Extension, numeric: bool, family: str) -> str:
    count, mask, which = extension.options
    sign = "<=" if count.name == "connlimit-upto" else ">"
    return f" #conn {which.name[len('connlimit-')]}{'rc' if which.name.endswith('saddr') else 'st'}/{mask.value} {sign} {count.value}"


CONNLIMIT = Module(
    "connlimit",
    (
        Opt("connlimit-upto", invert=True, excludes=("connlimit-above",)),
        Opt("connlimit-above", invert=True, excludes=("connlimit-upto",)),
        Opt("connlimit-mask"), Opt("connlimit-saddr", args=0, excludes=("connlimit-daddr",)),
        Opt("connlimit-daddr", args=0, excludes=("connlimit-saddr",)),
    ),
    _read_connlimit, _show_connlimit,
)  # fmt: skip

# ---- recent ----------------------------------------------------------------------------------------------------------

_VERBS = ("set", "rcheck", "update", "remove")
_SAID = {"set": "SET", "rcheck": "CHECK", "update": "UPDATE", "remove": "REMOVE"}
MOST_HITS = 65535  # XT_RECENT_MAX_NSTAMPS - 1


def _read_recent(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    verb = next((each for each in _VERBS if each in names), None)
    if verb is None:
        raise Mistake("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")
    seconds = integer(module, names["seconds"], 1, _U32) if "seconds" in names else 0
    hits = integer(module, names["hitcount"], 0, _U32) if "hitcount" in names else 0
    name = names["name"].value[:199] if "name" in names else "DEFAULT"
    side = "rdest" if "rdest" in names else "rsource"
    mask = resolved(names["mask"].value, context.family, names["mask"].span) if "mask" in names else b"\xff" * (context.bits // 8)
    options = [Option(verb, "", names[verb].negated)]
    options += [Option("seconds", str(seconds))] if seconds else []
    options += [Option("reap")] if "reap" in names else []
    options += [Option("hitcount", str(hits))] if hits else []
    options += [Option("rttl")] if "rttl" in names else []
    options += [Option("name", name), Option("mask", show_address(mask)), Option(side)]
    settings = (
        ("verb", verb), ("seconds", seconds), ("hitcount", hits), ("reap", "reap" in names), ("rttl", "rttl" in names), ("side", side),
        ("mask", mask), ("negated", names[verb].negated),
    )  # fmt: skip
    return module.extension(options, (Judge("recent", settings, f"recent {context.family} {name}"),))


def recent_fits(extension: Extension, context: Context) -> bool:
    """recent_mt_check: --set and --remove look at no time and no number."""
    verb, rest = extension.options[0].name, {option.name: option.value for option in extension.options[1:]}
    if verb in ("set", "remove") and rest.keys() & {"seconds", "hitcount", "rttl", "reap"}:
        return False
    return int(rest.get("hitcount", "0")) <= MOST_HITS


def _show_recent(extension: Extension, numeric: bool, family: str) -> str:
    verb, *rest = extension.options
    named = {option.name: option.value for option in rest}
    text = f"{' !' if verb.negated else ''} recent: {_SAID[verb.name]}"
    text += f" seconds: {named['seconds']}" if "seconds" in named else ""
    text += " reap" if "reap" in named else ""
    text += f" hit_count: {named['hitcount']}" if "hitcount" in named else ""
    text += " TTL-Match" if "rttl" in named else ""
    return text + f" name: {named['name']} side: {'dest' if 'rdest' in named else 'source'} mask: {named['mask']}"


RECENT = Module(
    "recent",
    (
        *(Opt(verb, args=0, invert=True, excludes=tuple(each for each in _VERBS if each != verb)) for verb in _VERBS),
        Opt("seconds"), Opt("reap", args=0, also="seconds"),
        Opt("hitcount"), Opt("rttl", args=0, excludes=("set", "remove")), Opt("name"), Opt("rsource", args=0),
        Opt("rdest", args=0), Opt("mask"),
    ),
    _read_recent, _show_recent, needs=recent_fits,
)  # fmt: skip

MODULES = (STATISTIC, QUOTA, CONNBYTES, CONNLIMIT, RECENT)
