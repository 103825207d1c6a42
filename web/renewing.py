"""What happens when a lesson's file is saved: open pages get the lesson as it is now, or are told what is wrong with it, and where.

A thread looks at the files (lessons/shelf.py). For one who writes a lesson (`ctlab lesson preview`) there is also an address that
begins it, and that waits while the file cannot be read. Not in here: sessions (sessions.py), the socket's messages (seats.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from pathlib import Path

from flask import Flask, Response, redirect
from flask.typing import ResponseReturnValue
from flask_socketio import SocketIO

from lessons.course import Course
from lessons.shelf import watch
from sim.errors import ScenarioError, UsageError
from web.session import Session
from web.sessions import Sessions

_WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1"><meta name="color-scheme" content="light dark">
<title>{title}</title></head>
<body style="font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem">
<h1 style="font-size: 1.2rem">{title}</h1>
<p>It begins here as soon as the file can be read.</p>
<pre role="alert" style="white-space: pre-wrap; font-size: 13px">{mistakes}</pre>
</body></html>
"""


class Renewal:
    """Keeps the pages that are open up to date. `greet` sends a session's hello and trace to all who sit at it."""

    def __init__(self, socket: SocketIO, sessions: Sessions, greet: Callable[[Session], None]) -> None:
        self._socket, self._sessions, self._greet = socket, sessions, greet
        self._told: set[str] = set()

    def renew(self, course: Course) -> None:
        """The course is another than before: greet again where something changed, tell what cannot be read where it was."""
        for session in self._sessions.renew():
            with session.lock:
                self._greet(session)
        for session in self._sessions.alive():
            said = _said_to(session, course)
            if said or session.key in self._told:
                self._socket.emit("mistake", {"text": said}, to=session.key)
            (self._told.add if said else self._told.discard)(session.key)

    def begin(self, course: Callable[[], Course]) -> threading.Event:
        """Watch the files in a thread of its own; set the event that this gives to end it."""
        ended = threading.Event()
        threading.Thread(target=watch, args=(course, self.renew, ended), daemon=True).start()
        return ended


def _said_to(session: Session, course: Course) -> str:
    """What is wrong with the lesson that a session is of, "" when nothing is."""
    if session.lesson is None or any(lesson.id == session.lesson.id for lesson in course.all()):
        return ""
    folder = Path(session.lesson.file).parent.parent
    return "\n\n".join(_mistakes_in(folder, course)) or f"{session.lesson.file}: this lesson is not there any more."


def _mistakes_in(folder: Path, course: Course) -> list[str]:
    return [_short(mistake) for mistake in course.mistakes if mistake.span is None or Path(mistake.span.file).is_relative_to(folder)]


def _short(mistake: ScenarioError) -> str:
    """The mistake with the file's name and its folder alone: that is enough for who wrote it."""
    text = str(mistake)
    if mistake.span is None:
        return text
    path = Path(mistake.span.file)
    return text.replace(mistake.span.file, str(Path(path.parent.name) / path.name), 1)


def add_preview(app: Flask, sessions: Sessions, course: Callable[[], Course], name: str) -> None:
    """The address /preview: begins the lesson `name`, or says what is wrong with it and looks again every second."""

    @app.get("/preview")
    def preview() -> ResponseReturnValue:
        try:
            return redirect(f"/s/{sessions.create(name, None).key}")
        except (UsageError, ScenarioError) as error:
            mistakes = "\n\n".join(_short(mistake) for mistake in course().mistakes) or str(error)
            title = f"{name} cannot be read yet"
            return Response(_WAITING.format(title=escape(title), mistakes=escape(mistakes)), 200, mimetype="text/html")
