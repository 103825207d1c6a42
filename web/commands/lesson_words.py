"""`ctlab lesson words`: the words that lessons and scenarios may use, from the very tables that read them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping

import click

from lessons.expect import fields_of
from lessons.known import ENTRY, PACKET
from lessons.misconceptions import MISCONCEPTIONS
from sim import craft
from sim.apps.services import SERVICES
from sim.asking import STATES
from sim.trace import EVENTS


def _misconceptions() -> Iterator[str]:
    for name, belief in MISCONCEPTIONS.items():
        yield f"{name:26} {belief}"


def _services() -> Iterator[str]:
    for name, kind in SERVICES.items():
        options = ", ".join(kind.options) or "none"
        yield f"{name:10} {kind.summary}\n{'':10} options: {options}"


def _packets() -> Iterator[str]:
    yield (inspect.getdoc(craft) or "").partition("\n")[2].strip("\n")
    lists: dict[str, Iterable[str]] = {"ICMP": craft.ICMP, "ICMPv6": craft.ICMPV6, "Numbers": craft.NUMBERS, "Marks": craft.MARKS}
    for title, known in lists.items():
        yield f"{title}: {', '.join(known)}"


def _checks() -> Iterator[str]:
    for kind in [*EVENTS, *STATES]:
        about = (inspect.getdoc(EVENTS[kind]) or "").partition("\n")[0] if kind in EVENTS else "What stands at the end."
        yield f"{kind:16} {about}\n{'':16} {', '.join(fields_of(kind))}"
    yield f"\nOf a packet: {', '.join(PACKET)}. Flags as tcpdump writes them: S, S., ., P., F., R\nOf an entry: {', '.join(ENTRY)}"


WORDS: Mapping[str, Callable[[], Iterator[str]]] = {
    "misconceptions": _misconceptions, "services": _services, "packets": _packets, "checks": _checks,
}  # fmt: skip


@click.command()
@click.argument("what", type=click.Choice(list(WORDS)))
def words(what: str) -> None:
    """List the words for: misconceptions behind wrong answers, services of a machine, packets that are written, kinds of checks."""
    for line in WORDS[what]():
        click.echo(line)
