"""ip6tables' match srh: the segment routing header. Formats: libip6t_srh.c, iptables 1.8.9."""

from __future__ import annotations

from sim.ruleset.iptables.addresses import Net, mask_length, parse_mask, resolved
from sim.ruleset.iptables.module import Context, Given, Module, Opt, integer
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge
from sim.units import show_address

_FIELDS = ("hdr-len", "segs-left", "last-entry")
_NUMBERS = ("next-hdr", *(f"{field}-{op}" for field in _FIELDS for op in ("eq", "gt", "lt")), "tag")
_ADDRESSES = ("psid", "nsid", "lsid")


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    numbers: dict[str, int] = {}
    nets: dict[str, Net] = {}
    for each in given:
        name = each.opt.name.removeprefix("srh-")
        if name in _ADDRESSES:
            nets[name] = _net(each, context)
        else:
            numbers[_field(name)] = integer(module, each, 0, 0xFFFF if name == "tag" else 0xFF)
    wanted = [each for opt in module.options for each in given if each.opt is opt]
    options = [Option(each.opt.name, _text(each.opt.name, numbers, nets), each.negated) for each in wanted]
    tests = tuple(
        (name, nets[name] if name in nets else numbers[_field(name)], each.negated)
        for each in wanted
        for name in (each.opt.name.removeprefix("srh-"),)
    )
    return module.extension(options, (Judge("ip6 srh", (("tests", tests),)),))


def _field(name: str) -> str:
    """eq, gt and lt of one field share the place of its number: what is typed last is that of all of them."""
    return name[:-3] if name[-3:] in ("-eq", "-gt", "-lt") else name


def _net(given: Given, context: Context) -> Net:
    host, slash, mask = given.value.partition("/")
    return Net(resolved(host, context.family, given.span), parse_mask(mask if slash else None, context.family, given.span))


def _text(option: str, numbers: dict[str, int], nets: dict[str, Net]) -> str:
    name = option.removeprefix("srh-")
    if name not in nets:
        return str(numbers[_field(name)])
    length = mask_length(nets[name].mask)
    return f"{show_address(nets[name].address)}/{0xFFFFFFFF if length is None else length}"


def _show(extension: Extension, numeric: bool, family: str) -> str:
    text = " srh"
    for option in extension.options:
        name, not_ = option.name.removeprefix("srh-"), "!" if option.negated else ""
        text += f" {name} {not_} {option.value}" if name in _ADDRESSES else f" {name}:{not_}{option.value}"
    return text


SRH = Module(
    "srh", tuple(Opt(f"srh-{name}", invert=True) for name in (*_NUMBERS, *_ADDRESSES)), _read, _show, families=("ip6",),
)  # fmt: skip
