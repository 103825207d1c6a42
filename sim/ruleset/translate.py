"""A rule in the other language: iptables' rules in nft's words as iptables-translate(8) has them, nft's as iptables options.

nft can say more: where iptables has no counterpart for a part, the answer is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.ruleset.helping import UseTemplate
from sim.ruleset.iptables.icmp import ICMP, ICMPV6
from sim.ruleset.iptables.module import saved_string
from sim.ruleset.iptables.names import protocol_text
from sim.ruleset.iptables.nat import target_text
from sim.ruleset.model import (
    Assign,
    Compare,
    Counter,
    Extension,
    Item,
    Limit,
    Log,
    Notrack,
    Prefix,
    Range,
    Reject,
    Rule,
    Ruleset,
    Table,
    Verdict,
    VerdictMap,
    Wildcard,
)
from sim.ruleset.parts import Act, Blend, Judge, Nat, Nothing, Rewrite
from sim.units import show_address


def other_text(table: Table, rule: Rule) -> str | None:
    """The rule in the other language, without chain; None where there is no counterpart."""
    if table.language == "iptables":
        return nft_text(rule, table.family)
    return iptables_text(rule, table.family)


def nft_text(rule: Rule, family: str) -> str | None:
    """An iptables rule in nft's words; None for what nft has no selector for."""
    from sim.ruleset.nft.show import (  # nft's printer stands beside us, and is only asked when a rule is shown
        part_words,
        rule_text,
    )

    if any(isinstance(part, Nat | Rewrite) and not part_words(part, family) for part in rule.flat()):
        return None
    if any(isinstance(part, Judge | Blend | Nothing) for part in rule.flat()):
        return _in_the_tool_s_words(rule, family)
    if any(isinstance(part, UseTemplate) or (isinstance(part, Compare | Assign) and "xt " in part.selector) for part in rule.flat()):
        return None
    if any(_says_protocol(part) for part in rule.parts):
        parts = tuple(part for part in rule.parts if not (isinstance(part, Compare) and part.selector in _PROTOCOLS))
        rule = replace(rule, parts=parts)
    return rule_text(rule, family)


def _in_the_tool_s_words(rule: Rule, family: str) -> str | None:
    """What iptables-translate makes of a rule whose parts are no nft statements; None where that means something else."""
    if any(isinstance(part, Blend | Nothing) or (isinstance(part, Judge) and not _means_the_same(part)) for part in rule.flat()):
        return None
    from sim.ruleset.iptables.xlate import rule_words  # the languages stand above, but know how they are written

    found = rule_words(rule, family)
    return found.rule if found is not None and not found.sets else None


def _means_the_same(part: Judge) -> bool:
    """Whether nft's words for it match the very same packets: `!` of an owner does not, where no socket sends the packet."""
    if part.kind == "owner":
        return part["socket"] is None and not any(bounds is not None and bounds[2] for bounds in (part["uid"], part["gid"]))
    return part.kind in ("queue", "tee")


def _says_protocol(part: object) -> bool:
    """Whether a field of the protocol's own header is looked at: `-m icmp --icmp-type any` has none."""
    if not isinstance(part, Extension) or part.name not in ("tcp", "udp", "icmp"):
        return False
    return any(isinstance(each, Compare) and each.selector.startswith(f"{part.name} ") for each in part.parts)


_PROTOCOLS = ("ip protocol", "meta l4proto")


# ---- nft to iptables -------------------------------------------------------------------------------------------------


class _NoCounterpart(Exception):
    """iptables cannot say this."""


def iptables_text(rule: Rule, family: str) -> str | None:
    """An nft rule as iptables options (-p tcp -m tcp --dport 22 -j ACCEPT); None where there is no counterpart."""
    try:
        return _Writer(family).rule(rule)
    except _NoCounterpart:
        return None


class _Writer:
    """Collects the words of one rule: header options first, then modules, then the target."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._protocol = ""
        self._header: list[str] = []
        self._modules: dict[str, list[str]] = {}
        self._target: list[str] = []

    def rule(self, rule: Rule) -> str:
        for part in rule.flat():
            if isinstance(part, Verdict) and part.quiet:
                continue
            if self._target:
                raise _NoCounterpart
            self._part(part)
        if rule.comment:
            self._module("comment", f"--comment {saved_string(rule.comment)}")
        protocol = [self._protocol] if self._protocol else []
        modules = [f"-m {name} {' '.join(options)}" for name, options in self._modules.items()]
        return " ".join([*self._header, *protocol, *modules, *self._target])

    def _part(self, part: object) -> None:
        match part:
            case Compare() if isinstance(part.values, tuple):
                self._compare(part, part.values)
            case Counter():
                pass
            case Limit(per="packets", over=False):
                unit = {"second": "sec", "minute": "min"}.get(part.unit, part.unit)
                self._module("limit", f"--limit {part.rate}/{unit}", *([f"--limit-burst {part.burst}"] if part.burst != 5 else []))
            case Verdict(name="accept" | "drop" | "return"):
                self._target = [f"-j {part.name.upper()}"]
            case Verdict(name="jump" | "goto"):
                self._target = [f"-{part.name[0]} {part.chain}"]
            case Reject() | Log() | Assign() | Notrack():
                self._target = [_target(part, self._family)]
            case Nat():
                self._nat(part)
            case Act(kind="queue" | "tee"):
                self._target = [_handed(part)]
            case _:
                raise _NoCounterpart

    def _nat(self, part: Nat) -> None:
        text = None if part.reads or part.form else target_text(part)
        if text is None or (part.ports is not None and not self._protocol):
            raise _NoCounterpart
        self._target = [text]

    def _module(self, name: str, *options: str) -> None:
        self._modules.setdefault(name, []).extend(options)

    def _compare(self, part: Compare, values: tuple[Item, ...]) -> None:
        not_ = "! " if part.op in ("!=", "!&") else ""
        if part.op in ("<", "<=", ">", ">="):
            raise _NoCounterpart
        if part.selector == "ct helper" and part.op == "==" and len(values) == 1:
            self._module("helper", f"--helper {saved_string(str(values[0]))}")
            return
        if part.selector in _WRITERS:
            _WRITERS[part.selector](self, part, values, not_)
            return
        protocol, _, field = part.selector.partition(" ")
        if field not in ("sport", "dport") or protocol not in ("tcp", "udp") or part.mask is not None:
            raise _NoCounterpart
        self._need_protocol(protocol)
        if len(values) == 1:
            self._module(protocol, f"{not_}--{field} {_number_text(values[0])}")
        else:
            self._module("multiport", f"{not_}--{field}s {','.join(map(_number_text, values))}")

    def _need_protocol(self, name: str) -> None:
        if self._protocol not in ("", f"-p {name}"):
            raise _NoCounterpart
        self._protocol = f"-p {name}"

    def address(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        letter = part.selector[-5]
        if len(values) != 1 or isinstance(part.mask, int):
            raise _NoCounterpart
        value = values[0]
        if isinstance(value, Range) and isinstance(value.low, bytes) and isinstance(value.high, bytes):
            which = "src" if letter == "s" else "dst"
            self._module("iprange", f"{not_}--{which}-range {show_address(value.low)}-{show_address(value.high)}")
        elif isinstance(value, Prefix):
            self._header.append(f"{not_}-{letter} {show_address(value.address)}/{value.length}")
        elif isinstance(value, bytes):
            mask = show_address(part.mask) if isinstance(part.mask, bytes) else str(len(value) * 8)
            self._header.append(f"{not_}-{letter} {show_address(value)}/{mask}")
        else:
            raise _NoCounterpart

    def device(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value = values[0]
        if len(values) != 1 or not isinstance(value, str | Wildcard):
            raise _NoCounterpart
        self._header.append(f"{not_}-{part.selector[5]} {value.start + '+' if isinstance(value, Wildcard) else value}")

    def protocol(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value = values[0]
        if len(values) != 1 or not isinstance(value, int) or self._protocol:
            raise _NoCounterpart
        self._protocol = f"{not_}-p {protocol_text(value)}"

    def state(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        names = [name for name, bit in _STATES.items() for value in values if isinstance(value, int) and value & bit]
        if part.mask is not None or not names:
            raise _NoCounterpart
        self._module("conntrack", f"{not_}--ctstate {','.join(names)}")

    def icmp_type(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value = values[0]
        if len(values) != 1 or not isinstance(value, int):
            raise _NoCounterpart
        six = part.selector == "icmpv6 type"
        self._need_protocol("ipv6-icmp" if six else "icmp")
        known = any(row.type == value for row in (ICMPV6 if six else ICMP))
        if not known and value > 255:
            raise _NoCounterpart
        self._module("icmp6" if six else "icmp", f"{not_}--{'icmpv6' if six else 'icmp'}-type {value}")

    def flags(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value, mask = values[0], part.mask
        if len(values) != 1 or not isinstance(value, int) or part.op in ("&", "!&") or (mask is not None and not isinstance(mask, int)):
            raise _NoCounterpart
        wanted = 63 if mask is None else mask
        if (value | wanted) & ~63:
            raise _NoCounterpart
        self._need_protocol("tcp")
        self._module("tcp", f"{not_}--tcp-flags {_flags(wanted)} {_flags(value)}")

    def mark(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value = values[0]
        if len(values) != 1 or not isinstance(value, int) or part.op in ("&", "!&"):
            raise _NoCounterpart
        self._module("mark", f"{not_}--mark {value:#x}" + (f"/{part.mask:#x}" if isinstance(part.mask, int) else ""))

    def owner(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        """Of a packet without a socket nft says nothing, while iptables' `!` would match it."""
        value = values[0]
        if len(values) != 1 or not isinstance(value, int | Range) or part.mask is not None or part.op in ("&", "!&"):
            raise _NoCounterpart
        self._module("owner", *(["--socket-exists"] if not_ else []), f"{not_}--{part.selector[7:]}-owner {_number_text(value, '-')}")

    def label(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        value = values[0]
        if part.op != "&" or len(values) != 1 or not isinstance(value, int) or value.bit_count() != 1:
            raise _NoCounterpart
        self._module("connlabel", f"--label {value.bit_length() - 1}")

    def nfproto(self, part: Compare, values: tuple[Item, ...], not_: str) -> None:
        """In a table of one family it says nothing; in inet iptables has two tables for it."""
        if self._family == "inet":
            raise _NoCounterpart


_STATES = {"INVALID": 1, "NEW": 8, "RELATED": 4, "ESTABLISHED": 2, "UNTRACKED": 64}
_FLAG_NAMES = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
_Write = Callable[[_Writer, Compare, tuple[Item, ...], str], None]
_WRITERS: dict[str, _Write] = {
    "ip saddr": _Writer.address, "ip daddr": _Writer.address, "ip6 saddr": _Writer.address, "ip6 daddr": _Writer.address,
    "meta iifname": _Writer.device, "meta oifname": _Writer.device, "meta iif": _Writer.device, "meta oif": _Writer.device,
    "meta l4proto": _Writer.protocol, "ip protocol": _Writer.protocol, "ip6 nexthdr": _Writer.protocol, "ct state": _Writer.state,
    "icmp type": _Writer.icmp_type, "icmpv6 type": _Writer.icmp_type, "tcp flags": _Writer.flags, "meta mark": _Writer.mark,
    "meta nfproto": _Writer.nfproto, "meta skuid": _Writer.owner, "meta skgid": _Writer.owner, "ct label": _Writer.label,
}  # fmt: skip


def _flags(bits: int) -> str:
    return ",".join(name for name, bit in _FLAG_NAMES.items() if bits & bit) or "NONE"


def _number_text(item: Item, between: str = ":") -> str:
    if isinstance(item, Range):
        return f"{item.low!r}{between}{item.high!r}"
    if not isinstance(item, int):
        raise _NoCounterpart
    return str(int(item))


_REJECTS = {"port-unreachable": "port-unreachable", "net-unreachable": "net-unreachable", "host-unreachable": "host-unreachable",
            "prot-unreachable": "proto-unreachable", "net-prohibited": "net-prohibited", "host-prohibited": "host-prohibited",
            "admin-prohibited": "admin-prohibited"}  # fmt: skip
_REJECTS6 = {"no-route": "no-route", "admin-prohibited": "adm-prohibited", "addr-unreachable": "addr-unreachable",
             "port-unreachable": "port-unreachable", "policy-fail": "policy-fail", "reject-route": "reject-route"}  # fmt: skip


def _handed(part: Act) -> str:
    """NFQUEUE, TEE"""
    if part.kind == "tee":
        return f"-j TEE --gateway {show_address(part['gateway'])}" + (f" --oif {part['oif']}" if part["oif"] else "")
    first, last = part["first"], part["last"]
    words = f"-j NFQUEUE --queue-num {first}" if first == last else f"-j NFQUEUE --queue-balance {first}:{last}"
    fanout = " --queue-cpu-fanout" if part["fanout"] and first != last else ""
    return words + (" --queue-bypass" if part["bypass"] else "") + fanout


def _target(part: Reject | Log | Assign | Notrack, family: str) -> str:
    match part:
        case Reject(kind="tcp reset"):
            return "-j REJECT --reject-with tcp-reset"
        case Reject():
            return "-j REJECT --reject-with " + _reject_type(part)
        case Log() if part.group is None:
            return _log_target(part)
        case Log():
            prefix = f" --nflog-prefix {saved_string(part.prefix)}" if part.prefix else ""
            return f"-j NFLOG{prefix} --nflog-group {part.group}"
        case Assign(selector="meta mark", source=""):
            return f"-j MARK --set-xmark {part.value:#x}/{part.keep ^ 0xFFFFFFFF:#x}"
        case Notrack():
            return "-j CT --notrack"
    raise _NoCounterpart


def _reject_type(part: Reject) -> str:
    table, prefix = (_REJECTS, "icmp-") if part.family == "ip" else (_REJECTS6, "icmp6-")
    if part.family == "inet" or part.kind not in table:
        raise _NoCounterpart
    return prefix + table[part.kind]


def _log_target(part: Log) -> str:
    words = ["-j LOG"]
    if part.prefix:
        words.append(f"--log-prefix {saved_string(part.prefix)}")
    if part.level != 4:
        words.append(f"--log-level {part.level}")
    return " ".join([*words, *(option for flag, option in _LOG_OPTIONS.items() if flag in part.flags)])


_LOG_OPTIONS = {
    "tcp sequence": "--log-tcp-sequence", "tcp options": "--log-tcp-options", "ip options": "--log-ip-options", "skuid": "--log-uid",
}  # fmt: skip


# ---- whole rulesets of nft -------------------------------------------------------------------------------------------

_TABLE_OF = {-300: "raw", -150: "mangle", -100: "nat", 0: "filter", 50: "security", 100: "nat"}


def iptables_file(ruleset: Ruleset) -> str:
    """nft's tables as text for iptables-restore; an inet table is said for both families. What has no counterpart is a comment."""
    texts = []
    for family, program in (("ip", "iptables"), ("ip6", "ip6tables")):
        found: dict[str, list[str]] = {}
        for table in ruleset.of("nft"):
            if table.family in (family, "inet"):
                _restorable(table, family, found)
        for name, lines in found.items():
            heads = [line for line in lines if line.startswith(":")]
            rest = [line for line in lines if not line.startswith(":")]
            texts.append("\n".join([f"# for {program}-restore", f"*{name}", *heads, *rest, "COMMIT"]) + "\n")
    return "".join(texts)


def _restorable(table: Table, family: str, found: dict[str, list[str]]) -> None:
    """The lines of one table, sorted into iptables' tables by the priorities of its base chains."""
    places = {chain.name: _TABLE_OF.get(chain.priority, "filter") if chain.hook is not None else "" for chain in table.chains}
    only = next((place for place in places.values() if place), "filter")
    for chain in table.chains:
        place, name = places[chain.name] or only, chain.hook.name if chain.hook is not None else chain.name
        lines = found.setdefault(place, [])
        lines.append(f":{name} {chain.policy.upper() if chain.hook is not None else '-'} [0:0]")
        for rule in chain.rules:
            for each in _spread(_of_family(rule, family)) if _concerns(rule, family) else ():
                words = iptables_text(each, family)
                lines.append(f"-A {name} {words}".rstrip() if words is not None else f"# no counterpart: {rule.text}")


_ONLY = {"ip": ("ip6 ", "icmpv6 "), "ip6": ("ip ", "icmp ")}
_NFPROTO = {"ip": 2, "ip6": 10}


def _concerns(rule: Rule, family: str) -> bool:
    """Whether packets of that family can match the rule at all."""
    for part in rule.parts:
        if isinstance(part, Compare | VerdictMap) and part.selector.startswith(_ONLY[family]):
            return False
        if isinstance(part, Compare) and part.selector == "meta nfproto" and isinstance(part.values, tuple):
            return (_NFPROTO[family] in part.values) == (part.op == "==")
    return True


def _of_family(rule: Rule, family: str) -> Rule:
    """An inet rule for one family: what asks for the family itself goes without saying, and an error is that family's."""
    parts = [part for part in rule.parts if not (isinstance(part, Compare) and part.selector == "meta nfproto")]
    return replace(rule, parts=tuple(replace(part, family=family) if isinstance(part, Reject) else part for part in parts))


def _spread(rule: Rule) -> list[Rule]:
    """A rule that asks for one of many values as a rule for each, where iptables has no list; not where something counts along."""
    if any(isinstance(part, Limit | Judge) for part in rule.parts):
        return [rule]
    for place, part in enumerate(rule.parts):
        if isinstance(part, VerdictMap) and isinstance(part.entries, tuple):
            pairs = [(Compare(part.selector, (item,)), verdict) for item, verdict in part.entries]
            return [replace(rule, parts=(*rule.parts[:place], *pair, *rule.parts[place + 1 :])) for pair in pairs]
        if isinstance(part, Compare) and part.braces and part.op == "==" and isinstance(part.values, tuple) and not _listed(part):
            ones = [replace(part, values=(value,), braces=False) for value in part.values]
            return [replace(rule, parts=(*rule.parts[:place], one, *rule.parts[place + 1 :])) for one in ones]
    return [rule]


def _listed(part: Compare) -> bool:
    """Whether iptables has a list for it: ports and states."""
    return part.selector.endswith((" dport", " sport")) or part.selector == "ct state"
