"""What a lesson is once it is read: steps of blocks. Frozen values; reading is load.py's, running rehearse.py's."""

from __future__ import annotations

from dataclasses import dataclass, field

from lessons.asked import Asked
from lessons.expect import Check
from sim.errors import Span
from sim.inputs import Input
from sim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Prose:
    """Sanitised HTML."""

    html: str


@dataclass(frozen=True, slots=True)
class Run:
    """Something to do, a line each: typed at a terminal (`^C` and `^D` are keys), packets that a machine sends, changes of a link or
    of a machine's power.

    `terminal` is where it happens (for a packet or its power the machine, for a link its id), `act` which of the four it is,
    `inputs` what the simulation is given. `language`: shown and run only for learners of iptables or nft; None for all. `solution`:
    hidden until asked for; `wait`: how long (µs) time goes on after each line, None: until quiet. `way`: the way (see Way) that this
    is part of; `spans`: where each line stands.
    """

    terminal: str
    lines: tuple[str, ...]
    inputs: tuple[Input, ...]
    span: Span
    act: str = "type"
    language: str | None = None
    solution: bool = False
    wait: int | None = None
    way: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a prediction, with the reason why it is right or why a sensible person errs here."""

    html: str
    right: bool
    why: str
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class Predict:
    """A question asked before the packet moves. Exactly one option is right.

    `language`: only for learners of iptables or nft. With `change` it is a what-if: that is done just ahead of the latest input whose text
    has `before` in it, in another future.
    """

    id: str
    question: str
    options: tuple[Option, ...]
    change: Input | None = None
    before: str = ""
    span: Span | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """Help that is shown when asked for."""

    html: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What the learner is to reach; met when all checks hold."""

    id: str
    text: str
    checks: tuple[Check, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    """What must have happened since the block before that ran something. Checked when the lesson is tested; not shown.

    `whatif`: the id of the what-if in whose future it is checked.
    """

    checks: tuple[Check, ...]
    span: Span
    language: str | None = None
    whatif: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a terminal printed since the last run; shown to the learner, and compared line by line when the lesson is tested."""

    terminal: str
    text: str
    span: Span
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """What a drill or a challenge asks at its end, of packets that are really sent."""

    asked: tuple[Asked, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a drill or a challenge, good or bad: its `solution` blocks bear its id, and how it ends is tested.

    `points` from and to; `lost`: how many live connections die, None: not said; `fails`: words of the test that fails, where not `reached`.
    """

    id: str
    title: str
    why: str
    reached: bool
    points: tuple[int, int]
    lost: int | None
    fails: str
    span: Span


Block = Prose | Run | Predict | Hint | Goal | Expect | Listing | Judge | Way


@dataclass(frozen=True, slots=True)
class Step:
    """A page of the lesson: one idea."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson: `id` is its folder's name without the number, `part` the chapter of the course it stands in.

    `kind`: lesson, drill or challenge. `begin`: when the learner comes in, `end`: when a drill or a challenge is judged (µs). `varies`:
    whether each learner gets a variant of their own; this one is variant `seed`.
    """

    id: str
    title: str
    summary: str
    part: str
    minutes: int
    scenario: Scenario
    steps: tuple[Step, ...]
    file: str
    languages: tuple[str, ...] = field(default=())
    kind: str = "lesson"
    begin: int = 0
    end: int = 0
    varies: bool = False
    seed: int = 0

    def asked(self) -> tuple[Asked, ...]:
        """What is asked at its end; nothing in a lesson."""
        return tuple(one for block in self.blocks() if isinstance(block, Judge) for one in block.asked)

    def ways(self) -> list[Way]:
        """The ways through it, good and bad."""
        return [block for block in self.blocks() if isinstance(block, Way)]

    def blocks(self) -> list[Block]:
        """All blocks, in order."""
        return [block for step in self.steps for block in step.blocks]

    def goals(self) -> list[Goal]:
        """All goals, in order."""
        return [block for block in self.blocks() if isinstance(block, Goal)]
