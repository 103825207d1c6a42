"""Sessions: all experiments by key. The most recent are in memory, all are in the store; what a new one is of is checked first.

Not in here: what is done in one (session.py), where they are kept (store.py).
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import threading
from collections.abc import Callable
from typing import Any

from lessons.course import Course
from lessons.model import Lesson
from lessons.waiting import waiting
from sim.errors import CtlabError, ScenarioError, UsageError
from sim.scenario import Budget, Scenario
from sim.simulation import Simulation
from web.session import Session, read_inputs
from web.store import Store


def new_key() -> str:
    """One that nobody can guess."""
    return secrets.token_urlsafe(24)


def _no_walk(key: str, data: dict[str, Any]) -> Session:
    raise UsageError("captures are not walked through here")


UNFIT = (
    "This cannot be begun: there is a mistake in its text, in what was drawn for you. "
    "Tell who wrote it; another try may draw something else."
)


def _variant(course: Course, ident: str, seed: int) -> Lesson:
    """The lesson in the variant drawn. A mistake in it is for who serves the lab, with its place; a learner hears a sentence."""
    try:
        return course.lesson(ident, seed)
    except ScenarioError as error:
        print(f"ctlab: '{ident}' cannot be begun as variant {seed}:\n{error}", file=sys.stderr, flush=True)
        raise UsageError(UNFIT) from error


class Sessions:
    """The sessions at hand: the most recent in memory, all in the store."""

    def __init__(
        self, course: Callable[[], Course], store: Store, most: int = 50, walk: Callable[[str, dict[str, Any]], Session] | None = None
    ) -> None:
        """`walk` makes a session of a capture (walk.py) of what was saved."""
        self._walk = walk or _no_walk
        self._course = course
        self._store = store
        self._most = most
        self._alive: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._waking = threading.Lock()

    def create(
        self, lesson: str | None = None, scenario: str | None = None, own: str | None = None, learner: str | None = None
    ) -> Session:
        """A new session with a key that nobody can guess. `own`: a scenario as YAML. Raises UsageError, ScenarioError.

        What varies is drawn anew for each session. `learner`: the key under which progress is kept.
        """
        if sum(one is not None for one in (lesson, scenario, own)) != 1:
            raise UsageError("a session is of a lesson, of a scenario or of a scenario of one's own: name one of them")
        seed = secrets.randbelow(1_000_000) + 1 if lesson and self._course().lesson(lesson).varies else 0
        return self.open({"lesson": lesson, "scenario": scenario, "own": own, "seed": seed, "learner": learner})

    def open(self, data: dict[str, Any]) -> Session:
        """A new session made of what another had (Session.data), which is checked first. Raises CtlabError, and then there is none."""
        lesson, scenario = self._setting(data)
        trial = Simulation(scenario)
        for _, value in read_inputs(data.get("inputs", [])):
            trial.check(value)
        return self.keep(Session(new_key(), scenario, lesson, data))

    def keep(self, session: Session) -> Session:
        """A new session is one of these from now on. Raises UsageError when it cannot be saved."""
        self.save(session)
        self._remember(session)
        return session

    def find(self, key: str) -> Session:
        """The session of this key. Raises UsageError when there is none. Two who ask at once get the same one."""
        with self._waking:
            with self._lock:
                session = self._alive.get(key)
            if session is None:
                session = self._wake(key)
            self._remember(session)
            return session

    def _wake(self, key: str) -> Session:
        data = self._store.load(key)
        if data is None:
            raise UsageError("There is no experiment at this address. It may have been made on another machine: begin at the course page.")
        return self._make(key, data)

    def _make(self, key: str, data: dict[str, Any]) -> Session:
        if data.get("capture"):
            return self._walk(key, data)
        lesson, scenario = self._setting(data)
        try:
            return Session(key, scenario, lesson, data)
        except CtlabError:
            if not data.get("inputs"):
                raise
        return Session(key, scenario, lesson, data | {"inputs": [], "branches": []})

    def _setting(self, data: dict[str, Any]) -> tuple[Lesson | None, Scenario]:
        """The lesson and the scenario that these data are of. A scenario of somebody's own has no larger budget than any."""
        if data.get("own"):
            scenario = Scenario.from_text(data["own"], "your scenario")
            asked, most = scenario.budget, Budget()
            limits = {name: min(getattr(asked, name), getattr(most, name)) for name in ("records", "time", "memory")}
            return None, scenario.model_copy(update={"budget": asked.model_copy(update=limits)})
        course = self._course()
        seed = data.get("seed") or 0
        lesson = _variant(course, data["lesson"], seed) if data.get("lesson") else None
        if data.get("of"):
            return None, _variant(course, data["of"], seed).scenario
        return lesson, lesson.scenario if lesson else course.scenario(data["scenario"])

    def renew(self) -> list[Session]:
        """Bring the sessions at hand up to what the course says now. Gives those that changed; one whose lesson is gone stays as it is."""
        changed = []
        for session in self.alive():
            if session.own:
                continue
            with contextlib.suppress(CtlabError), waiting(), session.lock:
                lesson, scenario = self._setting(session.data())
                if session.renew(scenario, lesson):
                    changed.append(session)
        return changed

    def alive(self) -> list[Session]:
        """The sessions at hand."""
        with self._lock:
            return list(self._alive.values())

    def _remember(self, session: Session) -> None:
        with self._lock:
            self._alive.pop(session.key, None)
            self._alive[session.key] = session
            while len(self._alive) > self._most:
                self._alive.pop(next(iter(self._alive)))

    def save(self, session: Session) -> None:
        """Write a session to the store."""
        self._store.save(session.key, session.data())
