"""A learner's progress over HTTP and from sessions: kept under a key of its own, read, repeated, exported and imported.

Who learns is nobody's business: a learner is an unguessable key that the browser keeps. Not in here: what progress is (progress.py).
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any

from flask import Flask, Response, jsonify, request
from pydantic import Field

from lessons.course import Course
from lessons.model import Lesson, Option, Predict
from sim.errors import UsageError
from web import progress
from web.messages import Incoming, check
from web.store import Store

Change = Callable[[dict[str, Any]], dict[str, Any]]
UNKNOWN = "No progress is kept under this key. It may have been made on another machine: bring it along as a file."


class Repeat(Incoming):
    """An answer to a question that is repeated."""

    question: Annotated[str, Field(max_length=200)]
    choice: Annotated[int, Field(ge=0, le=100)]


class Learners:
    """Progress by key, in the store. `today` is told: the server's day."""

    def __init__(self, store: Store, course: Callable[[], Course], today: Callable[[], date] = date.today) -> None:
        self._store, self._course, self.today = store, course, today
        self._lock = threading.Lock()

    def create(self) -> str:
        """A new learner's key."""
        key = secrets.token_urlsafe(24)
        self._store.save_learner(key, progress.empty())
        return key

    def load(self, key: str) -> dict[str, Any]:
        """Raises UsageError where there is none."""
        found = self._store.load_learner(key)
        if found is None:
            raise UsageError(UNKNOWN)
        return found

    def change(self, key: str | None, change: Change) -> dict[str, Any] | None:
        """Change what is kept under the key; a session without a learner, or of one that is gone, keeps nothing."""
        with self._lock:
            found = self._store.load_learner(key) if key else None
            if key is None or found is None:
                return None
            changed = change(found)
            if changed != found:
                self._store.save_learner(key, changed)
            return changed

    # ---- what sessions tell --------------------------------------------------------------------------------------------

    def answered(self, key: str | None, lesson: Lesson | None, prediction: str, choice: int) -> None:
        """A prediction was answered."""
        asked = _asked(lesson, prediction)
        if lesson is not None and asked is not None:
            right = asked.options[choice].right
            self.change(key, lambda old: progress.answered(old, f"{lesson.id}/{prediction}", choice, right, self.today()))

    def finished(self, key: str | None, lesson: Lesson) -> None:
        """All its goals are reached."""
        self.change(key, lambda old: progress.finished(old, lesson.id, self.today()))

    def judged(self, key: str | None, lesson: Lesson, passed: bool, score: Mapping[str, Any]) -> None:
        """A drill or a challenge was judged."""
        self.change(key, lambda old: progress.judged(old, lesson.id, passed, score, self.today()))

    # ---- what the page asks --------------------------------------------------------------------------------------------

    def message(self, key: str) -> dict[str, Any]:
        """`Learner` of README.md: the progress, and the questions that are due."""
        kept = self.load(key)
        questions = [self._question(name) for name in progress.due(kept, self.today())]
        return {"progress": kept, "today": self.today().isoformat(), "due": [one for one in questions if one is not None]}

    def _question(self, name: str) -> dict[str, Any] | None:
        lesson, asked = self._find(name)
        if lesson is None or asked is None:
            return None  # the course has changed since
        options = [_option(option) for option in asked.options]
        return {"id": name, "lesson": lesson.title, "question": asked.question, "options": options}

    def _find(self, name: str) -> tuple[Lesson | None, Predict | None]:
        ident, _, prediction = name.partition("/")
        lesson = next((one for one in self._course().lessons if one.id == ident), None)
        return lesson, _asked(lesson, prediction)

    def repeat(self, key: str, wanted: Repeat) -> dict[str, Any]:
        """A question asked again. Raises UsageError."""
        asked = self._find(wanted.question)[1]
        if asked is None or wanted.choice >= len(asked.options):
            raise UsageError("There is no such question in this course.")
        right = asked.options[wanted.choice].right
        changed = self.change(key, lambda old: progress.repeated(old, wanted.question, right, self.today()))
        if changed is None:
            raise UsageError(UNKNOWN)
        return dict(changed["answers"][wanted.question])


def _asked(lesson: Lesson | None, prediction: str) -> Predict | None:
    blocks = lesson.blocks() if lesson else []
    return next((block for block in blocks if isinstance(block, Predict) and block.id == prediction), None)


def _option(option: Option) -> dict[str, Any]:
    return {"html": option.html, "right": option.right, "why": option.why, "misconception": option.misconception}


def _json(data: bytes) -> Any:
    """What a file has in it; None for what is no JSON, or nested without end."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def routes(app: Flask, learners: Learners) -> None:
    """Adds the addresses below /api/learners."""

    @app.post("/api/learners")
    def create_learner() -> Response:
        return jsonify(key=learners.create())

    @app.get("/api/learners/<key>")
    def learner(key: str) -> Response:
        return jsonify(learners.message(key))

    @app.get("/api/learners/<key>/file")
    def export(key: str) -> Response:
        response = Response(json.dumps(learners.load(key), indent=1) + "\n", mimetype="application/json")
        response.headers["Content-Disposition"] = 'attachment; filename="ctlab-progress.json"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.put("/api/learners/<key>")
    def bring(key: str) -> Response:
        brought = progress.read(_json(request.get_data()))
        if learners.change(key, lambda old: progress.merged(old, brought)) is None:
            raise UsageError(UNKNOWN)
        return jsonify(learners.message(key))

    @app.post("/api/learners/<key>/repeat")
    def repeat(key: str) -> Response:
        return jsonify(learners.repeat(key, check(Repeat, request.get_json())))
