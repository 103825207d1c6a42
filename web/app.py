"""The server: Flask for the page and its few requests. The socket is seats.py's, an address to be at serving.py's.

Safe by default: it binds loopback, takes requests only for the host names it serves, a socket only from the page's own origin, and a
session only by its key. Nothing that a page sends reaches the simulator unchecked, and no error shows a traceback.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, jsonify, redirect, request, send_from_directory
from flask_socketio import SocketIO
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from lessons.course import Course
from lessons.shelf import Shelf
from lessons.waiting import waiting
from sim.errors import CtlabError, UsageError
from web import building, learners, share
from web.renewing import Renewal, add_preview
from web.seats import Lab, Seats, host_of
from web.store import Store

DIST = Path(__file__).parent / "static" / "dist"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
MOST_BYTES = 1_000_000
"""Of a request, or of a message over the socket."""
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(
    store: Store, *, shelf: Shelf | None = None, hosts: tuple[str, ...] | None = LOOPBACK, preview: str | None = None,
) -> tuple[Flask, SocketIO]:  # fmt: skip
    """The Flask app and its socket. `hosts`: the names by which it may be asked (None: any), against DNS rebinding.

    `shelf`: the lessons, else ctlab's own; `preview`: the lesson that the address /preview begins.
    """
    app = Flask("ctlab", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    socket = SocketIO(
        app, async_mode="threading", cors_allowed_origins=None, max_http_buffer_size=MOST_BYTES, manage_session=False
    )
    lab = Lab(store, shelf or Shelf())
    _guard(app, hosts)
    _routes(app, lab)
    seats = Seats(socket, lab, hosts)
    seats.register()
    app.extensions["renewal"] = Renewal(socket, lab.sessions, seats.greet)
    if preview is not None:
        add_preview(app, lab.sessions, lab.course, preview)
    return app, socket


def _guard(app: Flask, hosts: tuple[str, ...] | None) -> None:
    @app.before_request
    def only_for_us() -> None:
        if hosts is not None and host_of(request.host) not in hosts:
            abort(403, f"This lab is not served as {request.host}.")

    @app.before_request
    def not_forever() -> None:
        g.waiting = ExitStack()
        g.waiting.enter_context(waiting())

    @app.teardown_request
    def waited(_: BaseException | None) -> None:
        if "waiting" in g:
            g.waiting.close()

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> tuple[Response, int]:
        return jsonify(error=f"This is too large: at most {MOST_BYTES // 1_000_000} MB are taken at once."), 413

    @app.errorhandler(RecursionError)
    def too_deep(_: RecursionError) -> tuple[Response, int]:
        return jsonify(error="This is nested too deep."), 400

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int] | BaseResponse:
        if error.code == 404 and "text/html" in list(request.accept_mimetypes.values()):
            return redirect("/")  # a person at an address that is none: to the course page
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
