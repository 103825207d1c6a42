"""`ctlab translate [FILE]`: rules of iptables in nft's words, and of nft in iptables'. What has no counterpart stands as a comment.

Not in here: the words (sim/ruleset/iptables/xlate.py, sim/ruleset/translate.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sim.errors import SyntaxMistake
from sim.netfilter.hooks import Hooks
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables.translator import run as run_command
from sim.ruleset.iptables.translator import translated
from sim.ruleset.nft import tool as nft
from sim.ruleset.state import RuleState
from sim.ruleset.text import looks_like
from sim.ruleset.translate import iptables_file


class _Nowhere:
    """Rules are only read here: nothing is sent, logged or asked."""

    def __getattr__(self, name: str) -> object:
        return None


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True))
@click.option("-6", "six", is_flag=True, help="The text is ip6tables'.")
@click.option("-c", "--command", help="Translate one command instead: 'iptables -A INPUT -p tcp --dport 22 -j ACCEPT'.")
def translate(file: Path | None, six: bool, command: str | None) -> None:
    """Say FILE (or standard input) in the other language: iptables-save's text as nft commands, nft's as iptables-save's text.

    iptables is worded as iptables-translate words it. What the other language cannot say is left as a comment.
    """
    if command is not None:
        click.echo(_one(command), nl=False)
        return
    text = sys.stdin.read() if file is None or str(file) == "-" else file.read_text()
    name = "standard input" if file is None or str(file) == "-" else str(file)
    if looks_like(text) == "iptables":
        click.echo("\n".join(translated(text, "ip6" if six else "ip", name=name)))
    else:
        click.echo(_from_nft(text, name), nl=False)


def _one(command: str) -> str:
    words = command.split()
    words = words[1:] if words[:1] == ["sudo"] else words
    program = "ip6tables" if words[:1] and words[0].startswith("ip6") else "iptables"
    result = run_command([f"{program}-translate", *words[1:]], Sets())
    if result.status:
        raise SyntaxMistake(result.err.strip().splitlines()[0] if result.err.strip() else "there are no words for it", None)
    return result.out


def _from_nft(text: str, name: str) -> str:
    state = RuleState(Hooks(), _Nowhere())  # type: ignore[arg-type]
    result = nft.run(["nft", "-f", "-"], state, text)
    if result.status:
        raise SyntaxMistake(result.err.replace("/dev/stdin", name).strip(), None)
    return iptables_file(state.ruleset)



