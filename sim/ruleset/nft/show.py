"""How `nft list` prints a rule: nft 1.0.6's normal form, whichever way it was typed.

What a later word says anyway is left out, as nft leaves it out: `meta l4proto tcp tcp dport 22` is listed as `tcp dport 22`, but not
when something that acts (a counter, a log) stands between. Fields of one header side by side are listed in the header's order.
`rule_text` also words rules that iptables made, as iptables-translate does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.ruleset.datatypes import ICMP_CODE, ICMPV6_CODE, ICMPX_CODE
from sim.ruleset.headers import HEADERS
from sim.ruleset.helping import SetHelper
from sim.ruleset.model import (
    Action,
    Assign,
    Compare,
    Counter,
    HeaderThere,
    Limit,
    Log,
    Notrack,
    Reject,
    Rule,
    SetReference,
    Table,
    Test,
    Verdict,
    VerdictMap,
)
from sim.ruleset.nft import nat
from sim.ruleset.nft.fetching import fetched
from sim.ruleset.nft.fields import EXTENSIONS
from sim.ruleset.nft.keptprint import kept_words, rate_words, statement_words
from sim.ruleset.nft.printing import PLAIN, Style, compare, element, left
from sim.ruleset.nft.rawshow import as_bytes
from sim.ruleset.nft.rewriting import act_words, rewrite_words
from sim.ruleset.parts import Act, AssignMap, Judge, Nat, Nothing, Quota, Rewrite, SetStatement, UseObject
from sim.ruleset.selectors import SELECTORS, parts_of

Numbers = Callable[[int], tuple[int, int]]  # which counter of the rule -> (packets, bytes)
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_FLAG_ORDER = ("tcp sequence", "tcp options", "ip options", "skuid", "ether")
_REJECT = {"ip": ("icmp", ICMP_CODE), "ip6": ("icmpv6", ICMPV6_CODE), "inet": ("icmpx", ICMPX_CODE)}


def rule_text(rule: Rule, family: str = "ip", style: Style = PLAIN, numbers: Numbers | None = None) -> str:
    """The rule as `nft list` prints it, with its comment, without its handle.

    `numbers` gives the present values of its counters; without it they are printed without numbers. For a rule that iptables
    made it is the rule in nft's words. `family` is the table's.
    """
    parts = listed(tuple(rule.flat()), family)
    words: list[str] = []
    count = 0
    for part in parts:
        if isinstance(part, HeaderThere) or (isinstance(part, Judge) and part.kind == "numgen") or is_quiet(part):
            continue
        if isinstance(part, Counter) and numbers is not None and not style.stateless:
            packets, size = numbers(count)
            words.append(f"counter packets {packets} bytes {size}")
        else:
            words.append(part_words(part, family, style))
        count += isinstance(part, Counter)
    if rule.comment:
        words.append(f'comment "{rule.comment}"')
    return " ".join(words)


def is_quiet(part: object) -> bool:
    """Whether a part is not listed, because the one before it says what becomes of the packet."""
    return isinstance(part, Verdict) and part.quiet


def part_text(part: Test | Action, table: Table) -> str:
    """One part of a rule in nft's words."""
    return part_words(part, table.family)


def part_words(part: Test | Action, family: str, style: Style = PLAIN) -> str:
    """One part, in the style."""
    match part:
        case Compare():
            return compare(part, style)
        case Verdict():
            return f"{part.name} {part.chain}" if part.chain else part.name
        case Counter():
            return "counter"
        case VerdictMap():
            return _verdict_map(part, style)
        case Limit():
            return f"limit {rate_words(part)}"
        case Reject():
            return _reject(part, family, style)
        case Log():
            return _log(part)
        case Assign():
            return _assign(part, style)
        case Notrack():
            return "notrack"
        case Act():
            return act_words(part, style)
        case Rewrite():
            return rewrite_words(part, style)
        case Judge(kind="ct count") | Quota():
            return kept_words(part, style)
        case Nothing():
            return part.text
        case SetStatement() | UseObject() | AssignMap():
            return statement_words(part, style)
        case Nat():
            return nat.text(part, family, style) or ""
        case SetHelper():
            return f'ct helper set "{part.name}"'
    return ""


def _verdict_map(part: VerdictMap, style: Style) -> str:
    if isinstance(part.entries, SetReference):
        return f"{left(part.selector)} vmap @{part.entries.name}"
    rows = parts_of(part.selector)
    inner = ", ".join(f"{element(rows, key, style)} : {part_words(verdict, '')}" for key, verdict in part.entries)
    return f"{left(part.selector)} vmap {{ {inner} }}"


def _reject(part: Reject, family: str, style: Style) -> str:
    if part.kind == "tcp reset":
        return "reject with tcp reset"
    if part.kind == "port-unreachable" and part.family == family:
        return "reject"
    word, codes = _REJECT[part.family]
    return f"reject with {word} {codes[part.kind] if style.numeric else part.kind}"


def _log(part: Log) -> str:
    words = ["log"]
    if part.prefix or part.prefixed:
        words.append(f'prefix "{part.prefix}"')
    if part.group is not None:
        words.append(f"group {part.group}")
        words += [f"snaplen {part.snaplen}"] if part.snaplen else []
        words += [f"queue-threshold {part.threshold}"] if part.threshold else []
    elif part.level != 4:
        words.append(f"level {LEVELS[part.level]}")
    return " ".join(words + _log_flags(part.flags))


def _log_flags(flags: Iterable[str]) -> list[str]:
    there = [flag for flag in _FLAG_ORDER if flag in set(flags)]
    if len(there) == len(_FLAG_ORDER):
        return ["flags all"]
    if there[:2] == ["tcp sequence", "tcp options"]:
        there[:2] = ["tcp sequence,options"]
    return [f"flags {flag}" for flag in there]


def _assign(part: Assign, style: Style) -> str:
    """(source & keep) ^ value, in the shortest words that nft prints back."""
    every = (1 << SELECTORS[part.selector].bits) - 1
    if part.keep == 0:
        return f"{part.selector} set 0x{part.value:08x}"
    source, both = part.source or part.selector, part.value & part.keep
    shown = "0x{:08x}".format if source in ("meta mark", "ct mark") else str
    words = f"{part.selector} set {source if shown is not str else left(source)}"
    if both:
        masked = "" if part.keep == every else f" & {shown(part.keep)}"
        return f"{words}{masked} ^ {shown(part.value)}"
    if part.value == 0:
        return words if part.keep == every else f"{words} & {shown(part.keep)}"
    if part.keep | part.value == every:
        return f"{words} | {shown(part.value)}"
    return f"{words} & {shown(part.keep | part.value)} | {shown(part.value)}"


# ---- what the listing leaves out, and the order of neighbours --------------------------------------------------------

_L4 = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 50: "esp", 51: "ah", 58: "icmpv6", 108: "comp", 132: "sctp", 136: "udplite",
}  # fmt: skip
_NF = {2: "ip", 10: "ip6"}
_NETWORK_TESTS = {"meta nfproto": _NF, "ct l3proto": _NF, "ether type": {0x0800: "ip", 0x86DD: "ip6"}}
_CT_NETWORK = {"ip": 2, "ip6": 10}
_TRANSPORT_TESTS = {"ip": ("meta l4proto", "ip protocol", "ct protocol"), "ip6": ("meta l4proto", "ip6 nexthdr", "ct protocol")}
_PROTOCOL_TESTS = ("meta l4proto", "ct protocol")
_NEEDS_A_TYPE = ("icmp mtu", "icmp gateway", "icmpv6 mtu", "icmpv6 max-delay")


def listed(parts: tuple[Test | Action, ...], family: str) -> list[Test | Action]:
    """The parts that are printed."""
    kept: list[Test | Action | None] = []
    network: int | None = None  # where in `kept` a test stands that a later word may make needless
    transport: int | None = None
    icmp: int | None = None
    for part in fetched(parts, family):
        if isinstance(part, Compare | VerdictMap):
            for row in parts_of(part.selector):
                network = _kill(kept, network, _implies_network(row.name, kept, network, family))
                transport = _kill(kept, transport, _implies_transport(row.name, kept, transport))
                icmp = _kill(kept, icmp, row.name in _NEEDS_A_TYPE)
        elif isinstance(part, Reject):
            by_entry = network is not None and _name(kept[network]) == "ct l3proto" and family != "inet"
            network = _kill(kept, network, not by_entry and ((family == "inet" and part.family != "inet") or part.kind == "tcp reset"))
            transport = _kill(kept, transport, part.kind == "tcp reset" and family != "inet")
        if not isinstance(part, Compare):
            network = transport = icmp = None
        kept.append(part)
        if isinstance(part, Compare):
            place = len(kept) - 1
            number = _one_number(part)
            network = place if number in _NETWORK_TESTS.get(part.selector, ()) else network
            transport = place if number in _L4 and part.selector in _transport_tests(family) else transport
            icmp = place if part.selector in ("icmp type", "icmpv6 type") and number in (2, 3, 5, 130) else None
    told = as_bytes([part for part in kept if part is not None], family)
    return [part for part, after in zip(told, [*told[1:], None], strict=True) if not _network_said(part, after, family)]


def _kill(kept: list[Test | Action | None], place: int | None, needless: bool) -> int | None:
    """Take the test out when a later word implies it."""
    if place is None or not needless:
        return place
    kept[place] = None
    return None


_ETHER = {"ip": 0x0800, "ip6": 0x86DD}


def _network_said(part: Test | Action, after: Test | Action | None, family: str) -> bool:
    """`meta protocol ip` in a table of family ip, ahead of anything."""
    if not isinstance(part, Compare) or part.selector != "meta protocol" or _one_number(part) != _ETHER.get(family, -1):
        return False
    return after is not None


def _name(part: Test | Action | None) -> str:
    return part.selector if isinstance(part, Compare) else ""


def _one_number(part: Compare) -> int | None:
    if part.op != "==" or part.mask is not None or part.braces or not isinstance(part.values, tuple):
        return None
    return part.values[0] if len(part.values) == 1 and isinstance(part.values[0], int) else None


def _transport_tests(family: str) -> tuple[str, ...]:
    return _TRANSPORT_TESTS.get(family, ("meta l4proto",))


def _implies_network(name: str, kept: list[Test | Action | None], place: int | None, family: str) -> bool:
    """Whether the field can only be there in packets of the network protocol tested at `place`."""
    test = kept[place] if place is not None else None
    if not isinstance(test, Compare):
        return False
    protocol = _NETWORK_TESTS[test.selector][_one_number(test) or 0]
    first = name.split()[0]
    if test.selector == "ct l3proto":  # nft takes it for what any header behind it needs
        return (first in HEADERS and first != "th" and not name.startswith("tcp option")) or name in _PROTOCOL_TESTS or (
            first in EXTENSIONS and not name.startswith("rt ip")
        )
    if first == "ct":
        return test.selector != "ether type" and f" {protocol} " in name
    return first == protocol or (family in ("inet", protocol) and (first, protocol) in (("icmp", "ip"), ("icmpv6", "ip6")))


def _implies_transport(name: str, kept: list[Test | Action | None], place: int | None) -> bool:
    """The same for the transport protocol."""
    test = kept[place] if place is not None else None
    return isinstance(test, Compare) and name.split()[0] == _L4[_one_number(test) or 6]
