"""`ctlab replay CAPTURE`: a packet capture through a firewall, a line a packet, as a table or as JSON.

Not in here: the firewall (sim/edges/replay).
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sim.edges.capture import read_capture
from sim.edges.replay import (
    Outcome,
    Printed,
    Replay,
    Rewritten,
    Step,
    dumps,
    load_rules,
    read_addresses,
    read_at,
)
from sim.errors import Malformed, UsageError
from sim.packet import Packet, describe
from sim.ruleset.collecting import collect_seldom
from sim.units import SECOND

SHAPES = {"NEW": "●", "ESTABLISHED": "⇄", "RELATED": "◆", "INVALID": "▲", "UNTRACKED": "○"}
COLOURS = {"NEW": "blue", "ESTABLISHED": "green", "RELATED": "magenta", "INVALID": "red", "UNTRACKED": "bright_black"}
OFFLOADED = "{count} packets are larger than the MTU of 1500: captured ahead of segmentation (offload)? Such packets do not pass."
AT_ONCE = 256
_File = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("capture", type=_File)
@click.option("--rules", "rules", type=_File, multiple=True, help="iptables-save text or an nft file. Repeatable.")
@click.option("--rules6", "rules6", type=_File, multiple=True, help="ip6tables-save text. Repeatable.")
@click.option("--addr", "addresses", metavar="DEV=CIDR", multiple=True, help="An address of the firewall. Repeatable.")
@click.option("--sysctl", "sysctls", metavar="KEY=VALUE", multiple=True, help="A kernel setting. Repeatable.")
@click.option("--at", "moments", metavar="'SECONDS COMMAND'", multiple=True, help="Run COMMAND at that moment. Repeatable.")
@click.option("--then", "then", metavar="COMMAND", multiple=True, help="Run COMMAND at the end. Repeatable.")
@click.option("--jsonl", is_flag=True, help="A line of JSON a packet.")
@click.option("--trace", is_flag=True, help="Every rule tried, too, and what NAT changes.")
def replay(
    capture: Path, rules: tuple[Path, ...], rules6: tuple[Path, ...], addresses: tuple[str, ...], sysctls: tuple[str, ...],
    moments: tuple[str, ...], then: tuple[str, ...], jsonl: bool, trace: bool,
) -> None:  # fmt: skip
    """Push CAPTURE (pcap or pcapng) through a firewall and label every packet.

    The firewall forwards all that its rules let through. A packet arrives in the device that the capture names, else in the
    one in whose network its source lies, else in the last, where the default route leads; one of the firewall's own goes out.
    Without --addr it has two devices, lan and wan, no addresses, and whoever speaks first stands behind lan.
    """
    work = Replay(read_addresses(addresses), told=trace or not jsonl)
    for text in sysctls:
        work.set_sysctl(text)
    for paths, ipv6 in ((rules, False), (rules6, True)):
        for path in paths:
            load_rules(work.wall.ip.rules, _text(path), str(path), ipv6)
    what = read_capture(capture), [read_at(text) for text in moments], then
    with _hurry():
        if jsonl:
            _print_json(work.lines(*what, trace))
        else:
            _print(_Table(trace).lines(work.run(*what)))


@contextmanager
def _hurry() -> Iterator[None]:
    """A packet leaves no reference cycle behind: the collector need not look after some hundreds of them, nor through all at the end."""
    collect_seldom(500_000)
    yield
    gc.freeze()


def _print(lines: Iterator[str]) -> None:
    """Many lines at once, for click.echo flushes each time; what came ahead of an error is printed ahead of it."""
    waiting: list[str] = []
    try:
        for line in lines:
            waiting.append(line)
            if len(waiting) == AT_ONCE:
                click.echo("\n".join(waiting))
                waiting.clear()
    finally:
        if waiting:
            click.echo("\n".join(waiting))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no text: {error}") from error


def _print_json(happenings: Iterator[bytes | Printed]) -> None:
    """A line a packet, and one for each --then. What an --at command prints goes to standard error."""
    for happened in happenings:
        if isinstance(happened, bytes):
            click.echo(happened, nl=False)
        elif happened.last:
            click.echo(dumps({"command": happened.command, "output": happened.output}))
        elif happened.output:
            click.echo(happened.output, nl=False, err=True)


class _Table:
    """The readable form."""

    HEAD = f"{'no.':>6} {'time':>12}  {'in':<7} {'packet':<62} {'label':<14} {'verdict':<7} reason"

    def __init__(self, trace: bool) -> None:
        self._trace = trace
        self._labels: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._large = 0

    def lines(self, happenings: Iterator[Outcome | Printed]) -> Iterator[str]:
        """All lines, the summary ahead of what --then commands print."""
        yield click.style(self.HEAD, bold=True)
        summed = False
        for happened in happenings:
            if isinstance(happened, Outcome):
                yield from self._packet(happened)
                continue
            if happened.last and not summed:
                yield from self._summary()
                summed = True
            yield f"# {happened.time_us / SECOND:.6f}  {happened.command}\n{happened.output}".rstrip("\n")
        if not summed:
            yield from self._summary()

    def _packet(self, outcome: Outcome) -> Iterator[str]:
        self._count(outcome)
        label = f"{SHAPES[outcome.label]} {outcome.label}" if outcome.label else "-"
        shown = click.style(f"{label:<14}", fg=COLOURS.get(outcome.label or ""))
        verdict = click.style(f"{outcome.verdict or '-':<7}", fg="red" if outcome.verdict == "DROP" else None)
        packet = _described(outcome)
        reason = f"{outcome.reason} Dropped: {outcome.dropped}." if outcome.label and outcome.dropped else outcome.reason
        where = outcome.dev or ("own" if outcome.verdict else "-")
        yield f"{outcome.number:>6} {outcome.time_us / SECOND:>12.6f}  {where:<7} {packet:<62} {shown} {verdict} {reason}"
        if self._trace:
            yield from map(_step, outcome.trace)

    def _count(self, outcome: Outcome) -> None:
        self._labels[outcome.label or "none"] += 1
        self._verdicts[outcome.verdict or "not fed"] += 1
        self._large += outcome.data is not None and len(outcome.data) > 1500

    def _summary(self) -> Iterator[str]:
        total = sum(self._labels.values())
        labels = ", ".join(f"{count} {label}" for label, count in self._labels.most_common())
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in self._verdicts.most_common())
        yield f"{total} packets: {labels}; {verdicts}" if total else "no packets"
        if self._large:
            yield OFFLOADED.format(count=self._large)


def _step(step: Step | Rewritten) -> str:
    if isinstance(step, Rewritten):
        return f"{'':21} {step.what} {step.hook}: {step.before}  becomes  {step.after}"
    return f"{'':21} {step.table} {step.chain}: {step.rule}" + (f"  => {step.verdict}" if step.verdict else "")


def _described(outcome: Outcome) -> str:
    if not outcome.data:
        return "-"
    try:
        return describe(Packet(outcome.data))
    except Malformed:
        return f"{len(outcome.data)} bytes"
