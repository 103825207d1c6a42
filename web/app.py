"""The server: Flask for the page and its few requests, one socket for the lab. What the messages mean is messages.py's and session.py's.

Safe by default: it binds loopback, takes requests only for the host names it serves, a socket only from the page's own origin, and a
session only by its key. Nothing that a page sends reaches the simulator unchecked, and no error shows a traceback.
"""

from __future__ import annotations

import logging
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask.cli
from flask import Flask, Response, abort, jsonify, request, send_from_directory
from flask_socketio import SocketIO, emit, join_room, leave_room
from werkzeug.exceptions import HTTPException

from lessons.course import Course
from lessons.shelf import Shelf
from sim.edges.dissect import as_json
from sim.errors import CtlabError, UsageError
from sim.inputs import from_json
from sim.ruleset.nft import tables as nft_tables
from sim.trace import PacketSent
from web import building, facts, learners, messages, share
from web.crafting import craft_message
from web.renewing import Renewal, add_preview
from web.session import Session, Sessions
from web.store import Store, default_path
from web.walk import Walk

DIST = Path(__file__).parent / "static" / "dist"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
EXPOSED = "ctlab: whoever reaches this machine over the network can use this lab, under any host name, without a password."
log = logging.getLogger("ctlab")


class Lab:
    """What the routes need: the course (as the files are now), the sessions, who sits at which socket."""

    def __init__(self, store: Store, shelf: Shelf) -> None:
        self.course: Callable[[], Course] = shelf.course
        self.sessions = Sessions(self.course, store, walk=Walk)
        self.learners = learners.Learners(store, self.course)
        self.seats: dict[str, str] = {}


def create_app(
    store: Store, *, shelf: Shelf | None = None, hosts: tuple[str, ...] | None = LOOPBACK, preview: str | None = None,
) -> tuple[Flask, SocketIO]:  # fmt: skip
    """The Flask app and its socket. `hosts`: the names by which it may be asked (None: any), against DNS rebinding.

    `shelf`: the lessons, else ctlab's own; `preview`: the lesson that the address /preview begins.
    """
    app = Flask("ctlab", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    socket = SocketIO(
        app, async_mode="threading", cors_allowed_origins=None, max_http_buffer_size=1_000_000, manage_session=False
    )
    lab = Lab(store, shelf or Shelf())
    _guard(app, hosts)
    _routes(app, lab)
    seats = _Socket(socket, lab, hosts)
    seats.register()
    app.extensions["renewal"] = Renewal(socket, lab.sessions, seats.greet)
    if preview is not None:
        add_preview(app, lab.sessions, lab.course, preview)
    return app, socket


def _host(text: str) -> str:
    return urlsplit(f"//{text}").hostname or ""


def _guard(app: Flask, hosts: tuple[str, ...] | None) -> None:
    @app.before_request
    def only_for_us() -> None:
        if hosts is not None and _host(request.host) not in hosts:
            abort(403, f"This lab is not served as {request.host}.")

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @app.errorhandler(CtlabError)
    def mistaken(error: CtlabError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404 if isinstance(error, UsageError) else 400


def _routes(app: Flask, lab: Lab) -> None:
    def page(**_: str) -> Response:
        if not (DIST / "index.html").is_file():
            abort(503, "The page has not been built. Run: python3 dev.py run")
        response = send_from_directory(DIST, "index.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.add_url_rule("/", "front", page)
    app.add_url_rule("/s/<key>", "lab", page)
    app.add_url_rule("/repeat", "repeat-page", page)
    app.add_url_rule("/summary", "summary-page", page)
    app.add_url_rule("/build", "builder", page)

    @app.get("/assets/<path:name>")
    def assets(name: str) -> Response:
        response = send_from_directory(DIST / "assets", name)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    @app.get("/api/course")
    def course() -> Response:
        return jsonify(_course_message(lab.course()))

    @app.post("/api/sessions")
    def create() -> Response:
        request.max_content_length = 4_000_000  # a capture is larger than anything else that comes
        return jsonify(key=share.create(lab.sessions, request.get_json()).key)

    share.routes(app, lab.sessions)
    learners.routes(app, lab.learners)
    building.routes(app, lab.sessions, lab.course)


def _course_message(course: Course) -> dict[str, Any]:
    lessons = [
        {"id": x.id, "title": x.title, "summary": x.summary, "minutes": x.minutes, "part": x.part}
        for x in course.lessons
    ]
    scenarios = [{"id": ident, "title": x.title, "summary": x.summary} for ident, x in course.scenarios.items()]
    judged = {
        kind: [{"id": x.id, "title": x.title, "summary": x.summary, "minutes": x.minutes, "part": x.part} for x in those]
        for kind, those in (("drills", course.drills), ("challenges", course.challenges))
    }
    return judged | {"lessons": lessons, "scenarios": scenarios, "mistakes": [str(mistake) for mistake in course.mistakes]}


class _Socket:
    """The socket's events: each message is checked, done under the session's lock, saved, answered."""

    def __init__(self, socket: SocketIO, lab: Lab, hosts: tuple[str, ...] | None) -> None:
        self.socket = socket
        self.lab = lab
        self.hosts = hosts

    def register(self) -> None:
        self.socket.on_event("connect", self._connect)
        self.socket.on_event("disconnect", self._disconnect)
        for name in messages.INCOMING:
            self.socket.on_event(name, self._handler(name))

    def _connect(self, auth: Any = None) -> bool:
        """False refuses: a browser always says from which page it comes, and that must be ours."""
        origin = request.headers.get("Origin")
        allowed = self.hosts is None or _host(request.host) in self.hosts
        return allowed and (origin is None or urlsplit(origin).netloc == request.host)

    def _disconnect(self, reason: Any = None) -> None:
        self.lab.seats.pop(_sid(), None)

    def _handler(self, name: str) -> Callable[..., Any]:
        action = getattr(self, f"_on_{name}")

        def handle(data: Any = None, *_: Any) -> Any:
            try:
                message = messages.check(messages.INCOMING[name], data)
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
            "position": session.position, "progress": session.progress(),
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
        if session.move(message.t, message.step):
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
        start = session.change(message.at, from_json(message.input))
        self._trace(session, start, message.at, to=session.key)
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


def serve(
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    data: Path | None = None,
    open_browser: bool = True,
    lessons: Sequence[Path] = (),
    preview: str | None = None,
) -> None:
    """Run the lab until interrupted. A port that is taken is passed over for the next free one. Raises UsageError.

    `lessons`: folders and zips of lessons besides ctlab's own; `preview`: the lesson to open at once, as it is being written.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    flask.cli.show_server_banner = lambda *_: None  # its lines are for developers of Flask programs
    store = Store(data or default_path())
    local = host in LOOPBACK
    shelf = Shelf(lessons)
    app, socket = create_app(store, shelf=shelf, hosts=LOOPBACK if local else None, preview=preview)
    port = _free_port(host, port)
    address = f"http://{'localhost' if local else host}:{port}/" + ("preview" if preview else "")
    ended = app.extensions["renewal"].begin(shelf.course)
    print(f"ctlab is at {address}   (Ctrl-C ends it)", flush=True)
    if not local:
        print(EXPOSED, file=sys.stderr, flush=True)
    threading.Thread(
        target=nft_tables.table, daemon=True
    ).start()  # a third of a second that the first learner need not wait
    if open_browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    try:
        socket.run(app, host=host, port=port, allow_unsafe_werkzeug=True, log_output=False)
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()
        shelf.close()
        store.close()


def _free_port(host: str, port: int) -> int:
    import socket as sockets

    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    for candidate in range(port, port + 20):
        with sockets.socket(family, sockets.SOCK_STREAM) as probe:
            probe.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OverflowError as error:
                raise UsageError(f"port {candidate} is not between 1 and 65535") from error
            except OSError as error:
                if error.errno in (13, 98):
                    continue
                raise UsageError(f"cannot listen on {host}: {error.strerror}") from error
            return int(probe.getsockname()[1])
    raise UsageError(f"ports {port} to {port + 19} on {host} are all taken: choose one with --port")
