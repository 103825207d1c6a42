"""`ctlab verify`: ctlab's firewall beside this machine's own kernel: a capture, a lesson, a scenario, or traffic made by seed.

Not in here: comparing (sim/edges/verify), the kernel (sim/edges/kernel).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from random import SystemRandom
from typing import Any

import click

from lessons.against_kernel import Comparison, compare_lesson, compare_run
from lessons.course import HERE, read_course
from lessons.load import load_lesson
from sim.edges.capture import read_capture
from sim.edges.kernel import KernelUnavailable, why_unavailable
from sim.edges.replay import read_addresses
from sim.edges.verify.answers import Difference
from sim.edges.verify.fuzz.corners import corners
from sim.edges.verify.fuzz.session import LANGUAGES, session, with_rules
from sim.edges.verify.hunt import Found, Hunt
from sim.edges.verify.keep import conversation
from sim.edges.verify.measure import Measure
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Case, Feed, Load, Plan, Step
from sim.edges.verify.sources import of_capture
from sim.edges.verify.storm import storm
from sim.errors import UsageError
from sim.ruleset.text import looks_like
from sim.scenario import Scenario

A_CASE = 400
"""Packets of one fuzzed case."""
A_RULESET = 150
"""Packets through one random ruleset."""
PAUSED = 20
"""One case in so many waits for time-outs."""
WITH_CORNERS = 5000
"""Packets from which on a hunt begins with the cases that have a purpose."""
A_SHORT_CASE = 100
"""Packets of a case that is made to reach much, not to be compared."""
LONG = 2000
"""Packets from which on progress is shown."""
_File = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("what", required=False)
@click.option("--rules", "rules", type=_File, multiple=True, help="iptables-save text or an nft file. Repeatable.")
@click.option("--rules6", "rules6", type=_File, multiple=True, help="ip6tables-save text. Repeatable.")
@click.option("--addr", "addresses", metavar="DEV=CIDR", multiple=True, help="An address of the firewall. Repeatable.")
@click.option("--sysctl", "sysctls", metavar="KEY=VALUE", multiple=True, help="A kernel setting. Repeatable.")
@click.option("--times", is_flag=True, help="A capture at its own times; else as fast as it goes.")
@click.option("--fuzz", type=click.IntRange(1), metavar="N", help="Make N packets of all protocols, gone wrong.")
@click.option(
    "--rulesets", type=click.IntRange(0), default=0, metavar="M", help="And M random rulesets, 150 packets each."
)
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), default="any", help="Of --rulesets: all in this one.")
@click.option("--seed", type=int, default=None, help="The first seed; else one is drawn and printed.")
@click.option(
    "--save", type=click.Path(path_type=Path, file_okay=False), help="Write what fails there, as conversations."
)
@click.option(
    "--coverage", is_flag=True, help="Of --fuzz: which branches and cells of conntrack were reached (asks no kernel)."
)
@click.option("--bytes", "spoilt", type=click.IntRange(1), metavar="N", help="Feed N spoilt packets to ctlab alone: nothing may break.")
def verify(
    what: str | None, rules: tuple[Path, ...], rules6: tuple[Path, ...], addresses: tuple[str, ...], sysctls: tuple[str, ...],
    times: bool, fuzz: int | None, rulesets: int, language: str, seed: int | None, save: Path | None, coverage: bool,
    spoilt: int | None,
) -> None:  # fmt: skip
    """Compare ctlab with this machine's own kernel, packet by packet. WHAT: a capture, a lesson, a scenario (its name or file).

    Label, direction, verdict, the bytes that leave, the entry and the kernel's log words are compared. Exit status 1 when
    anything differs.
    """
    if (what is None) == (fuzz is None and not rulesets and spoilt is None):
        raise UsageError("say what to compare: a capture, a lesson or a scenario, or --fuzz N")
    if spoilt is not None:
        raise SystemExit(1 if _storm(spoilt, _seed(seed)) else 0)
    if coverage:
        _measure(fuzz or A_CASE, _seed(seed))
        return
    must_have_a_kernel()
    if what is None:
        first = _seed(seed)
        click.echo(f"--seed {first}")
        differ = _hunt(_cases(fuzz or 0, rulesets, first, language), (fuzz or 0) + rulesets * A_RULESET, save)
    elif _is_capture(Path(what)):
        plan = Plan(read_addresses(addresses) or Plan().addresses, _rules(rules, rules6), dict(map(_setting, sysctls)))
        steps = list(of_capture(read_capture(Path(what)), plan.addresses if addresses else {}, times))
        differ = _compare(what, plan, steps)
    else:
        differ = sum(tell(comparison) for comparison in _comparisons(what))
    raise SystemExit(1 if differ else 0)


def must_have_a_kernel() -> None:
    """Raises KernelUnavailable that says why."""
    why = why_unavailable()
    if why:
        raise KernelUnavailable(f"there is no kernel here to compare with: {why}")


def _seed(seed: int | None) -> int:
    return SystemRandom().randrange(10**6) * 1000 if seed is None else seed


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--sysctl {text}: write KEY=VALUE, for example net.netfilter.nf_conntrack_tcp_loose=0")
    return key.strip().replace("/", "."), value.strip()


def _rules(paths: Sequence[Path], paths6: Sequence[Path]) -> Load:
    texts = [path.read_text(encoding="utf-8") for path in paths]
    iptables = [text for text in texts if looks_like(text) == "iptables"]
    nft = [text for text in texts if looks_like(text) == "nft"]
    return Load("".join(iptables), "".join(path.read_text(encoding="utf-8") for path in paths6), "".join(nft))


# ---- captures, lessons, scenarios ------------------------------------------------------------------------------------


def _is_capture(path: Path) -> bool:
    return path.is_file() and path.name != "lesson.md" and path.suffix not in (".yaml", ".yml")


def _comparisons(what: str) -> Iterator[Comparison]:
    """Of a lesson or scenario: a file first, then a lesson's name, then a scenario's."""
    path = Path(what)
    if path.suffix in (".yaml", ".yml"):
        yield from compare_run(path.stem, Scenario.from_file(path), (), say=click.echo)
    elif path.name == "lesson.md" or path.is_dir():
        yield from compare_lesson(load_lesson(path), say=click.echo)
    else:
        yield from _named(what)


def _named(name: str) -> Iterator[Comparison]:
    course = read_course(HERE)
    lesson = next((lesson for lesson in course.lessons if lesson.id == name), None)
    if lesson is not None:
        yield from compare_lesson(lesson, say=click.echo)
    elif name in course.scenarios:
        yield from compare_run(name, course.scenario(name), (), say=click.echo)
    else:
        known = ", ".join([*(lesson.id for lesson in course.lessons), *course.scenarios])
        raise UsageError(f"there is no file, lesson or scenario '{name}'. There are: {known}")


def tell(comparison: Comparison) -> int:
    """Print what came of one comparison; how much differs."""
    count = len(comparison.differences)
    if count:
        click.echo(f"{comparison.name}: {comparison.machine}: {comparison.differences[0]}")
    if count > 1:
        click.echo(f"{comparison.name}: {comparison.machine}: {count - 1} more of its differences follow from there on")
    same = click.style("the same as in", fg="green")
    told = click.style(f"{count} {'differs' if count == 1 else 'differ'} from", fg="red") if count else same
    rules = f", {comparison.commands} changes of rules" if comparison.commands else ""
    click.echo(
        f"{comparison.name}: {comparison.machine}: {comparison.packets} packets, {comparison.labels} labels{rules}: "
        f"{told} this machine's kernel" + (f"; {comparison.left_out}" if comparison.left_out else "")
    )
    return count


def _compare(name: str, plan: Plan, steps: Sequence[Step]) -> int:
    """Tell what differs in a capture; how much that is."""
    packets = [step for step in steps if isinstance(step, Feed)]
    shown: dict[int, list[Difference]] = {}
    with Pair(plan) as pair, _bar(len(packets)) as bar:
        for part in _parts(steps):
            for difference in pair.run(part):
                shown.setdefault(difference.number, []).append(difference)
            if bar is not None:
                bar.update(sum(isinstance(step, Feed) for step in part))
    for differences in shown.values():
        for difference in differences:
            click.echo(f"{name}: {difference}")
    word = click.style("differ", fg="red") if shown else click.style("the same", fg="green")
    click.echo(
        f"{name}: {len(packets)} packets, {f'{len(shown)} {word}' if shown else word} as in this machine's kernel"
    )
    return len(shown)


def _parts(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    return (steps[at : at + 1000] for at in range(0, len(steps), 1000))


def _bar(count: int) -> Any:
    return click.progressbar(length=count, label="packets", file=sys.stderr) if count >= LONG else nullcontext()


# ---- fuzz ------------------------------------------------------------------------------------------------------------


def _cases(packets: int, rulesets: int, seed: int, language: str = "any") -> Iterator[Case]:
    """A long hunt begins with the cases that have a purpose; shorter ones are random altogether."""
    for case in corners() if packets >= WITH_CORNERS else ():
        packets -= case.packets
        yield case
    for number in range(-(-packets // A_CASE)):
        yield session(seed + number, min(A_CASE, packets - number * A_CASE), pauses=number % PAUSED == PAUSED - 1)
    for number in range(rulesets):
        yield with_rules(seed + number, A_RULESET, language)


def _hunt(cases: Iterable[Case], packets: int, save: Path | None) -> int:
    hunt = Hunt()
    with _bar(packets) as bar:

        def told(case: Case) -> None:
            if bar is not None:
                bar.update(case.packets)
            for found in hunt.found:
                if found.case is case:
                    _tell(found, save)

        hunt.run(iter(cases), told)
    click.echo(f"{hunt.cases} cases, {hunt.packets} packets: {len(hunt.found)} cases differ from this machine's kernel")
    if hunt.refused:
        click.echo(f"{hunt.refused} rulesets were refused by both, or by the one and not the other, which is told as a difference")
    if hunt.unsure:
        click.echo(f"{hunt.unsure} more did once and not again: a time-out that ended just then, or a busy machine")
    return len(hunt.found)


def _tell(found: Found, save: Path | None) -> None:
    click.secho(f"{found.case.name}: {found.case.packets} packets, {found.least.packets} of them suffice", bold=True)
    for key, value in found.least.plan.sysctls.items():
        click.echo(f"  {key}={value}")
    for tool, text in found.least.plan.rules._asdict().items():
        click.echo("".join(f"  {tool}: {line}\n" for line in text.splitlines()), nl=False)
    for step in found.least.steps:
        click.echo(f"  {step.dev or 'own'} {step.data.hex()}" if isinstance(step, Feed) else f"  {step}")
    for difference in found.differences:
        click.echo(f"  {difference}")
    if save is not None and found.differences[0].number:
        save.mkdir(parents=True, exist_ok=True)
        file = save / f"{found.case.name.replace(' ', '-')}.yaml"
        file.write_text(
            conversation(found.least, [difference.field for difference in found.differences]), encoding="utf-8"
        )
        click.echo(f"  written to {file}")


def _storm(packets: int, seed: int) -> int:
    """Tell what breaks ctlab; how much that is."""
    found = 0
    with _bar(packets) as bar:
        for broken in storm(packets, seed, bar.update if bar is not None else lambda count: None):
            found += 1
            click.echo(f"{broken.case.name}: {broken.dev or 'own'} {broken.data.hex()}: {broken.error}")
    click.echo(f"{packets} spoilt packets (--seed {seed}): {found} broke ctlab")
    return found


def _many_cases(packets: int, seed: int) -> Iterator[Case]:
    """Short ones, for what they take and not for what comes of it: each begins with other protocols; every tenth has rules."""
    for case in corners() if packets >= WITH_CORNERS else ():
        packets -= case.packets
        yield case
    number = 0
    while packets > 0:
        case = with_rules(seed + number, A_SHORT_CASE) if number % 10 == 9 else session(seed + number, min(A_SHORT_CASE, packets))
        yield case
        packets, number = packets - case.packets, number + 1


def _measure(packets: int, seed: int) -> None:
    measure = Measure()
    with _bar(packets) as bar:
        for case in _many_cases(packets, seed):
            measure.run([case])
            if bar is not None:
                bar.update(case.packets)
    for line in measure.lines():
        click.echo(line)
