"""The `ctlab` command: with no subcommand it serves the lab; each subcommand is loaded only when it is asked for.

To add one: write a click command in a module of its own under web/commands/ and give it a row in COMMANDS.
Not in here: any work.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from sim.compiled import state
from sim.errors import CtlabError
from web.lazy import LazyGroup, Rows

DEFAULT_PORT = 8022

COMMANDS: Rows = {
    "lesson": ("web.commands.lesson:lesson", "Write, check, run and hand on lessons."),
    "replay": ("web.commands.replay:replay", "Push a packet capture through a firewall and label every packet."),
    "verify": ("web.commands.verify:verify", "Compare ctlab with this machine's own kernel, packet by packet."),
    "translate": ("web.commands.translate:translate", "Say rules of iptables in nft's words, and the other way round."),
    "export": ("web.commands.export:export", "Put a lesson or a scenario into one HTML file that plays by itself."),
    "shell": ("web.commands.shell:shell", "The lab's terminals without a browser."),
}


@click.group(cls=LazyGroup, rows=COMMANDS, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps the sessions (sqlite).")
@click.option("--lessons", multiple=True, metavar="DIR|ZIP", help="More lessons, beside ctlab's own. Repeatable.")
@click.version_option(package_name="ctlab", prog_name="ctlab", message=f"%(prog)s, version %(version)s, {state()}")
@click.pass_context
def cli(ctx: click.Context, host: str, port: int, no_browser: bool, data: Path | None, lessons: tuple[str, ...]) -> None:
    """ctlab: learn stateful firewalls in a lab that can rewind.

    Without a command: serve the lab on this machine and open it in the browser.
    """
    if ctx.invoked_subcommand is None:
        from web.serving import serve  # only now: the other commands need no Flask, and it takes its time

        serve(host, port, data=data, open_browser=not no_browser and not os.environ.get("CI"), lessons=[Path(one) for one in lessons])


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
