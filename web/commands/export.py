"""`ctlab export NAME`: a lesson or a scenario as one HTML file that plays with no lab behind it. Not in here: the file (web/export.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lessons.course import Course
from lessons.shelf import Shelf
from sim.errors import UsageError, did_you_mean
from sim.scenario import Scenario
from web.commands.lesson_names import FOLDERS, shelf_of
from web.export import lesson_page, scenario_page


@click.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="The file; - for standard output.")
@click.option("--language", type=click.Choice(["iptables", "nft"]), help="For a lesson that offers both.")
@FOLDERS
def export(name: str, output: Path | None, language: str | None, places: tuple[Path, ...]) -> None:
    """Put NAME (a lesson, a scenario, or a scenario's YAML file) into one HTML file, by default NAME.html here."""
    with shelf_of(places) as shelf:
        page = _page(name, language, shelf)
    if output == Path("-"):
        sys.stdout.write(page)
        return
    output = output or Path(f"{Path(name).stem}.html")
    output.write_text(page, encoding="utf-8")
    click.echo(f"{output}: {len(page.encode()) // 1000} kB. Open it in any browser: it needs no lab.")


def _page(name: str, language: str | None, shelf: Shelf) -> str:
    if name.endswith((".yaml", ".yml")):
        return scenario_page(Scenario.from_file(Path(name)))
    course = shelf.course()
    lesson = next((one for one in course.all() if one.id == name), None)
    if lesson is not None:
        return lesson_page(lesson, language)
    if name in course.scenarios:
        return scenario_page(course.scenarios[name])
    raise _unknown(name, course)


def _unknown(name: str, course: Course) -> UsageError:
    known = [*(lesson.id for lesson in course.lessons), *course.scenarios]
    return UsageError(f"there is no lesson and no scenario '{name}'. {did_you_mean(name, known) or 'There are: ' + ', '.join(known)}")
