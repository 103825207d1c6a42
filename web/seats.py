"""Seats: who sits at which session, and the socket's events. Each message is checked, done under the session's lock, saved, answered.

Not in here: HTTP (app.py), what the messages are (messages.py), what they do (session.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import request
from flask_socketio import SocketIO, emit, join_room, leave_room

from lessons.course import Course
from lessons.shelf import Shelf
from lessons.waiting import waiting
from sim.edges.dissect import as_json
from sim.errors import CtlabError, UsageError
from sim.inputs import from_json
from sim.trace import PacketSent
from web import facts, learners, messages
from web.crafting import craft_message
from web.session import Session
from web.sessions import Sessions
from web.store import Store
from web.walk import Walk

log = logging.getLogger("ctlab")


class Lab:
    """What the routes need: the course (as the files are now), the sessions, who sits at which socket."""

    def __init__(self, store: Store, shelf: Shelf) -> None:
        self.course: Callable[[], Course] = shelf.course
        self.sessions = Sessions(self.course, store, walk=Walk)
        self.learners = learners.Learners(store, self.course)
        self.seats: dict[str, str] = {}


def host_of(text: str) -> str:
    """The name in a Host header, without its port."""
    return urlsplit(f"//{text}").hostname or ""


class Seats:
    """The socket's events. `hosts`: the names by which it may be asked, None: any."""

    def __init__(self, socket: SocketIO, lab: Lab, hosts: tuple[str, ...] | None) -> None:
        self.socket = socket
        self.lab = lab
        self.hosts = hosts

    def register(self) -> None:
        """Listen to every message of messages.py."""
        self.socket.on_event("connect", self._connect)
        self.socket.on_event("disconnect", self._disconnect)
        for name in messages.INCOMING:
            self.socket.on_event(name, self._handler(name))

    def _connect(self, auth: Any = None) -> bool:
        """False refuses: a browser always says from which page it comes, and that must be ours."""
        origin = request.headers.get("Origin")
        allowed = self.hosts is None or host_of(request.host) in self.hosts
        return allowed and (origin is None or urlsplit(origin).netloc == request.host)

    def _disconnect(self, reason: Any = None) -> None:
        self.lab.seats.pop(_sid(), None)

    def _handler(self, name: str) -> Callable[..., Any]:
        action = getattr(self, f"_on_{name}")

        def handle(data: Any = None, *_: Any) -> Any:
            try:
                message = messages.check(messages.INCOMING[name], data)
                with waiting():
                    session = self.lab.sessions.find(message.key if name == "join" else self.lab.seats.get(_sid(), ""))
                    with session.lock:
                        return action(session, message)
            except CtlabError as error:
                emit("refused", {"error": str(error), "event": name})
            except Exception:
                log.exception("while handling %s", name)
                emit(
                    "refused",
                    {
                        "error": "Something went wrong in the lab itself; nothing was lost. Reload the page to go on.",
                        "event": name,
                    },
                )
            return None

        return handle

    def _trace(self, session: Session, start: int, play_from: int | None, *, to: str) -> None:
        messages.trace_messages(
            session.simulation.records, start, more=session.pending, branches=session.public_branches(), play_from=play_from,
            send=lambda message: self.socket.emit("trace", message, to=to),
        )  # fmt: skip

    def _on_join(self, session: Session, message: messages.Join) -> None:
        before = self.lab.seats.get(_sid())
        if before is not None and before != session.key:
            leave_room(before)
        self.lab.seats[_sid()] = session.key
        join_room(session.key)
        self.greet(session, _sid())

    def greet(self, session: Session, to: str | None = None) -> None:
        """All that a page needs to begin, to one socket or to all who sit at the session."""
        to = to or session.key
        self.socket.emit("hello", {
            "key": session.key, "scenario": messages.scenario_message(session.scenario), "lesson": messages.lesson_message(session.lesson),
            "position": session.position, "progress": session.progress(), "marks": session.marks, "fixed": session.fixed,
        }, to=to)  # fmt: skip
        self._trace(session, 0, None, to=to)

    def _on_input(self, session: Session, message: messages.InputMessage) -> None:
        data = message.input if isinstance(message.input, list) else [message.input]
        start = session.take(message.at, [from_json(item) for item in data], message.wait)
        self._trace(session, start, message.at, to=session.key)
        self.lab.sessions.save(session)

    def _on_more(self, session: Session, message: messages.More) -> None:
        self._trace(session, session.more(), None, to=session.key)

    def _on_position(self, session: Session, message: messages.Position) -> None:
        if session.move(message):
            emit("progress", session.progress(), to=session.key)
        if session.lesson is not None and session.done():
            self.lab.learners.finished(session.learner, session.lesson)
        self.lab.sessions.save(session)

    def _on_answer(self, session: Session, message: messages.Answer) -> None:
        session.answer(message.prediction, message.choice)
        self.lab.learners.answered(session.learner, session.lesson, message.prediction, message.choice)
        emit("progress", session.progress(), to=session.key)
        self.lab.sessions.save(session)

    def _on_judge(self, session: Session, message: messages.Judge) -> dict[str, Any]:
        judged, branch = session.judge()
        score = judged.score.message(judged.reached)
        if session.lesson is not None:
            self.lab.learners.judged(session.learner, session.lesson, judged.reached, score)
        self._trace(session, len(session.simulation.records), None, to=session.key)
        self.lab.sessions.save(session)
        return messages.judgement_message(judged, branch)

    def _on_restart(self, session: Session, message: messages.Restart) -> None:
        start = session.restart()
        self._trace(session, start, 0, to=session.key)
        self.lab.sessions.save(session)

    def _on_restore(self, session: Session, message: messages.Restore) -> None:
        start = session.restore(message.branch)
        self._trace(session, start, None, to=session.key)
        self.lab.sessions.save(session)

    def _on_future(self, session: Session, message: messages.Future) -> list[dict[str, Any]]:
        return [record.to_json() for record in session.future(message.branch)]

    def _on_complete(self, session: Session, message: messages.Complete) -> dict[str, Any]:
        start, words = session.simulation.world.complete(message.terminal, message.line, message.cursor)
        return {"start": start, "words": words[:100]}

    def _on_change(self, session: Session, message: messages.Change) -> None:
        value = from_json(message.input)
        if message.aside:
            session.aside(message.at, value)
            self._trace(session, len(session.simulation.records), None, to=session.key)
        else:
            self._trace(session, session.change(message.at, value), message.at, to=session.key)
        self.lab.sessions.save(session)

    def _on_survive(self, session: Session, message: messages.Survive) -> dict[str, Any]:
        return session.survival(message.machine, message.conn).message()

    def _on_grid(self, session: Session, message: messages.Grid) -> dict[str, Any]:
        return facts.grid()

    def _on_dissect(self, session: Session, message: messages.Dissect) -> list[dict[str, Any]]:
        records = session.simulation.records
        event = records[message.n].event if message.n < len(records) else None
        if not isinstance(event, PacketSent):
            raise UsageError(f"record {message.n} is no packet on a link")
        return as_json(bytes.fromhex(event.data))

    def _on_rules(self, session: Session, message: messages.RulesAt) -> dict[str, str]:
        return session.ruling(message.machine, message.at).texts()

    def _on_study(self, session: Session, message: messages.Study) -> dict[str, Any]:
        return session.ruling(message.machine).study(message.texts, message.source)

    def _on_craft(self, session: Session, message: messages.Craft) -> dict[str, Any]:
        return craft_message(message.packet)


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]
