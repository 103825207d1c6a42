"""Walk: a session over a capture of the learner's own: it went through a firewall once (sim/edges/replay/told.py), and is walked through.

Everything that looks works as in any session; nothing can be done in it, for what is recorded has happened. What comes in is
checked and limited here: it may be anything.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from typing import Annotated, Any, NoReturn

from pydantic import Field

from lessons.model import Lesson
from sim.edges.capture import read_bytes
from sim.edges.replay import read_addresses
from sim.edges.replay.told import Told, tell
from sim.errors import UsageError
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import Record
from web.messages import Incoming, check
from web.session import Session

GZIP = b"\x1f\x8b"
MOST_BYTES = 2_000_000  # as it is sent
MOST_UNPACKED = 8_000_000
HAPPENED = "This is a capture: what it shows has happened, so nothing can be typed, sent or changed in it."
NO_CAPTURE = "The capture did not come whole. Choose it once more."
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
Text = Annotated[str, Field(max_length=200_000)]


class Capture(Incoming):
    """`data`: pcap or pcapng, in base64, gzipped or not. `rules`: iptables-save text or an nft file.

    `addresses` of the firewall: "lan=192.168.1.1/24 wan=203.0.113.2/24".
    """

    name: Annotated[str, Field(max_length=200)] = ""
    data: Annotated[str, Field(min_length=1, max_length=MOST_BYTES * 4 // 3 + 4)]
    rules: Text = ""
    addresses: Annotated[str, Field(max_length=1000)] = ""


class Walked:
    """What stands in the place of a Simulation: a trace that is whole."""

    def __init__(self, told: Told) -> None:
        self.records: list[Record] = list(told.records)
        self.seed = 0
        self.ended = ""

    def peek(self) -> None:
        """Nothing is still to come."""

    @property
    def world(self) -> NoReturn:
        """There are no machines to ask. Raises UsageError."""
        raise UsageError(HAPPENED)


class Walk(Session):
    """A session of a capture. `data` is Session.data()."""

    fixed = True

    def __init__(self, key: str, data: dict[str, Any]) -> None:
        self.capture: Capture = check(Capture, data["capture"])
        self._told = _told(self.capture)
        super().__init__(key, self._told.scenario, None, {"position": data.get("position"), "marks": data.get("marks", [])})

    def _simulated(self) -> Simulation:
        return Walked(self._told)  # type: ignore[return-value]

    def _ahead(self, at: int) -> None:
        """All there is is there."""

    def data(self) -> dict[str, Any]:
        """What is saved."""
        return {"capture": self.capture.model_dump(), "position": self.position, "marks": self.marks}

    def packed(self) -> dict[str, Any]:
        """`Capture` with as few bytes as it can have: gzipped, and the same each time."""
        data = base64.b64decode(self.capture.data)
        small = data if data[:2] == GZIP else gzip.compress(data, 9, mtime=0)
        return self.capture.model_dump(exclude_defaults=True) | {"data": base64.b64encode(small).decode()}

    def renew(self, scenario: Scenario, lesson: Lesson | None) -> bool:
        """A capture is of no file that could have been changed."""
        return False

    def restart(self) -> int:
        """Back to the first packet."""
        self.position = {"t": 0, "step": 0}
        return 0

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(HAPPENED)

    take = change = ruling = survival = copy = judge = _refuse


def _told(capture: Capture) -> Told:
    """Raises CtlabError with a sentence for all that is wrong with it."""
    rules = [("your rules", capture.rules)] if capture.rules.strip() else []
    try:
        addresses = read_addresses(capture.addresses.replace(",", " ").split())
    except UsageError as error:
        raise UsageError(f"Addresses: {str(error).removeprefix('--addr ')}") from error
    for dev in addresses:
        if not _DEVICE.fullmatch(dev):
            raise UsageError(f"Addresses: no device can be called '{dev}': letters, digits, dots and dashes, 15 at most.")
    return tell(read_bytes(_unpacked(capture.data), capture.name or "the capture"), rules, addresses, capture.name or "A capture")


def _unpacked(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
        if data[:2] != GZIP:
            return data
        reader = zlib.decompressobj(wbits=31)
        data = reader.decompress(data, MOST_UNPACKED + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise UsageError(NO_CAPTURE) from error
    if len(data) > MOST_UNPACKED:
        most = MOST_UNPACKED // 1_000_000
        raise UsageError(f"The capture is too large: {most} MB are the most. Cut out what matters, with tcpdump or editcap.")
    if not reader.eof:
        raise UsageError(NO_CAPTURE)
    return data
