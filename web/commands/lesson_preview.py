"""`ctlab lesson preview`: a lesson in the browser, as it is while it is written. The work is web/renewing.py's."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lessons.load import ident
from sim.errors import UsageError
from web.commands.lesson_names import FOLDERS, paths_of, shelf_of


@click.command()
@click.argument("name")
@FOLDERS
@click.option("--port", default=8022, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps the sessions (sqlite).")
def preview(name: str, places: tuple[Path, ...], port: int, no_browser: bool, data: Path | None) -> None:
    """Open the lesson NAME (an id, a folder, a lesson.md) in the browser. It follows the files as you save them.

    What is wrong with a file is shown on the page, at its line; the lesson stays there as it was before.
    """
    with shelf_of(places) as shelf:
        path = paths_of([name], shelf)[0].resolve()
    if not (path / "lesson.md").is_file():
        raise UsageError(f"{path}: there is no lesson.md in it. `ctlab lesson new` writes one.")
    click.echo(f"ctlab reads {name} and starts; from a cold disk that takes some seconds.", err=True)
    from web.serving import serve  # only now: the other commands need no Flask

    show = not no_browser and not os.environ.get("CI")
    serve(port=port, data=data, open_browser=show, lessons=[path.parent], preview=ident(path))
