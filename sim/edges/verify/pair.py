"""Pair: one firewall twice, ours and the kernel's, fed the same. Ours is told the moments at which the kernel was fed.

Time that nobody waits for (Age): ours goes on at once; the kernel's entries get the time-outs that ours have then, and those
that have ended are deleted. That hides nothing: every time-out has been compared when a packet set it, and all of the
table is compared first. Only while a UDP conversation is younger than its two seconds is real time waited for (2.1 s at
most), because no tool can make that clock go faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
import re
from types import TracebackType
from typing import Final, Self

from sim.edges.kernel import Answer, KernelFirewall
from sim.edges.kernel.table import name_of
from sim.edges.replay.wall import Wall, entry_line
from sim.edges.verify.answers import FIELDS, SLACK, Difference, differences, fits
from sim.edges.verify.measure import give_rules
from sim.edges.verify.plan import Age, Feed, Forget, Load, Plan, Step, Sysctl, Wait
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.model import Ruleset
from sim.ruleset.nft import tool as nft_tool
from sim.units import SECOND

CHUNK: Final = 500
EMPTY: Final = "".join(f"*{table}\nCOMMIT\n" for table in ("raw", "mangle", "nat", "filter", "security"))
"""What iptables-restore empties everything with."""
STREAM_AFTER: Final = 2 * SECOND
LONGEST_WAIT: Final = 2_100_000
UDP: Final = 17


class Pair:
    """A context manager. `fields`: what is compared; with `keep`, `heard` has every packet and the kernel's answer. Raises what KernelFirewall raises, and LanguageError for rules."""

    def __init__(self, plan: Plan, fields: Sequence[str] = FIELDS, keep: bool = False) -> None:
        self.plan = plan
        self.heard: list[tuple[Feed, Answer]] = []
        self._keep = keep
        self._fields = fields
        self.kernel = KernelFirewall(plan.addresses, sysctls=plan.sysctls)
        self._begin()
        try:
            if any(plan.rules):
                self._load(plan.rules)
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self.wall = Wall(self.plan.addresses)
        for key, value in self.plan.sysctls.items():
            self.wall.ip.sysctls.set(key, value)
        self._ahead = 0
        self._slack = SLACK
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
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
        outcome = wall.send(feed.data, number) if feed.dev is None else wall.receive(feed.data, feed.dev, number)
        yield from differences(number, outcome, wall.lookup(feed.data), answer, wall.now, self._fields, self._slack)

    def _other(self, step: Step) -> Iterator[Difference]:
        if isinstance(step, Wait):
            self.kernel.sleep(step.seconds)
        elif isinstance(step, Age):
            yield from self._age(step.us)
        elif isinstance(step, Load):
            self._load(step)
        elif isinstance(step, Sysctl):
            self.kernel.set_sysctl(step.key, step.value)
            self.wall.ip.sysctls.set(step.key, step.value)
        elif isinstance(step, Forget):
            self._forget(step)

    # ---- rules -------------------------------------------------------------------------------------------------------

    def _load(self, rules: Load) -> None:
        self.kernel.load(iptables=EMPTY, ip6tables=EMPTY, nft="flush ruleset\n")
        self.kernel.load(iptables=rules.iptables, ip6tables=rules.ip6tables, nft=rules.nft)
        state = self.wall.ip.rules
        state.load(Ruleset(), by="verify")
        give_rules(self.wall, rules)

    def counters(self) -> Iterator[Difference]:
        """What differs in the rules as the tools save them with their counters: which rules packets met."""
        state = self.wall.ip.rules
        for program in ("iptables", "ip6tables"):
            ours = iptables_tool.run([f"{program}-save", "-c"], state).out
            yield from self._lines(program, _sorted_tables(ours), _sorted_tables(self.kernel.counters(program)))
        listed = nft_tool.run(["nft", "list", "ruleset"], state).out
        yield from self._lines("nft", listed.splitlines(), _only_nft(self.kernel.counters("nft")).splitlines())

    def _lines(self, program: str, ours: list[str], theirs: list[str]) -> Iterator[Difference]:
        for mine, other in zip_longest(ours, theirs):
            if mine != other:
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
        self._slack = SLACK + SECOND  # from here on the kernel's seconds begin at another moment than ours
        wall.advance(now + rest)
        entries = wall.ip.tracker.entries()
        self.kernel.set_timeouts({name_of(entry_line(conn, wall.now)): -(-(conn.expires - wall.now) // SECOND) for conn in entries})

    def _compare_tables(self, now: int) -> Iterator[Difference]:
        self.wall.advance(now)
        theirs = {name_of(entry): entry for entry in self.kernel.table()}
        ours = {name_of(entry_line(conn, now)): conn for conn in self.wall.ip.tracker.entries()}
        for key in theirs.keys() | ours.keys():
            conn, entry = ours.get(key), theirs.get(key)
            if conn is None or entry is None or not fits(conn.expires - now, entry["timeout"], self._slack):
                yield Difference(self._count, "table", None if conn is None else entry_line(conn, now), entry)

    def _forget(self, step: Forget) -> None:
        found = self.wall.ip.tracker.find((step.source, step.target, step.sport, step.dport, step.protonum))
        if found is not None:
            line = entry_line(found[0], self.wall.now)
            self.wall.ip.tracker.delete(found[0], self.wall.now)
            self.kernel.forget(name_of(line))


def _sorted_tables(saved: str) -> list[str]:
    """The tables that have rules, in one order, whichever is saved first."""
    bare = re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE)
    tables = sorted(table for table in bare.split("COMMIT\n") if "-A " in table)
    return "".join(tables).splitlines()


_XTABLES = re.compile(r"^# Warning: table ip6? \S+ is managed by iptables-nft.*\n", re.MULTILINE)


def _only_nft(listed: str) -> str:
    return _XTABLES.sub("", listed)
