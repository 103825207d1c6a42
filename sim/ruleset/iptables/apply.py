"""What an iptables command does to a ruleset: each command is a function of (command, table) that answers the table as it is then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.ruleset.iptables import chains
from sim.ruleset.iptables.command import Command, verdict_of
from sim.ruleset.iptables.errors import INVALID, NO_SUCH, Mistake, kernel
from sim.ruleset.iptables.matches import comment_of
from sim.ruleset.iptables.show import Listing, references, rule_text, saved_chain, saved_rule
from sim.ruleset.model import Chain, Part, Rule, Ruleset, Table, TableKey, Verdict
from sim.ruleset.state import RuleState

BAD_RULE = "Bad rule (does a matching rule exist in that chain?)"


class Changes:
    """Edits to a machine's rules that are not loaded yet. `touched` tables are handed to the kernel whole: their policy counters restart.

    (libiptc 1.8.9 loses the policies' counters with every change of a table; asked of the real tool.)
    """

    def __init__(self, state: RuleState, ruleset: Ruleset) -> None:
        self.state, self.ruleset = state, ruleset
        self.touched: set[TableKey] = set()
        self.zeroed: list[Rule] = []
        self.policies: dict[tuple[TableKey, str], tuple[int, int]] = {}
        self.remarks: list[str] = []
        self._appended: dict[tuple[TableKey, str], list[Rule]] = {}
        self._names: dict[TableKey, frozenset[str]] = {}

    def table(self, family: str, name: str) -> Table:
        """The table, made if need be, with all that was appended to it."""
        self._gather()
        self.ruleset, table = chains.with_table(self.ruleset, family, name)
        return table

    def append(self, key: TableKey, chain: str, rules: list[Rule]) -> None:
        """Remember rules for the end of a chain that is there; the table is made anew when somebody asks for it."""
        self._appended.setdefault((key, chain), []).extend(rules)

    def names(self, family: str, name: str) -> frozenset[str]:
        """The chains of a table that is there."""
        key = ("iptables", family, name)
        if key not in self._names:
            self._names[key] = chains.chain_names(self.table(family, name))
        return self._names[key]

    def _gather(self) -> None:
        appended, self._appended = self._appended, {}
        for (key, name), rules in appended.items():
            table = self.ruleset.table(*key)
            chain = table.chain(name) if table is not None else None
            assert table is not None and chain is not None
            self.put(table.with_chain(chain.with_rules((*chain.rules, *rules))))

    def put(self, table: Table) -> None:
        """Take the changed table."""
        self._names.pop(table.key, None)
        self.ruleset = self.ruleset.with_table(table)
        self.touched.add(table.key)

    def commit(self, by: str) -> None:
        """Check as the kernel does, and load. Raises Mistake, and then nothing has changed."""
        self._gather()
        for table in self.ruleset.of("iptables"):
            if table.key in self.touched:
                chains.check_table(table)
        if self.ruleset != self.state.ruleset:
            self.ruleset = self.state.load(self.ruleset, by, self.touched)
        elif self.touched:
            self.state.renew(self.touched)
        for rule in self.zeroed:
            self.state.set_counters(rule.id)
        for table in self.ruleset.tables:
            if table.key in self.touched:
                for chain in table.chains:
                    if chain.hook is not None:
                        self.state.set_policy_counters(table, chain, *self.policies.get((table.key, chain.name), (0, 0)))

    def counts(self, rule: Rule) -> tuple[int, int]:
        """(packets, bytes) of a rule."""
        return self.state.counters(rule.id)


def open_table(state: RuleState, family: str, name: str, by: str) -> None:
    """The table is there, were it without a rule, once a tool has looked at it: the kernel makes it then (xt_find_table_lock)."""
    changes = Changes(state, state.ruleset)
    changes.table(family, name)
    changes.commit(by)


def run_command(command: Command, changes: Changes, source: str) -> str:
    """Do one command to `changes`; answers what it prints."""
    if command.letter == "A":
        return _append(command, changes, source)
    table = changes.table(command.family, command.table)
    out = _DO[command.letter](command, table, changes, source)
    if command.also_zero:
        _zero(command, changes.table(command.family, command.table), changes, source)
    return out


def made_rules(command: Command, names: frozenset[str], source: str) -> list[Rule]:
    """The rules that a command line writes out; `names`: the chains of its table."""
    extensions, _ = command.extensions()
    verdict = verdict_of(command, names, source)
    comment = next((comment_of(each) for each in extensions if each.name == "comment"), "")
    return [Rule(parts, rule_text(parts), comment=comment, span=command.chain_span) for parts in command.rules(verdict, extensions)]


def _verbose(command: Command, rules: list[Rule]) -> str:
    if "v" not in command.flags:
        return ""
    listing = Listing(numeric=True, notable=True)
    return "".join(listing.rule(rule, 0, (0, 0), command.family) + "\n" for rule in rules)


def _append(command: Command, changes: Changes, source: str) -> str:
    names = changes.names(command.family, command.table)
    rules = made_rules(command, names, source)
    if command.chain not in names:
        raise kernel(NO_SUCH)
    changes.append(("iptables", command.family, command.table), command.chain, rules)
    return _verbose(command, rules)


def _insert(command: Command, table: Table, changes: Changes, source: str) -> str:
    rules = made_rules(command, chains.chain_names(table), source)
    chain = chains.need_chain(table, command.chain)
    at = (command.number or 1) - 1
    if at > len(chain.rules):
        raise kernel("Index of insertion too big")
    changes.put(table.with_chain(chain.with_rules((*chain.rules[:at], *reversed(rules), *chain.rules[at:]))))
    return _verbose(command, rules)


def _replace(command: Command, table: Table, changes: Changes, source: str) -> str:
    rules = made_rules(command, chains.chain_names(table), source)
    chain = chains.need_chain(table, command.chain)
    at = (command.number or 1) - 1
    if at >= len(chain.rules):
        raise kernel("Index of replacement too big")
    changes.put(table.with_chain(chain.with_rules((*chain.rules[:at], *rules, *chain.rules[at + 1 :]))))
    return _verbose(command, rules)


def _delete(command: Command, table: Table, changes: Changes, source: str) -> str:
    if command.number is not None:
        return _delete_number(command, table, changes)
    rules = made_rules(command, chains.chain_names(table), source)
    chain = chains.need_chain(table, command.chain, BAD_RULE)
    for rule in rules:
        at = _find(table, chain, rule.parts)
        chain = chain.with_rules(chain.rules[:at] + chain.rules[at + 1 :])
    changes.put(table.with_chain(chain))
    return _verbose(command, rules)


def _delete_number(command: Command, table: Table, changes: Changes) -> str:
    chain = chains.need_chain(table, command.chain)
    at = (command.number or 1) - 1
    if at >= len(chain.rules):
        raise kernel("Index of deletion too big")
    changes.put(table.with_chain(chain.with_rules(chain.rules[:at] + chain.rules[at + 1 :])))
    return ""


def _find(table: Table, chain: Chain, parts: tuple[Part, ...]) -> int:
    """Where the rule stands; the words for "not there" depend on what it jumps to (libiptc leaves errno from looking that up)."""
    for at, rule in enumerate(chain.rules):
        if chains.same_rule(rule, parts):
            return at
    jump = next((part for part in parts if isinstance(part, Verdict) and part.chain), None)
    if jump is None:
        raise kernel(BAD_RULE)
    builtin = table.chain(jump.chain)
    raise kernel(INVALID if builtin is not None and builtin.hook is not None else NO_SUCH)


def _check(command: Command, table: Table, changes: Changes, source: str) -> str:
    rules = made_rules(command, chains.chain_names(table), source)
    chain = chains.need_chain(table, command.chain, BAD_RULE)
    for rule in rules:
        _find(table, chain, rule.parts)
    return _verbose(command, rules)


def _chosen(command: Command, table: Table) -> list[Chain]:
    if command.chain:
        return [chains.need_chain(table, command.chain)]
    return list(chains.in_order(table))


def _flush(command: Command, table: Table, changes: Changes, source: str) -> str:
    chosen = _chosen(command, table)
    for chain in chosen:
        table = table.with_chain(chain.with_rules(()))
    changes.put(table)
    return _told(command, "Flushing", chosen)


def _told(command: Command, doing: str, chosen: list[Chain]) -> str:
    return "".join(f"{doing} chain `{chain.name}'\n" for chain in chosen) if "v" in command.flags else ""


def _zero(command: Command, table: Table, changes: Changes, source: str) -> str:
    chosen = _chosen(command, table)
    if command.number is not None and command.letter == "Z":
        rules = chosen[0].rules
        if command.number > len(rules):
            raise kernel("Index of counter too big")
        changes.zeroed.append(rules[command.number - 1])
    else:
        changes.zeroed += [rule for chain in chosen for rule in chain.rules]
    changes.put(table)
    return _told(command, "Zeroing", chosen)


def _new(command: Command, table: Table, changes: Changes, source: str) -> str:
    if table.chain(command.chain) is not None:
        raise kernel("Chain already exists")
    changes.put(table.with_chain(Chain(command.chain)))
    return ""


def _remove(command: Command, table: Table, changes: Changes, source: str) -> str:
    """Every chain is tried, also after a failure; the last failure is told, and then none is gone."""
    users = [chain for chain in chains.in_order(table) if chain.hook is None]
    chosen = [chains.need_chain(table, command.chain)] if command.chain else users
    out, failure = _told(command, "Deleting", chosen), ""
    for chain in chosen:
        why = _why_kept(table, chain)
        failure = why or failure
        table = table if why else table.without_chain(chain.name)
    if failure:
        mistake: Mistake = kernel(failure)
        mistake.out = out
        raise mistake
    changes.put(table)
    return out


def _why_kept(table: Table, chain: Chain) -> str:
    if chain.hook is not None:
        return INVALID
    if references(table, chain.name):
        return "Too many links"
    return "Directory not empty" if chain.rules else ""


def _policy(command: Command, table: Table, changes: Changes, source: str) -> str:
    chain = table.chain(command.chain)
    if chain is None or chain.hook is None:
        raise kernel("Bad built-in chain name")
    if command.policy not in ("ACCEPT", "DROP"):
        raise kernel("Bad policy name. Run `dmesg' for more information")
    changes.put(table.with_chain(replace(chain, policy=command.policy.lower())))
    if command.counters is not None:
        changes.policies[table.key, chain.name] = command.counters
    return ""


def _rename(command: Command, table: Table, changes: Changes, source: str) -> str:
    chain = table.chain(command.chain)
    if table.chain(command.new_name) is not None or (chain is not None and chain.hook is not None):
        raise kernel("File exists")
    chains.need_chain(table, command.chain)
    changes.put(chains.rename(table, command.chain, command.new_name))
    return ""


def _list(command: Command, table: Table, changes: Changes, source: str) -> str:
    flags = command.flags
    listing = Listing("n" in flags, "v" in flags, "x" in flags, "0" in flags)
    chosen = _chosen(command, table)
    if command.number is not None:
        rules = chosen[0].rules[command.number - 1 : command.number]
        return "".join(listing.rule(rule, command.number, changes.counts(rule), table.family) + "\n" for rule in rules)
    texts = []
    for chain in chosen:
        policy = changes.state.policy_counters(table, chain)
        texts.append("\n".join(listing.chain(table, chain, policy, changes.counts)) + "\n")
    return "\n".join(texts)


def _list_rules(command: Command, table: Table, changes: Changes, source: str) -> str:
    verbose = "v" in command.flags
    chosen = _chosen(command, table)
    lines = []
    if command.number is None:
        for chain in chosen:
            lines.append(saved_chain(chain, changes.state.policy_counters(table, chain) if verbose else None))
    for chain in chosen:
        rules = chain.rules if command.number is None else chain.rules[command.number - 1 : command.number]
        lines += [saved_rule(chain.name, rule, changes.counts(rule) if verbose else None) for rule in rules]
    return "".join(line + "\n" for line in lines)


_Do = Callable[[Command, Table, Changes, str], str]
_DO: dict[str, _Do] = {
    "I": _insert, "R": _replace, "D": _delete, "C": _check, "F": _flush, "Z": _zero, "N": _new, "X": _remove, "P": _policy,
    "E": _rename, "L": _list, "S": _list_rules,
}  # fmt: skip
