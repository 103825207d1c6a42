"""A rule of iptables in nft's words, as iptables-translate(8) 1.8.9 words it. None where that has no words.

Written from the options as they are saved, not from the parts: the translator knows nothing of what a rule does.
`flags fin,syn / fin,syn`: its own spelling; newer versions have others. Here: the header and the whole rule; matches.py, counting.py
and targets.py word the modules.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.ruleset.iptables.addresses import compare_net, mask_length, show_net
from sim.ruleset.iptables.names import protocol_text
from sim.ruleset.iptables.xlate.counting import connlimit_set
from sim.ruleset.iptables.xlate.matches import MATCHES, WHOLE
from sim.ruleset.iptables.xlate.targets import TARGETS
from sim.ruleset.model import Compare, Extension, Rule, Verdict, Wildcard
from sim.units import show_address


class Translated(NamedTuple):
    """The rule without its chain, and the sets that it needs, as `NAME { type …; flags …; }`."""

    rule: str
    sets: list[str]


def rule_words(rule: Rule, family: str, limits: int = 0) -> Translated | None:
    """The rule in nft's words, or None. `limits`: how many sets of connlimit were named before it."""
    sets = [connlimit_set(number) for number, _ in enumerate(_connlimits(rule), limits)]
    try:
        words = [*_header(rule, family), *_matches(rule, family, limits), "counter", *_target(rule, family), *_comment(rule)]
    except KeyError:
        return None
    first, *rest = words
    return Translated(" ".join([first, *(word.lstrip() for word in rest)]).rstrip(), sets)


def _connlimits(rule: Rule) -> list[Extension]:
    return [part for part in rule.parts if isinstance(part, Extension) and part.name == "connlimit"]


# ---- the header ------------------------------------------------------------------------------------------------------


def _header(rule: Rule, family: str) -> list[str]:
    header = {part.selector: part for part in rule.parts if isinstance(part, Compare)}
    words = [_device(header[name], name[5:]) for name in ("meta iifname", "meta oifname") if name in header]
    if "ip frag-off" in header:
        words.append("ip frag-off & 0x1fff " + ("!= 0" if header["ip frag-off"].op == "!=" else "0"))
    protocol = header.get("ip protocol") or header.get("meta l4proto")
    if protocol is not None and not _said(rule, int(str(protocol.values[0]))):  # type: ignore[index]
        words.append(_protocol(protocol, family))
    for name in ("saddr", "daddr"):
        if f"{family} {name}" in header:
            words.append(f"{family} {name} {_address(header[f'{family} {name}'])}")
    return [word for word in words if word]


def _not(part: Compare) -> str:
    return "!= " if part.op == "!=" else ""


def _device(part: Compare, name: str) -> str:
    item = part.values[0]  # type: ignore[index]
    if item == Wildcard(""):
        return f'{name} "INVAL/D"' if part.op == "!=" else ""
    text = f"{item.start}*" if isinstance(item, Wildcard) else _literal(str(item))
    return f'{name} {_not(part)}"{text}"'


def _literal(device: str) -> str:
    """A device's name of which no `*` is nft's wildcard: in the middle it is none, at the end a backslash stands before it."""
    return f"{device[:-1]}\\*" if device.endswith("*") else device


def _said(rule: Rule, protocol: int) -> bool:
    """Whether a module of the protocol's name says it."""
    names = {part.name for part in rule.parts if isinstance(part, Extension) and not part.target}
    return protocol_text(protocol) in names or (protocol == 135 and "mh" in names)


def _protocol(part: Compare, family: str) -> str:
    number = int(str(part.values[0]))  # type: ignore[index]
    selector = "ip protocol" if family == "ip" else "meta l4proto"
    return f"{selector} {_not(part)}{protocol_text(number)}"


def _address(part: Compare) -> str:
    net = compare_net(part)
    if mask_length(net.mask) is None:
        return f"& {show_address(net.mask)} {'!=' if part.op == '!=' else '=='} {show_address(net.address)}"
    return _not(part) + show_net(net, False)


def _comment(rule: Rule) -> list[str]:
    there = any(isinstance(part, Extension) and part.name == "comment" for part in rule.parts)
    return [f'comment "{rule.comment}"'] if there else []


# ---- the modules -----------------------------------------------------------------------------------------------------


def _matches(rule: Rule, family: str, limits: int) -> list[str]:
    found = []
    for part in rule.parts:
        if isinstance(part, Extension) and not part.target and part.name != "comment":
            named = {option.name: option for option in part.options}
            words = WHOLE[part.name](part) if part.name in WHOLE else MATCHES[part.name](named, family)
            if words is None:
                raise KeyError(part.name)
            if part.name == "connlimit":
                words, limits = words.format(limits), limits + 1
            found.append(words)
    return [words for words in found if words]


def _target(rule: Rule, family: str) -> list[str]:
    for part in rule.parts:
        if isinstance(part, Verdict):
            return [part.name if not part.chain else f"{part.name} {part.chain}"]
        if isinstance(part, Extension) and part.target:
            words = TARGETS[part.name]({option.name: option for option in part.options}, family)
            if words is None:
                raise KeyError(part.name)
            return [words]
    return []
