"""Where nft's `dnat to tcp dport map { ... }` sends a packet: the addresses and ports that a map, or a field, has for it.

nft_nat.c with nft_lookup.c and nft_payload.c before it, Linux 6.18. What a Nat part then does: translation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.netfilter.skb import Skb
from sim.ruleset.match import Finder, span
from sim.ruleset.model import CatchAll, Compare, Item, SetReference, Table
from sim.ruleset.parts import MapOf, Nat

if TYPE_CHECKING:
    from sim.ruleset.evaluate import Effects
    from sim.ruleset.live import Live

Read = Callable[[Skb], Any]


class Given:
    """A Nat part and the table whose maps it names; `live`: the sets and maps as they stand. Raises MeaningMistake without such a map."""

    def __init__(self, part: Nat, table: Table, live: Live, effects: Effects) -> None:
        self._table, self._effects, self._reads = table, effects, dict[str, Read]()
        self._sources = [source for source in (part.source, part.port_source) if source]
        self._rest = replace(part, source="", port_source="")
        self._maps = {source: _looked_up(source, table, live) for source in self._sources if isinstance(source, MapOf)}

    def read(self, skb: Skb) -> Nat | None:
        """The part with what there is for this packet; None where it has no such field, or the map no such key."""
        part = self._rest
        for source in self._sources:
            value = self._value(source.selector if isinstance(source, MapOf) else source, skb)
            found = self._maps[source](value, skb) if isinstance(source, MapOf) and value is not None else value
            if found is None:
                return None
            part = _with(part, found)
        return part

    def _value(self, selector: str, skb: Skb) -> Any:
        if selector not in self._reads:
            from sim.ruleset.evaluate import Probe  # it stands above: it writes the functions that read

            self._reads[selector] = Probe(Compare(selector, (0,)), self._table, self._effects).read
        return self._reads[selector](skb)


def _looked_up(source: MapOf, table: Table, live: Live) -> Callable[[Any, Skb], Any]:
    """What finds the data for a key."""
    if not isinstance(source.entries, SetReference):
        return _Map(source.entries).find
    from sim.ruleset.generate import named  # it stands above: it uses this

    key = (table.key, named(table, source.entries).name)

    def find(value: Any, skb: Skb) -> Any:
        cell = live.sets[key].find(value, skb.now)
        return cell.shown.value if cell is not None and cell.take(skb) else None

    return find


class _Map:
    """A map of the rule's own."""

    def __init__(self, entries: Sequence[tuple[Item, Item]]) -> None:
        self._values = [value for key, value in entries if not isinstance(key, CatchAll)]
        self._otherwise = next((value for key, value in entries if isinstance(key, CatchAll)), None)
        keys = [key for key, _ in entries if not isinstance(key, CatchAll)]
        self._finder = Finder([(key, number) for number, key in enumerate(keys)])

    def find(self, key: Any, skb: Skb) -> Item | None:
        """The data, or None."""
        at = self._finder.find(key)
        return self._values[at] if at >= 0 else self._otherwise


def _with(part: Nat, found: Any) -> Nat:
    """The part with an address, addresses, a port, or an address and a port."""
    if isinstance(found, tuple) and span(found) is None:
        return _with(_with(part, found[0]), found[1])
    low, high = span(found) or (found, found)
    if isinstance(low, int):
        assert isinstance(high, int)
        return replace(part, ports=(low, high))
    return replace(part, low=low, high=high)


__all__ = ["Given"]
