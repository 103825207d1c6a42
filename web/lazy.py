"""LazyGroup: a group of commands that knows its subcommands by a table of names and imports only the one that runs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

Rows = Mapping[str, tuple[str, str]]
"""name -> (module:attribute, the line that --help prints: kept here, so that help loads no subcommand)."""


class LazyGroup(click.Group):
    """`rows`: its subcommands."""

    def __init__(self, *values: Any, rows: Rows, **named: Any) -> None:
        super().__init__(*values, **named)
        self._rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the table's order."""
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now; None for a name that is none."""
        if cmd_name not in self._rows:
            return None
        module, attribute = self._rows[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._rows.items()])
