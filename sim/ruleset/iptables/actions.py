"""iptables' modules for `-j` that act on the side: TRACE, TEE, AUDIT, CONNSECMARK, TCPOPTSTRIP."""

from __future__ import annotations

from sim.ruleset.iptables.addresses import resolved
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, required
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge, Nothing
from sim.units import show_address

_MANGLE = frozenset(("mangle",))

TRACE = Module(
    "TRACE", (), lambda module, given, context: module.extension([], (Judge("trace"),)), lambda extension, numeric, family: "",
    target=True, tables=frozenset(("raw",)),
)  # fmt: skip

# ---- TEE -------------------------------------------------------------------------------------------------------------


def _read_tee(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    option = required(module, given, "gateway")
    gateway = resolved(option.value, context.family, option.span)
    device = names["oif"].value if "oif" in names else ""
    options = [Option("gateway", show_address(gateway))] + ([Option("oif", device)] if device else [])
    return module.extension(options, (Judge("tee", (("gateway", gateway), ("oif", device))),))


def _show_tee(extension: Extension, numeric: bool, family: str) -> str:
    gateway, *rest = extension.options
    return f" TEE gw:{gateway.value}" + "".join(f" oif={option.value}" for option in rest)


TEE = Module(
    "TEE", (Opt("gateway"), Opt("oif")), _read_tee, _show_tee, target=True,
    needs=lambda extension, context: extension.options[0].value not in ("0.0.0.0", "::"),
)  # fmt: skip

# ---- AUDIT, CONNSECMARK ----------------------------------------------------------------------------------------------


def _read_audit(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "type")
    if option.value.lower() not in ("accept", "drop", "reject"):
        raise Mistake(f'Bad action type value "{option.value}"', option.span)
    return module.extension([Option("type", option.value.lower())], (Nothing("auditing is off, as on a machine without an audit daemon"),))


AUDIT = Module(
    "AUDIT", (Opt("type"),), _read_audit, lambda extension, numeric, family: f" AUDIT {extension.options[0].value}", target=True
)


def _read_connsecmark(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("CONNSECMARK target: parameter required")
    return module.extension([Option(given[0].opt.name)], (Nothing("no security module marks packets here"),))


CONNSECMARK = Module(
    "CONNSECMARK", (Opt("save", args=0, excludes=("restore",)), Opt("restore", args=0, excludes=("save",))), _read_connsecmark,
    lambda extension, numeric, family: f" CONNSECMARK {extension.options[0].name}", target=True, tables=frozenset(("mangle", "security")),
)  # fmt: skip

# ---- TCPOPTSTRIP -----------------------------------------------------------------------------------------------------

_OPTIONS = {"mss": 2, "wscale": 3, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}
_OPTION_NAMES = {str(number): name for name, number in _OPTIONS.items()}


def _read_strip(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    kinds = _kinds(given[0]) if given else frozenset[int]()
    options = [Option("strip-options", ",".join(map(str, sorted(kinds))))] if kinds else []
    return module.extension(options, (Judge("strip options", (("kinds", kinds),)),))


def _kinds(given: Given) -> frozenset[int]:
    found = set()
    for word in given.value.split(","):
        number = _OPTIONS.get(word)
        if number is None:
            if not word.isdecimal() or int(word) > 255:
                raise Mistake(f'Bad TCP option value "{word}"', given.span)
            number = int(word)
        if number < 2:
            raise Mistake("Option value may not be 0 or 1", given.span)
        found.add(number)
    return frozenset(found)


def _show_strip(extension: Extension, numeric: bool, family: str) -> str:
    if not extension.options:
        return ""
    words = extension.options[0].value.split(",")
    return " TCPOPTSTRIP options " + ",".join(words if numeric else (_OPTION_NAMES.get(word, word) for word in words))


TCPOPTSTRIP = Module("TCPOPTSTRIP", (Opt("strip-options"),), _read_strip, _show_strip, target=True, protocol=6, tables=_MANGLE)

TARGETS = (TRACE, TEE, AUDIT, CONNSECMARK, TCPOPTSTRIP)
