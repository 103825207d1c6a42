"""What the objects of `ip` have in common: its complaints, prefixes, devices."""

from __future__ import annotations

from typing import NamedTuple

from sim.apps.program import Context
from sim.errors import UsageError
from sim.machine.errors import SocketError
from sim.machine.interfaces import Interface
from sim.units import Address, parse_address, parse_interface


class Complaint(Exception):
    """ip gives up: what it says, and its exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Options(NamedTuple):
    """What stands before the object: `family` 4, 16 or 0 for both, and the layout."""

    family: int
    brief: bool
    oneline: bool


def device(context: Context, name: str, text: str = 'Cannot find device "{}"') -> Interface:
    """The device of that name. Raises Complaint."""
    interface: Interface | None = context.machine.ip.interfaces.get(name)
    if interface is None:
        raise Complaint(text.format(name))
    return interface


def shown_devices(context: Context, words: list[str]) -> list[Interface]:
    """The devices that `show [dev DEV] [up]` means."""
    words = [word for word in words if word != "dev"]
    up = "up" in words
    names = [word for word in words if word != "up"]
    if len(names) > 1:
        raise Complaint(f'Error: either "dev" is duplicate, or "{names[1]}" is a garbage.', 255)
    chosen = (
        [device(context, names[0], 'Device "{}" does not exist.')]
        if names
        else list(context.machine.ip.interfaces.values())
    )
    return [interface for interface in chosen if interface.up or not up]


def prefix(text: str) -> tuple[Address, int]:
    """A prefix, `default` too; a bare address is its whole length."""
    if text in ("default", "any", "all"):
        return bytes(4), 0
    try:
        return parse_interface(text)
    except UsageError:
        raise Complaint(f'Error: any valid prefix is expected rather than "{text}".') from None


def must_be_root(context: Context) -> None:
    """Changing anything needs root. Raises SocketError."""
    if not context.root:
        raise SocketError("EPERM")


def address(text: str) -> Address:
    """An address. Raises Complaint."""
    try:
        return parse_address(text)
    except UsageError:
        raise Complaint(f'Error: inet address is expected rather than "{text}".') from None
