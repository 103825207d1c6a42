"""nft's sets, maps and objects at work: elements that packets add and time takes away, and what elements and objects count.

`Live` holds those of one machine, by table and name. `sync` takes a Ruleset that was loaded, `present` gives the Ruleset as it stands now,
so that listing and changing it begin from what packets have done. An element or object that `present` gave and `sync` finds again keeps
its memory. Sources: nft_dynset.c, nft_quota.c, nft_lookup.c, nf_tables_api.c, Linux 6.18. Not in here: sets that only hold values
(match.py), the statements that use all this (stateful.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from sim.netfilter.skb import Skb
from sim.ruleset.bucket import bucket
from sim.ruleset.connlimit import CtCount
from sim.ruleset.match import Finder
from sim.ruleset.model import CatchAll, Counter, Element, Item, Limit, NamedSet, Part, Rule, Ruleset, Table, TableKey
from sim.ruleset.objects import CounterObject, LimitObject, NamedObject, QuotaObject
from sim.ruleset.parts import Judge, Quota, SetStatement


class Kept(Protocol):
    """What an element or object counts. `take` lets a packet by or not; `part` is the part as it stands."""

    def take(self, skb: Skb) -> bool: ...
    def part(self) -> Part: ...


class KeptCounter:
    """counter: all packets go by."""

    def __init__(self, part: Counter) -> None:
        self.packets, self.bytes = part.packets, part.bytes

    def take(self, skb: Skb) -> bool:
        """Count it."""
        self.packets += 1
        self.bytes += len(skb.packet.data)
        return True

    def part(self) -> Part:
        """The numbers now."""
        return Counter(self.packets, self.bytes)


class KeptQuota:
    """quota: until (over: once) more than so many bytes have come (nft_quota_do_eval)."""

    def __init__(self, part: Quota) -> None:
        self._part, self.used = part, part.used

    def take(self, skb: Skb) -> bool:
        """Add its bytes, and compare."""
        self.used += len(skb.packet.data)
        return (self.used > self._part.bytes) == self._part.over

    def part(self) -> Part:
        """What is used, at most the quota."""
        return replace(self._part, used=min(self.used, self._part.bytes))


class KeptLimit:
    """limit: a token bucket of its own."""

    def __init__(self, part: Limit) -> None:
        self._part, self._bucket = part, bucket(part)

    def take(self, skb: Skb) -> bool:
        """Take tokens for it."""
        return self._bucket.take(skb.now, len(skb.packet.data))

    def part(self) -> Part:
        """The limit; its tokens are not told."""
        return self._part


class KeptCount:
    """ct count: a list of connections of its own. A packet of which no connection can be read goes no further."""

    def __init__(self, part: Judge) -> None:
        self._part, self._judge = part, CtCount(part, {}, None)

    def take(self, skb: Skb) -> bool:
        """Count its connection."""
        return bool(self._judge.test(skb))

    def part(self) -> Part:
        """The count's bounds."""
        return self._part


def kept(part: Part) -> Kept:
    """What keeps this part's state."""
    match part:
        case Counter():
            return KeptCounter(part)
        case Limit():
            return KeptLimit(part)
        case Quota():
            return KeptQuota(part)
        case Judge():
            return KeptCount(part)
    raise TypeError(f"nothing keeps {part!r}")


class Cell:
    """One element at work. `ends`: when it is gone (µs), None for never; `shown` is the Element that stands for it in a Ruleset."""

    __slots__ = ("ends", "keeps", "shown", "timeout")

    def __init__(self, element: Element, found: NamedSet, now: int) -> None:
        self.shown = element
        self.timeout = element.timeout if element.timeout is not None else found.timeout
        left = element.expires if element.expires is not None else self.timeout
        self.ends = now + left if self.timeout else None
        self.keeps = [kept(part) for part in element.parts]

    def take(self, skb: Skb) -> bool:
        """nft_set_elem_update_expr: what it keeps sees the packet, until something ends the rule."""
        return all(each.take(skb) for each in self.keeps)

    def present(self, now: int) -> Element:
        """The element as it stands."""
        left = None if self.ends is None else self.ends - now
        if self.keeps or left is not None:
            self.shown = replace(self.shown, expires=left, parts=tuple(each.part() for each in self.keeps))
        return self.shown


class LiveSet:
    """One named set or map at work."""

    def __init__(self, named: NamedSet, now: int) -> None:
        self.named = named
        self._cells: dict[Item, Cell] = {each.key: Cell(each, named, now) for each in named.elements}
        self._index()

    def _index(self) -> None:
        """Ranges, prefixes, wildcards: found by Finder; packets never add such."""
        self._ranged = list(self._cells.values()) if "interval" in self.named.flags else []
        self._finder = Finder([(cell.shown.key, number) for number, cell in enumerate(self._ranged)])
        self._otherwise = self._cells.get(CatchAll())

    def sync(self, named: NamedSet, now: int) -> None:
        """Take the set as it was loaded: elements that `present` gave live on."""
        old, self.named = self._cells, named
        self._cells = {}
        for each in named.elements:
            cell = old.get(each.key)
            self._cells[each.key] = cell if cell is not None and cell.shown is each else Cell(each, named, now)
        self._index()

    def present(self, now: int) -> NamedSet:
        """The set as it stands."""
        if not self.named.is_live:
            return self.named
        self._expire(now)
        return replace(self.named, elements=tuple(cell.present(now) for cell in self._cells.values()))

    def _expire(self, now: int) -> None:
        gone = [key for key, cell in self._cells.items() if cell.ends is not None and cell.ends <= now]
        for key in gone:
            del self._cells[key]

    def find(self, value: Any, now: int) -> Cell | None:
        """The element that holds a value; `*` when there is no other."""
        cell = self._cells.get(value)
        if cell is None and self._ranged:
            at = self._finder.find(value)
            cell = self._ranged[at] if at >= 0 else None
        if cell is not None and (cell.ends is None or cell.ends > now):
            return cell
        otherwise = self._otherwise
        return otherwise if otherwise is not None and (otherwise.ends is None or otherwise.ends > now) else None

    def change(self, part: SetStatement, key: Item, data: Item | None, skb: Skb) -> bool:
        """nft_dynset_eval: whether the rule goes on."""
        now = skb.now
        cell = self._cells.get(key)
        if part.op == "delete":
            self._cells.pop(key, None)
            return True
        if cell is None or (cell.ends is not None and cell.ends <= now):
            cell = self._add(part, key, data, now)
            if cell is None:
                return False
        elif part.op == "update" and cell.timeout:
            cell.ends = now + (part.timeout or self.named.timeout)
        return cell.take(skb)

    def _add(self, part: SetStatement, key: Item, data: Item | None, now: int) -> Cell | None:
        self._cells.pop(key, None)
        if self.named.size and len(self._cells) >= self.named.size:
            self._expire(now)
            if len(self._cells) >= self.named.size:
                return None
        element = Element(key, data, part.timeout or None, None, part.comment, part.parts)
        cell = self._cells[key] = Cell(element, self.named, now)
        return cell


class LiveObject:
    """One named object at work. Those of conntrack keep nothing: their `keeps` is None."""

    def __init__(self, found: NamedObject) -> None:
        self.shown = found
        self.keeps = _object_keeps(found)

    def present(self) -> NamedObject:
        """The object as it stands."""
        part = self.keeps.part() if self.keeps is not None else None
        if isinstance(self.shown, CounterObject) and isinstance(part, Counter):
            self.shown = replace(self.shown, packets=part.packets, bytes=part.bytes)
        elif isinstance(self.shown, QuotaObject) and isinstance(part, Quota):
            self.shown = replace(self.shown, used=part.used)
        return self.shown


def _object_keeps(found: NamedObject) -> Kept | None:
    match found:
        case CounterObject():
            return KeptCounter(Counter(found.packets, found.bytes))
        case QuotaObject():
            return KeptQuota(Quota(found.bytes, found.over, found.used))
        case LimitObject():
            return KeptLimit(Limit(found.rate, found.unit, found.burst, found.per, found.over))
    return None


class Live:
    """All of one machine's."""

    def __init__(self) -> None:
        self.sets: dict[tuple[TableKey, str], LiveSet] = {}
        self.objects: dict[tuple[TableKey, str, str], LiveObject] = {}
        self.quotas: dict[tuple[int, int], KeptQuota] = {}

    def sync(self, ruleset: Ruleset, now: int) -> None:
        """Take what was loaded."""
        sets, objects = self.sets, self.objects
        self.sets, self.objects = {}, {}
        for table in ruleset.of("nft"):
            for named in table.sets:
                self._sync_set((table.key, named.name), named, sets, now)
            for found in table.objects:
                key = (table.key, found.kind, found.name)
                there = objects.get(key)
                self.objects[key] = there if there is not None and there.shown is found else LiveObject(found)

    def _sync_set(self, key: tuple[TableKey, str], named: NamedSet, old: dict[tuple[TableKey, str], LiveSet], now: int) -> None:
        there = old.get(key)
        if there is None:
            there = LiveSet(named, now)
        elif there.named is not named:
            there.sync(named, now)
        self.sets[key] = there

    def present(self, ruleset: Ruleset, now: int) -> Ruleset:
        """The rules with all elements, counts and quotas as they stand."""
        for table in ruleset.of("nft"):
            sets = tuple(self._present_set(table, named, now) for named in table.sets)
            objects = tuple(self._present_object(table, found) for found in table.objects)
            changed = sets != table.sets or objects != table.objects
            quotas = self.quotas and any(isinstance(part, Quota) for chain in table.chains for rule in chain.rules for part in rule.parts)
            if changed or quotas:
                now_table = replace(table, sets=sets, objects=objects)
                ruleset = ruleset.with_table(self._with_quotas(now_table) if quotas else now_table)
        return ruleset

    def _present_set(self, table: Table, named: NamedSet, now: int) -> NamedSet:
        live = self.sets.get((table.key, named.name))
        return named if live is None or not named.is_live else live.present(now)

    def _present_object(self, table: Table, found: NamedObject) -> NamedObject:
        live = self.objects.get((table.key, found.kind, found.name))
        return found if live is None else live.present()

    def _with_quotas(self, table: Table) -> Table:
        chains = tuple(chain.with_rules(tuple(self._with_quota(rule) for rule in chain.rules)) for chain in table.chains)
        return replace(table, chains=chains)

    def _with_quota(self, rule: Rule) -> Rule:
        parts = tuple(
            self.quotas[rule.id, serial].part() if isinstance(part, Quota) and (rule.id, serial) in self.quotas else part
            for serial, part in enumerate(rule.parts)
        )
        return rule if parts == rule.parts else replace(rule, parts=parts)
