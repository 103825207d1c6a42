"""A transaction: commands applied one after the other to a Ruleset of its own; if one fails, all of them have changed nothing.

The messages are those of nft 1.0.6 and of the kernel behind it, at the word that each of them points at. Handles are given as
the kernel gives them: one counter a table, for its chains, sets (a rule's own sets too) and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sim.ruleset.helping import SetHelper, helper_object
from sim.ruleset.model import Chain, NamedSet, Rule, SetReference, Table, Verdict, VerdictMap
from sim.ruleset.nft import chains, sets
from sim.ruleset.nft.draft import (
    EBUSY,
    EEXIST,
    EMLINK,
    ENOENT,
    EOPNOTSUPP,
    PROCESS,
    Draft,
    KernelRefused,
    place_of,
    process,
    text_of,
)
from sim.ruleset.nft.helpers import helper_of
from sim.ruleset.nft.rules import Meaning, meaning
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.show import rule_text
from sim.ruleset.nft.syntax import Braces, ChainOf, Command, CtHelperOf, Mistake, Place, RuleOf, SetOf, TableOf


class Transaction(Draft):
    """Applies commands to the draft."""

    def apply(self, command: Command) -> None:
        """Do one command that changes something; what is wrong with it goes to `mistakes`."""
        try:
            _DO[command.verb, command.thing](self, command)
        except (Mistake, NotSimulated) as stop:
            self.mistakes.append(stop)

    # ---- tables ------------------------------------------------------------------------------------------------------

    def add_table(self, command: Command) -> None:
        """add table, with its block."""
        place = command.place
        table = self.table(place)
        if table is not None and command.verb == "create":
            process(place_of(place.table), EEXIST)
        if table is None:
            number = self.ruleset.handles + 1
            self.ruleset = replace(self.ruleset, handles=number)
            block = command.body if isinstance(command.body, TableOf) else TableOf()
            self.put(Table("nft", place.family, text_of(place.table), handle=number, comment=block.comment))
        if isinstance(command.body, TableOf):
            self._fill(place, command.body)

    def _fill(self, place: Place, block: TableOf) -> None:
        """A block's chains first, then its objects, its sets, then the rules: so the kernel gets them."""
        for name, chain in block.chains:
            self._make_chain(Place(place.family, place.table, name), chain, name.at, "add")
        for name, helper in block.helpers:
            self._make_helper(Place(place.family, place.table, name), helper, "add", name.at)
        for name, body in block.sets:
            self._make_set(Place(place.family, place.table, name), body, "add")
        for name, chain in block.chains:
            self._append_all(Place(place.family, place.table, name), chain)

    def _append_all(self, place: Place, block: ChainOf) -> None:
        """A block's rules; each one that is wrong is told."""
        for rule in block.rules:
            try:
                self._append(place, rule, rule.at)
            except (Mistake, NotSimulated) as stop:
                self.mistakes.append(stop)

    def delete_table(self, command: Command) -> None:
        """delete table, by name or handle."""
        place = command.place
        table = self.table(place) if place.position is None else self._by_handle(place)
        if table is None:
            process(place_of(place.table) if place.position is None else place.position[2], ENOENT)
        self.ruleset = self.ruleset.without_table(table.key)

    def _by_handle(self, place: Place) -> Table | None:
        number = place.position[1] if place.position else 0
        return next((table for table in self.tables(place.family) if table.handle == number), None)

    def flush_table(self, command: Command) -> None:
        """flush table: its rules go."""
        table = self.found(command.place, PROCESS + ENOENT)
        self.put(replace(table, chains=tuple(chain.with_rules(()) for chain in table.chains)))

    def flush_ruleset(self, command: Command) -> None:
        """flush ruleset: everything of a family goes."""
        for table in self.tables(command.place.family):
            self.ruleset = self.ruleset.without_table(table.key)

    # ---- chains ------------------------------------------------------------------------------------------------------

    def add_chain(self, command: Command) -> None:
        """add chain, create chain, with its block."""
        body = command.body if isinstance(command.body, ChainOf) else ChainOf()
        self._make_chain(command.place, body, command.at, command.verb)
        self._append_all(command.place, body)

    def _make_chain(self, place: Place, body: ChainOf, at: At, verb: str) -> None:
        table = self.found(place, ENOENT)
        made = chains.chain_of(text_of(place.name), body, place.family, at)
        there = table.chain(made.name)
        chains.policy_fits(there if there is not None and made.hook is None else made, body)
        if there is None:
            number = table.handles + 1
            self.put(replace(table.with_chain(replace(made, handle=number)), handles=number))
            return
        if verb == "create":
            process(place_of(place.name), EEXIST)
        why = chains.clash(there, body, made)
        if why is not None:
            process(place_of(place.name) if why == EEXIST else at, why)
        if body.policy and there.policy != made.policy:
            self.put(table.with_chain(replace(there, policy=made.policy)))

    def delete_chain(self, command: Command) -> None:
        """delete chain, by name or handle; not while a rule or map goes there."""
        place = command.place
        if place.position is not None:
            table = self.found(place, PROCESS + ENOENT)
            found = next((chain for chain in table.chains if chain.handle == place.position[1]), None)
            if found is None:
                process(place.position[2], ENOENT)
            chain, at = found, place.position[2]
        else:
            table, chain = self.chain(place)
            at = place_of(place.name)
        if any(target == chain.name for other in table.chains if other is not chain for target in targets(table, other)):
            process(at, EBUSY)
        self.put(table.without_chain(chain.name))

    def flush_chain(self, command: Command) -> None:
        """flush chain: its rules go."""
        table = self.found(command.place, PROCESS + ENOENT)
        chain = table.chain(text_of(command.place.name))
        if chain is None:
            process(place_of(command.place.name), ENOENT)
        self.put(table.with_chain(chain.with_rules(())))

    def rename_chain(self, command: Command) -> None:
        """rename chain; jumps keep going there."""
        table, chain = self.chain(command.place)
        assert isinstance(command.body, Lexeme)
        if table.chain(command.body.value) is not None:
            process(command.at, EEXIST)
        self.put(chains.renamed(table, chain, command.body.value))

    # ---- rules -------------------------------------------------------------------------------------------------------

    def add_rule(self, command: Command) -> None:
        """add rule, insert rule: at a chain's end or start, or beside another."""
        assert isinstance(command.body, RuleOf)
        self._append(command.place, command.body, command.at, command.verb)

    def _append(self, place: Place, rule: RuleOf, at: At, verb: str = "add") -> None:
        where = None
        made, what = self._rule(place, rule)
        table, chain = self.chain(place)
        if place.position is not None:
            where = self._position(chain, place)
        number = table.handles + what.sets + 1
        self.put(replace(table, handles=number))  # given, even if the transaction is given up
        self._check_names(table, place, what)
        made = replace(made, handle=number)
        rules = list(chain.rules)
        index = 0 if verb == "insert" else len(rules)
        if where is not None:
            index = where if verb == "insert" else where + 1
        rules.insert(index, made)
        self.put(replace(table.with_chain(chain.with_rules(tuple(rules))), handles=number))
        self._validate(place, at, made, what.sets + 1)

    def _rule(self, place: Place, rule: RuleOf) -> tuple[Rule, Meaning]:
        table = self.table(place)
        what = meaning(rule, place.family, lambda name: table.named_set(name) if table else None, self.interfaces)
        bare = Rule(what.parts, comment=rule.comment, span=self.span_of(rule.at))
        return replace(bare, text=rule_text(replace(bare, comment=""), place.family)), what

    def _position(self, chain: Chain, place: Place) -> int:
        assert place.position is not None
        kind, number, at = place.position
        if kind == "index":
            if number < len(chain.rules):
                return number
            process(at, ENOENT)
        for index, rule in enumerate(chain.rules):
            if rule.handle == number:
                return index
        if kind == "position":
            process(at, ENOENT)
        self.no_chain(place, at)

    def _check_names(self, table: Table, place: Place, what: Meaning) -> None:
        """The chains and objects that a rule names must be there."""
        for name, at in what.helpers:
            if helper_object(table, name) is None:
                process(at, ENOENT)
        self._check_jumps(table, place, what.jumps)

    def _check_jumps(self, table: Table, place: Place, jumps: tuple[tuple[str, At], ...]) -> None:
        for name, at in jumps:
            target = table.chain(name)
            if target is None:
                self.no_chain(place, at)
            if target.hook is not None:
                process(at, EOPNOTSUPP)

    def _validate(self, place: Place, at: At, rule: Rule, given: int) -> None:
        """What the kernel checks at the end: no loop that a base chain reaches, reject where it may stand.

        It tries twice before it gives up, so the handles `given` are spent twice.
        """
        table = self.table(place)
        assert table is not None
        for chain in table.chains:
            if chain.hook is None:
                continue
            if chains.loops(table, chain):
                self.put(replace(table, handles=table.handles + given))
                process(at, EMLINK)
            if chains.rejects_wrongly(table, chain, rule):
                process(at, EOPNOTSUPP)
            if chains.translates_wrongly(table, chain, rule):
                self.put(replace(table, handles=table.handles + given))
                process(at, EOPNOTSUPP)

    def replace_rule(self, command: Command) -> None:
        """replace rule: a new one under the old one's handle."""
        place, body = command.place, command.body
        assert isinstance(body, RuleOf)
        made, what = self._rule(place, body)
        table, chain = self.chain(place)
        index = self._position(chain, place)
        self._check_names(table, place, what)
        made = replace(made, handle=chain.rules[index].handle)
        rules = (*chain.rules[:index], made, *chain.rules[index + 1 :])
        self.put(replace(table.with_chain(chain.with_rules(rules)), handles=table.handles + what.sets))
        self._validate(place, command.at, made, what.sets)

    def delete_rule(self, command: Command) -> None:
        """delete rule, by handle."""
        table, chain = self.chain(command.place)
        index = self._position(chain, command.place)
        self.put(table.with_chain(chain.with_rules((*chain.rules[:index], *chain.rules[index + 1 :]))))

    # ---- ct helper objects -------------------------------------------------------------------------------------------

    def add_helper(self, command: Command) -> None:
        """add ct helper, create ct helper."""
        assert isinstance(command.body, CtHelperOf)
        self._make_helper(command.place, command.body, command.verb, command.at)

    def _make_helper(self, place: Place, body: CtHelperOf, verb: str, at: At) -> None:
        table, name = self.found(place, ENOENT), place.name
        assert name is not None
        if helper_object(table, name.value) is not None:
            if verb == "create":
                process(name.at, EEXIST)
            return
        made = replace(helper_of(name.value, body, place.family, at), handle=table.handles + 1)
        self.put(replace(table, helpers=(*table.helpers, made), handles=made.handle))

    def delete_helper(self, command: Command) -> None:
        """delete ct helper; not while a rule sets it."""
        table = self.found(command.place, "", suggest=True)
        name, at = text_of(command.place.name), place_of(command.place.name)
        if helper_object(table, name) is None:
            process(at, ENOENT)
        if any(SetHelper(name) in rule.parts for chain in table.chains for rule in chain.rules):
            process(at, EBUSY)
        self.put(replace(table, helpers=tuple(each for each in table.helpers if each.name != name)))

    # ---- sets --------------------------------------------------------------------------------------------------------

    def add_set(self, command: Command) -> None:
        """add set, add map, with their elements."""
        assert isinstance(command.body, SetOf)
        self._make_set(command.place, command.body, command.verb)

    def _make_set(self, place: Place, body: SetOf, verb: str) -> None:
        table = self.found(place, ENOENT)
        made = sets.set_of(text_of(place.name), body)
        there = table.named_set(made.name)
        if there is not None and (verb == "create" or not sets.same_kind(there, made)):
            process(place_of(place.name), EEXIST)
        if there is None:
            number = table.handles + 1
            table = replace(table, sets=(*table.sets, replace(made, handle=number)), handles=number)
            self.put(table)
        if body.elements is not None:
            self._add_elements(place, body.elements, verb)

    def add_elements(self, command: Command) -> None:
        """add element, create element."""
        assert isinstance(command.body, Braces)
        self._add_elements(command.place, command.body, command.verb)

    def _named(self, place: Place, message: str) -> tuple[Table, NamedSet]:
        table = self.found(place, message)
        found = table.named_set(text_of(place.name))
        if found is None:
            raise KernelRefused(place_of(place.name), message)
        return table, found

    def _add_elements(self, place: Place, braces: Braces, verb: str) -> None:
        table, found = self._named(place, ENOENT)
        filled, jumps = sets.with_elements(found, braces, self.interfaces, verb == "create")
        self._check_jumps(table, place, jumps)
        self.put(sets.put(table, filled))

    def delete_elements(self, command: Command) -> None:
        """delete element."""
        assert isinstance(command.body, Braces)
        table, found = self._named(command.place, ENOENT)
        self.put(sets.put(table, sets.without_elements(found, command.body, self.interfaces)))

    def flush_set(self, command: Command) -> None:
        """flush set, flush map."""
        table, found = self._named(command.place, ENOENT)
        self.put(sets.put(table, replace(found, elements=(), values=())))

    def delete_set(self, command: Command) -> None:
        """delete set, delete map; not while a rule looks into it."""
        place = command.place
        if place.position is not None:
            raise NotSimulated("handle", place.position[2])
        table, found = self._named(place, PROCESS + ENOENT)
        if any(reference == found.name for chain in table.chains for rule in chain.rules for reference in references(rule)):
            process(place_of(place.name), EBUSY)
        self.put(replace(table, sets=tuple(each for each in table.sets if each is not found)))


def targets(table: Table, chain: Chain) -> Iterator[str]:
    """The chains that a chain's rules go to, through maps too."""
    for rule in chain.rules:
        for part in rule.flat():
            if isinstance(part, Verdict) and part.chain:
                yield part.chain
            elif isinstance(part, VerdictMap):
                yield from chains.map_targets(table, part)


def references(rule: Rule) -> Iterator[str]:
    """The named sets that a rule looks into."""
    for part in rule.flat():
        held = getattr(part, "values", None) or getattr(part, "entries", None)
        if isinstance(held, SetReference):
            yield held.name


_DO: dict[tuple[str, str], Callable[[Transaction, Command], None]] = {
    ("add", "table"): Transaction.add_table, ("create", "table"): Transaction.add_table, ("delete", "table"): Transaction.delete_table,
    ("flush", "table"): Transaction.flush_table, ("flush", "ruleset"): Transaction.flush_ruleset,
    ("add", "chain"): Transaction.add_chain, ("create", "chain"): Transaction.add_chain, ("delete", "chain"): Transaction.delete_chain,
    ("flush", "chain"): Transaction.flush_chain, ("rename", "chain"): Transaction.rename_chain,
    ("add", "rule"): Transaction.add_rule, ("insert", "rule"): Transaction.add_rule, ("replace", "rule"): Transaction.replace_rule,
    ("delete", "rule"): Transaction.delete_rule,
    ("add", "set"): Transaction.add_set, ("create", "set"): Transaction.add_set, ("delete", "set"): Transaction.delete_set,
    ("flush", "set"): Transaction.flush_set, ("add", "map"): Transaction.add_set, ("create", "map"): Transaction.add_set,
    ("delete", "map"): Transaction.delete_set, ("flush", "map"): Transaction.flush_set,
    ("add", "elements"): Transaction.add_elements, ("create", "elements"): Transaction.add_elements,
    ("delete", "elements"): Transaction.delete_elements,
    ("add", "ct helper"): Transaction.add_helper, ("create", "ct helper"): Transaction.add_helper,
    ("delete", "ct helper"): Transaction.delete_helper,
}  # fmt: skip
