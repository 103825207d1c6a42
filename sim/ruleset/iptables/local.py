"""iptables' modules about the machine rather than the packet: mac, owner, cpu, realm, devgroup, cluster."""

from __future__ import annotations

import re

from sim.netfilter.words import Hook
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, number, required, value_and_mask
from sim.ruleset.iptables.names import GROUPS, USERS
from sim.ruleset.model import Extension, Option, Part
from sim.ruleset.parts import Judge

_U32 = 0xFFFFFFFF


def _fixed(answer: bool, why: str, said: str) -> Judge:
    return Judge("fixed", (("answer", answer), ("why", why), ("said", said)))


def _not(negated: bool) -> str:
    return "! " if negated else ""


# ---- mac -------------------------------------------------------------------------------------------------------------


def _read_mac(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "mac-source")
    parts = option.value.split(":")
    if len(parts) != 6 or not all(re.fullmatch(r"[0-9a-fA-F]{1,2}", part) for part in parts):
        raise Mistake("Invalid MAC address specified.", option.span)
    text = ":".join(f"{int(part, 16):02x}" for part in parts)
    why = "no link layer here: packets come without a hardware address, and such ones match neither way"
    said = f"whose hardware address is {'not ' if option.negated else ''}{text}"
    return module.extension([Option("mac-source", text, option.negated)], (_fixed(False, why, said),))


MAC = Module(
    "mac", (Opt("mac-source", invert=True),), _read_mac,
    lambda extension, numeric, family: f" MAC {_not(extension.options[0].negated)}{extension.options[0].value}",
    hooks=frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)),
)  # fmt: skip

# ---- cpu -------------------------------------------------------------------------------------------------------------


def _read_cpu(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "cpu")
    value = integer(module, option, 0, _U32)
    said = f"that are {'not ' if option.negated else ''}dealt with by processor {value}"
    judge = _fixed((value == 0) != option.negated, "machines here have one processor, number 0", said)
    return module.extension([Option("cpu", str(value), option.negated)], (judge,))


CPU = Module(
    "cpu", (Opt("cpu", invert=True),), _read_cpu,
    lambda extension, numeric, family: f" cpu {_not(extension.options[0].negated)}{extension.options[0].value}",
)  # fmt: skip

# ---- realm, devgroup -------------------------------------------------------------------------------------------------


def _named_value(module: Module, given: Given, name: str) -> tuple[int, int]:
    """value, value/mask, or the one name that stands for 0."""
    if given.value == name:
        return 0, _U32
    if given.value[:1].isdecimal() and (number(given.value.partition("/")[0]) or 0) <= _U32:
        return value_and_mask(module, given)
    message = f'{module.name}: could not map name {given.value} to an integer value for option "--{given.opt.name}".\n'
    raise Mistake(message, given.span)


def _value_text(value: int, mask: int, name: str) -> str:
    if mask != _U32:
        return f"{value:#x}/{mask:#x}"
    return name if not value else f"{value:#x}"


def _hexadecimal(text: str) -> str:
    """As -n lists it: no names."""
    return text if text.startswith("0x") else "0x0"


def _read_realm(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "realm")
    value, mask = _named_value(module, option, "cosmos")
    said = f"of {'any realm but' if option.negated else 'realm'} {value:#x}"
    judge = _fixed((value == 0) != option.negated, "routes here have no realm", said)
    return module.extension([Option("realm", _value_text(value, mask, "cosmos"), option.negated)], (judge,))


def _show_realm(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    return f" {_not(option.negated)}realm {_hexadecimal(option.value) if numeric else option.value}"


REALM = Module(
    "realm", (Opt("realm", invert=True),), _read_realm, _show_realm, families=("ip",),
    hooks=frozenset((Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)),
)  # fmt: skip
_GROUP_HOOKS = {"src-group": {Hook.PREROUTING, Hook.INPUT, Hook.FORWARD}, "dst-group": {Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING}}


def _read_devgroup(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = []
    for name in _GROUP_HOOKS:
        if name in names:
            value, mask = _named_value(module, names[name], "default")
            options.append(Option(name, _value_text(value, mask, "default"), names[name].negated))
            side = "came in by" if name == "src-group" else "leave by"
            said = f"that {side} a device {'not ' if names[name].negated else ''}of group {value:#x}"
            parts.append(_fixed((not value & mask) != names[name].negated, "every device here is of group 0", said))
    if not options:
        raise Mistake("devgroup match: You must specify either '--src-group' or '--dst-group'")
    return module.extension(options, tuple(parts))


def _show_devgroup(extension: Extension, numeric: bool, family: str) -> str:
    return "".join(
        f" {_not(option.negated)}{option.name} {_hexadecimal(option.value) if numeric else option.value}" for option in extension.options
    )


DEVGROUP = Module(
    "devgroup", (Opt("src-group", invert=True), Opt("dst-group", invert=True)), _read_devgroup, _show_devgroup,
    at_hooks=lambda extension, hooks: all(hooks <= _GROUP_HOOKS[option.name] for option in extension.options),
)  # fmt: skip

# ---- cluster ---------------------------------------------------------------------------------------------------------


def _read_cluster(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    for each in given:
        integer(module, each, *((0, _U32) if each.opt.name == "cluster-hash-seed" else (1, 32)))
    local = names.get("cluster-local-node") or names.get("cluster-local-nodemask")
    if local is None:
        raise Mistake("cluster match: `--cluster-local-node' or`--cluster-local-nodemask' is missing")
    total = required(module, given, "cluster-total-nodes")
    nodes = integer(module, total, 1, 32)
    seed = integer(module, required(module, given, "cluster-hash-seed"), 0, _U32)
    mask = _node_mask(module, local, nodes)
    options = [
        Option("cluster-local-nodemask", f"0x{mask:08x}", local.negated), Option("cluster-total-nodes", str(nodes)),
        Option("cluster-hash-seed", f"0x{seed:08x}"),
    ]  # fmt: skip
    settings = (("nodes", nodes), ("mask", mask), ("seed", seed), ("negated", local.negated))
    return module.extension(options, (Judge("cluster", settings),))


def _node_mask(module: Module, local: Given, nodes: int) -> int:
    if local.opt.name == "cluster-local-node":
        node = integer(module, local, 1, 32)
        if node > nodes:
            raise Mistake("cluster match: `--cluster-local-node' must be <= `--cluster-total-nodes'")
        return 1 << node - 1
    mask = integer(module, local, 1, 32)
    if mask >= 1 << nodes:
        raise Mistake("cluster match: `--cluster-local-nodemask' too big for `--cluster-total-nodes'")
    return mask


def _show_cluster(extension: Extension, numeric: bool, family: str) -> str:
    mask, nodes, seed = extension.options
    return f" cluster {'!' if mask.negated else ''}node_mask={mask.value} total_nodes={nodes.value} hash_seed={seed.value}"


CLUSTER = Module(
    "cluster",
    (
        Opt("cluster-total-nodes"), Opt("cluster-local-node", invert=True, excludes=("cluster-local-nodemask",)),
        Opt("cluster-local-nodemask", invert=True, excludes=("cluster-local-node",)), Opt("cluster-hash-seed"),
    ),
    _read_cluster, _show_cluster,
)  # fmt: skip

# ---- owner -----------------------------------------------------------------------------------------------------------


def _read_owner(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    if "suppl-groups" in names and [each.opt.name for each in given].index("suppl-groups") < _place(given, "gid-owner"):
        raise Mistake('owner: Bad value for "--suppl-groups" option: "you need to use --gid-owner first"', names["suppl-groups"].span)
    if not names.keys() & {"uid-owner", "gid-owner", "socket-exists"}:
        raise Mistake("owner: At least one of --uid-owner, --gid-owner or --socket-exists is required")
    options: list[Option] = []
    settings: list[tuple[str, tuple[int, int, bool] | bool | None]] = [("socket", None), ("uid", None), ("gid", None)]
    if "socket-exists" in names:
        options.append(Option("socket-exists", "", names["socket-exists"].negated))
        settings[0] = ("socket", not names["socket-exists"].negated)
    for place, (name, known) in enumerate((("uid", USERS), ("gid", GROUPS)), 1):
        if f"{name}-owner" in names:
            low, high = _owners(names[f"{name}-owner"], known)
            negated = names[f"{name}-owner"].negated
            options.append(Option(f"{name}-owner", str(low) if low == high else f"{low}-{high}", negated))
            settings[place] = (name, (low, high, negated))
    options += [Option("suppl-groups")] if "suppl-groups" in names else []
    return module.extension(options, (Judge("owner", tuple(settings)),))


def _place(given: tuple[Given, ...], name: str) -> int:
    """Where an option stands, beyond the end when it does not."""
    return next((place for place, each in enumerate(given) if each.opt.name == name), len(given))


def _owners(given: Given, known: dict[str, int]) -> tuple[int, int]:
    if given.value in known:
        return known[given.value], known[given.value]
    low_text, dash, high_text = given.value.partition("-")
    low, high = number(low_text), number(high_text) if dash else number(low_text)
    if low is None or high is None or max(low, high) >= _U32:
        raise Mistake(f'owner: Bad value for "--{given.opt.name}" option: "{given.value}"', given.span)
    return low, high


def owners_fit(extension: Extension, context: Context) -> bool:
    """owner_check: a range must not be empty."""
    ranges = [option.value.split("-") for option in extension.options if option.name in ("uid-owner", "gid-owner")]
    return all(int(ends[0]) <= int(ends[-1]) for ends in ranges)


_OWNER_LABELS = {"uid-owner": ("UID", USERS), "gid-owner": ("GID", GROUPS)}


def _show_owner(extension: Extension, numeric: bool, family: str) -> str:
    text = ""
    for option in extension.options:
        if option.name == "suppl-groups":
            text += " incl. suppl. groups"
        elif option.name == "socket-exists":
            text += f" {_not(option.negated)}owner socket exists"
        else:
            label, known = _OWNER_LABELS[option.name]
            names = {str(number): name for name, number in reversed(known.items())}
            text += f" {_not(option.negated)}owner {label} match {option.value if numeric else names.get(option.value, option.value)}"
    return text


OWNER = Module(
    "owner",
    (
        Opt("uid-owner", invert=True), Opt("gid-owner", invert=True), Opt("socket-exists", args=0, invert=True),
        Opt("suppl-groups", args=0),
    ),
    _read_owner, _show_owner, needs=owners_fit, hooks=frozenset((Hook.OUTPUT, Hook.POSTROUTING)),
)  # fmt: skip

MODULES = (MAC, CPU, REALM, DEVGROUP, CLUSTER, OWNER)
