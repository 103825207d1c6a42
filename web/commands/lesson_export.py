"""`ctlab lesson export`: lessons handed on: their sources as a folder or a zip, or a lesson as one HTML file (web/export.py)."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import click

from lessons.load import load_lesson, sources
from sim.errors import UsageError
from web.commands.lesson_names import FOLDERS, paths_of, shelf_of

_NO_KINDS = (".tar", ".gz", ".tgz", ".xz", ".7z", ".rar", ".pdf", ".md", ".yaml", ".yml", ".json")


@click.command()
@click.argument("names", nargs=-1)
@FOLDERS
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="NAME.html, NAME.zip, or a folder.")
@click.option("--language", type=click.Choice(["iptables", "nft"]), help="For an HTML file of a lesson that offers both.")
def export(names: tuple[str, ...], places: tuple[Path, ...], output: Path, language: str | None) -> None:
    """Export lessons (all, or NAMES: ids, folders, lesson.md files). What OUTPUT is called says how:

    NAME.html: one lesson, played by its best pupil, in a file that needs no lab. NAME.zip or a folder: the lessons' sources with
    their scenarios, for `ctlab --lessons`.
    """
    kind = output.suffix.lower()
    if kind in _NO_KINDS:
        raise UsageError(f"{output}: lessons go into NAME.zip, a folder, or one of them into NAME.html")
    with shelf_of(places) as shelf:
        paths = paths_of(names, shelf)
        if kind in (".html", ".htm"):
            _html(paths, output, language)
            return
        files = {name: file for path in paths for name, file in sources(path).items()}
        if kind == ".zip":
            _zip(files, output)
        else:
            _folder(files, output)
    lessons = "1 lesson" if len(paths) == 1 else f"{len(paths)} lessons"
    click.echo(f"{output}: {lessons}, {len(files)} files. Whoever gets it: ctlab --lessons {output}")


def _html(paths: Sequence[Path], output: Path, language: str | None) -> None:
    if len(paths) != 1:
        raise UsageError(f"an HTML file holds one lesson, and these are {len(paths)}: name one, or export to a folder or a zip")
    from web.export import lesson_page  # only now: it needs scapy

    lesson = load_lesson(paths[0])
    language = language or next(iter(lesson.languages), None)
    page = lesson_page(lesson, language)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8")
    called = f"{lesson.id} in {language}" if language else lesson.id
    click.echo(f"{output}: {called}, {len(page.encode()) // 1000} kB. Open it in any browser: it needs no lab.")
    if len(lesson.languages) > 1:
        other = next(one for one in lesson.languages if one != language)
        click.echo(f"It was done in {language} alone. In {other}: ctlab lesson export {paths[0]} --language {other} -o NAME.html")


def _zip(files: dict[str, Path], output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same lessons make the same zip
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def _folder(files: dict[str, Path], output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output}: there is something already: name a folder that is not there yet")
    for name, file in files.items():
        place = output / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
