"""Rules as iptables prints them: the saved form of -S and iptables-save, and the columns of -L. Formats: iptables/iptables.c, 1.8.9."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sim.ruleset.iptables.addresses import Net, compare_net, show_net
from sim.ruleset.iptables.matches import module_of
from sim.ruleset.iptables.names import protocol_text
from sim.ruleset.model import Chain, Compare, Counter, Extension, Option, Part, Rule, Table, Verdict, Wildcard

Counts = Callable[[Rule], tuple[int, int]]

_NAMED = {b"\x7f\0\0\1": "localhost", bytes(4): "default", b"\x7f\0\0\0": "loopback", b"\xa9\xfe\0\0": "link-local"}
"""What Debian's /etc/hosts and /etc/networks call addresses, masked or not."""
_FLAGS = {
    "ip saddr": "s", "ip6 saddr": "s", "ip daddr": "d", "ip6 daddr": "d", "meta iifname": "i", "meta oifname": "o",
    "ip protocol": "p", "meta l4proto": "p", "ip frag-off": "f",
}  # fmt: skip

# ---- the saved form --------------------------------------------------------------------------------------------------


def option_text(option: Option) -> str:
    """One option of a module: "! --dport 22"."""
    return f"{'! ' if option.negated else ''}--{option.name}{' ' + option.value if option.value else ''}"


def _device(item: object) -> str:
    return f"{item.start}+" if isinstance(item, Wildcard) else str(item)


def _compare_text(part: Compare) -> str:
    letter = _FLAGS[part.selector]
    not_ = "! " if part.op == "!=" else ""
    item = part.values[0]  # type: ignore[index]
    if letter == "f":
        return "-f" if part.op == "!=" else "! -f"
    if letter in "sd":
        return f"{not_}-{letter} {show_net(compare_net(part), True)}"
    if letter == "p":
        return f"{not_}-p {protocol_text(int(str(item)))}"
    return "" if item == Wildcard("") else f"{not_}-{letter} {_device(item)}"


def part_text(part: Part, family: str = "ip") -> str:
    """One part of a rule in its saved form, "" for a counter."""
    match part:
        case Compare():
            return _compare_text(part)
        case Extension(target=True):
            return " ".join([f"-j {part.name}", *map(option_text, part.options)])
        case Extension():
            return " ".join([f"-m {part.name}", *map(option_text, part.options)])
        case Verdict(name="goto"):
            return f"-g {part.chain}"
        case Verdict():
            return f"-j {part.chain or part.name.upper()}"
    return ""


def rule_text(parts: tuple[Part, ...]) -> str:
    """A rule's saved form without chain and counters: Rule.text."""
    return " ".join(text for text in map(part_text, parts) if text)


def saved_rule(chain: str, rule: Rule, counts: tuple[int, int] | None = None) -> str:
    """`-A chain ...`; with `counts`, -c PACKETS BYTES stands before the target, as -S -v has it."""
    words = [f"-A {chain}"]
    for part in rule.parts:
        if isinstance(part, Counter) and counts is not None:
            words.append(f"-c {counts[0]} {counts[1]}")
        elif text := part_text(part):
            words.append(text)
    return " ".join(words)


def saved_chain(chain: Chain, counts: tuple[int, int] | None = None) -> str:
    """`-P INPUT ACCEPT` or `-N web`."""
    if chain.hook is None:
        return f"-N {chain.name}"
    return f"-P {chain.name} {chain.policy.upper()}" + (f" -c {counts[0]} {counts[1]}" if counts else "")


# ---- the columns of -L -----------------------------------------------------------------------------------------------


class Listing:
    """How -L prints: `numeric` (-n), `verbose` (-v), `exact` (-x), `numbers` (--line-numbers); `notable`: the one line of -v -A."""

    def __init__(
        self, numeric: bool = False, verbose: bool = False, exact: bool = False, numbers: bool = False, notable: bool = False
    ) -> None:
        self.numeric, self.verbose, self.exact, self.numbers, self.notable = numeric, verbose, exact, numbers, notable

    def chain(self, table: Table, chain: Chain, policy: tuple[int, int], counts: Counts) -> Iterator[str]:
        """The lines of one chain: its head, the head of the columns, its rules."""
        yield self._head(table, chain, policy)
        yield self._columns()
        for number, rule in enumerate(chain.rules, 1):
            yield self.rule(rule, number, counts(rule), table.family)

    def _head(self, table: Table, chain: Chain, policy: tuple[int, int]) -> str:
        if chain.hook is None:
            return f"Chain {chain.name} ({references(table, chain.name)} references)"
        if not self.verbose:
            return f"Chain {chain.name} (policy {chain.policy.upper()})"
        packets, size = (self._number(count).strip() for count in policy)
        return f"Chain {chain.name} (policy {chain.policy.upper()} {packets} packets, {size} bytes)"

    def _columns(self) -> str:
        head = "num  " if self.numbers else ""
        if self.verbose:
            head += f"{'pkts':>8} {'bytes':>10} " if self.exact else f"{'pkts':>5} {'bytes':>5} "
        head += f"{'target':<9}  prot opt "
        if self.verbose:
            head += f"{'in':<6} {'out':<6}  "
        return head + f"{'source':<19}  {'destination':<19} "

    def _number(self, count: int) -> str:
        if self.exact:
            return f"{count:>8}"
        if count <= 99999:
            return f"{count:>5}"
        for suffix in "KMGT":
            count = (count + 500) // 1000
            if count <= 9999 or suffix == "T":
                break
        return f"{count:>4}{suffix}"

    def rule(self, rule: Rule, number: int, counts: tuple[int, int], family: str) -> str:
        """The line of one rule."""
        header = {_FLAGS[part.selector]: part for part in rule.parts if isinstance(part, Compare)}
        line = f"{number:<4} " if self.numbers else ""
        if self.verbose:
            line += "".join(self._number(count) + " " for count in counts)
        if self.notable:
            return line + self._notable(rule, header, family)
        line += f"{_target(rule):<9} {self._protocol(header)} {self._fragment(header)} "
        if self.verbose:
            line += f" {self._dev(header, 'i'):<6} {self._dev(header, 'o'):<6} "
        else:
            line += ""
        line += f"{self._address(header, 's', family, 19)}{self._address(header, 'd', family, 19)}"
        return line + self._extensions(rule, family)

    def _notable(self, rule: Rule, header: dict[str, Compare], family: str) -> str:
        source, destination = (self._address(header, letter, family, 0) for letter in "sd")
        line = f"{_target(rule)} {self._protocol(header).rstrip()} opt {self._fragment(header)} "
        line += f"in {self._dev(header, 'i')} out {self._dev(header, 'o')} "
        return f"{line}{source}{destination[0]}-> {destination[1:]} {self._extensions(rule, family)}"

    def _protocol(self, header: dict[str, Compare]) -> str:
        part = header.get("p")
        number = int(str(part.values[0])) & 255 if part is not None else 0  # type: ignore[index]
        name = str(number) if self.numeric and not self.notable else "all" if number == 0 else protocol_text(number)
        return f"{_not(part)}{name:<4}"

    def _fragment(self, header: dict[str, Compare]) -> str:
        part = header.get("f")
        return "--" if part is None else "!f" if part.op == "==" else "-f"

    def _dev(self, header: dict[str, Compare], letter: str) -> str:
        part = header.get(letter)
        if part is None:
            return "*" if self.numeric else "any"
        return _not(part).strip() + _device(part.values[0])  # type: ignore[index]

    def _address(self, header: dict[str, Compare], letter: str, family: str, width: int) -> str:
        part = header.get(letter)
        size = 4 if family == "ip" else 16
        net = compare_net(part) if part is not None else Net(bytes(size), bytes(size))
        if not any(net.mask) or (family == "ip6" and not self.numeric and not any(net.address)):
            text = show_net(net, False) if self.numeric else "anywhere"
        elif not self.numeric and net.address in _NAMED:
            text = _NAMED[net.address] + "/".join(["", *show_net(net, False).split("/")[1:]])
        else:
            text = show_net(net, False)
        return f"{_not(part)}{text:<{width}} "

    def _extensions(self, rule: Rule, family: str) -> str:
        text = "[goto] " if any(isinstance(part, Verdict) and part.name == "goto" for part in rule.parts) else ""
        for part in rule.parts:
            if isinstance(part, Extension):
                text += module_of(part, family).show(part, self.numeric, family)
        return text


def _not(part: Compare | None) -> str:
    return "!" if part is not None and part.op == "!=" else " "


def _target(rule: Rule) -> str:
    for part in rule.parts:
        if isinstance(part, Extension) and part.target:
            return "CT" if part.name == "NOTRACK" else part.name
        if isinstance(part, Verdict):
            return part.chain or part.name.upper()
    return ""


def references(table: Table, chain: str) -> int:
    """How many rules of the table go to the chain."""
    return sum(isinstance(part, Verdict) and part.chain == chain for each in table.chains for rule in each.rules for part in rule.parts)
