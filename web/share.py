"""What leaves a session, over HTTP: its link, its experiment, captures, the trace, the single-file page; web/README.md has the table.

Each answer is a download of its own, so that a plain link on the page is enough. Not in here: what the files are (experiment.py,
export.py, sim/edges/tap.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, jsonify, request

from sim.edges.tap import tap
from sim.errors import UsageError
from web import experiment
from web.export import Recording, page_of
from web.futures import MOST_KEPT, what_ifs
from web.messages import Create, Mark, Position, check
from web.session import Session
from web.sessions import Sessions, new_key
from web.walk import Walk

TRACE_VERSION = 1
_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")


def routes(app: Flask, sessions: Sessions) -> None:
    """Adds the addresses below /api/sessions."""

    def download(path: str, make: Callable[[Session], Response]) -> None:
        def answer(key: str) -> Response:
            session = sessions.find(key)
            with session.lock:
                return make(session)

        app.add_url_rule(f"/api/sessions/<key>/{path}", path, answer)

    download("link", lambda session: jsonify(link=experiment.to_link(_shared(session))))
    download("experiment", _experiment)
    download("capture", _capture)
    download("trace", _trace)
    download("page", _page)


def create(sessions: Sessions, data: Any) -> Session:
    """A session of what the page asks for: a name, a scenario's text, or an experiment as a file or a link. Raises CtlabError."""
    wanted: Create = check(Create, data)
    if wanted.capture is not None:
        return sessions.keep(Walk(new_key(), {"capture": wanted.capture}))
    if wanted.file is not None or wanted.link is not None:
        shared = experiment.parse(wanted.file) if wanted.file is not None else experiment.from_link(wanted.link or "")
        return sessions.keep(Walk(new_key(), shared.data())) if shared.capture is not None else sessions.open(shared.data())
    if wanted.copy_of is not None:
        other = sessions.find(wanted.copy_of)
        with other.lock:
            return sessions.open(other.copy(wanted.at))
    return sessions.create(wanted.lesson, wanted.scenario, wanted.own, wanted.learner)


def _moment(session: Session) -> Position:
    """Where it is to open: as the page asks, else where the learner was last. Raises UsageError."""
    asked = request.args
    last = session.position if "t" not in asked else {"step": session.position["step"]}
    try:
        told = {name: int(asked[name]) for name in ("t", "step", "n") if name in asked}
        return Position.model_validate(last | told)
    except ValueError as error:
        raise UsageError("t is a time in µs, n how many records have been told, and step a number from 0 to 1000") from error


def _marks(session: Session) -> list[dict[str, int]]:
    """Marks that go along: those that the page names ("t.n,t.n", t in µs), else those that the session came with. Raises UsageError."""
    told = request.args.get("marks")
    if told is None:
        return session.marks
    try:
        pairs = [[int(number) for number in mark.split(".")] for mark in told.split(",") if mark]
        marks = [Mark(t=t, n=n).model_dump() for t, n in pairs]
    except ValueError as error:
        raise UsageError("marks are moments: a time in µs, a dot, and the number of records told by then; with commas between") from error
    if len(marks) > experiment.MOST_MARKS:
        raise UsageError(f"{len(marks)} marks are too many to go along: {experiment.MOST_MARKS} are the most")
    return marks


def _name(session: Session, ending: str) -> str:
    title = session.lesson.id if session.lesson else session.scenario.id or session.scenario.title
    return f"{_PLAIN.sub('-', title).strip('-')[:60] or 'ctlab'}.{ending}"


def _file(body: str | bytes | Iterator[str], name: str, kind: str) -> Response:
    response = Response(body, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _shared(session: Session) -> dict[str, Any]:
    shared = experiment.of_session(session, _moment(session), _marks(session))
    return shared | {"capture": session.packed()} if isinstance(session, Walk) else shared


def _experiment(session: Session) -> Response:
    text = json.dumps(_shared(session), indent=1) + "\n"
    if len(text) > experiment.MOST_TEXT and isinstance(session, Walk):
        raise UsageError(experiment.CAPTURE_TOO_LONG)
    return _file(text, _name(session, "ctlab.json"), "application/json")


def _capture(session: Session) -> Response:
    machine, dev = request.args.get("machine") or None, request.args.get("dev") or None
    where = "-".join(part for part in (machine, dev) if part)
    data = tap(session.simulation.records, machine, dev)
    return _file(data, _name(session, f"{_PLAIN.sub('-', where)}.pcapng" if where else "pcapng"), "application/octet-stream")


def _trace(session: Session) -> Response:
    records = list(session.simulation.records)
    inputs = session.data().get("inputs", [])
    head = {"ctlab": TRACE_VERSION, "scenario": session.scenario.id, "seed": session.simulation.seed, "inputs": inputs}

    def lines() -> Iterator[str]:
        """One object; a record a line, so that it can be read by eye, cut and compared."""
        yield json.dumps(head)[:-1] + ', "records": [\n'
        for record in records:
            yield json.dumps(record.to_json(), separators=(",", ":")) + (",\n" if record.n < len(records) - 1 else "\n")
        yield "]}\n"

    return _file(lines(), _name(session, "trace.json"), "application/json")


def _page(session: Session) -> Response:
    moment = _moment(session)
    futures = [] if isinstance(session, Walk) else [*what_ifs(session.lesson, session.scenario, session.inputs), *session.kept(MOST_KEPT)]
    recording = Recording(
        session.scenario, session.simulation.records, session.lesson, moment.t, moment.step, answers=session.answers, futures=futures,
        marks=_marks(session), told=moment.n,
    )  # fmt: skip
    return _file(page_of(recording), _name(session, "html"), "text/html")
