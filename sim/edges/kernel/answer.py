"""What the real kernel answers about a packet, and the errors of asking it. Plain values; no kernel in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sim.errors import CtlabError

Label = Literal["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"]
Direction = Literal["original", "reply"]
Verdict = Literal["ACCEPT", "DROP"]
Entry = dict[str, Any]
SELF = "self"
"""The device name in `Answer.out` of what the INPUT hook accepted."""


class KernelUnavailable(CtlabError):
    """This machine cannot judge: not Linux, no namespaces, no TUN, or a tool is missing. str() says which."""


class ToolFailed(CtlabError):
    """A real tool (nft, iptables ...) refused; `argv`, `code` its exit code, `output` all that it printed."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{' '.join(argv)}: exit code {code}\n{output}".rstrip())
        self.argv = tuple(argv)
        self.code = code
        self.output = output

    def __reduce__(self) -> tuple[type[ToolFailed], tuple[Sequence[str], int, str]]:
        return ToolFailed, (self.argv, self.code, self.output)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one packet.

    label      ctstate after conntrack, in PREROUTING (or OUTPUT for a packet of the firewall's own); None when it never got
               so far: dropped in raw, a fragment that still waits for others, no IP packet at all
    direction  original or reply; None for INVALID, UNTRACKED and None
    verdict    ACCEPT when it was forwarded, delivered or sent; else DROP (also a fragment that came and waits)
    out        what left because of it: (device or "self", bytes), in order a device, "self" last. Made by REJECT, and made
               by the router itself (time exceeded, fragmentation needed), included. A reassembled packet shows as the
               kernel sends it on: in fragments again, or whole to "self"
    kernel_log the texts of nf_conntrack_log_invalid, as `dmesg` would have them (the kernel cuts them at 127 characters)
    entry      what a lookup of the packet's own tuple finds in the table once it is through, or None
    details    what else the kernel tells of that entry (table.details_of), or None
    expected   every expectation (table.expectation_of) once it is through; None unless the firewall watches for them
    table      every entry with its details, once it is through; None unless the firewall watches for it
    made       (label, direction) of each packet that the firewall made because of this one, in order
    refused    why the kernel took no packet from us at all ("Invalid argument"), or ""
    at_us      microseconds since the firewall was opened, by the kernel's timer: when its present tick began
    exact      whether the kernel's timer stood still between packet and lookup. When not, a timeout that this packet set can
               read one second short (the kernel rounds down)
    late_us    how much later than at_us the last look into the table was done
    """

    label: Label | None
    direction: Direction | None
    verdict: Verdict
    out: tuple[tuple[str, bytes], ...]
    kernel_log: tuple[str, ...]
    entry: Entry | None
    made: tuple[tuple[Label, Direction | None], ...] = ()
    refused: str = ""
    at_us: int = 0
    exact: bool = True
    details: Entry | None = None
    expected: tuple[Entry, ...] | None = None
    table: tuple[Entry, ...] | None = None
    late_us: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the kernel was: packets `fed`, packets that `left` by the TUN devices, `seconds` of the processor's time for all of it."""

    fed: int
    left: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Packets fed a second."""
        return self.fed / self.seconds if self.seconds else 0.0
