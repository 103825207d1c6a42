"""`ctlab lesson new | schema`: a lesson that works, to be edited from there; what an editor must know to help."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lessons.new import KINDS, slug, write_lesson
from lessons.schema import SCHEMAS
from sim.errors import UsageError

_WHICH = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
_NEXT = {"preview": "opens it; it follows the files as you save them", "check": "points at mistakes", "test": "does it do what it says?"}


@click.command()
@click.option("--title", help="What it is called. Asked for when it is not given.")
@click.option("--part", help="The chapter of the course it belongs to.")
@click.option("--summary", help="One line for the course page.")
@click.option("--minutes", type=click.IntRange(1, 60), default=6, show_default=True)
@click.option("--kind", type=click.Choice(list(KINDS)), help=_WHICH)
@click.option("--name", default="", help="Its id and its folder's name; else made from the title.")
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("lessons"), show_default=True,
    help="The folder of lessons.",
)  # fmt: skip
def new(title: str | None, part: str | None, summary: str | None, minutes: int, kind: str | None, name: str, folder: Path) -> None:
    """Write a new lesson with its scenario. It passes `check` and `test` as it is.

    What no option says is asked for. With --title nothing is asked.
    """
    if title is None:
        title = click.prompt("Title")
        part = part or click.prompt("Part of the course", default="Lessons")
        summary = summary or click.prompt("Summary, one line", default=f"{title}.")
        kind = kind or click.prompt(f"What kind? {_WHICH}", type=click.Choice(list(KINDS)), default="host")
        name = name or click.prompt("Name of its folder", default=slug(title))
    try:
        file = write_lesson(folder, title, kind=kind or "host", name=name, part=part or "Lessons", summary=summary or "", minutes=minutes)
    except OSError as error:
        raise UsageError(f"{folder}: cannot write there: {error.strerror}") from error
    click.echo(f"{file}\n{file.parent / (file.parent.name.partition('-')[2] + '.yaml')}\n")
    for what, does in _NEXT.items():
        click.echo(f"  ctlab lesson {what:8} {file.parent}   {does}")
    click.echo(f"  ctlab --lessons {folder}   all lessons of the folder, beside ctlab's own")


@click.command()
@click.argument("what", type=click.Choice(list(SCHEMAS)), default="scenario")
def schema(what: str) -> None:
    """Print a JSON Schema: of a scenario file, of a lesson's front matter, or of the checks in `expect` and `goal` blocks."""
    click.echo(json.dumps(SCHEMAS[what](), indent=1))
