"""iptables' module connlabel: a label that an entry bears, by its number or by the name that /etc/xtables/connlabel.conf gives it.

A rule keeps the number. It is listed by the name that the file had when the rule was read: a file that changes later changes no listing.
"""

from __future__ import annotations

from sim.conntrack.labels import FILE, MOST, names
from sim.ruleset.iptables.errors import Mistake, kernel
from sim.ruleset.iptables.module import Context, Given, Module, Opt, number, required
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_RANGE = "Numerical result out of range"


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = next((each for each in given if each.opt.name == "label"), None)
    if option is not None and not option.value:
        raise Mistake("Argument must have a minimum length of 1 characters\n", option.span)
    option = required(module, given, "label")
    bit = _bit(option, context) & 0xFFFF
    setting = any(each.opt.name == "set" for each in given)
    known = {place: name for name, place in names(context.labels or "").items()}
    options = [Option("label", f'"{known.get(bit, bit)}"', option.negated), *([Option("set")] if setting else [])]
    settings = (("bit", bit), ("set", setting), ("negated", option.negated))
    return module.extension(options, (Judge("connlabel", settings),))


def _bit(option: Given, context: Context) -> int:
    value = number(option.value)
    if value is not None:
        return value
    found = names(context.labels or "").get(option.value)
    if found is None:
        missing = f"Warning: cannot open {FILE}: No such file or directory\n" if context.labels is None else ""
        raise Mistake(f"label '{option.value}' not found or invalid value", option.span, before=missing)
    return found


def _fits(extension: Extension, context: Context) -> bool:
    """nf_connlabels_get: there are 128 of them."""
    part = extension.parts[0]
    assert isinstance(part, Judge)
    if part["bit"] >= MOST:
        raise kernel(_RANGE)
    return True


def _show(extension: Extension, numeric: bool, family: str) -> str:
    part, option = extension.parts[0], extension.options[0]
    assert isinstance(part, Judge)
    name = option.value[1:-1]
    shown = str(part["bit"]) if numeric or name == str(part["bit"]) else f"'{name}'"
    return f" connlabel{' !' if option.negated else ''} {shown}{' set' if part['set'] else ''}"


CONNLABEL = Module("connlabel", (Opt("label", invert=True), Opt("set", args=0)), _read, _show, needs=_fits)
