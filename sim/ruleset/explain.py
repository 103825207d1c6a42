"""Rules and their decisions in plain words: `sentence` for a rule, `because` for one comparison with one packet.

    because: "came in on eth0, not lo"   "port 22 yes"   "label is ESTABLISHED, not NEW"   "TCP, not ICMP"
    sentence: "Accept packets with label NEW to TCP port 22."
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.assigned import assigned, owned
from sim.ruleset.helping import BY_MARK, SetHelper, UseTemplate
from sim.ruleset.judged import acted, does, judged, rated
from sim.ruleset.model import (
    Action,
    Assign,
    Compare,
    Counter,
    Extension,
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
    flatten,
)
from sim.ruleset.parts import Act, AssignMap, Blend, Judge, Nat, Nothing, Quota, Rewrite, SetStatement, UseObject
from sim.ruleset.said import DEEDS
from sim.ruleset.stated import quota_clause, stated
from sim.ruleset.translation import doing
from sim.ruleset.values import show_item, show_items, show_value
from sim.ruleset.wording import CLAUSES, READINGS, missing, noun
from sim.trace import Because, Reason

# ---- one comparison, one packet --------------------------------------------------------------------------------------


def because(part: Compare, text: str, matched: bool, value: Any, skb: Skb) -> Because:
    """Why one comparison did or did not match; `value` is what the packet has, None where it lacks the field."""
    if value is None:
        return Because(text, matched, "", missing(part.selector, skb.packet))
    shown = show_value(part.selector, value)
    return Because(text, matched, shown, _words(part, matched, shown))


def _words(part: Compare, matched: bool, shown: str) -> str:
    reading = READINGS.get(part.selector, part.selector + " {}").format(shown)
    wanted = _wanted(part)
    negated = part.op in ("!=", "!&")
    if matched == negated:
        if matched and len(wanted) > 60:
            return f"{reading}, not one of those"
        return f"{reading}, not {wanted}"
    if negated:
        return f"{reading}, which is left out"
    return reading if _is_clause(part.selector) else f"{reading} yes"


def _is_clause(selector: str) -> bool:
    """Whether the reading is a sentence of its own ("label is NEW"), so that "yes" would be odd behind it."""
    return " is " in READINGS.get(selector, "") or READINGS.get(selector, "").startswith(("came ", "leaves "))


def _wanted(part: Compare) -> str:
    if isinstance(part.values, SetReference):
        return f"in @{part.values.name}"
    words = {"<": "below ", ">": "above ", "<=": "at most ", ">=": "at least "}.get(part.op, "")
    masked = f" under mask {part.mask:#x}" if isinstance(part.mask, int) and part.selector != "tcp flags" else ""
    return words + show_items(part.selector, part.values, part.mask) + masked


def because_limit(part: Limit, text: str, matched: bool) -> Because:
    """Why a limit matched or not."""
    within = matched != part.over
    return Because(text, matched, "", "within the rate" if within else f"more than {part.rate} {part.per} a {part.unit}")


def because_map(part: VerdictMap, text: str, verdict: Verdict | None, value: Any, skb: Skb) -> Because:
    """What a verdict map answered."""
    if value is None:
        return Because(text, False, "", missing(part.selector, skb.packet))
    shown = show_value(part.selector, value)
    reading = READINGS.get(part.selector, part.selector + " {}").format(shown)
    answer = f" gives {verdict_word(verdict)}" if verdict is not None else ", not in the map"
    return Because(text, verdict is not None, shown, reading + answer)


def because_cut_short(packet: Packet) -> Because:
    """iptables' modules drop what is cut short (hotdrop)."""
    return Because("", False, f"{len(packet.data) - packet.l4} bytes", "its header is cut short: iptables drops it at once")


def because_no_header(packet: Packet) -> Because:
    """A module that looks at a header does not match where it is cut short."""
    return Because("", False, f"{len(packet.data) - packet.th} bytes", "its header is cut short")


def because_fragment(packet: Packet) -> Because:
    """Later fragments have no ports."""
    return Because("", False, f"offset {packet.fragment}", "a later fragment, without a header to look at")


# ---- verdicts --------------------------------------------------------------------------------------------------------


def verdict_word(verdict: Verdict | Reject | Nat) -> str:
    """ACCEPT DROP REJECT RETURN CONTINUE, "JUMP web", "GOTO web", SNAT DNAT MASQUERADE REDIRECT NETMAP."""
    if isinstance(verdict, Nat):
        return verdict.kind.upper()
    if isinstance(verdict, Reject):
        return "REJECT"
    return f"{verdict.name.upper()} {verdict.chain}".strip()


def dropped_by_policy(table: str, chain: str) -> Reason:
    """The reason when no rule decided and the policy is drop."""
    text = "No rule decided, so the policy does: this packet is gone, and nobody is told."
    return Reason("policy", text, {"table": table, "chain": chain})


def _template(part: UseTemplate) -> str:
    zone = "" if not part.zone else " in the zone of its mark" if part.zone == BY_MARK else f" in zone {part.zone}"
    return f"have the helper {part.helper} read the new connections of {{}}{zone}" if part.helper else f"track {{}}{zone}"


def dropped_by_rule(verdict: Verdict | Reject | Nat, rule: Rule, table: str, chain: str, number: int) -> Reason:
    """The reason when a rule dropped or rejected it."""
    told = "the sender is told" if isinstance(verdict, Reject) else "nobody is told"
    text = f"Rule {number} of {chain} decided: {rule.text}. This packet is gone, and {told}."
    code = "reject" if isinstance(verdict, Reject) else "rule"
    return Reason(code, text, {"table": table, "chain": chain, "rule": rule.id, "number": number})


# ---- a rule's parts with the text they were written in ---------------------------------------------------------------


def parts_with_text(table: Table, rule: Rule) -> Iterator[tuple[Test | Action, str]]:
    """The parts as Rule.flat gives them, each with its text in the rule's language."""
    from sim.ruleset.iptables.show import (  # languages stand above the words, but know how they are written
        option_text,
        part_text,
    )
    from sim.ruleset.nft.show import part_text as nft_text

    for part in rule.parts:
        if not isinstance(part, Extension):
            yield part, (part_text(part, table.family) if table.language == "iptables" else nft_text(part, table))
            continue
        tests = [each for each in flatten(part.parts) if not isinstance(each, HeaderThere)]
        aligned = len(tests) == len(part.options)
        texts = iter(part.options)
        whole = " ".join(option_text(option) for option in part.options)
        for each in flatten(part.parts):
            yield each, "" if isinstance(each, HeaderThere) else option_text(next(texts)) if aligned else whole


# ---- one rule --------------------------------------------------------------------------------------------------------


def sentence(rule: Rule) -> str:
    """The rule in a plain English sentence."""
    parts = list(rule.flat())
    tests = [part for part in parts if isinstance(part, Compare | Limit | VerdictMap | Judge | Quota)]
    clauses = _clauses([part for part in tests if not _is_for_a_mark(part, parts)])
    doing = [words for part in parts if (words := _does(part))] or ["count"]
    subject = " ".join(["packets", *_joined(clauses)]) if clauses else "every packet"
    first, *rest = doing
    text = f"{first} {subject}" if "{}" not in first else first.format(subject)
    for words in rest:
        text += ", then " + (words.format("them") if "{}" in words else f"{words} them")
    return text[0].upper() + text[1:] + "."


def _joined(clauses: list[str]) -> list[str]:
    """ "that came in on lan", "and that leave by wan"."""
    heads = ("that ", "with any ", "whose ")
    chained = [any(one.startswith(head) and before.startswith(head) for head in heads) for before, one in pairwise(["", *clauses])]
    return [f"and {clause}" if behind else clause for clause, behind in zip(clauses, chained, strict=True)]


def _is_for_a_mark(part: Test | Action, parts: list[Test | Action]) -> bool:
    """A number that is counted for the mark behind it, not for a comparison."""
    after = parts[parts.index(part) + 1 :]
    return isinstance(part, Judge) and part.kind == "numgen" and bool(after) and isinstance(after[0], Assign)


def _clauses(tests: list[Compare | Limit | VerdictMap | Judge | Quota]) -> list[str]:
    named = {part.selector.split(" ")[0] for part in tests if isinstance(part, Compare)}
    clauses = []
    for part in tests:
        if isinstance(part, Judge):
            clauses += [judged(part)] if part.kind not in DEEDS and not isinstance(part, Act) else []
        elif isinstance(part, Quota):
            clauses.append(quota_clause(part))
        elif isinstance(part, Limit):
            clauses.append(f"{'beyond' if part.over else 'at no more than'} {rated(str(part.rate), part.per, part.unit)}")
        elif isinstance(part, Compare) and not _said_by_port(part, named):
            clauses.append(_clause(part))
    return clauses


def _said_by_port(part: Compare, named: set[str]) -> bool:
    """Whether "of protocol TCP" goes without saying, because a TCP port follows."""
    if part.selector not in ("meta l4proto", "ip protocol", "ip6 nexthdr") or part.op != "==" or isinstance(part.values, SetReference):
        return False
    return all(isinstance(item, int) and show_item("meta l4proto", item).lower() in named for item in part.values)


def _clause(part: Compare) -> str:
    negated = part.op in ("!=", "!&")
    if part.selector.startswith("fib ") and part.selector.endswith(" oif") and part.values in ((0,), (1,)):
        return _routed(part.selector, (part.values == (1,)) != negated)
    if part.selector == "tcp flags" and isinstance(part.mask, int) and part.values == (0,):
        return f"with {'any' if negated else 'none'} of the TCP flags {show_items('tcp flags', (part.mask,))}"
    positive, negative = CLAUSES.get(part.selector, (f"whose {part.selector} is {{}}", f"whose {part.selector} is not {{}}"))
    clause = (negative if negated else positive).format(_wanted(part))
    for bare, whole in _IN_A_SET if isinstance(part.values, SetReference) else ():
        clause = clause.replace(f"{bare} in @", f"{whole} in @")
    return clause.replace("of ipv", "of IPv")


_IN_A_SET = (
    ("from", "from an address"), ("to", "to an address"), ("came in on", "came in on a device"), ("leave by", "leave by a device"),
    ("of protocol", "of a protocol"),
    *((f"{way} {name} port", f"{way} a {name} port") for way in ("to", "from") for name in ("TCP", "UDP")),
)  # fmt: skip


def _routed(selector: str, there: bool) -> str:
    """Whether the routes know an address: for the way that the packet came (a reverse path), or at all."""
    if "iif" in selector and "saddr" in selector:
        return f"whose answer would {'' if there else 'not '}go back the same way"
    return f"to whose {'source' if 'saddr' in selector else 'destination'} there is {'a' if there else 'no'} route"


def _does(part: Test | Action) -> str:
    match part:
        case Verdict(name="jump"):
            return f"send {{}} through chain {part.chain}"
        case Verdict(name="goto"):
            return f"send {{}} to chain {part.chain}, without coming back here"
        case Verdict(name="return"):
            return "let {} leave this chain"
        case Verdict(name="continue"):
            return ""
        case Verdict():
            return part.name
        case Reject():
            return f"reject {{}} with {'a TCP reset' if part.kind == 'tcp reset' else f'an ICMP {part.kind} error'}"
        case Log():
            return "log" if part.group is None else f"send {{}} to log group {part.group}"
        case Assign(selector="xt priority" | "meta priority", source="", keep=0):
            return f"give {{}} the traffic class {part.value >> 16:x}:{part.value & 0xFFFF:x}"
        case Assign():
            return f"set the {owned(part.selector)} of {{}} to {assigned(part)}"
        case Notrack():
            return "keep {} out of connection tracking"
        case UseTemplate():
            return _template(part)
        case SetHelper():
            return f"have the helper object {part.name} read the new connections of {{}}"
        case Nat():
            return doing(part)
        case Rewrite() | Blend() | Nothing():
            return does(part)
        case Act():
            return acted(part)
        case Judge() if part.kind in DEEDS:
            return DEEDS[part.kind](part)
        case SetStatement() | UseObject() | AssignMap():
            return stated(part)
        case VerdictMap():
            return f"decide by {noun(part.selector)} what becomes of {{}}"
        case Counter() | _:
            return ""
