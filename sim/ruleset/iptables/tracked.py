"""iptables' modules that ask conntrack: conntrack (all of it), state and helper."""

from __future__ import annotations

import re
from collections.abc import Callable

from sim.conntrack.helpers import HELPERS
from sim.ruleset.iptables.addresses import Net, mask_length, net_compare, parse_mask, resolved, show_net
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer_range, required, saved_string
from sim.ruleset.iptables.names import protocol_number, service_port
from sim.ruleset.model import Compare, Extension, Item, Option, Part, Range

_STATE_BITS = {"INVALID": 1, "NEW": 8, "RELATED": 4, "ESTABLISHED": 2, "UNTRACKED": 64}
_XT_STATE_BITS = {**_STATE_BITS, "UNTRACKED": 256, "SNAT": 64, "DNAT": 128}
_STATUS_BITS = {"EXPECTED": 1, "SEEN_REPLY": 2, "ASSURED": 4, "CONFIRMED": 8}

Made = tuple[Option, Part]


def _listed(given: Given, known: dict[str, int], what: str, nothing: str = "") -> list[str]:
    """The words of a comma-separated list, in the order of the table; `nothing` is a word for none of them."""
    wanted: set[str] = set()
    words = given.value.split(",")
    for number, word in enumerate(words):
        upper = word.upper()
        if upper != nothing or not nothing:
            if what == "state" and not word and number == len(words) - 1:
                raise Mistake('"--state" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED', given.span)
            if upper not in known:
                raise Mistake(f'Bad {what} "{",".join(words[number:])}"', given.span)
            wanted.add(upper)
    return [name for name in known if name in wanted]


def _state_test(names: list[str], negated: bool) -> Part:
    op = "!&" if negated else "&"
    if "SNAT" in names or "DNAT" in names:
        return Compare("xt ctstate", (sum(_XT_STATE_BITS[name] for name in names),), op)
    return Compare("ct state", (sum(_STATE_BITS[name] for name in names),), op)


def _ctstate(module: Module, given: Given, context: Context) -> Made:
    names = _listed(given, _XT_STATE_BITS, "ctstate")
    return Option("ctstate", ",".join(names), given.negated), _state_test(names, given.negated)


def _ctproto(module: Module, given: Given, context: Context) -> Made:
    number = int(given.value) % 65536 if given.value.isdecimal() else protocol_number(given.value)
    if number is None:
        raise Mistake(f'unknown protocol "{given.value}" specified', given.span)
    return Option("ctproto", str(number), given.negated), Compare("ct protocol", (number,), "!=" if given.negated else "==")


def _address(field: str) -> Callable[[Module, Given, Context], Made]:
    def read(module: Module, given: Given, context: Context) -> Made:
        host, slash, mask_text = given.value.partition("/")
        address = resolved(host, context.family, given.span)
        mask = parse_mask(mask_text if slash else None, context.family, given.span)
        net = Net(bytes(a & m for a, m in zip(address, mask, strict=True)), mask)
        direction = "original" if "orig" in given.opt.name else "reply"
        selector = f"ct {direction} {context.family} {field}"
        shown = Net(address, mask if mask_length(mask) is not None else b"\xff" * len(mask))  # other masks go unsaid
        return Option(given.opt.name, show_net(shown, False), given.negated), net_compare(selector, net, given.negated)

    return read


def _port(field: str) -> Callable[[Module, Given, Context], Made]:
    def read(module: Module, given: Given, context: Context) -> Made:
        low_text, colon, high_text = given.value.partition(":")
        low = _port_number(low_text, given) if low_text or not colon else 0
        high = (_port_number(high_text, given) if high_text else 65535) if colon else low
        direction = "original" if "orig" in given.opt.name else "reply"
        item: Item = low if low == high else Range(low, high)
        text = str(low) if low == high else f"{low}:{high}"
        return Option(given.opt.name, text, given.negated), Compare(f"ct {direction} {field}", (item,), "!=" if given.negated else "==")

    return read


def _port_number(text: str, given: Given) -> int:
    number = int(text) % 65536 if text.isdecimal() else service_port(text, None)
    if number is None:
        raise Mistake(f'Port "{text}" does not resolve to anything.\n', given.span)
    return number


def _ctstatus(module: Module, given: Given, context: Context) -> Made:
    names = _listed(given, _STATUS_BITS, "ctstatus", "NONE")
    bits = sum(_STATUS_BITS[name] for name in names)
    return Option("ctstatus", ",".join(names) or "NONE", given.negated), Compare("ct status", (bits,), "!&" if given.negated else "&")


def _ctexpire(module: Module, given: Given, context: Context) -> Made:
    low, high = integer_range(module, given, 0xFFFFFFFF)
    text = str(low) if low == high else f"{low}:{high}"
    item: Item = low if low == high else Range(low, high)
    return Option("ctexpire", text, given.negated), Compare("xt ctexpire", (item,), "!=" if given.negated else "==")


def _ctdir(module: Module, given: Given, context: Context) -> Made:
    upper = given.value.upper()
    if upper not in ("ORIGINAL", "REPLY"):
        raise Mistake(f'conntrack: Bad value for "--ctdir" option: "{given.value}"', given.span)
    return Option("ctdir", upper), Compare("ct direction", (int(upper == "REPLY"),))


_READERS: dict[str, Callable[[Module, Given, Context], Made]] = {
    "ctstate": _ctstate, "ctproto": _ctproto,
    "ctorigsrc": _address("saddr"), "ctorigdst": _address("daddr"), "ctreplsrc": _address("saddr"), "ctrepldst": _address("daddr"),
    "ctorigsrcport": _port("proto-src"), "ctorigdstport": _port("proto-dst"),
    "ctreplsrcport": _port("proto-src"), "ctrepldstport": _port("proto-dst"),
    "ctstatus": _ctstatus, "ctexpire": _ctexpire, "ctdir": _ctdir,
}  # fmt: skip


def _read_conntrack(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    if not names:
        raise Mistake("conntrack: At least one option is required")
    made = [_READERS[name](module, names[name], context) for name in _READERS if name in names]
    parts = [part for _, part in made]
    if "ctstate" in names:
        parts = parts[:1] + [_lenient(part) for part in parts[1:]]
    return module.extension([option for option, _ in made], tuple(parts))


def _lenient(part: Part) -> Part:
    """conntrack_mt asks for the state first; without an entry nothing else is looked at, and the rule matches."""
    assert isinstance(part, Compare)
    return Compare(part.selector, part.values, part.op, part.mask, part.braces, absent=True)


def _show_conntrack(extension: Extension, numeric: bool, family: str) -> str:
    return "".join(f" {'! ' if option.negated else ''}{option.name} {_listed_value(option, numeric)}" for option in extension.options)


def _listed_value(option: Option, numeric: bool) -> str:
    anywhere = option.name in ("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst") and option.value in ("0.0.0.0/0", "::/0")
    return "anywhere" if anywhere and not numeric else option.value


def _read_state(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "state")
    names = _listed(option, _STATE_BITS, "state")
    return module.extension([Option("state", ",".join(names), option.negated)], (_state_test(names, option.negated),))


def _read_helper(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    """xt_helper asks for the helper of the connection that this one was expected by; a longer name matches too, "" any (helper_mt)."""
    option = required(module, given, "helper")
    wanted = option.value.encode()[:29].decode(errors="ignore")
    known = tuple(dict.fromkeys(name for name, _ in HELPERS))
    found = tuple(name for name in known if not wanted or wanted.startswith(name)) or (wanted,)
    test = Compare("ct helper", found, "!=" if option.negated else "==", absent=option.negated)
    return module.extension([Option("helper", saved_string(wanted), option.negated)], (test,))


def _show_helper(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    bare = re.sub(r"\\(.)", r"\1", option.value[1:-1]) if option.value.startswith('"') else option.value
    return f' helper match {"! " if option.negated else ""}"{bare}"'


HELPER = Module("helper", (Opt("helper", invert=True),), _read_helper, _show_helper)
CONNTRACK = Module(
    "conntrack", tuple(Opt(name, invert=name != "ctdir") for name in _READERS), _read_conntrack, _show_conntrack
)
STATE = Module("state", (Opt("state", invert=True),), _read_state, _show_conntrack)
