"""The commands of a transaction on sets, maps, elements, named objects and flowtables. Tables, chains and rules: transaction.py."""

from __future__ import annotations

from dataclasses import replace

from sim.ruleset.model import NamedSet, Rule, SetReference, Table
from sim.ruleset.nft import sets
from sim.ruleset.nft.draft import Draft, place_of, text_of
from sim.ruleset.nft.objects import object_of, uses
from sim.ruleset.nft.refusals import EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, PROCESS, KernelRefused, process
from sim.ruleset.nft.scanner import At
from sim.ruleset.nft.settypes import OBJECT_KINDS, set_of
from sim.ruleset.nft.syntax import Braces
from sim.ruleset.nft.written import Command, FlowtableOf, NamedOf, Place, SetOf
from sim.ruleset.objects import CounterObject, NamedObject, QuotaObject
from sim.ruleset.parts import MapOf, SetStatement

_SIZE = 0xFFFF


class SetCommands(Draft):
    """Sets, maps and elements."""

    def add_set(self, command: Command) -> None:
        """add set, add map, with their elements."""
        assert isinstance(command.body, SetOf)
        self.make_set(command.place, command.body, command.verb, command.at)

    def make_set(self, place: Place, body: SetOf, verb: str, at: At, fill: bool = True) -> None:
        """The set that a block describes; with its elements."""
        table = self.found(place, ENOENT)
        made = set_of(text_of(place.name), body, place.family)
        there = table.named_set(made.name)
        if there is not None and (verb == "create" or not sets.same_kind(there, made)):
            process(place_of(place.name), EEXIST)
        if "interval" in made.flags and "dynamic" in made.flags:
            process(at, EOPNOTSUPP)
        if there is None:
            number = table.handles + 1
            self.put(replace(table, sets=(*table.sets, replace(made, handle=number)), handles=number))
        if body.elements is not None and fill:
            self.fill_set(place, body.elements, verb)

    def fill_set(self, place: Place, braces: Braces, verb: str) -> None:
        """Add elements."""
        draft = self.open_set(place, ENOENT)
        reader = sets.Elements(draft.named, self.interfaces)
        read = reader.read(braces)
        if reader.jumps or reader.objects:
            self._check_named(place, draft.named, reader)
            draft = self.open_set(place, ENOENT)
        draft.add(read, verb == "create")

    def _check_named(self, place: Place, named: NamedSet, reader: sets.Elements) -> None:
        table = self.found(place, ENOENT)
        for name, at in reader.jumps:
            target = table.chain(name)
            if target is None or target.hook is not None:
                process(at, ENOENT if target is None else EOPNOTSUPP)
        for name, at in reader.objects:
            if named.data in OBJECT_KINDS and table.named_object(named.data, name) is None:
                process(at, ENOENT)

    def check_jumps(self, table: Table, place: Place, jumps: tuple[tuple[str, At], ...]) -> None:
        """The chains that a rule or map goes to must be there, and no base chains."""
        for name, at in jumps:
            target = table.chain(name)
            if target is None:
                self.no_chain(place, at)
            if target.hook is not None:
                process(at, EOPNOTSUPP)

    def add_elements(self, command: Command) -> None:
        """add element, create element."""
        assert isinstance(command.body, Braces)
        self.fill_set(command.place, command.body, command.verb)

    def delete_elements(self, command: Command) -> None:
        """delete element."""
        assert isinstance(command.body, Braces)
        draft = self.open_set(command.place, ENOENT)
        draft.delete(sets.Elements(draft.named, self.interfaces).read(command.body, True))

    def get_elements(self, command: Command) -> NamedSet:
        """get element: the set with what was asked for. Raises KernelRefused where it is not there."""
        assert isinstance(command.body, Braces)
        draft = self.open_set(command.place, ENOENT)
        found = draft.get(sets.Elements(draft.named, self.interfaces).read(command.body, True))
        if found is None:
            process(command.at, ENOENT)
        return found

    def flush_set(self, command: Command) -> None:
        """flush set, flush map, flush meter."""
        table, found = self.named(command.place, ENOENT)
        self.put(sets.put(table, replace(found, elements=())))

    def flush_meter(self, command: Command) -> None:
        """flush meter: the kernel keeps it as it is."""
        self.named(command.place, ENOENT)
        process(command.at, EOPNOTSUPP)

    def delete_set(self, command: Command) -> None:
        """delete set, delete map, by name or handle; not while a rule looks into it."""
        place = command.place
        if place.position is None:
            table, found = self.named(place, PROCESS + ENOENT)
            at = place_of(place.name)
        else:
            table, at = self.found(place, PROCESS + ENOENT), place.position[2]
            known = next((each for each in table.sets if each.handle == place.position[1]), None)
            if known is None:
                process(at, ENOENT)
            found = known
        if found.name in referenced(table):
            process(at, EBUSY)
        self.put(replace(table, sets=tuple(each for each in table.sets if each is not found)))


def referenced(table: Table) -> set[str]:
    """The named sets that the table's rules look into or change."""
    names: set[str] = set()
    for chain in table.chains:
        for rule in chain.rules:
            for part in rule.flat():
                if isinstance(part, SetStatement):
                    names.add(part.set)
                for held in ("values", "entries", "map", "which", "address", "ports"):
                    value = getattr(part, held, None)
                    value = value.entries if isinstance(value, MapOf) else value
                    if isinstance(value, SetReference):
                        names.add(value.name)
    return names


def with_meters(table: Table, rule: Rule, meters: tuple[NamedSet, ...], number: int) -> Table:
    """The table with what a new rule's meters make; a set without a size that a rule adds to gets the kernel's (nft_dynset_init)."""
    made = tuple(replace(each, handle=number - len(meters) + place) for place, each in enumerate(meters))
    added = {part.set for part in rule.flat() if isinstance(part, SetStatement)}
    if not made and not added:
        return table
    kept = tuple(replace(each, size=_SIZE) if each.name in added and not each.size else each for each in table.sets)
    return replace(table, sets=(*kept, *made))


def without_meters(table: Table) -> Table:
    """The table without the meters that no rule has any more."""
    if not any(each.meter for each in table.sets):
        return table
    used = referenced(table)
    return replace(table, sets=tuple(each for each in table.sets if not each.meter or each.name in used))


class ObjectCommands(SetCommands):
    """Counters, quotas, limits, conntrack's objects; flowtables."""

    def add_object(self, command: Command) -> None:
        """add counter ..., create counter ..."""
        self.make_object(command.place, command.body, command.verb, command.at)  # type: ignore[arg-type]

    def make_object(self, place: Place, body: NamedOf, verb: str, at: At) -> None:
        """The object that a block describes."""
        table, name = self.found(place, ENOENT), place.name
        assert name is not None
        made = object_of(name, body, place.family, at)
        if table.named_object(made.kind, name.value) is not None:
            if verb == "create":
                process(name.at, EEXIST)
            return
        made = replace(made, handle=table.handles + 1)
        self.put(replace(table, objects=(*table.objects, made), handles=made.handle))

    def delete_object(self, command: Command) -> None:
        """delete counter ..., by name or handle; not while something names it."""
        place, kind = command.place, command.thing
        table = self.found(place, "", suggest=True)
        if place.position is not None:
            number, at = place.position[1], place.position[2]
            found = next((each for each in table.objects if each.handle == number and each.kind == kind), None)
        else:
            at = place_of(place.name)
            found = table.named_object(kind, text_of(place.name))
        if found is None:
            self.no_object(place, at)
        elif uses(table, kind, found.name):
            process(at, EBUSY)
        self.put(replace(table, objects=tuple(each for each in table.objects if each is not found)))

    def no_object(self, place: Place, at: At) -> None:
        """ENOENT about an object; nft suggests the nearest name of any kind. Raises KernelRefused."""
        message = nearest_object(tuple(self.tables()), text_of(place.name))
        raise KernelRefused(at, message or PROCESS + ENOENT)

    def reset(self, command: Command) -> None:
        """reset counters, reset quota table name: what it listed has counted nothing."""
        place, kind = command.place, command.thing.removesuffix("s")
        for table in self.tables(place.family):
            if place.table is not None and table.name != place.table.value:
                continue
            objects = tuple(
                self._reset_object(each) if each.kind == kind and text_of(place.name) in ("", each.name) else each for each in table.objects
            )
            self.put(replace(table, objects=objects))

    @staticmethod
    def _reset_object(found: NamedObject) -> NamedObject:
        if isinstance(found, CounterObject):
            return replace(found, packets=0, bytes=0)
        return replace(found, used=0) if isinstance(found, QuotaObject) else found

    # ---- flowtables: taken and listed, they speed nothing up here ----------------------------------------------------

    def add_flowtable(self, command: Command) -> None:
        """add flowtable."""
        assert isinstance(command.body, FlowtableOf)
        self.make_flowtable(command.place, command.body, command.verb, command.at)

    def make_flowtable(self, place: Place, body: FlowtableOf, verb: str, at: At) -> None:
        """A flowtable as it was described: what it would carry past the rules goes through them here."""
        table, name = self.found(place, ENOENT), place.name
        assert name is not None
        if any(each[0] == name.value for each in table.flowtables):
            if verb == "create":
                process(name.at, EEXIST)
            return
        if body.hook is None or body.priority is None:
            process(at, EINVAL)
        word, offset, _ = body.priority
        made = (name.value, f"{word} {'+' if offset >= 0 else '-'} {abs(offset)}" if word and offset else word or str(offset))
        devices = tuple(sorted({each.value for each in body.devices}))
        number = table.handles + 1
        self.put(replace(table, flowtables=(*table.flowtables, (*made, devices, body.counter, number)), handles=number))

    def delete_flowtable(self, command: Command) -> None:
        """delete flowtable, by name or handle."""
        place = command.place
        table = self.found(place, PROCESS + ENOENT)
        at = place_of(place.name) if place.position is None else place.position[2]
        gone = [each for each in table.flowtables if each[0] == text_of(place.name) or (place.position and each[4] == place.position[1])]
        if not gone:
            process(at, ENOENT)
        self.put(replace(table, flowtables=tuple(each for each in table.flowtables if each not in gone)))


def nearest_object(tables: tuple[Table, ...], wanted: str) -> str:
    """What nft says when there is no object of that name; "" when none is near."""
    from sim.ruleset.nft.misspell import nearest

    known = {each.name: table for table in tables for each in table.objects}
    close = nearest(wanted, list(known))
    return f"{ENOENT}; did you mean obj ‘{close}’ in table {known[close].family} ‘{known[close].name}’?" if close else ""
