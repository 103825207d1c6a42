"""A lesson beside this machine's own kernel: what its trace shows of each firewall in it is what Linux does.

All that reaches a machine that labels packets is given to the kernel's firewall, under the same rules, NAT included, however
they were loaded. Compared: each packet's label, direction, verdict, what leaves, its entry, the kernel's log words
(sim/edges/verify); the labels and drops that stand in the trace; and, after each command that changed rules, what the real
tools list.

Time is not played: where it passes, the kernel's entries are made older. Where something differs and rules count in real time, the run
is compared once more with real pauses (real_time.py). What a machine says to itself over lo is not compared.
The size of the table belongs to the whole machine and cannot be set in a namespace: a run in which a small table fills up is
compared up to that moment (a full table is compared in tests/kernel/test_full_tables_against_kernel.py). Where a firewall loses its
power a comparison ends, and with each boot another begins: a kernel that knows nothing, with the rules that the boot found.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from lessons.model import Lesson, Way
from lessons.real_time import patient
from lessons.rehearse import rehearse, rehearse_ways, without_traffic
from sim.edges.kernel import Answer, KernelFirewall, ToolFailed
from sim.edges.verify.drawn import Drawn
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan
from sim.edges.verify.recording import FORWARDING, Recorder, saved
from sim.inputs import Input
from sim.scenario import Scenario
from sim.simulation import INFINITE, Simulation
from sim.trace import Dropped, EntryDestroyed, Labelled, Noted, PacketSent, Record, RulesLoaded
from sim.units import SECOND, show_time

LANGUAGES = ("iptables", "nft")
Timed = tuple[int, Input]
Said = tuple[str, str | None]
"""A label and its direction."""
_DONE = re.compile(r" \[\d+:\d+\]| packets \d+ bytes \d+| used \d+ \w+| expires \w+")
_TABLE = re.compile(r"^\*.*?^COMMIT\n", re.S | re.M)
_FULL = ("table-full", "early_drop")
_SIZES = ("net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_buckets")
_DARK = ("power-off", "power-boots")
_LATER = "socket"  # what no program wanted was let through


@dataclass(frozen=True, slots=True)
class Comparison:
    """One machine of one run. `name` of the lesson and its language; how many `packets` were given to the kernel, `labels` and
    `commands` compared; `differences`, a sentence each, packets by the number that they have in the trace; `left_out`: what was not
    compared and why, or "".
    """

    name: str
    machine: str
    packets: int
    labels: int
    commands: int
    differences: tuple[str, ...]
    left_out: str = ""


Say = Callable[[str], None]
"""Takes a line that says what lasts so long."""
_Recorded = Callable[[int | None], tuple[Recorder, Simulation, int]]
"""Records a machine up to a time (µs, None: to the end): also the record since which it is compared."""


def compare_lesson(
    lesson: Lesson, ways: Sequence[Way] | None = None, futures: Sequence[str] = LANGUAGES, say: Say = lambda line: None
) -> Iterator[Comparison]:
    """Each language of a lesson, each of its firewalls; of a drill or a challenge each way, or these `ways`. Where the what-ifs lead is
    compared, too, of the `futures` in these languages.

    Raises KernelUnavailable, and Refused for rules that the real tools refuse.
    """
    for rehearsal in rehearse(lesson) if ways is None else rehearse_ways(lesson, ways):
        name = f"{lesson.id} ({rehearsal.language})" if rehearsal.language else lesson.id
        end = rehearsal.records[-1].time if rehearsal.records else 0
        yield from compare_run(name, lesson.scenario, without_traffic(lesson, rehearsal.inputs), end, say)
        if rehearsal.language in (None, *futures):
            for what_if, inputs in rehearsal.others.items():
                yield from compare_run(f"{name}, what if {what_if}", lesson.scenario, inputs, end, say)


def compare_run(
    name: str, scenario: Scenario, inputs: Sequence[Timed], end: int | None = None, say: Say = lambda line: None
) -> Iterator[Comparison]:
    """The same of any run: `scenario` with `inputs`, to the time `end` (µs), or until nothing more happens."""
    first = Simulation(scenario, inputs=inputs)
    _play(first, inputs, end)
    labelling = [name for name in first.world.machines if _labels(first, name)]
    full = _full(first)
    last = min(full, _unpowered(first, labelling))
    early, until = ([one for one in inputs if one[0] < last], last - 1) if last < INFINITE else (inputs, end)
    again = Simulation(scenario, inputs=early)
    recorders = {name: _recorder(scenario, again, name) for name in labelling}
    _play(again, early, until)
    for machine, recorder in recorders.items():
        told = _compare(name, machine, recorder, again)
        yield _patiently(told, recorder, partial(_recorded, scenario, early, machine, None), until, say)
    for machine, up in _boots(first, labelling):
        if up.time < full:
            after = min(full, _unpowered(first, [machine], up.n))
            until = end if after == INFINITE else after - 1
            recorder, simulation, since = _recorded(scenario, inputs, machine, up, until)
            told = _compare(f"{name}, after a boot", machine, recorder, simulation, since)
            yield _patiently(told, recorder, partial(_recorded, scenario, inputs, machine, up), until, say)


def _recorded(
    scenario: Scenario, inputs: Sequence[Timed], machine: str, up: Record | None, end: int | None
) -> tuple[Recorder, Simulation, int]:
    """A machine from the beginning, or from the record that says that it is `up`, to the time `end`."""
    simulation = Simulation(scenario, inputs=inputs)
    if up is not None:
        simulation.run(lambda record: record.n == up.n)
    begun = -1 if up is None else up.time
    recorder, since = _recorder(scenario, simulation, machine), len(simulation.records)
    _play(simulation, [one for one in inputs if begun < one[0] and (end is None or one[0] <= end)], end)
    return recorder, simulation, since


def _patiently(told: Comparison, recorder: Recorder, record: _Recorded, end: int | None, say: Say) -> Comparison:
    """Where something differs and rules count in real time: the same again, with real pauses, as far as these may last."""
    real = patient(recorder.plan, recorder.steps)
    if not told.differences or not (real.waits or real.left):
        return told
    say(f"{told.name}: {told.machine}: its rules count in real time: once more, with {round(real.waits / SECOND)} s of real pauses ...")
    again, simulation, since = record(end if real.cut is None else recorder.begun + real.cut - 1)
    again.steps = list(patient(again.plan, again.steps).steps)
    compared = _compare(told.name, told.machine, again, simulation, since)
    if real.cut is None:
        return compared
    after = show_time((recorder.begun + real.cut) // SECOND * SECOND)
    return replace(compared, left_out=f"{real.left} packets after {after} not compared: `{real.why}` counts in real time")


def _recorder(scenario: Scenario, simulation: Simulation, name: str) -> Recorder:
    machine = simulation.world.machines[name]
    recorder = Recorder(machine.ip, _sysctls(scenario, simulation, name))
    machine.conntrack_did.append(recorder.typed)
    return recorder


def _play(simulation: Simulation, inputs: Sequence[Timed], end: int | None) -> None:
    for time, _ in inputs:
        simulation.run(time)
    if end is None:
        simulation.run_until_quiet()
    else:
        simulation.run(end)


def _full(simulation: Simulation) -> int:
    """When a table was full for the first time (µs), or INFINITE."""
    return next(
        (record.time for record in simulation.records
         if isinstance(record.event, Dropped | EntryDestroyed) and record.event.reason.code in _FULL), INFINITE,
    )  # fmt: skip


def _unpowered(simulation: Simulation, machines: Sequence[str], since: int = 0) -> int:
    """When one of these lost its power for the first time (µs) after so many records, or INFINITE."""
    return next((record.time for record in _said(simulation, machines, _DARK) if record.n > since), INFINITE)


def _boots(simulation: Simulation, machines: Sequence[str]) -> list[tuple[str, Record]]:
    """Each time that one of these came up again, and the record that says so."""
    return [(record.machine, record) for record in _said(simulation, machines, ("power-up",))]


def _said(simulation: Simulation, machines: Sequence[str], codes: Sequence[str]) -> Iterator[Record]:
    for record in simulation.records:
        if record.machine in machines and isinstance(record.event, Noted) and record.event.code in codes:
            yield record


def _sysctls(scenario: Scenario, simulation: Simulation, machine: str) -> dict[str, str]:
    """The scenario's settings that are netfilter's, and whether the machine forwards."""
    forwarding = {key: simulation.world.machines[machine].ip.sysctls.get(key) for key in FORWARDING}
    settings = scenario.machines[machine].sysctls.items()
    return forwarding | {key: str(value) for key, value in settings if key.startswith("net.netfilter.") and key not in _SIZES}


def _compare(name: str, machine: str, recorder: Recorder, simulation: Simulation, since: int = 0) -> Comparison:
    """What was recorded, and what the trace shows from record `since` on."""
    found, heard = _pair(recorder, _left(simulation, machine))
    ours = _labels(simulation, machine, since)
    found += _unlike_labels(ours, [label for _, answer in heard for label in _given(answer)])
    found += _unlike_drops(_drops(simulation, machine, since), heard)
    commands = _commands(simulation, machine, recorder)
    found += _unlike_commands(recorder.plan, commands)
    return Comparison(name, machine, len(heard), len(ours), len(commands), tuple(found))


def _pair(recorder: Recorder, left: Mapping[int, bytes]) -> tuple[list[str], list[tuple[Feed, Answer]]]:
    """What differs, and what the kernel said of each packet. `left`: the bytes of forwarded packets as they left in the trace."""
    found: list[str] = []
    drawn = Drawn()
    with Pair(recorder.plan, keep=True) as pair:
        for step in recorder.steps:
            step = step._replace(data=drawn.changed(step.data)) if isinstance(step, Feed) else step
            found += [str(difference) for difference in pair.run([step])]
            if isinstance(step, Feed) and step.number in left and (out := pair.heard[-1][1].out):
                drawn.learn(left[step.number], out[0][1])
        return found, pair.heard


# ---- what the trace shows --------------------------------------------------------------------------------------------


def _labels(simulation: Simulation, machine: str, since: int = 0) -> list[tuple[int, Said]]:
    """(packet, label) in order, without what the machine said to itself."""
    looped = {r.event.packet for r in simulation.records if isinstance(r.event, PacketSent) and r.event.dev == "lo"}
    return [
        (record.event.packet, (record.event.label, record.event.direction)) for record in simulation.records[since:]
        if record.machine == machine and isinstance(record.event, Labelled) and record.event.packet not in looped
    ]  # fmt: skip


def _given(answer: Answer) -> list[Said]:
    own: list[Said] = [] if answer.label is None else [(answer.label, answer.direction)]
    return [*own, *answer.made]


def _unlike_labels(ours: Sequence[tuple[int, Said]], theirs: Sequence[Said]) -> list[str]:
    found = [
        f"packet {packet}: the trace shows {_words(mine)}, the kernel says {_words(other)}"
        for (packet, mine), other in zip(ours, theirs, strict=False) if mine != other
    ]  # fmt: skip
    if len(ours) != len(theirs):
        found.append(f"the trace shows {len(ours)} labels, the kernel gave {len(theirs)}")
    return found


def _words(said: Said) -> str:
    return " ".join(filter(None, said))


def _left(simulation: Simulation, machine: str) -> dict[int, bytes]:
    """What a machine put on its links, by the packet's number."""
    sent = (record.event for record in simulation.records if record.machine == machine)
    return {event.packet: bytes.fromhex(event.data) for event in sent if isinstance(event, PacketSent)}


def _drops(simulation: Simulation, machine: str, since: int) -> set[int]:
    events = (record.event for record in simulation.records[since:] if record.machine == machine)
    return {event.packet for event in events if isinstance(event, Dropped) and event.where != _LATER}


def _unlike_drops(ours: set[int], heard: Sequence[tuple[Feed, Answer]]) -> list[str]:
    """Of what arrived: what the machine sends itself has no number yet when it is recorded."""
    judged = {feed.number: answer.verdict == "DROP" for feed, answer in heard if feed.number and answer.label is not None}
    words = {True: "dropped", False: "let through"}
    return [
        f"packet {packet}: {words[packet in ours]} in the trace, {words[dropped]} by the kernel"
        for packet, dropped in judged.items() if dropped != (packet in ours)
    ]  # fmt: skip


# ---- rules as they were typed ----------------------------------------------------------------------------------------


def _commands(simulation: Simulation, machine: str, recorder: Recorder) -> list[tuple[str, Load]]:
    """Each command that changed rules, and what our tools list after it. What the scenario loads itself is not among them."""
    loaded = [r.event.by for r in simulation.records if r.machine == machine and isinstance(r.event, RulesLoaded)]
    return list(zip(loaded[-len(recorder.loads) :] if recorder.loads else [], recorder.loads, strict=True))


def _unlike_commands(plan: Plan, commands: Sequence[tuple[str, Load]]) -> list[str]:
    """The commands typed once more, at the real tools, on the same rules: what they list then."""
    if not commands:
        return []
    found: list[str] = []
    with KernelFirewall(plan.addresses, **_as_loaded(plan.rules)._asdict()) as kernel:
        for by, ours in commands:
            argv = _argv(by)
            if argv is None:
                _replace(kernel, ours)
                continue
            try:
                kernel.command(argv)
            except ToolFailed as error:
                return [*found, f"{by}: taken here, refused by the real tool: {error}"]
            found += _unlike_listing(by, ours, _listed(kernel))
    return found


def _as_loaded(rules: Load) -> Load:
    """Rules that were listed, to be loaded: the table that came last is listed first, so the tables are turned round."""
    four, six = ("".join(_TABLE.findall(text)[::-1]) for text in (rules.iptables, rules.ip6tables))
    return Load(four, six, rules.nft)


def _argv(by: str) -> list[str] | None:
    """The command for the real tool; None where rules came from a file, which the real tool cannot see."""
    words = shlex.split(by) if not by.startswith("nft ") else by.split()
    if "restore" in words[0] or "-f" in words:
        return None
    if by.startswith("nft "):
        return ["nft", by.removeprefix("nft ")]  # nft reads its words as one text, quotes and all
    return [words[0].replace("tables", "tables-legacy", 1), *words[1:]]


def _replace(kernel: KernelFirewall, rules: Load) -> None:
    before = _listed(kernel)
    emptied = (
        "".join(f"{line}\nCOMMIT\n" for line in text.splitlines() if line.startswith("*"))
        for text in (before.iptables, before.ip6tables)
    )
    for name, text in zip(("iptables", "ip6tables"), emptied, strict=True):
        kernel.load(**{name: text})
    kernel.load(iptables=rules.iptables, ip6tables=rules.ip6tables, nft="flush ruleset\n" + rules.nft)


def _listed(kernel: KernelFirewall) -> Load:
    save4, save6 = (kernel.command([f"{name}-legacy-save"]) for name in ("iptables", "ip6tables"))
    return Load(saved(save4), saved(save6), kernel.command(["nft", "list", "ruleset"]))


def _unlike_listing(by: str, ours: Load, theirs: Load) -> list[str]:
    return [
        f"after `{by}` the real {tool} lists other rules:\n{_first_unlike(mine, other)}"
        for tool, mine, other in zip(Load._fields, ours, theirs, strict=True) if _rules(mine) != _rules(other)
    ]  # fmt: skip


def _rules(text: str) -> list[str]:
    """The lines without what packets did to them: no packet went through these."""
    return [_DONE.sub("", line) for line in text.splitlines() if line.strip()]


def _first_unlike(ours: str, theirs: str) -> str:
    mine, other = _rules(ours), _rules(theirs)
    at = next((i for i, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b), min(len(mine), len(other)))
    return f"  ctlab: {(mine[at:] or ['(nothing more)'])[0]}\n  kernel: {(other[at:] or ['(nothing more)'])[0]}"
