"""nft's named objects: from their blocks to the model, what the kernel refuses of them, and how they are listed."""

from __future__ import annotations

from sim.conntrack import helpers
from sim.ruleset.helping import CtHelper, SetHelper
from sim.ruleset.model import Rule, Table
from sim.ruleset.nft.keptprint import quota_words, rate_words
from sim.ruleset.nft.objectblocks import TIMEOUT_STATES
from sim.ruleset.nft.printing import Style, time
from sim.ruleset.nft.refusals import EAFNOSUPPORT, EINVAL, ENOENT, ERANGE, process
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.syntax import CounterOf, LimitOf, Mistake, QuotaOf
from sim.ruleset.nft.written import CtExpectationOf, CtHelperOf, CtTimeoutOf, NamedOf, ObjectOf
from sim.ruleset.objects import CounterObject, CtExpectation, CtTimeout, LimitObject, NamedObject, QuotaObject
from sim.ruleset.parts import MapOf, UseObject

PROTOCOLS = {"tcp": 6, "udp": 17}
_WORDS = {number: word for word, number in PROTOCOLS.items()}


def object_of(name: Lexeme, body: NamedOf, family: str, at: At) -> NamedObject:
    """The object that a block describes, in a table of `family`. Raises Mistake as nft and the kernel do, and NotSimulated."""
    match body:
        case CtHelperOf():
            return helper_of(name.value, body, family, at)
        case CtTimeoutOf():
            return _timeout(name.value, body, family)
        case CtExpectationOf():
            return _expectation(name, body, family, at)
        case ObjectOf():
            return _counting(name.value, body, at)


def _counting(name: str, body: ObjectOf, at: At) -> NamedObject:
    numbers = body.statement
    if body.kind == "counter":
        packets, size = (numbers.packets, numbers.bytes) if isinstance(numbers, CounterOf) else (0, 0)
        return CounterObject(name, packets, size, comment=body.comment)
    if isinstance(numbers, QuotaOf):
        return QuotaObject(name, numbers.bytes, numbers.over, numbers.used, comment=body.comment)
    if isinstance(numbers, LimitOf) and numbers.rate:
        return LimitObject(name, numbers.rate, numbers.unit, numbers.burst, numbers.per, numbers.over, comment=body.comment)
    process(at, EINVAL)


def _timeout(name: str, body: CtTimeoutOf, family: str) -> CtTimeout:
    states = TIMEOUT_STATES.get(body.protocol, ())
    policy: dict[str, int] = {}
    for state, seconds in body.policy:
        if state.value not in states:
            raise Mistake(state.at, "invalid state for this protocol")
        policy[state.value] = seconds
    in_order = tuple((state, policy[state]) for state in states if state in policy)
    return CtTimeout(name, PROTOCOLS.get(body.protocol, 0), body.family or family, in_order, comment=body.comment)


def _expectation(name: Lexeme, body: CtExpectationOf, family: str, at: At) -> CtExpectation:
    if not (body.protocol and body.dport and body.timeout and body.size):
        raise Mistake(At(name.at.end - 1, name.at.end, name.at.source), "missing options")
    wanted = body.family or family
    if wanted == "inet":
        process(at, EAFNOSUPPORT)
    if "inet" not in (family, wanted) and family != wanted:
        process(at, EAFNOSUPPORT)
    made = (PROTOCOLS[body.protocol], wanted, body.dport & 0xFFFF, body.timeout // 1000, body.size & 0xFF)
    return CtExpectation(name.value, *made, comment=body.comment)


def helper_of(name: str, body: CtHelperOf, family: str, at: At) -> CtHelper:
    """A `ct helper` object."""
    if body.type is None:
        process(at, ERANGE)
    wanted, protonum = body.family or family, PROTOCOLS[body.protocol]
    if "inet" not in (family, wanted) and wanted != family:
        process(at, EINVAL)
    if helpers.is_elsewhere(body.type.value, protonum):
        raise NotSimulated(body.type.value, body.type.at)
    families = ("ip", "ip6") if wanted == "inet" else (wanted,)
    found = [each for each in families if helpers.find(body.type.value, each, protonum)]
    if not found:
        process(at, ENOENT)
    return CtHelper(name, body.type.value, protonum, found[0] if len(found) == 1 else "inet", comment=body.comment)


def listing(found: NamedObject, style: Style) -> list[str]:
    """The lines of `counter name { ... }`, indented for a table's block."""
    handle = f" # handle {found.handle}" if style.handles else ""
    comment = [f'comment "{found.comment}"'] if found.comment else []
    return [f"\t{found.kind} {found.name} {{{handle}", *(f"\t\t{line}" for line in (*comment, *_lines(found, style))), "\t}"]


def _lines(found: NamedObject, style: Style) -> list[str]:
    match found:
        case CounterObject():
            return [f"packets {found.packets} bytes {found.bytes}"] if not style.stateless else []
        case QuotaObject():
            return [quota_words(found.bytes, found.over, found.used, style)]
        case LimitObject():
            return [rate_words(found)]
        case CtHelper():
            return [f'type "{found.helper}" protocol {_WORDS[found.protonum]}', f"l3proto {found.family}"]
        case CtTimeout():
            policy = ", ".join(f"{state} : {seconds}" for state, seconds in found.policy)
            return [f"protocol {_WORDS[found.protonum]}", f"l3proto {found.family}", f"policy = {{ {policy} }}"]
        case CtExpectation():
            timeout = time(found.timeout, style)
            protocol = f"protocol {_WORDS[found.protonum]}"
            return [protocol, f"dport {found.dport}", f"timeout {timeout}", f"size {found.size}", f"l3proto {found.family}"]


def uses(table: Table, kind: str, name: str) -> bool:
    """Whether a rule or a map of the table names the object."""
    if any(each.data == kind and any(one.value == name for one in each.elements) for each in table.sets):
        return True
    return any(_names(rule, kind, name) for chain in table.chains for rule in chain.rules)


def _names(rule: Rule, kind: str, name: str) -> bool:
    for part in rule.flat():
        if isinstance(part, UseObject) and part.object == kind and _which(part, name):
            return True
        if kind == "ct helper" and isinstance(part, SetHelper) and part.name == name:
            return True
    return False


def _which(part: UseObject, name: str) -> bool:
    if not isinstance(part.which, MapOf):
        return part.which == name
    return isinstance(part.which.entries, tuple) and any(value == name for _, value in part.which.entries)
