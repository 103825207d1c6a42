"""iptables' modules set and SET: what ipset made, looked into and changed. `--map-set` is refused: sets here keep no marks."""

from __future__ import annotations

from sim.errors import Unsupported
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, number
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_MOST_DIMS = 6
_MOST_SECONDS = 4294967294
_U64 = (1 << 64) - 1
_COMPARED = ("eq", "lt", "gt")
_ANY_FAMILY = ("bitmap:port", "list:set")


def _named(given: Given, context: Context) -> tuple[str, tuple[str, ...]]:
    """The set's name and the dimensions. Raises Mistake for a set that is not there."""
    if len(given.value) > 31:
        raise Mistake(f"setname `{given.value}' too long, max 31 characters.", given.span)
    found = context.sets.find(given.value) if context.sets is not None else None
    if found is None:
        raise Mistake(f"Set {given.value} doesn't exist.\n", given.span)
    if found.type.name not in _ANY_FAMILY and found.family != context.family:
        theirs = "IPv4" if found.family == "ip" else "IPv6"
        raise Mistake(f"The protocol family of set {given.value} is {theirs}, which is not applicable.\n", given.span)
    words = given.second.split(",")
    if len(words) > _MOST_DIMS:
        raise Mistake("Can't be more src/dst options than 6.", given.span)
    for word in words:
        if word not in ("src", "dst"):
            raise Mistake("You must spefify (the comma separated list of) 'src' or 'dst'.", given.span)
    return given.value, tuple(words)


# ---- -m set ----------------------------------------------------------------------------------------------------------


def _read_match(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    chosen = [each for each in given if each.opt.name == "match-set"]
    if len(chosen) > 1:
        raise Mistake("--match-set can be specified only once", chosen[1].span)
    name, dims = _named(chosen[0], context) if chosen else ("", ())
    counts = {what: _count(given, what) for what in ("packets", "bytes")}
    if not chosen:
        raise Mistake("You must specify `--match-set' with proper arguments")
    names = {each.opt.name: each for each in given}
    options = [Option("match-set", f"{name} {','.join(dims)}", chosen[0].negated)]
    options += [Option("return-nomatch")] if "return-nomatch" in names else []
    skipped = [each for each in ("update-counters", "update-subcounters") if each in names and names[each].negated]
    options += [Option(each, "", True) for each in skipped]
    options += [Option(f"{what}-{count[0]}", str(count[1]), count[2]) for what, count in counts.items() if count is not None]
    settings = (
        ("set", name), ("dims", dims), ("negated", chosen[0].negated), ("nomatch", "return-nomatch" in names),
        ("update", "update-counters" not in skipped), *counts.items(),
    )  # fmt: skip
    return module.extension(options, (Judge("set", settings),))


def _count(given: tuple[Given, ...], what: str) -> tuple[str, int, bool] | None:
    """--packets-eq and its kin: (how, number, negated)."""
    found = [each for each in given if each.opt.name in tuple(f"{what}-{how}" for how in _COMPARED)]
    if len(found) > 1:
        raise Mistake(f"only one of the --{what}-[eq|lt|gt] is allowed", found[1].span)
    if not found:
        return None
    value, how = number(found[0].value), found[0].opt.name[-2:]
    if value is None or value > _U64:
        raise Mistake(f"Cannot parse {found[0].value} as a counter value\n", found[0].span)
    if found[0].negated and how != "eq":
        raise Mistake(f"--{what}-{how} option cannot be inverted\n", found[0].span)
    return how, value, found[0].negated


def _show_match(extension: Extension, numeric: bool, family: str) -> str:
    words = [f"{'! ' if option.negated else ''}{option.name}{' ' + option.value if option.value else ''}" for option in extension.options]
    return " " + " ".join(words)


def _deprecated(given: Given) -> str:
    return "--set option deprecated, please use --match-set\n" if given.spelling == "set" else ""


MATCH = Module(
    "set",
    (
        Opt("match-set", ("set",), 2, True, says=_deprecated), Opt("return-nomatch", args=0),
        Opt("update-counters", args=0, invert=True), Opt("update-subcounters", args=0, invert=True),
        *(Opt(f"{what}-{how}", invert=True) for what in ("packets", "bytes") for how in _COMPARED),
    ),
    _read_match, _show_match, classic=True,
)  # fmt: skip

# ---- -j SET ----------------------------------------------------------------------------------------------------------


def _read_target(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names: dict[str, Given] = {}
    for each in given:
        if each.opt.name == "map-set":
            raise Unsupported("option '--map-set' is right, but not simulated here", each.span)
        if each.opt.name in names and each.opt.name in ("add-set", "del-set"):
            raise Mistake(f"--{each.opt.name} can be specified only once", each.span)
        names[each.opt.name] = each
    changes = tuple((verb, *_named(names[f"{verb}-set"], context)) for verb in ("add", "del") if f"{verb}-set" in names)
    seconds = _seconds(names["timeout"]) if "timeout" in names else None
    if not changes:
        raise Mistake("You must specify either `--add-set' or `--del-set' or `--map-set'")
    if "add-set" not in names:
        if seconds is not None:
            raise Mistake("Option `--timeout' can be used with `--add-set' only")
        if "exist" in names:
            raise Mistake("Flag `--exist' can be used with `--add-set' only")
    options = []
    for verb, name, dims in changes:
        options.append(Option(f"{verb}-set", f"{name} {','.join(dims)}"))
        if verb == "add":
            options += ([Option("exist")] if "exist" in names else []) + ([Option("timeout", str(seconds))] if seconds is not None else [])
    settings = (("changes", changes), ("exist", "exist" in names), ("timeout", seconds))
    return module.extension(options, (Judge("set change", settings),))


def _seconds(given: Given) -> int:
    value = number(given.value)
    if value is None or value > _MOST_SECONDS:
        raise Mistake("Invalid value for option --timeout or out of range 0-4294967294", given.span)
    return value


TARGET = Module(
    "SET",
    (
        # a ! ahead of what it does is taken, and nothing else comes of it
        Opt("add-set", args=2, invert=True), Opt("del-set", args=2, invert=True), Opt("map-set", args=2),
        Opt("exist", args=0, invert=True), Opt("timeout"), Opt("map-mark", args=0), Opt("map-prio", args=0), Opt("map-queue", args=0),
    ),
    _read_target, _show_match, target=True, classic=True,
)  # fmt: skip
