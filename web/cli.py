"""The `ctlab` command: with no subcommand it serves the lab; each subcommand is loaded only when it is asked for.

To add one: write a click command in a module of its own under web/commands/ and give it a row in COMMANDS.
Not in here: any work.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from sim.compiled import state
from sim.errors import CtlabError

DEFAULT_PORT = 8022

# name -> (module:attribute, the line that `ctlab --help` prints: kept here, so that help loads no subcommand)
COMMANDS: dict[str, tuple[str, str]] = {
    "lesson": ("web.commands.lesson:lesson", "List, check and run the lessons."),
    "replay": ("web.commands.replay:replay", "Push a packet capture through a firewall and label every packet."),
    "verify": ("web.commands.verify:verify", "Compare ctlab with this machine's own kernel, packet by packet."),
    "translate": ("web.commands.translate:translate", "Say rules of iptables in nft's words, and the other way round."),
    "export": ("web.commands.export:export", "Put a lesson or a scenario into one HTML file that plays by itself."),
    "shell": ("web.commands.shell:shell", "The lab's terminals without a browser."),
}


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now; None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `ctlab --help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps the sessions (sqlite).")
@click.version_option(package_name="ctlab", prog_name="ctlab", message=f"%(prog)s, version %(version)s, {state()}")
@click.pass_context
def cli(ctx: click.Context, host: str, port: int, no_browser: bool, data: Path | None) -> None:
    """ctlab: learn stateful firewalls in a lab that can rewind.

    Without a command: serve the lab on this machine and open it in the browser.
    """
    if ctx.invoked_subcommand is None:
        from web.app import serve  # only now: the other commands need no Flask, and it takes its time

        serve(host, port, data=data, open_browser=not no_browser and not os.environ.get("CI"))


def main() -> None:
    """Entry point of the `ctlab` program: what a user did wrong is told in a sentence, never in a traceback."""
    try:
        cli(prog_name="ctlab")
    except CtlabError as error:
        click.echo(f"ctlab: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"ctlab: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
