"""Each lesson's packets through this machine's own kernel, under the lesson's rules: what the learner sees is what Linux says.

The lesson is played by its best pupil (lessons/rehearse.py); its trace says which packet came to the firewall when, and what
was typed there. Time is not played: what expired in the lesson is deleted in the kernel at that place.

Lessons that load rules from files of their machine, or in which addresses change, are compared by `ctlab verify` alone
(tests/fuzz/test_against_kernel.py does it for all).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

import pytest

from lessons.course import read_course
from lessons.model import Lesson
from lessons.rehearse import Rehearsal, rehearse
from sim.edges.kernel import Answer, KernelFirewall
from sim.trace import Dropped, EntryDestroyed, Labelled, PacketSent, Record, RulesLoaded, SysctlSet

Open = Callable[..., KernelFirewall]
Played = dict[str, tuple[Lesson, Rehearsal]]
Said = tuple[int, str, str | None]
"""Packet, label, direction."""
GONE = ("expired", "deleted", "flushed")
LOADED_AT_START = ("iptables-restore", "ip6tables-restore", "nft -f -")
BY_VERIFY = frozenset(("one-address-for-a-house", "a-door-in-the-wall", "a-way-back"))
HOOKS = frozenset("PREROUTING INPUT FORWARD OUTPUT POSTROUTING".split())


class Stage:
    """One rehearsal beside the kernel. `ours` and `kernels` are the labels in order, `dropped` the packets each dropped.

    `fed` came from outside: of these the kernel tells the verdict (what the firewall says to itself over lo it only labels).
    """

    def __init__(self, lesson: Lesson, records: list[Record], open_one: Open) -> None:
        scenario = lesson.scenario
        self.name = scenario.firewall
        spec = scenario.machines[self.name]
        rules = {"iptables": spec.rules.iptables or "", "ip6tables": spec.rules.ip6tables or "", "nft": spec.rules.nft or ""}
        self.kernel = open_one({dev: list(addresses) for dev, addresses in spec.interfaces.items()}, **rules)
        for key, value in spec.sysctls.items():
            self.kernel.set_sysctl(key, str(value))
        self.records = records
        self.sent: dict[int, bytes] = {}
        self.pending: list[tuple[str, str | None]] = []
        self.ours: list[Said] = []
        self.kernels: list[Said] = []
        self.dropped: tuple[set[int], set[int]] = (set(), set())
        self.fed: set[int] = set()

    def play(self) -> None:
        """Go through the trace."""
        mine = [record.event for record in self.records if record.machine == self.name]
        own = {event.packet: bytes.fromhex(event.data) for event in mine if isinstance(event, PacketSent)}
        arrived: dict[int, str] = {}
        for record in self.records:
            event = record.event
            if isinstance(event, PacketSent) and event.to == self.name:
                self.sent[event.packet], arrived[event.packet] = bytes.fromhex(event.data), event.to_dev
            elif record.machine != self.name:
                continue
            elif isinstance(event, Labelled):
                self._labelled(event, arrived, own)
            elif isinstance(event, Dropped) and event.where in HOOKS:
                self.dropped[0].add(event.packet)
            else:
                self._happened(event)

    def _labelled(self, event: Labelled, arrived: dict[int, str], own: dict[int, bytes]) -> None:
        self.ours.append((event.packet, event.label, event.direction))
        if event.hook == "PREROUTING":
            self.fed.add(event.packet)
            self._hear(event.packet, self.kernel.feed(self.sent[event.packet], arrived[event.packet]))
        elif self.pending:
            self.kernels.append((event.packet, *self.pending.pop(0)))
        else:
            self._hear(event.packet, self.kernel.feed_output(own[event.packet]))

    def _hear(self, packet: int, answer: Answer) -> None:
        assert answer.label is not None, f"packet {packet} never reached the kernel's conntrack: {answer}"
        assert self.pending == [], "the kernel's firewall made a packet that ours did not"
        self.kernels.append((packet, answer.label, answer.direction))
        self.pending = list(answer.made)
        if answer.verdict == "DROP":
            self.dropped[1].add(packet)

    def _happened(self, event: object) -> None:
        if isinstance(event, RulesLoaded) and event.by not in LOADED_AT_START:
            self.kernel.command(_argv(event.by))
        elif isinstance(event, SysctlSet) and event.key.startswith("net.netfilter."):
            self.kernel.set_sysctl(event.key, event.value)
        elif isinstance(event, EntryDestroyed) and event.reason.code in GONE:
            self._forget(event)

    def _forget(self, event: EntryDestroyed) -> None:
        original = event.entry["original"]
        options = [word for end in ("sport", "dport") if end in original for word in (f"--{end}", str(original[end]))]
        place = ["-p", event.entry["protocol"], "-f", event.entry["family"], "-s", original["src"], "-d", original["dst"]]
        self.kernel.command(["conntrack", "-D", *place, *options])


def _argv(by: str) -> list[str]:
    """The command that loaded the rules. nft reads its words as one text, quotes and all."""
    if by.startswith("nft "):
        return ["nft", by.removeprefix("nft ")]
    argv = shlex.split(by)
    return [argv[0].replace("tables", "tables-legacy", 1), *argv[1:]]


def lessons() -> list[Lesson]:
    return [lesson for lesson in read_course().lessons if lesson.id not in BY_VERIFY]


def rehearsals() -> Iterator[tuple[str, Lesson, Rehearsal]]:
    for lesson in lessons():
        for rehearsal in rehearse(lesson):
            yield f"{lesson.id} {rehearsal.language or ''}".strip(), lesson, rehearsal


@pytest.fixture(scope="module")
def played() -> Played:
    return {name: (lesson, rehearsal) for name, lesson, rehearsal in rehearsals()}


def names() -> list[str]:
    return [f"{lesson.id} {language or ''}".strip() for lesson in lessons() for language in lesson.languages or (None,)]


@pytest.mark.parametrize("name", names())
def test_the_kernel_gives_every_packet_of_the_lesson_the_same_label(played: Played, real: Open, name: str) -> None:
    lesson, rehearsal = played[name]
    stage = Stage(lesson, list(rehearsal.records), real)
    stage.play()
    assert stage.kernels == stage.ours
    assert stage.dropped[0] & stage.fed == stage.dropped[1]
    assert len(stage.ours) > 5
