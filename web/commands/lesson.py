"""`ctlab lesson …`: the instructor's desk. A row for each subcommand; each is loaded only when it is asked for.

Not in here: any work. A new one is a click command in a lesson_*.py beside this and a row in COMMANDS.
"""

from __future__ import annotations

import click

from web.lazy import LazyGroup, Rows

COMMANDS: Rows = {
    "list": ("web.commands.lesson_test:list_lessons", "The lessons in their order, with what they are about."),
    "new": ("web.commands.lesson_new:new", "Write a lesson that works, to be edited from there."),
    "check": ("web.commands.lesson_test:check", "Point at every mistake in lessons and their scenarios."),
    "test": ("web.commands.lesson_test:test", "Run lessons: do they do what they say?"),
    "preview": ("web.commands.lesson_preview:preview", "Open a lesson in the browser; it follows the file as it is saved."),
    "export": ("web.commands.lesson_export:export", "Put lessons into a folder, a zip, or one HTML file."),
    "words": ("web.commands.lesson_words:words", "The words for misconceptions, services, packets and checks."),
    "schema": ("web.commands.lesson_new:schema", "JSON Schemas for editors."),
}


@click.group(cls=LazyGroup, rows=COMMANDS)
def lesson() -> None:
    """Write, check, run and hand on lessons. lessons/README.md teaches how they are written."""
