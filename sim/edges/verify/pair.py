"""Pair: one firewall twice, ours and the kernel's, fed the same. Ours is told the moments at which the kernel was fed.

Time that nobody waits for (Age): ours goes on at once; the kernel's entries get the time-outs that ours have then, and those
that have ended are deleted. That hides nothing: every time-out has been compared when a packet set it, and all of the
table is compared first. Only while a UDP conversation is younger than its two seconds is real time waited for (2.1 s at
most), because no tool can make that clock go faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from types import TracebackType
from typing import Any, Final, Self

from sim.conntrack.conn import Conn
from sim.conntrack.tuples import GRE, UDP
from sim.edges.kernel import Answer, Entry, KernelFirewall, ToolFailed
from sim.edges.kernel.table import name_of
from sim.edges.replay.outcome import Outcome
from sim.edges.replay.wall import Wall, entry_line, own_key
from sim.edges.verify.answers import FIELDS, SLACK, Difference, differences, fits
from sim.edges.verify.chance import Chance
from sim.edges.verify.counters import counted, listed_counters, saved_counters, statistics
from sim.edges.verify.entries import by_name, by_place, expected, unlike, whole
from sim.edges.verify.measure import flush, give_rules
from sim.edges.verify.plan import Age, Feed, Flush, Forget, Load, Plan, Step, Sysctl, Typed, Wait
from sim.edges.verify.typed import typed
from sim.errors import CtlabError, LanguageError
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.model import Ruleset
from sim.ruleset.nft import tool as nft_tool
from sim.units import SECOND

CHUNK: Final = 500
STREAM_AFTER: Final = 2 * SECOND
ALL: Final = 255
INVALID: Final = "nf_ct_proto_"
BROKE: Final = "Assertion"
"""What nft says when it stumbles over itself: no verdict on the rules."""
LONGEST_WAIT: Final = 2_100_000
AGED: Final = SECOND + 100_000
"""µs that time-outs may be off each other once time was made to pass: the kernel is told whole seconds."""


class Refused(CtlabError):
    """A ruleset was refused, by ours, by the real tool, or by both (`ours`, `kernels`: what they say, "" where it was taken)."""

    def __init__(self, ours: str, kernels: str) -> None:
        who = (
            "ctlab and the real tool refuse"
            if ours and kernels
            else "ctlab refuses"
            if ours
            else "the real tool refuses"
        )
        super().__init__(f"{who} these rules: {ours or kernels}")
        self.ours, self.kernels = ours, kernels


class Pair:
    """A context manager. `fields`: what is compared; with `keep`, `heard` has every packet and the kernel's answer.

    Raises what KernelFirewall raises, and Refused for rules.
    """

    def __init__(self, plan: Plan, fields: Sequence[str] = FIELDS, keep: bool = False) -> None:
        self.plan = plan
        self.heard: list[tuple[Feed, Answer]] = []
        self._keep = keep
        self._fields = fields
        self.kernel = KernelFirewall(plan.addresses, sysctls=plan.sysctls, watching=plan.watching)
        self._begin()
        try:
            if any(plan.rules):
                self._load(plan.rules)
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self.wall = Wall(self.plan.addresses)
        self._chance = Chance(self.wall, self.kernel)
        self.wall.ip.sysctls.set("net.netfilter.nf_conntrack_log_invalid", str(ALL))  # as the judge has it
        for key, value in self.plan.sysctls.items():
            self.wall.ip.sysctls.set(key, value)
        self._rules = self._stay = Load()
        self._ahead = 0
        self._slack, self._late = SLACK, 0
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel's namespace."""
        self.kernel.close()

    def run(self, steps: Sequence[Step]) -> Iterator[Difference]:
        """All differences, packet by packet. A Feed's answers come in chunks: whoever stops early has fed more than read."""
        waiting: list[Feed] = []
        for step in steps:
            if isinstance(step, Feed):
                waiting.append(step)
                if len(waiting) >= CHUNK:
                    yield from self._feed(waiting)
                    waiting = []
                continue
            yield from self._feed(waiting)
            waiting = []
            yield from self._other(step)
        yield from self._feed(waiting)

    def _feed(self, feeds: Sequence[Feed]) -> Iterator[Difference]:
        if not feeds:
            return
        answers = self.kernel.feed_batch([(feed.dev, feed.data) for feed in feeds])
        for feed, answer in zip(feeds, answers, strict=True):
            self._count += 1
            if self._keep:
                self.heard.append((feed, answer))
            yield from self._one(feed, answer)

    def _one(self, feed: Feed, answer: Answer) -> Iterator[Difference]:
        wall, number = self.wall, feed.number or self._count
        wall.advance(answer.at_us + self._ahead)
        self._chance.hear(answer, feed.data)
        self._late = answer.late_us
        try:
            outcome = wall.send(feed.data, number) if feed.dev is None else wall.receive(feed.data, feed.dev, number)
        except Exception as error:  # a mistake of ours: a finding as any other
            yield Difference(number, "error", f"{type(error).__name__}: {error}", "none", feed.data, feed.dev)
            return
        conn = self._looked_up(feed.data)
        yield from differences(number, self._as_logged(outcome), conn, answer, wall.now, self._fields, self._slack)
        for field, theirs in (("expected", answer.expected), ("table", answer.table)):
            if theirs is not None and field in self._fields:
                for pair in self._all_unlike(field, theirs):
                    yield Difference(number, field, *pair, feed.data, feed.dev)

    def _looked_up(self, data: bytes) -> Conn | None:
        """The entry that the packet's own tuple finds: that of a GRE packet lacks its sender's call id, and so it finds none in a call."""
        key = own_key(data)
        if key is None or key[4] != GRE:
            return self.wall.lookup(data)
        found = self.wall.ip.tracker.find(key)
        return None if found is None else found[0]

    def _as_logged(self, outcome: Outcome) -> Outcome:
        """With those lines alone that nf_conntrack_log_invalid asks for."""
        wanted = self.wall.ip.tracker.settings.log_invalid
        if wanted == ALL or not outcome.kernel_log:
            return outcome
        asked = f"{INVALID}{wanted}:" if wanted else "no line begins so"
        kept = (line for line in outcome.kernel_log if not line.startswith(INVALID) or line.startswith(asked))
        return outcome._replace(kernel_log=tuple(kept))

    def _all_unlike(self, field: str, theirs: Sequence[Entry]) -> Iterator[tuple[Any, Any]]:
        """What differs among all expectations ("expected") or in the whole table ("table")."""
        tracker, now = self.wall.ip.tracker, self.wall.now
        if field == "expected":
            ours = [(expected(one, now), one.expires - now) for one in tracker.expectations.entries()]
            named = {next(iter(by_place([entry]))): (entry, left) for entry, left in ours}
            return unlike(named, by_place(theirs), self._fits, self._slack + self._late)
        entries = [(whole(conn, now), conn.expires - now) for conn in tracker.entries()]
        return unlike({name_of(entry): (entry, left) for entry, left in entries}, by_name(theirs), self._fits, self._slack + self._late)

    def _fits(self, left: int, shown: int) -> bool:
        return fits(left, shown, self._slack, self._late)

    def finish(self) -> Iterator[Difference]:
        """What differs at the end: the whole table, expectations, the counters of rules and of conntrack (`conntrack -S`)."""
        began = self.kernel.now_us()
        self.wall.advance(began + self._ahead)
        seen = (("table", self.kernel.details()), ("expected", self.kernel.expected()))
        self._late = self.kernel.now_us() - began
        for field, theirs in seen:
            for pair in self._all_unlike(field, theirs):
                yield Difference(self._count, field, *pair)
        if any(self._rules):
            yield from self.counters()
        for mine, other in statistics(self.kernel, self.wall.ip.tracker, self._chance.asked):
            yield Difference(self._count, "statistics", mine, other)

    def _other(self, step: Step) -> Iterator[Difference]:
        if isinstance(step, Wait):
            self.kernel.sleep(step.seconds)
            self.kernel.table()  # whoever lists the table collects what has ended, and what that expected goes with it
        elif isinstance(step, Age):
            yield from self._age(step.us)
        elif isinstance(step, Load):
            self._load(step)
        elif isinstance(step, Sysctl):
            self.kernel.set_sysctl(step.key, step.value)
            self.wall.ip.sysctls.set(step.key, step.value)
        elif isinstance(step, Forget):
            self._forget(step)
        elif isinstance(step, Typed):
            yield from self._type(step.line)
        elif isinstance(step, Flush):
            self.kernel.flush()
            flush(self.wall)

    def _type(self, line: str) -> Iterator[Difference]:
        """Time-outs that it sets begin at a moment within it that nobody tells: from then on so much more may lie between two."""
        began = self.kernel.now_us()
        self.wall.advance(began + self._ahead)
        ours, theirs = typed(line, self.wall, self.kernel)
        self._slack = max(self._slack, SLACK + self.kernel.now_us() - began)
        if ours != theirs:
            yield Difference(self._count, f"after it `{line}` prints", ours, theirs)

    # ---- rules -------------------------------------------------------------------------------------------------------

    def _load(self, rules: Load) -> None:
        """Load into both. Raises Refused."""
        before, self._rules = self._rules, rules
        self._stay = Load(*(_emptied(was + text) for was, text in zip(self._stay[:2], before[:2], strict=True)))
        self.kernel.load(iptables=self._stay.iptables, ip6tables=self._stay.ip6tables, nft="flush ruleset\n" if before.nft else "")
        self.wall.ip.rules.load(Ruleset(), by="verify")
        give_rules(self.wall, self._stay)
        ours = theirs = ""
        try:
            self.kernel.load(iptables=rules.iptables, ip6tables=rules.ip6tables, nft=rules.nft)
        except ToolFailed as error:
            theirs = str(error)
            ours = f"the real tool broke: {theirs}" if BROKE in theirs else ""
        try:
            give_rules(self.wall, rules)
        except LanguageError as error:
            ours = str(error)
        if ours or theirs:
            raise Refused(ours, theirs)

    def counters(self) -> Iterator[Difference]:
        """What differs in the rules' counters: which rules packets met. How rules print is not compared."""
        state = self.wall.ip.rules
        for program in ("iptables", "ip6tables"):
            ours = iptables_tool.run([f"{program}-save", "-c"], state).out
            yield from self._unlike(program, saved_counters(ours), saved_counters(self.kernel.counters(program)))
        listed = nft_tool.run(["nft", "list", "ruleset"], state).out
        yield from self._unlike("nft", listed_counters(listed), listed_counters(self.kernel.counters("nft")))

    def _unlike(self, program: str, ours: list[str], theirs: list[str]) -> Iterator[Difference]:
        for mine, other in zip_longest(ours, theirs):
            if mine is None or other is None or counted(mine) != counted(other):
                yield Difference(self._count, f"counters of {program}", mine, other)
                return

    # ---- time and entries --------------------------------------------------------------------------------------------

    def _age(self, us: int) -> Iterator[Difference]:
        wall = self.wall
        young = [conn for conn in wall.ip.tracker.entries() if conn.original.protonum == UDP and conn.stamp > wall.now]
        waited = 0
        if young:
            waited = min(us, LONGEST_WAIT)
            self.kernel.sleep(waited / SECOND)
        now = self.kernel.now_us() + self._ahead
        yield from self._compare_tables(now)
        rest = us - waited
        if rest <= 0:
            return
        self._ahead += rest
        self._slack = AGED  # from here on the kernel's seconds begin at another moment than ours
        wall.advance(now + rest)
        entries = wall.ip.tracker.entries()
        self.kernel.set_timeouts(
            {name_of(entry_line(conn, wall.now)): -(-(conn.expires - wall.now) // SECOND) for conn in entries}
        )

    def _compare_tables(self, now: int) -> Iterator[Difference]:
        self.wall.advance(now)
        theirs = {name_of(entry): entry for entry in self.kernel.table()}
        ours = {name_of(entry_line(conn, now)): conn for conn in self.wall.ip.tracker.entries()}
        for key in theirs.keys() | ours.keys():
            conn, entry = ours.get(key), theirs.get(key)
            if conn is not None and entry is not None:
                same = fits(conn.expires - now, entry["timeout"], self._slack)
            else:  # one of them has ended it already: in the other it has no time left
                left = entry["timeout"] * SECOND if entry is not None else conn.expires - now if conn is not None else 0
                same = left <= self._slack
            if not same:
                yield Difference(self._count, "table", None if conn is None else entry_line(conn, now), entry)

    def _forget(self, step: Forget) -> None:
        found = self.wall.ip.tracker.find((step.source, step.target, step.sport, step.dport, step.protonum))
        if found is not None:
            line = entry_line(found[0], self.wall.now)
            self.wall.ip.tracker.delete(found[0], self.wall.now)
            self.kernel.forget(name_of(line))


def _emptied(saved: str) -> str:
    """What iptables-restore empties the tables of `saved` with, policies and all; others stay away, for a table that is there may do
    things (nat)."""
    tables: dict[str, dict[str, None]] = {}
    for line in saved.splitlines():
        if line.startswith("*"):
            chains = tables.setdefault(line, {})
        elif line.startswith(":") and line.split()[1] != "-":
            chains[f"{line.split()[0]} ACCEPT [0:0]\n"] = None
    return "".join(f"{name}\n{''.join(chains)}COMMIT\n" for name, chains in tables.items())
