"""iptables' module hashlimit: a rate for each source, destination or port. Its arithmetic is sim/ruleset/hashlimit.py's."""

from __future__ import annotations

from sim.ruleset.hashlimit import SCALE, overflows
from sim.ruleset.iptables.addresses import parse_mask
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, number, required
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_U32 = 0xFFFFFFFF
_UNITS = (("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1))
_SPELLED = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_MODES = ("srcip", "srcport", "dstip", "dstport")
_SIZES = (("m", 1 << 20), ("k", 1 << 10), ("", 1))
_BYTE_EXPIRE, _BYTE_EXPIRE_BURST = 15, 60


def _bad(given: Given) -> Mistake:
    return Mistake(f'hashlimit: Bad value for "--{given.opt.name}" option: "{given.value}"', given.span)


def _packet_rate(given: Given) -> tuple[int, int]:
    """(the scaled period, the unit in seconds)."""
    text, slash, unit_text = given.value.partition("/")
    units = [size for name, size in _SPELLED.items() if unit_text and name.startswith(unit_text.lower())]
    if (slash and not units) or not text.isdecimal() or int(text) == 0:
        raise _bad(given)
    size = units[0] if units else 1
    if int(text) > SCALE * size:
        raise Mistake(f'Rate too fast "{given.value}"\n', given.span)
    return SCALE * size // int(text), size


def _bytes_to_cost(size: int) -> int:
    return _U32 // ((size >> 4) + 1)


def cost_to_bytes(cost: int) -> int:
    """The rate in bytes behind the kernel's number."""
    return ((_U32 // cost if cost else _U32) - 1) << 4


def _sized(text: str, given: Given) -> int:
    digits = text.rstrip("bkm")
    suffix = text[len(digits) :]
    if not digits.isdecimal() or suffix not in ("b", "kb", "mb"):
        raise _bad(given)
    return int(digits) * {"b": 1, "kb": 1 << 10, "mb": 1 << 20}[suffix]


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    rate = names.get("hashlimit-upto") or names.get("hashlimit-above")
    if rate is None:
        raise Mistake("You have to specify --hashlimit")
    name = required(module, given, "hashlimit-name")
    above = (rate.opt.name == "hashlimit-above") != rate.negated
    in_bytes = rate.value.endswith("b/s")
    average, unit = (_bytes_to_cost(_sized(rate.value[:-2], rate)), _BYTE_EXPIRE) if in_bytes else _packet_rate(rate)
    by_rate = "hashlimit-rate-match" in names
    interval = _interval(names) or (unit if by_rate and not in_bytes else 0)
    burst, wait = _burst(module, names, in_bytes, average, unit)
    average = average // unit if by_rate and not in_bytes else average
    expire = _number(module, names, "hashlimit-htable-expire", wait * 1000)
    modes = _modes(names)
    options = [Option("hashlimit-above" if above else "hashlimit-upto", _rate_text(in_bytes, average))]
    if burst or not in_bytes:
        options.append(Option("hashlimit-burst", _size_text(cost_to_bytes(average) * burst) if in_bytes else str(burst)))
    options += [Option("hashlimit-mode", ",".join(modes))] if modes else []
    options.append(Option("hashlimit-name", name.value[:255]))
    options += _table_options(module, names, expire, _quantum(in_bytes, burst, average))
    masks = {which: _mask(names, which, context) for which in ("srcmask", "dstmask")}
    options += [Option(f"hashlimit-{which}", str(length)) for which, length in masks.items() if length != context.bits]
    if by_rate:
        options += [Option("hashlimit-rate-match")] + ([Option("hashlimit-rate-interval", str(interval))] if interval > 1 else [])
    settings = (
        ("above", above), ("bytes", in_bytes), ("average", average), ("burst", burst), ("mode", frozenset(modes)), ("expire", expire),
        *masks.items(), ("interval", interval), ("rate", by_rate),
    )  # fmt: skip
    return module.extension(options, (Judge("hashlimit", settings, f"hashlimit {context.family} {name.value}"),))


def _interval(names: dict[str, Given]) -> int:
    """Over how many seconds a rate is measured; 0 without saying."""
    given = names.get("hashlimit-rate-interval")
    if given is None:
        return 0
    value = number(given.value)
    if not value or value >= _U32:
        raise _bad(given)
    return value


def _burst(module: Module, names: dict[str, Given], in_bytes: bool, average: int, unit: int) -> tuple[int, int]:
    """The burst, and the unit of time after which an idle bucket goes."""
    if "hashlimit-burst" not in names:
        return (0, unit) if in_bytes else (5, unit)
    given = names["hashlimit-burst"]
    if not in_bytes:
        return integer(module, given, 1, 1_000_000), unit
    whole, least = _sized(given.value, given), cost_to_bytes(average)
    if whole < least:
        raise Mistake(f"burst cannot be smaller than {least}b", given.span)
    return -(-whole // max(1, least)), _BYTE_EXPIRE_BURST


def _modes(names: dict[str, Given]) -> list[str]:
    if "hashlimit-mode" not in names:
        return []
    given = names["hashlimit-mode"]
    words = given.value.lower().split(",")
    if any(word not in _MODES for word in words):
        raise _bad(given)
    return [mode for mode in _MODES if mode in words]


def _mask(names: dict[str, Given], which: str, context: Context) -> int:
    if f"hashlimit-{which}" not in names:
        return context.bits
    given = names[f"hashlimit-{which}"]
    value = number(given.value)
    if value is not None and value <= context.bits:
        return value
    return int.from_bytes(parse_mask(given.value, context.family, given.span)).bit_count()


def _number(module: Module, names: dict[str, Given], name: str, default: int) -> int:
    return integer(module, names[name], 0, _U32) if name in names else default


def _table_options(module: Module, names: dict[str, Given], expire: int, quantum: int) -> list[Option]:
    found = []
    for name, default in (("size", 0), ("max", 0), ("gcinterval", 1000)):
        value = _number(module, names, f"hashlimit-htable-{name}", default)
        if value != default:
            found.append(Option(f"hashlimit-htable-{name}", str(value)))
    return found + ([Option("hashlimit-htable-expire", str(expire))] if expire != quantum else [])


def _quantum(in_bytes: bool, burst: int, average: int) -> int:
    """The time that goes without saying, in ms: the unit in which the rate is printed."""
    if in_bytes:
        return (_BYTE_EXPIRE_BURST if burst else _BYTE_EXPIRE) * 1000
    return _unit(average)[1] * 1000


def _unit(period: int) -> tuple[str, int]:
    shown = _UNITS[0]
    for name, size in _UNITS[1:]:
        if period > SCALE * size or SCALE * size // period < SCALE * size % period:
            break
        shown = (name, size)
    return shown


def _rate_text(in_bytes: bool, average: int) -> str:
    if in_bytes:
        return _bytes_text(average)
    name, size = _unit(average)
    return f"{SCALE * size // average}/{name}"


def _bytes_text(average: int) -> str:
    """The largest unit in which the rate, cut to whole ones, is the same number to the kernel (print_bytes)."""
    size = cost_to_bytes(average)
    fits = ((name, factor) for name, factor in _SIZES if size >= factor and _bytes_to_cost(size // factor * factor) == average)
    name, factor = next(fits, _SIZES[-1])
    return f"{size // factor}{name}b/s"


def _size_text(size: int) -> str:
    name, factor = next(((name, factor) for name, factor in _SIZES if size >= factor), _SIZES[-1])
    return f"{size // factor}{name}b"


def _show(extension: Extension, numeric: bool, family: str) -> str:
    judge = extension.parts[0]
    assert isinstance(judge, Judge)
    rate, *rest = extension.options
    value = rate.value
    if judge["interval"] and not judge["bytes"]:  # the list's rate is for so many times a second
        value, rest = _listed_slower(judge, rest)
    text = f" limit: {'above' if rate.name.endswith('above') else 'up to'} {value}"
    for option in rest:
        short = option.name.removeprefix("hashlimit-")
        if short != "name":
            text += f" {short}" + (f" {option.value.replace(',', '-')}" if option.value else "")
    return text


def _listed_slower(judge: Judge, rest: list[Option]) -> tuple[str, list[Option]]:
    period = judge["average"] * judge["interval"]
    rest = [option for option in rest if option.name != "hashlimit-htable-expire"]
    if judge["expire"] != _unit(period)[1] * 1000:
        places = [place for place, option in enumerate(rest) if option.name in _AFTER_EXPIRE]
        rest.insert(places[0] if places else len(rest), Option("hashlimit-htable-expire", str(judge["expire"])))
    return _rate_text(False, period), rest


_AFTER_EXPIRE = ("hashlimit-srcmask", "hashlimit-dstmask", "hashlimit-rate-match", "hashlimit-rate-interval")


def hashlimit_fits(extension: Extension) -> bool:
    """Whether the kernel can hold the burst (hashlimit_mt_check_common)."""
    part = extension.parts[0]
    assert isinstance(part, Judge)
    return bool(part["bytes"]) or not overflows(part["average"], part["burst"])


HASHLIMIT = Module(
    "hashlimit",
    (
        Opt("hashlimit-upto", ("hashlimit",), invert=True, excludes=("hashlimit-above",)),
        Opt("hashlimit-above", invert=True, excludes=("hashlimit-upto",)),
        Opt("hashlimit-srcmask"), Opt("hashlimit-dstmask"), Opt("hashlimit-burst"), Opt("hashlimit-htable-size"),
        Opt("hashlimit-htable-max"), Opt("hashlimit-htable-gcinterval"), Opt("hashlimit-htable-expire"), Opt("hashlimit-mode"),
        Opt("hashlimit-name"), Opt("hashlimit-rate-match", args=0), Opt("hashlimit-rate-interval"),
    ),
    _read, _show,
)  # fmt: skip
