"""RuleState: one machine's rules at work. It owns all that changes: which Ruleset is loaded, counters, policy counters, buckets.

Loading swaps in a frozen Ruleset: rules get their ids, base chains their place in the hooks' lists; a Ruleset that cannot be
compiled changes nothing. Counters belong to rule ids and stay while the rule stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from sim.errors import MeaningMistake
from sim.netfilter.hooks import Hooks
from sim.netfilter.nat import Nat as NatEngine
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.ruleset import foresee, show
from sim.ruleset.bucket import Bucket, bucket
from sim.ruleset.evaluate import ChainFunction, Effects, Probe, link
from sim.ruleset.foresee import Foreseer
from sim.ruleset.generate import check
from sim.ruleset.given import Given
from sim.ruleset.helping import SetHelper, UseTemplate
from sim.ruleset.ipset.model import Sets
from sim.ruleset.ipset.packets import SHARED, sets_used
from sim.ruleset.judges import LIVE, Judging, Shared, judge
from sim.ruleset.live import KeptQuota, Live
from sim.ruleset.model import (
    Assign,
    Chain,
    Compare,
    Counter,
    Limit,
    Notrack,
    Rule,
    Ruleset,
    Table,
    TableKey,
    VerdictMap,
)
from sim.ruleset.parts import AssignMap, Blend, Judge, Judged, Nat, Quota, SetStatement, UseObject
from sim.ruleset.selectors import ACCOUNTED, parts_of
from sim.ruleset.stateful import InlineQuota, LiveLookup, LiveVerdicts
from sim.ruleset.walk import Walker
from sim.trace import Emit, RulesLoaded

ChainKey = tuple[str, str, str, str]
VERSIONS = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}


class RuleState:
    """`hooks` get the base chains; `effects` do what rules do beyond a verdict; `emit` None means the fast path: nothing is told."""

    def __init__(self, hooks: Hooks, effects: Effects, emit: Emit | None = None, nat: NatEngine | None = None) -> None:
        self.ruleset = Ruleset()
        self.needs_conntrack: frozenset[str] = frozenset()
        self._hooks, self._effects, self._emit = hooks, effects, emit
        self._nat = nat or NatEngine(hooks)
        self._last_id = 0
        self._probes: dict[Compare, Probe] = {}
        self._counters: dict[int, dict[int, list[int]]] = {}
        self._policies: dict[ChainKey, list[int]] = {}
        self._buckets: dict[tuple[int, int], Bucket] = {}
        self._judges: dict[tuple[int, int], Judging] = {}
        self._shared: Shared = {}
        self.live = Live()
        self.clock: Callable[[], int] = lambda: 0
        self.ipsets = Sets()
        self.label_file: Callable[[], str | None] = lambda: None  # the text of /etc/xtables/connlabel.conf, None where there is none
        self._traces = False  # whether a rule traces packets: then the rules are walked, to be told
        self.ipsets.users = self._set_users
        self._linked: dict[TableKey, tuple[Table, dict[str, ChainFunction]]] = {}
        self._checked: dict[TableKey, Table] = {}
        self._registered: dict[ChainKey, tuple[int, int]] = {}
        self.on_load: list[Callable[[], None]] = []
        self.watchers: list[Callable[[str], None]] = []
        self.generation, self.process = 1, 1

    # ---- loading -----------------------------------------------------------------------------------------------------

    def load(self, ruleset: Ruleset, by: str, anew: Collection[TableKey] = ()) -> Ruleset:
        """Make `ruleset` the machine's rules; returns it with its rules numbered. `by`: the command, for RulesLoaded.

        `anew`: the tables that are handed over whole, see `renew`.
        Raises MeaningMistake, and changes nothing, when a rule names a chain or set that is not there.
        """
        last_id = self._last_id
        numbered = self._numbered(ruleset)
        try:
            for table in numbered.tables:
                if self._checked.get(table.key) is not table:
                    check(table)
        except MeaningMistake:
            self._last_id = last_id
            raise
        self.ruleset = numbered
        self._checked = {table.key: table for table in numbered.tables}
        self.live.sync(numbered, self.clock())
        self._begin_counting()
        judges = (part for _, _, _, rule in numbered.rules() for part in rule.flat() if isinstance(part, Judge))
        self._traces = any(part.kind == "trace" for part in judges)
        self.needs_conntrack = conntrack_families(numbered)
        self._forget()
        self.renew(anew)
        for told in self.on_load:
            told()
        if self._emit is not None:
            self._emit(RulesLoaded(show.view(numbered, self.counters, self.policy_counters), by))
        return numbered

    def number_after(self, before: RuleState) -> None:
        """New rules are numbered on from those of another: a machine's rules before it was booted."""
        self._last_id = before._last_id

    def _numbered(self, ruleset: Ruleset) -> Ruleset:
        if all(rule.id for _, _, _, rule in ruleset.rules()):
            return ruleset
        return replace(ruleset, tables=tuple(self._numbered_table(table) for table in ruleset.tables))

    def _numbered_table(self, table: Table) -> Table:
        if all(rule.id for chain in table.chains for rule in chain.rules):
            return table
        return replace(table, chains=tuple(chain.with_rules(tuple(map(self._with_id, chain.rules))) for chain in table.chains))

    def _with_id(self, rule: Rule) -> Rule:
        if rule.id:
            return rule
        self._last_id += 1
        return replace(rule, id=self._last_id)

    @property
    def needs_labels(self) -> bool:
        """Whether a rule asks for labels: then entries are made with room for them (nf_connlabels_get)."""
        parts = (part for _, _, _, rule in self.ruleset.rules() for part in rule.flat())
        return any(isinstance(part, Judge) and part.kind in ("connlabel", "set label") for part in parts)

    @property
    def needs_accounting(self) -> bool:
        """Whether a rule counts by conntrack's accounting, which the kernel then turns on (connbytes_mt_check)."""
        parts = (part for _, _, _, rule in self.ruleset.rules() for part in rule.flat())
        return any(
            part.kind == "connbytes" if isinstance(part, Judge) else isinstance(part, Compare) and part.selector in ACCOUNTED
            for part in parts
        )

    def _begin_counting(self) -> None:
        for _, _, _, rule in self.ruleset.rules():
            if rule.id not in self._counters:
                for serial, part in enumerate(rule.flat()):
                    if isinstance(part, Counter):
                        self.counter(rule, serial, part)

    def _link(self, table: Table) -> dict[str, ChainFunction]:
        """The table's functions, compiled when its first packet comes: many commands in a row compile once."""
        known = self._linked.get(table.key)
        if known is None or known[0] is not table:
            known = self._linked[table.key] = (table, link(table, self._effects, self))
        return known[1]

    def present(self) -> Ruleset:
        """The rules with all that packets and time have changed of sets, objects and quotas: where listing and changing them begins."""
        return self.live.present(self.ruleset, self.clock())

    def _forget(self) -> None:
        """Drop the counters and buckets of what is gone."""
        alive = {rule.id for _, _, _, rule in self.ruleset.rules()}
        self.live.quotas = {key: kept for key, kept in self.live.quotas.items() if key[0] in alive}
        self._counters = {key: cells for key, cells in self._counters.items() if key in alive}
        self._linked = {key: linked for key, linked in self._linked.items() if self._checked.get(key) is linked[0]}
        self._buckets = {key: cell for key, cell in self._buckets.items() if key[0] in alive}
        self._judges = {key: cell for key, cell in self._judges.items() if key[0] in alive}
        self._forget_shared()
        chains = {(*table.key, chain.name) for table in self.ruleset.tables for chain in table.chains}
        self._policies = {key: cell for key, cell in self._policies.items() if key in chains}

    def renew(self, keys: Collection[TableKey]) -> None:
        """What the rules of these tables remember begins anew, but for what has a name (recent, hashlimit).

        iptables hands the kernel a table whole at every change, and every match of it is made again: a limit's bucket is full, a
        quota unspent, nth counts from its start (xt_limit.c, xt_quota.c, xt_statistic.c, xt_connlimit.c: checkentry; Linux 6.18).
        """
        rules = {rule.id for table in self.ruleset.tables if table.key in keys for chain in table.chains for rule in chain.rules}
        self._buckets = {key: cell for key, cell in self._buckets.items() if key[0] not in rules}
        self._judges = {key: cell for key, cell in self._judges.items() if key[0] not in rules}
        for key in keys:
            self._linked.pop(key, None)
        self._register()

    def _set_users(self, name: str) -> int:
        """How many times rules look into an IP set or change it."""
        return sum(sets_used(part).count(name) for _, _, _, rule in self.ruleset.rules() for part in rule.flat())

    def _forget_shared(self) -> None:
        """What rules share by name goes with the last of them."""
        names = {part.name for _, _, _, rule in self.ruleset.rules() for part in rule.flat() if isinstance(part, Judge)}
        self._shared = {name: kept for name, kept in self._shared.items() if name in names}

    def _register(self) -> None:
        wanted = {
            (*table.key, chain.name): (table, chain) for table in self.ruleset.tables for chain in table.chains
            if chain.hook is not None and "dormant" not in table.flags
        }
        for key, place in list(self._registered.items()):
            if key not in wanted or place != _place(wanted[key][1]):
                self._hooks.unregister(_name(key))
                self._nat.remove(_name(key))
                del self._registered[key]
        for key, (table, chain) in wanted.items():
            function = self._function(table, chain)
            if key in self._registered:
                self._replace(_name(key), function)
            elif chain.hook is not None:
                self._put(table, chain, chain.hook, _name(key), function)
                self._registered[key] = _place(chain)

    def _put(self, table: Table, chain: Chain, hook: Hook, name: str, function: ChainFunction) -> None:
        """A nat chain stands in NAT's own list, which only new connections go through."""
        if chain.type == "nat":
            self._nat.place(VERSIONS[table.family], hook, chain.priority, name, function)
        else:
            self._hooks.register(hook, chain.priority, name, function)

    def foreseers(self) -> dict[str, Foreseer]:
        """For each base chain outside NAT, by its name in the hooks: what foresees its verdict (foresee.py). Compiled anew at each call."""
        found: dict[str, Foreseer] = {}
        for table in self.ruleset.tables:
            functions = foresee.link(table, self._effects, self)
            names = (chain.name for chain in table.chains if chain.hook is not None and chain.type != "nat")
            found.update({_name((*table.key, name)): functions[name] for name in names})
        return found

    def _replace(self, name: str, function: ChainFunction) -> None:
        self._hooks.replace(name, function)
        self._nat.replace(name, function)

    def _function(self, table: Table, chain: Chain) -> Callable[[Skb], int]:
        if self._emit is not None or self._traces:
            return Walker(table, chain, self._effects, self, self._emit or _nobody, self._probes).run
        known = self._linked.get(table.key)
        if known is not None and known[0] is table:
            return known[1][chain.name]

        def first(skb: Skb) -> int:
            function = self._link(table)[chain.name]
            self._replace(_name((*table.key, chain.name)), function)
            return function(skb)

        return first

    # ---- what changes ------------------------------------------------------------------------------------------------

    def counter(self, rule: Rule, serial: int, part: Counter) -> list[int]:
        """The cell [packets, bytes] in which a Counter counts; `serial` is its place among the rule's parts (Rule.flat)."""
        return self._counters.setdefault(rule.id, {}).setdefault(serial, [part.packets, part.bytes])

    def policy(self, table: Table, chain: Chain) -> list[int]:
        """The cell [packets, bytes] of a base chain's policy."""
        return self._policies.setdefault((*table.key, chain.name), [0, 0])

    def bucket(self, rule: Rule, serial: int, part: Limit) -> Bucket:
        """The token bucket of a Limit."""
        return self._buckets.setdefault((rule.id, serial), bucket(part))

    def live_set(self, rule: Rule, serial: int, part: Compare, table: Table) -> Judging:
        """What decides for a look into a set that lives."""
        return LiveLookup(part, table, self.live, self._effects)

    def live_map(self, rule: Rule, serial: int, part: VerdictMap, table: Table) -> LiveVerdicts:
        """What finds the verdict in a map that lives."""
        return LiveVerdicts(part, table, self.live, self._effects)

    def given(self, part: Nat, table: Table) -> Given:
        """Where a map or a field sends packets."""
        return Given(part, table, self.live, self._effects)

    def judge(self, rule: Rule, serial: int, part: Judged) -> Judging:
        """What decides for a part with a memory."""
        found = self._judges.get((rule.id, serial))
        if found is None and isinstance(part, Quota):
            found = self._judges[rule.id, serial] = InlineQuota(self.live.quotas.setdefault((rule.id, serial), KeptQuota(part)))
        if found is None:
            self._shared[LIVE] = self.live
            self._shared[SHARED] = self.ipsets
            found = self._judges[rule.id, serial] = judge(part, self._shared, self._effects)
        return found

    def counters(self, rule_id: int, which: int = 0) -> tuple[int, int]:
        """(packets, bytes) of a rule's first counter, or of its `which`th; (0, 0) for a rule without."""
        cells = list(self._counters.get(rule_id, {}).values())
        return (cells[which][0], cells[which][1]) if which < len(cells) else (0, 0)

    def set_counters(self, rule_id: int, packets: int = 0, bytes: int = 0) -> None:
        """Set every counter of one rule (iptables -Z, iptables-restore -c, nft reset)."""
        for cell in self._counters.get(rule_id, {}).values():
            cell[:] = [packets, bytes]

    def policy_counters(self, table: Table, chain: Chain) -> tuple[int, int]:
        """(packets, bytes) on which a base chain's policy decided."""
        packets, size = self._policies.get((*table.key, chain.name), (0, 0))
        return packets, size

    def set_policy_counters(self, table: Table, chain: Chain, packets: int = 0, bytes: int = 0) -> None:
        """Set a base chain's policy counters."""
        self.policy(table, chain)[:] = [packets, bytes]


def _nobody(event: object) -> None:
    """Who listens when nobody does."""


def _name(key: ChainKey) -> str:
    return " ".join(key)


def _place(chain: Chain) -> tuple[int, int]:
    return (-1 if chain.hook is None else int(chain.hook), chain.priority)


def conntrack_families(ruleset: Ruleset) -> frozenset[str]:
    """For which of "ip" and "ip6" a rule needs conntrack: that family's hooks are in the lists only while one does (nf_ct_netns_get)."""
    families: set[str] = set()
    for table, _, _, rule in ruleset.rules():
        if any(_uses_conntrack(part) for part in rule.flat()):
            families |= {"ip", "ip6"} if table.family == "inet" else {table.family}
    return frozenset(families)


def _uses_conntrack(part: object) -> bool:
    if isinstance(part, SetStatement | UseObject | AssignMap):
        return _looks_at_conntrack(part)
    if isinstance(part, Judge):
        return part.kind in ("connbytes", "connlabel", "connlimit", "ct count", "set label", "set event")
    if isinstance(part, Blend):
        return True
    if isinstance(part, Compare | VerdictMap):
        return any(row.name.startswith(("ct ", "xt ct")) for row in parts_of(part.selector))
    if isinstance(part, Assign):
        return part.selector == "ct mark" or "ct " in part.source
    return isinstance(part, Notrack | UseTemplate | SetHelper | Nat)


def _looks_at_conntrack(part: SetStatement | UseObject | AssignMap) -> bool:
    """By what it reads, does, or keeps."""
    if isinstance(part, UseObject) and part.object.startswith("ct "):
        return True
    if isinstance(part, SetStatement) and any(isinstance(each, Judge) for each in part.parts):
        return True
    if isinstance(part, AssignMap) and part.selector.startswith("ct "):
        return True
    return any(row.name.startswith("ct ") for selector in part.reads for row in parts_of(selector))
