"""What nft's statements on sets, maps and objects do to a packet: judges for Quota, SetStatement, UseObject, AssignMap, and for looks into
live sets and maps (Compare, VerdictMap).

Each answers True (the rule goes on), False (it ends) or None (the packet is dropped). None of them is a function of the connection alone.
Sources: nft_dynset.c, nft_objref.c, nft_ct.c, nft_lookup.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.netfilter.skb import Skb
from sim.ruleset.helping import CtHelper, expect, set_helper, set_timeouts
from sim.ruleset.live import KeptQuota, Live
from sim.ruleset.match import Finder
from sim.ruleset.model import Compare, Item, SetReference, Table, Verdict, VerdictMap
from sim.ruleset.objects import CtExpectation, CtTimeout, NamedObject
from sim.ruleset.parts import AssignMap, MapOf, SetStatement, UseObject
from sim.ruleset.putting import PUT
from sim.ruleset.values import show_value

Read = Callable[[Skb], Any]
NO_FIELD = "it has no such field"


class Reader:
    """Reads a selector's value from packets; compiled when it is first asked."""

    def __init__(self, selector: str, effects: Any) -> None:
        self.selector, self._effects = selector, effects
        self._read: Read | None = None

    def __call__(self, skb: Skb) -> Any:
        """The value, None where the packet has none."""
        if self._read is None:
            from sim.ruleset.evaluate import Probe  # it stands above: it writes the functions that read

            self._read = Probe(Compare(self.selector, (0,)), Table("nft", "inet", ""), self._effects).read
        return self._read(skb)


class InlineQuota:
    """quota over 10 mbytes"""

    def __init__(self, state: KeptQuota) -> None:
        self.state, self.why = state, ""

    def test(self, skb: Skb) -> bool | None:
        """Add its bytes, and compare."""
        answer = self.state.take(skb)
        self.why = f"{self.state.used} bytes have come"
        return answer


class LiveLookup:
    """`ip saddr @set` where the set lives."""

    def __init__(self, part: Compare, table: Table, live: Live, effects: Any) -> None:
        assert isinstance(part.values, SetReference)
        self._key, self._live, self._negated = (table.key, part.values.name), live, part.op == "!="
        mask = int.from_bytes(part.mask) if isinstance(part.mask, bytes) else part.mask
        self._read, self.why = Reader(part.selector if mask is None else f"{part.selector} & 0x{mask:x}", effects), ""

    def test(self, skb: Skb) -> bool | None:
        """Whether the set holds the value, and what the element keeps lets it by."""
        value = self._read(skb)
        if value is None:
            self.why = NO_FIELD
            return False
        cell = self._live.sets[self._key].find(value, skb.now)
        self.why = f"{show_value(self._read.selector, value)} is {'' if cell else 'not '}in @{self._key[1]}"
        if (cell is None) != self._negated:
            return False
        return cell is None or cell.take(skb)


class LiveVerdicts:
    """`ip saddr vmap @map` where the map lives."""

    def __init__(self, part: VerdictMap, table: Table, live: Live, effects: Any) -> None:
        assert isinstance(part.entries, SetReference)
        self._key, self._live = (table.key, part.entries.name), live
        self._read = Reader(part.selector, effects)

    def find(self, skb: Skb) -> Verdict | None:
        """The verdict, None without one."""
        value = self._read(skb)
        cell = None if value is None else self._live.sets[self._key].find(value, skb.now)
        if cell is None or not cell.take(skb):
            return None
        return cell.shown.value if isinstance(cell.shown.value, Verdict) else None


class ChangeSet:
    """add, update, delete @set { ... }, and meters"""

    def __init__(self, part: SetStatement, live: Live, effects: Any) -> None:
        self._part, self._live, self.why = part, live, ""
        self._key = Reader(part.key, effects)
        self._data = Reader(part.data, effects) if part.data else None

    def test(self, skb: Skb) -> bool | None:
        """Change the set; False when it is full, or what the element keeps ends the rule."""
        key = self._key(skb)
        data = self._data(skb) if self._data is not None else None
        if key is None or (self._data is not None and data is None):
            self.why = NO_FIELD
            return False
        answer = self._live.sets[self._part.table, self._part.set].change(self._part, key, data, skb)
        self.why = f"{show_value(self._part.key, key)} in @{self._part.set}{'' if answer else ': no more'}"
        return answer


class MapLookup:
    """`selector map ...`: the data for a packet."""

    def __init__(self, part: MapOf, table: tuple[str, str, str], live: Live, effects: Any) -> None:
        self._live, self._read = live, Reader(part.selector, effects)
        self._named = (table, part.entries.name) if isinstance(part.entries, SetReference) else None
        entries = () if isinstance(part.entries, SetReference) else part.entries
        self._values = [value for _, value in entries]
        self._finder = Finder([(key, number) for number, (key, _) in enumerate(entries)])

    def find(self, skb: Skb) -> Item | Verdict | None:
        """The data, None where the packet lacks the field or the map the key."""
        value = self._read(skb)
        if value is None:
            return None
        if self._named is not None:
            cell = self._live.sets[self._named].find(value, skb.now)
            return cell.shown.value if cell is not None and cell.take(skb) else None
        at = self._finder.find(value)
        return self._values[at] if at >= 0 else None


class SetByMap:
    """meta mark set ... map, ct mark set ... map, and whatever else PUT knows."""

    def __init__(self, part: AssignMap, live: Live, effects: Any) -> None:
        self._selector, self._map, self.why = part.selector, MapLookup(part.map, part.table, live, effects), ""

    def test(self, skb: Skb) -> bool | None:
        """Set what the map gives; False without anything."""
        value = self._map.find(skb)
        self.why = "nothing in the map" if value is None else f"the map gives {value!r}"
        if not isinstance(value, int):
            return False
        PUT[self._selector](skb, value)
        return True


class ByObject:
    """counter name "c", quota name, limit name, ct helper set ... map"""

    def __init__(self, part: UseObject, live: Live, effects: Any) -> None:
        self._part, self._live, self._effects, self.why = part, live, effects, ""
        self._map = MapLookup(part.which, part.table, live, effects) if isinstance(part.which, MapOf) else None

    def test(self, skb: Skb) -> bool | None:
        """Let the object see the packet."""
        name = self._part.which if self._map is None else self._map.find(skb)
        if not isinstance(name, str):
            self.why = "nothing in the map"
            return False
        found = self._live.objects[self._part.table, self._part.object, name]
        self.why = f"{self._part.object} {name}"
        if found.keeps is not None:
            return found.keeps.take(skb)
        return self._prepare(found.shown, skb)

    def _prepare(self, found: NamedObject, skb: Skb) -> bool | None:
        """What an object of conntrack says a new entry will be like."""
        match found:
            case CtHelper():
                set_helper(found, skb)
            case CtTimeout():
                set_timeouts(found, skb, self._effects.tracker.settings)
            case CtExpectation():
                return expect(found, skb, self._effects.tracker.expectations)
        return True


