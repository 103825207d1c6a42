"""A transaction: commands applied one after the other to a Ruleset of its own; if one fails, all of them have changed nothing.

The messages are those of nft 1.0.6 and of the kernel behind it, at the word that each of them points at. Handles are given as
the kernel gives them: one counter a table, for its chains, sets (a rule's own sets too) and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sim.ruleset.model import Chain, Rule, Table, Verdict, VerdictMap
from sim.ruleset.nft import chains
from sim.ruleset.nft.draft import place_of, text_of
from sim.ruleset.nft.refusals import EBUSY, EEXIST, EMLINK, ENOENT, EOPNOTSUPP, PROCESS, process
from sim.ruleset.nft.rules import Meaning, meaning
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.setcommands import ObjectCommands, with_meters, without_meters
from sim.ruleset.nft.show import rule_text
from sim.ruleset.nft.syntax import Mistake, RuleOf
from sim.ruleset.nft.written import ChainOf, Command, Place, TableOf
from sim.ruleset.objects import KINDS


class Transaction(ObjectCommands):
    """Applies commands to the draft. `strict`: each rule is checked against the hooks that reach it when it comes, not all at the end."""

    strict = False

    def valid(self) -> bool:
        """Whether no base chain leads round in a circle or to something that its hook forbids."""
        return all(chains.valid(table) for table in self.tables())

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
            self.put(Table("nft", place.family, text_of(place.table), handle=number, comment=block.comment, flags=block.flags))
        elif table.flags != (flags := command.body.flags if isinstance(command.body, TableOf) else ()):
            self.put(replace(table, flags=flags))
        if isinstance(command.body, TableOf):
            self._fill(place, command.body)

    def _fill(self, place: Place, block: TableOf) -> None:
        """A block's chains first, then its objects, its sets, then the rules: so the kernel gets them."""
        for name, chain in block.chains:
            self._make_chain(Place(place.family, place.table, name), chain, name.at, "add")
        for name, named in block.objects:
            self.make_object(Place(place.family, place.table, name), named, "add", name.at)
        for name, body in block.sets:
            self.make_set(Place(place.family, place.table, name), body, "add", name.at, False)
        for name, flowtable in block.flowtables:
            self.make_flowtable(Place(place.family, place.table, name), flowtable, "add", name.at)
        for name, body in block.sets:
            if body.elements is not None:
                self.fill_set(Place(place.family, place.table, name), body.elements, "add")
        for name, chain in block.chains:
            self._append_all(Place(place.family, place.table, name), chain)

    def _append_all(self, place: Place, block: ChainOf) -> None:
        """A block's rules; each one that is wrong is told. Those that concern nothing else in the table are put there together."""
        plain: list[Rule] = []
        for rule in block.rules:
            try:
                made, what = self._rule(place, rule, plain[-1].handle if plain else 0)
                if self.strict or not self._plain(place, made, what):
                    self._put_rules(place, plain)
                    plain = []
                    self._place_rule(place, made, what, rule.at, "add")
                else:
                    plain.append(made)
            except (Mistake, NotSimulated) as stop:
                self.mistakes.append(stop)
        self._put_rules(place, plain)

    def _plain(self, place: Place, rule: Rule, what: Meaning) -> bool:
        """Whether the rule names nothing that must be there, and changes nothing but its chain."""
        if what.objects or what.jumps or what.meters:
            return False
        table, _ = self.chain(place)
        return with_meters(table, rule, (), 0) is table

    def _put_rules(self, place: Place, rules: list[Rule]) -> None:
        """At the chain's end; the table's last handle is then that of the last."""
        if rules:
            table, chain = self.chain(place)
            self.put(replace(table.with_chain(chain.with_rules((*chain.rules, *rules))), handles=rules[-1].handle))

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
        self.put(without_meters(replace(table, chains=tuple(chain.with_rules(()) for chain in table.chains))))

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
        self.put(without_meters(table.with_chain(chain.with_rules(()))))

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
        made, what = self._rule(place, rule)
        self._place_rule(place, made, what, at, verb)

    def _place_rule(self, place: Place, made: Rule, what: Meaning, at: At, verb: str) -> None:
        where = None
        table, chain = self.chain(place)
        if place.position is not None:
            where = self._position(chain, place)
        number = made.handle
        if what.objects or what.jumps:
            self.put(replace(table, handles=number))  # given, even if the transaction is given up
            self._check_names(table, place, what)
        table = with_meters(table, made, what.meters, number)
        rules = (made, *chain.rules) if verb == "insert" else (*chain.rules, made)
        if where is not None:
            index = where if verb == "insert" else where + 1
            rules = (*chain.rules[:index], made, *chain.rules[index:])
        self.put(replace(table.with_chain(chain.with_rules(rules)), handles=number))
        self._validate(place, at, made, what.sets + 1)

    def _rule(self, place: Place, rule: RuleOf, given: int = 0) -> tuple[Rule, Meaning]:
        """The rule with its handle, the next one; `given`: the last handle, where that of the table is out of date."""
        table = self.table(place)
        what = meaning(rule, (place.family, text_of(place.table)), lambda name: table.named_set(name) if table else None, self.interfaces)
        text = rule_text(Rule(what.parts), place.family)
        last = given or (table.handles if table is not None else 0)
        handle = last + what.sets + len(what.meters) + 1
        return Rule(what.parts, text, handle=handle, comment=rule.comment, span=self.span_of(rule.at)), what

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
        for kind, name, at in what.objects:
            if table.named_object(kind, name) is None:
                process(at, ENOENT)
        self.check_jumps(table, place, what.jumps)

    def _validate(self, place: Place, at: At, rule: Rule, given: int) -> None:
        """What the kernel checks at the end: no loop that a base chain reaches, reject where it may stand.

        It tries twice before it gives up, so the handles `given` are spent twice.
        """
        table = self.table(place)
        assert table is not None
        for chain in table.chains if self.strict else ():
            if chain.hook is None:
                continue
            if chains.loops(table, chain):
                self.put(replace(table, handles=table.handles + given))
                process(at, EMLINK)
            if chains.stands_wrongly(table, chain, rule):
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
        table = with_meters(table, made, what.meters, table.handles + 1)
        made = replace(made, handle=chain.rules[index].handle)
        rules = (*chain.rules[:index], made, *chain.rules[index + 1 :])
        self.put(replace(table.with_chain(chain.with_rules(rules)), handles=table.handles + what.sets))
        self._validate(place, command.at, made, what.sets)

    def delete_rule(self, command: Command) -> None:
        """delete rule, by handle."""
        table, chain = self.chain(command.place)
        index = self._position(chain, command.place)
        self.put(without_meters(table.with_chain(chain.with_rules((*chain.rules[:index], *chain.rules[index + 1 :])))))


def targets(table: Table, chain: Chain) -> Iterator[str]:
    """The chains that a chain's rules go to, through maps too."""
    for rule in chain.rules:
        for part in rule.flat():
            if isinstance(part, Verdict) and part.chain:
                yield part.chain
            elif isinstance(part, VerdictMap):
                yield from chains.map_targets(table, part)


_DO: dict[tuple[str, str], Callable[[Transaction, Command], None]] = {
    ("add", "table"): Transaction.add_table, ("create", "table"): Transaction.add_table, ("delete", "table"): Transaction.delete_table,
    ("flush", "table"): Transaction.flush_table, ("flush", "ruleset"): Transaction.flush_ruleset,
    ("add", "chain"): Transaction.add_chain, ("create", "chain"): Transaction.add_chain, ("delete", "chain"): Transaction.delete_chain,
    ("flush", "chain"): Transaction.flush_chain, ("rename", "chain"): Transaction.rename_chain,
    ("add", "rule"): Transaction.add_rule, ("insert", "rule"): Transaction.add_rule, ("replace", "rule"): Transaction.replace_rule,
    ("delete", "rule"): Transaction.delete_rule,
    ("add", "set"): Transaction.add_set, ("create", "set"): Transaction.add_set, ("delete", "set"): Transaction.delete_set,
    ("flush", "set"): Transaction.flush_set, ("add", "map"): Transaction.add_set, ("create", "map"): Transaction.add_set,
    ("delete", "map"): Transaction.delete_set, ("flush", "map"): Transaction.flush_set, ("flush", "meter"): Transaction.flush_meter,
    ("add", "elements"): Transaction.add_elements, ("create", "elements"): Transaction.add_elements,
    ("delete", "elements"): Transaction.delete_elements,
    **{("add", kind): Transaction.add_object for kind in KINDS}, **{("create", kind): Transaction.add_object for kind in KINDS},
    **{("delete", kind): Transaction.delete_object for kind in KINDS},
    ("add", "flowtable"): Transaction.add_flowtable, ("create", "flowtable"): Transaction.add_flowtable,
    ("delete", "flowtable"): Transaction.delete_flowtable,
}  # fmt: skip
