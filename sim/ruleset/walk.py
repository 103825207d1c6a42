"""The slow path: goes through a chain rule by rule and tells each step (RuleTried, ChainDecided). Same verdicts as the compiled path.

Its comparisons are the compiled ones (evaluate.Probe); what it adds is the walk, the words (explain.py) and the events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.netfilter.skb import Skb
from sim.ruleset import explain, tracing
from sim.ruleset.evaluate import Effects, Probe, environment, tcp_options_whole
from sim.ruleset.generate import Cells, is_live, map_entries
from sim.ruleset.headers6 import headers_whole
from sim.ruleset.helping import SetHelper, UseTemplate, helper_object, set_helper, use_template
from sim.ruleset.judges import Judging
from sim.ruleset.match import Finder
from sim.ruleset.model import (
    Assign,
    Chain,
    Compare,
    Counter,
    HeaderThere,
    Limit,
    Log,
    Notrack,
    Reject,
    Rule,
    SetReference,
    Table,
    Verdict,
    VerdictMap,
)
from sim.ruleset.parts import Blend, Judged, Nat, Rewrite
from sim.ruleset.putting import PUT
from sim.ruleset.rewrite import maxseg_place, rewrite_needs
from sim.ruleset.selectors import FROM_THE_WIRE, as_it_lies
from sim.ruleset.translation import concerns
from sim.trace import Because, ChainDecided, Emit, RuleTried

_TCP_HEADER = 20  # bytes, without options
_ACCEPT, _DROP, _CONTINUE = Verdict("accept"), Verdict("drop"), Verdict("continue")


@dataclass(slots=True)
class _Tried:
    """What became of one rule: whether it matched, its verdict, and why."""

    matched: bool = True
    verdict: Verdict | Reject | Nat | None = None
    accepted: bool = False
    because: tuple[Because, ...] = ()


class Walker:
    """One base chain's hook function that tells what it does. `probes` keeps compiled comparisons from load to load."""

    def __init__(
        self, table: Table, chain: Chain, effects: Effects, cells: Cells, emit: Emit, probes: dict[Compare, Probe]
    ) -> None:
        self._table, self._base, self._effects, self._cells, self._emit = table, chain, effects, cells, emit
        self._probes, self._own_probes = probes, dict[Compare, Probe]()
        self._calls = environment(effects)
        self._chains = {each.name: each for each in table.chains}
        self._name = table.name if table.language == "iptables" else f"{table.family} {table.name}"
        self._hook = chain.hook.name if chain.hook is not None else ""
        self._place = chain, 0
        self._watched = False

    def run(self, skb: Skb) -> int:
        """The verdict on one packet: DROP 0, ACCEPT 1."""
        if self._table.family != "inet" and skb.packet.version != (4 if self._table.family == "ip" else 6):
            return 1
        self._watched = False
        decided = self._walk(self._base, skb)
        if decided is None:
            return self._by_policy(skb)
        verdict, accepted, rule, number, chain = decided
        if not accepted:
            reason = explain.dropped_by_rule(verdict, rule, self._name, chain.name, number)
            skb.dropped = (f"{self._name} {chain.name} rule {number}", reason)
        self._decide(skb, "ACCEPT" if accepted else "DROP", "rule", rule.id)
        return int(accepted)

    def _by_policy(self, skb: Skb) -> int:
        self._trace_end(self._base, skb)
        cell = self._cells.policy(self._table, self._base)
        cell[0] += 1
        cell[1] += len(skb.packet.data)
        if self._base.policy == "drop":
            skb.dropped = (f"{self._name} {self._base.name} policy", explain.dropped_by_policy(self._name, self._base.name))
        self._decide(skb, self._base.policy.upper(), "policy", None)
        return int(self._base.policy == "accept")

    def _decide(self, skb: Skb, verdict: str, by: str, rule: int | None) -> None:
        packet = skb.packet.id
        self._emit(ChainDecided(packet, self._hook, self._table.language, self._name, self._base.name, verdict, by, rule))

    def _walk(self, chain: Chain, skb: Skb) -> tuple[Verdict | Reject | Nat, bool, Rule, int, Chain] | None:
        """The deciding verdict, whether it lets through, its rule, number and chain; None when nothing in `chain` decided."""
        for number, rule in enumerate(chain.rules, 1):
            self._place = chain, number
            tried = self._try(rule, skb)
            self._tell(chain, number, rule, tried, skb)
            verdict = tried.verdict
            if isinstance(verdict, Reject | Nat) or (verdict is not None and verdict.name in ("accept", "drop")):
                return verdict, tried.accepted or verdict == _ACCEPT, rule, number, chain
            if verdict is None or verdict.name == "continue":
                continue
            if verdict.name == "return":
                return None
            decided = self._walk(self._chains[verdict.chain], skb)
            if decided is not None or verdict.name == "goto":
                return decided
        if chain.hook is None:
            self._trace_end(chain, skb)
        return None

    def _trace_rule(self, rule: Rule, skb: Skb) -> None:
        """TRACE: the rule has matched, its target comes next."""
        if skb.traced and self._table.language == "iptables":
            self._effects.kernel_log(tracing.rule_line(self._table.name, *self._place, rule, skb), skb)

    def _trace_end(self, chain: Chain, skb: Skb) -> None:
        if skb.traced and self._table.language == "nft" and chain.hook is not None:
            from sim.ruleset.nft import tracetext

            self._watch(skb, lambda: tracetext.policy_line(skb, self._table, chain))
        if skb.traced and self._table.language == "iptables":
            self._effects.kernel_log(tracing.end_line(self._table.name, chain, skb), skb)

    def _watch(self, skb: Skb, line: Callable[[], str]) -> None:
        """nft monitor trace: the packet once for each base chain, then `line`."""
        watchers: list[Callable[[str], None]] = getattr(self._cells, "watchers", [])
        if not watchers:
            return
        from sim.ruleset.nft import tracetext  # languages stand above the walk, but know how it is told

        lines = ("" if self._watched else tracetext.packet_line(skb, self._table, self._base)) + line()
        self._watched = True
        for watcher in watchers:
            watcher(lines)

    def _watch_rule(self, chain: Chain, rule: Rule, tried: _Tried, skb: Skb) -> None:
        from sim.ruleset.nft import tracetext

        verdict = tracetext.verdict_text(tried.verdict, tried.accepted)
        self._watch(skb, lambda: tracetext.rule_line(skb, self._table, chain, rule, verdict))

    def _tell(self, chain: Chain, number: int, rule: Rule, tried: _Tried, skb: Skb) -> None:
        if skb.traced and tried.matched and self._table.language == "nft":
            self._watch_rule(chain, rule, tried, skb)
        shown = explain.verdict_word(tried.verdict) if tried.verdict is not None else None
        self._emit(RuleTried(
            packet=skb.packet.id, hook=self._hook, language=self._table.language, table=self._name, chain=chain.name, rule=rule.id,
            number=number, text=rule.text, matched=tried.matched, verdict=shown, because=tried.because,
        ))  # fmt: skip

    def _try(self, rule: Rule, skb: Skb) -> _Tried:
        tried = _Tried()
        for serial, (part, text) in enumerate(explain.parts_with_text(self._table, rule)):
            self._part(rule, serial, part, text, skb, tried)
            if not tried.matched or tried.verdict not in (None, _CONTINUE):
                break
        return tried

    def _part(self, rule: Rule, serial: int, part: object, text: str, skb: Skb, tried: _Tried) -> None:
        match part:
            case Compare() if self._headers_run_out(part, skb):
                tried.matched, tried.verdict = False, _DROP
            case Compare() if is_live(self._table, part):
                self._judge(self._cells.live_set(rule, serial, part, self._table), text, skb, tried)
            case Compare():
                probe = self._probe(part)
                tried.matched = bool(probe.test(skb))
                self._because(tried, explain.because(part, text, tried.matched, probe.read(skb), skb))
            case HeaderThere():
                self._header(part, skb, tried)
            case Limit():
                tried.matched = self._cells.bucket(rule, serial, part).take(skb.now, len(skb.packet.data))
                self._because(tried, explain.because_limit(part, text, tried.matched))
            case VerdictMap() if is_live(self._table, part):
                self._verdict(part, self._cells.live_map(rule, serial, part, self._table).find(skb), text, skb, tried)
            case VerdictMap():
                self._map(part, text, skb, tried)
            case Judged():
                self._judge(self._cells.judge(rule, serial, part), text, skb, tried)
            case Verdict():
                tried.verdict = part
            case Counter():
                cell = self._cells.counter(rule, serial, part)
                cell[0] += 1
                cell[1] += len(skb.packet.data)
                self._trace_rule(rule, skb)
            case Assign():
                tried.matched = self._assign(part, skb)
            case _:
                self._act(part, skb, tried)

    def _assign(self, part: Assign, skb: Skb) -> bool:
        """Set a mark; False without what it is set from. That of the entry is told when the packet gets through."""
        old = self._probe(Compare(part.source or part.selector, (0,))).read(skb)
        if old is None or (skb.conn is None and part.selector == "ct mark"):
            return False
        value = (old & part.keep) ^ part.value
        PUT[part.selector](skb, as_it_lies(value) if part.source in FROM_THE_WIRE else value)
        return True

    def _headers_run_out(self, part: Compare, skb: Skb) -> bool:
        """See selectors.HEADERS_RUN_OUT."""
        packet = skb.packet
        asked = part.selector == "meta l4proto" and self._table.language == "iptables"
        return asked and packet.version == 6 and not headers_whole(packet)

    def _act(self, part: object, skb: Skb, tried: _Tried) -> None:
        match part:
            case Reject():
                self._calls["reject"](part, skb)
                tried.verdict = part
            case Log():
                self._calls["log"](part, skb)
            case Notrack():
                if skb.ctinfo == 6 or (skb.ctinfo is None and skb.template is None):  # INVALID: conntrack has dropped the template
                    skb.ctinfo = 7
            case UseTemplate():
                use_template(part, skb)
            case SetHelper() if (found := helper_object(self._table, part.name)) is not None:
                set_helper(found, skb)
            case Rewrite():
                if not self._rewritable(part, skb):
                    tried.matched = False
                elif not self._calls["rewrite"](part, skb):
                    tried.verdict = _DROP
            case Blend():
                _blend(part, skb)
            case Nat() if concerns(part, skb):
                where = self._cells.given(part, self._table).read(skb) if part.reads else part
                tried.matched = where is not None
                if where is not None:
                    tried.verdict = where
                    tried.accepted = bool(self._calls["translate"](where, skb))

    def _judge(self, judging: Judging, text: str, skb: Skb, tried: _Tried) -> None:
        answer = judging.test(skb)
        tried.matched = bool(answer)
        tried.verdict = _DROP if answer is None else None
        self._because(tried, Because(text, tried.matched, "", judging.why))

    @staticmethod
    def _rewritable(part: Rewrite, skb: Skb) -> bool:
        packet = skb.packet
        there = {"ip": packet.version == 4, "ip6": packet.version == 6, "tcp": packet.protonum == 6, "header": packet.complete}
        wanted = rewrite_needs(part)
        return all(there.get(need, True) for need in wanted) and ("settable" not in wanted or maxseg_place(packet) >= 0)

    def _because(self, tried: _Tried, because: Because) -> None:
        tried.because = (*tried.because, because)

    def _probe(self, part: Compare) -> Probe:
        kept = self._own_probes if isinstance(part.values, SetReference) else self._probes
        found = kept.get(part)
        if found is None:
            found = kept[part] = Probe(part, self._table, self._effects)
        return found

    def _header(self, part: HeaderThere, skb: Skb, tried: _Tried) -> None:
        packet = skb.packet
        if part.options:
            if not tcp_options_whole(packet):
                tried.matched, tried.verdict = False, _DROP
                self._because(tried, explain.because_cut_short(packet))
            return
        if not part.drops:
            tried.matched = packet.complete or len(packet.data) >= packet.th + _TCP_HEADER
            if not tried.matched:
                self._because(tried, explain.because_no_header(packet))
            return
        there = packet.complete or (part.ports and not packet.fragment and len(packet.data) >= packet.l4 + 4)
        tried.matched = there
        if (not there and not packet.fragment) or (part.tcp and packet.fragment == 8 and packet.version == 4):
            tried.verdict = _DROP
            self._because(tried, explain.because_cut_short(packet))
        elif not packet.complete:
            self._because(tried, explain.because_fragment(packet))

    def _map(self, part: VerdictMap, text: str, skb: Skb, tried: _Tried) -> None:
        entries = map_entries(self._table, part)
        value = self._probe(Compare(part.selector, (0,))).read(skb)
        finder = Finder([(item, number) for number, (item, _) in enumerate(entries)])
        found = -1 if value is None else finder.find(value)
        self._verdict(part, entries[found][1] if found >= 0 else None, text, skb, tried)

    def _verdict(self, part: VerdictMap, verdict: Verdict | None, text: str, skb: Skb, tried: _Tried) -> None:
        value = self._probe(Compare(part.selector, (0,))).read(skb)
        tried.matched, tried.verdict = verdict is not None, verdict
        self._because(tried, explain.because_map(part, text, tried.verdict, value, skb))


def _blend(part: Blend, skb: Skb) -> None:
    """CONNMARK's save and restore: with no entry nothing happens."""
    if skb.conn is None:
        return
    marks = {"meta mark": skb.mark, "ct mark": skb.conn.mark}
    value = part.mixed(marks[part.selector], marks[part.source])
    if part.selector == "meta mark":
        skb.mark = value
    else:
        skb.conn.set_mark(value)
