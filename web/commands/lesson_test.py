"""`ctlab lesson list | check | test`: what lessons there are, whether they can be read, whether they do what they say."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from lessons.check import advice, misdrawn, problems
from lessons.course import taken
from lessons.load import ident, load_lesson
from lessons.model import Expect, Goal, Lesson, Listing, Predict, Run
from lessons.rehearse import Rehearsal, rehearse
from sim.document import contents
from sim.errors import CtlabError, ScenarioError
from sim.ruleset.collecting import collect_seldom
from web.commands.lesson_names import FOLDERS, paths_of, shelf_of


@click.command("list")
@FOLDERS
def list_lessons(places: tuple[Path, ...]) -> None:
    """The lessons in their order, with what they are about."""
    with shelf_of(places) as shelf:
        paths_of((), shelf)
        course = shelf.course()
    part = ""
    for item in course.lessons:
        if item.part != part:
            part = item.part
            click.secho(part, bold=True)
        click.echo(f"  {item.id:36} {item.title} ({item.minutes} min)\n  {'':36} {item.summary}")
    _tell(course.mistakes)


@click.command()
@click.argument("names", nargs=-1)
@FOLDERS
def check(names: tuple[str, ...], places: tuple[Path, ...]) -> None:
    """Read lessons and their scenarios (all, or NAMES: ids, folders, lesson.md files) and point at every mistake.

    Each is told with its file, line and column, what is wrong, and what may have been meant. Exit status 1 when there are any.
    What a lesson that can be read may lack is told as advice: a question, a goal, a step that shows nothing of what it says.
    """
    read = wrong = advised = 0
    with shelf_of(places) as shelf:
        paths = paths_of(names, shelf)
        twice = taken(paths)
        for path in paths:
            mistakes = [*problems(path), *([twice[path]] if path in twice else [])]
            _tell(mistakes)
            notes = [] if mistakes else advice(path)
            for note in notes:
                click.echo(click.style("advice: ", fg="yellow") + str(note))
            read, wrong, advised = read + 1, wrong + bool(mistakes), advised + bool(notes)
    lessons = "1 lesson" if read == 1 else f"{read} lessons"
    click.echo(f"{lessons} read, {wrong} with mistakes" + (f", {advised} with advice" if advised else ""))
    raise SystemExit(1 if wrong else 0)


@click.command()
@click.argument("names", nargs=-1)
@FOLDERS
@click.option("--kernel", is_flag=True, help="Also give every packet to this machine's own kernel, and compare (needs root).")
def test(names: tuple[str, ...], places: tuple[Path, ...], kernel: bool) -> None:
    """Run lessons (all, or NAMES: ids, folders, lesson.md files) as their best pupil would.

    Every command is typed; every expectation and listing is compared; a goal must not be met at the start nor ahead of its solution,
    and must be met at the end. Exit status 1 when anything is otherwise. With --kernel each what-if's other future is compared, too.
    """
    failed = total = 0
    counts, beside = Counter[str](), Counter[str]()
    collect_seldom()
    with shelf_of(places) as shelf:
        for path in paths_of(names, shelf):
            passed, runs = _test(path, kernel, counts, beside)
            total, failed = total + runs, failed + runs - passed
    click.echo(", ".join(f"{count} {what.removesuffix('s') if count == 1 else what}" for what, count in counts.items()))
    if beside:
        click.echo(
            f"Beside Linux {platform.release()}: {beside['packets']} packets in {beside['runs']} runs of a firewall, "
            f"{beside['labels']} labels compared, {beside['differences']} differences"
        )
    click.echo(f"{total - failed} passed, {failed} failed")
    raise SystemExit(1 if failed else 0)


def _test(path: Path, kernel: bool, counts: Counter[str], beside: Counter[str]) -> tuple[int, int]:
    """(passed, runs) of one lesson, told as they come."""
    try:
        item = load_lesson(path)
        for mistake in misdrawn(contents(Path(item.file)), Path(item.file)) if item.varies else ():
            raise mistake
        rehearsals = rehearse(item)
    except ScenarioError as error:
        click.echo(f"{ident(path):46} {click.style('FAILED', fg='red')}")
        _tell([error])
        return 0, 1
    for rehearsal in rehearsals:
        _report(item, rehearsal)
    counts.update(_counted(item))
    passed = sum(not rehearsal.mistakes for rehearsal in rehearsals)
    return (passed, len(rehearsals)) if not kernel or _like_the_kernel(item, beside) else (0, len(rehearsals))


def _counted(item: Lesson) -> Counter[str]:
    kinds = {Run: "runs", Predict: "predictions", Expect: "expectations", Listing: "listings", Goal: "goals"}
    return Counter(kinds[type(block)] for block in item.blocks() if type(block) in kinds)


def _like_the_kernel(item: Lesson, beside: Counter[str]) -> bool:
    from lessons.against_kernel import compare_lesson  # only now: it needs scapy, netlink and root
    from web.commands.verify import must_have_a_kernel, tell

    must_have_a_kernel()
    differ = 0
    try:
        for comparison in compare_lesson(item, say=click.echo):
            differ += tell(comparison)
            beside.update(runs=1, packets=comparison.packets, labels=comparison.labels, differences=len(comparison.differences))
    except CtlabError as error:
        click.echo(f"{item.id}: {error}")
        return False
    return not differ


def _report(item: Lesson, rehearsal: Rehearsal) -> None:
    name = f"{item.id} ({rehearsal.language})" if rehearsal.language else item.id
    name += f", way {rehearsal.way}" if rehearsal.way else ""
    word = click.style("FAILED", fg="red") if rehearsal.mistakes else click.style("ok", fg="green")
    click.echo(
        f"{name:46} {word:8} {len(rehearsal.inputs):3} inputs {len(rehearsal.records):6} records {rehearsal.seconds * 1000:7.1f} ms"
    )
    _tell(rehearsal.mistakes)


def _tell(mistakes: Iterable[object]) -> None:
    for mistake in mistakes:
        click.echo(f"{mistake}\n", err=True)
