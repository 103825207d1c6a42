"""`ctlab lesson list | check | test`: what lessons there are, whether they can be read, whether they do what they say."""

from __future__ import annotations

from pathlib import Path

import click

from lessons.course import HERE, Course, read_course
from lessons.load import load_lesson
from lessons.model import Lesson
from lessons.rehearse import Rehearsal, rehearse
from sim.errors import ScenarioError, UsageError

_FOLDER = click.option(
    "--lessons",
    "folder",
    type=click.Path(path_type=Path),
    default=HERE,
    help="A folder of lessons other than ctlab's own.",
)


@click.group()
def lesson() -> None:
    """List, check and run the lessons."""


@lesson.command("list")
@_FOLDER
def list_lessons(folder: Path) -> None:
    """The lessons in their order, with what they are about."""
    course = _course(folder)
    part = ""
    for item in course.lessons:
        if item.part != part:
            part = item.part
            click.secho(part, bold=True)
        click.echo(f"  {item.id:36} {item.title} ({item.minutes} min)\n  {'':36} {item.summary}")
    _tell(course.mistakes)


@lesson.command()
@click.argument("names", nargs=-1)
@_FOLDER
def check(names: tuple[str, ...], folder: Path) -> None:
    """Read lessons (all, or those named by id or file) and point at every mistake."""
    mistakes: list[ScenarioError] = []
    read = 0
    for loader in _loaders(names, folder):
        try:
            loader()
            read += 1
        except ScenarioError as error:
            mistakes.append(error)
    _tell(mistakes)
    click.echo(f"{read} lessons read, {len(mistakes)} with mistakes")
    raise SystemExit(1 if mistakes else 0)


@lesson.command()
@click.argument("names", nargs=-1)
@_FOLDER
def test(names: tuple[str, ...], folder: Path) -> None:
    """Run lessons: type what they say, check every expectation, listing and goal."""
    failed = total = 0
    for loader in _loaders(names, folder):
        item = loader()
        for rehearsal in rehearse(item):
            total += 1
            failed += bool(rehearsal.mistakes)
            _report(item, rehearsal)
    click.echo(f"{total - failed} passed, {failed} failed")
    raise SystemExit(1 if failed else 0)


def _report(item: Lesson, rehearsal: Rehearsal) -> None:
    name = f"{item.id} ({rehearsal.language})" if rehearsal.language else item.id
    word = click.style("FAILED", fg="red") if rehearsal.mistakes else click.style("ok", fg="green")
    click.echo(
        f"{name:46} {word:8} {len(rehearsal.inputs):3} inputs {len(rehearsal.records):6} records {rehearsal.seconds * 1000:7.1f} ms"
    )
    _tell(rehearsal.mistakes)


def _tell(mistakes: object) -> None:
    for mistake in mistakes if isinstance(mistakes, list | tuple) else ():
        click.echo(f"{mistake}\n", err=True)


def _course(folder: Path) -> Course:
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of lessons")
    return read_course(folder)


def _loaders(names: tuple[str, ...], folder: Path) -> list[Loader]:
    """A way to load each lesson meant: mistakes come when it is called."""
    if not names:
        return [Loader(path) for path in sorted(p.parent for p in folder.glob("*/lesson.md"))]
    return [
        Loader(Path(name)) if "/" in name or name.endswith(".md") else Loader(_named(name, folder)) for name in names
    ]


def _named(name: str, folder: Path) -> Path:
    for path in folder.glob("*/lesson.md"):
        if path.parent.name.partition("-")[2] == name or path.parent.name == name:
            return path.parent
    raise UsageError(str(_unknown(name, folder)))


def _unknown(name: str, folder: Path) -> UsageError:
    try:
        _course(folder).lesson(name)
    except UsageError as error:
        return error
    return UsageError(f"there is no lesson '{name}'")


class Loader:
    """A lesson's folder or file, read when called."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> Lesson:
        return load_lesson(self.path)
