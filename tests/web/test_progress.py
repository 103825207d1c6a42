"""Progress is kept for a learner, comes again when it is due, leaves as a file and comes back; drills and challenges are judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from lessons.course import read_course
from sim.errors import UsageError
from web import progress
from web.app import create_app
from web.store import Store

DAY = date(2026, 11, 23)
LESSON = "four-labels"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Any]:
    store = Store(tmp_path / "sessions.sqlite")
    yield create_app(store)
    store.close()


class Learner:
    """A browser that keeps a learner's key."""

    def __init__(self, lab: Any) -> None:
        self.app, self.sockets = lab
        self.http = self.app.test_client()
        self.key = self.http.post("/api/learners").get_json()["key"]
        self.socket: Any = None

    def begin(self, lesson: str) -> dict[str, Any]:
        key = self.http.post("/api/sessions", json={"lesson": lesson, "learner": self.key}).get_json()["key"]
        self.socket = self.sockets.test_client(self.app, flask_test_client=self.http)
        self.socket.emit("join", {"key": key})
        hello = next(m["args"][0] for m in self.socket.get_received() if m["name"] == "hello")
        return dict(hello)

    def type(self, at: int, terminal: str, *lines: str) -> None:
        inputs = [{"type": "line", "terminal": terminal, "text": line} for line in lines]
        self.socket.emit("input", {"at": at, "input": inputs, "wait": 2_000_000})

    def judge(self) -> dict[str, Any]:
        return dict(self.socket.emit("judge", {}, callback=True))

    @property
    def kept(self) -> dict[str, Any]:
        return dict(self.http.get(f"/api/learners/{self.key}").get_json()["progress"])


def test_a_wrong_answer_is_due_tomorrow_and_moves_from_box_to_box_until_it_leaves() -> None:
    kept = progress.answered(progress.empty(), "a/b", 1, False, DAY)
    assert progress.due(kept, DAY) == [] and progress.due(kept, DAY + timedelta(days=1)) == ["a/b"]
    day, waits = DAY, []
    while kept["answers"]["a/b"]["box"] is not None:
        due = date.fromisoformat(kept["answers"]["a/b"]["due"])
        waits.append((due - day).days)
        day = due
        kept = progress.repeated(kept, "a/b", True, day)
    assert waits == list(progress.BOXES)
    assert kept["answers"]["a/b"]["right"] is False, "the first answer is what counts"


def test_a_wrong_repetition_goes_back_to_the_first_box_and_a_right_first_answer_is_in_none() -> None:
    kept = progress.answered(progress.empty(), "a/b", 1, False, DAY)
    kept = progress.repeated(kept, "a/b", True, DAY + timedelta(days=1))
    with pytest.raises(UsageError, match="repeated already: it is due on 2026-11-26"):
        progress.repeated(kept, "a/b", True, DAY + timedelta(days=2))  # another tab, that still shows it
    kept = progress.repeated(kept, "a/b", False, DAY + timedelta(days=3))
    assert (kept["answers"]["a/b"]["box"], kept["answers"]["a/b"]["due"]) == (1, "2026-11-27")
    kept = progress.answered(kept, "a/c", 0, True, DAY)
    assert kept["answers"]["a/c"]["due"] is None
    with pytest.raises(UsageError, match="not among those"):
        progress.repeated(kept, "a/c", True, DAY)


def test_the_best_of_a_drill_is_kept_and_the_tries_until_it_was_passed() -> None:
    bad, good = {"points": 0, "seconds": 90, "lost": ["x"]}, {"points": 80, "seconds": 20, "lost": []}
    kept = progress.judged(progress.empty(), "d", False, bad, DAY)
    kept = progress.judged(kept, "d", True, good, DAY)
    kept = progress.judged(kept, "d", True, {"points": 60, "seconds": 40, "lost": []}, DAY)
    assert kept["judged"]["d"] == {"passed": True, "points": 80, "seconds": 20, "lost": 0, "tries": 2, "on": "2026-11-23"}


def test_what_leaves_as_a_file_comes_back_and_is_merged_with_what_is_there() -> None:
    mine = progress.finished(progress.answered(progress.empty(), "a/b", 1, False, DAY), "a", DAY)
    other = progress.answered(progress.empty(), "a/b", 0, True, DAY - timedelta(days=3))
    both = progress.merged(mine, progress.read(other))
    assert both["answers"]["a/b"]["right"] and both["lessons"] == mine["lessons"]
    assert progress.read(both) == both


def test_an_older_file_of_ones_own_takes_no_repetition_back_whichever_is_brought_to_which() -> None:
    old = progress.finished(progress.answered(progress.empty(), "a/b", 1, False, DAY), "a", DAY)
    new = progress.repeated(old, "a/b", True, DAY + timedelta(days=1))
    new = progress.finished(new | {"lessons": {}}, "a", DAY + timedelta(days=1))
    assert progress.merged(new, old) == progress.merged(old, new)
    both = progress.merged(new, progress.read(old))
    assert both["answers"]["a/b"]["box"] == 2 and both["lessons"]["a"]["on"] == DAY.isoformat()


@pytest.mark.parametrize(
    "data",
    [[], {}, {"ctlab_progress": 2}, {"ctlab_progress": 1, "lesons": {}}, {"ctlab_progress": 1, "answers": {"<b>": {}}},
     {"ctlab_progress": 1, "lessons": {"a": {"on": "2026-99-99x"}}}, {"ctlab_progress": 1, "lessons": {"a": {"on": "2026-02-30"}}},
     {"ctlab_progress": 1, "answers": {"a/b": {"choice": 0, "right": True, "on": "2026-11-23", "box": 1}}},
     {"ctlab_progress": 1, "answers": {"a/b": {"choice": 0, "right": True, "on": "2026-13-41"}}}],
)  # fmt: skip
def test_what_is_no_progress_is_refused_with_a_sentence_and_nothing_is_lost(lab: Any, data: Any) -> None:
    learner = Learner(lab)
    before = learner.kept
    answer = learner.http.put(f"/api/learners/{learner.key}", json=data)
    assert answer.status_code == 404 and "no progress of ctlab" in answer.get_json()["error"]
    assert learner.kept == before


SPOILT = {"empty": b"", "picture": b"\x89PNG\r\n\0", "half": b'{"ctlab_progress": 1, "answ', "deep": b"[" * 100_000}


@pytest.mark.parametrize("data", SPOILT.values(), ids=SPOILT)
def test_a_file_that_is_no_json_is_no_progress_either_and_one_that_is_too_large_says_so(lab: Any, data: bytes) -> None:
    learner = Learner(lab)
    answer = learner.http.put(f"/api/learners/{learner.key}", data=data)
    assert answer.status_code == 404 and "no progress of ctlab" in answer.get_json()["error"]
    answer = learner.http.put(f"/api/learners/{learner.key}", data=b" " * 1_100_000)
    assert answer.status_code == 413 and "too large" in answer.get_json()["error"]
    answer = learner.http.post("/api/sessions", data=b"[" * 100_000, content_type="application/json")
    assert answer.status_code == 400 and "nested too deep" in answer.get_json()["error"]


def test_a_prediction_answered_in_a_lesson_is_kept_and_repeated(lab: Any) -> None:
    learner = Learner(lab)
    learner.begin(LESSON)
    wrong = next(b for b in read_course().lesson(LESSON).blocks() if getattr(b, "options", None))
    choice = next(i for i, option in enumerate(wrong.options) if not option.right)  # type: ignore[union-attr]
    learner.socket.emit("answer", {"prediction": wrong.id, "choice": choice})  # type: ignore[union-attr]
    question = f"{LESSON}/{wrong.id}"  # type: ignore[union-attr]
    assert learner.kept["answers"][question]["box"] == 1
    brought = learner.kept
    brought["answers"][question] |= {"on": "2020-01-01", "due": "2020-01-02"}
    heard = learner.http.put(f"/api/learners/{learner.key}", json=brought).get_json()
    assert [one["id"] for one in heard["due"]] == [question]
    right = next(i for i, option in enumerate(wrong.options) if option.right)  # type: ignore[union-attr]
    moved = learner.http.post(f"/api/learners/{learner.key}/repeat", json={"question": question, "choice": right}).get_json()
    assert moved["box"] == 2
    download = learner.http.get(f"/api/learners/{learner.key}/file")
    assert "attachment" in download.headers["Content-Disposition"] and download.get_json() == learner.kept


def test_a_lesson_whose_goals_are_reached_is_done(lab: Any) -> None:
    learner = Learner(lab)
    learner.begin(LESSON)
    learner.type(1_000_000, "stranger", "ping -c 1 -W 1 203.0.113.22")
    learner.socket.emit("position", {"t": 500_000, "step": 6})
    assert learner.kept["lessons"] == {}
    learner.socket.emit("position", {"t": 5_000_000, "step": 6})
    assert list(learner.kept["lessons"]) == [LESSON]


def test_a_drill_is_judged_with_its_score_and_the_failed_packet_leads_to_a_future(lab: Any) -> None:
    learner = Learner(lab)
    hello = learner.begin("shut-the-door")
    assert hello["position"]["t"] == 2_000_000
    assert hello["lesson"]["kind"] == "drill" and hello["lesson"]["asked"] and hello["lesson"]["ways"]
    learner.type(2_000_000, "laptop", "sudo iptables -P INPUT DROP")
    judged = learner.judge()
    assert judged["score"]["points"] == 0 and judged["score"]["seconds"] > 60 and judged["failure"]["way"]
    branches = next(m["args"][0]["branches"] for m in learner.socket.get_received() if m["name"] == "trace" and m["args"][0]["branches"])
    assert [branch["id"] for branch in branches] == [judged["failure"]["branch"]]
    learner.type(2_000_000, "laptop", "sudo iptables-restore < /home/admin/good.v4")
    assert learner.judge()["score"]["points"] == 100
    kept = learner.kept["judged"]["shut-the-door"]
    assert (kept["passed"], kept["points"], kept["tries"]) == (True, 100, 2)


def test_a_challenge_is_everybodys_own_and_stays_so_and_its_answers_are_not_sent(lab: Any) -> None:
    one, other = Learner(lab), Learner(lab)
    first, second = one.begin("quarantine"), other.begin("quarantine")
    assert first["scenario"]["machines"] != second["scenario"]["machines"]
    assert first["lesson"]["ways"] == [] and first["lesson"]["asked"] == [] and first["lesson"]["judged"] == 11
    assert "-I FORWARD -i lan2" not in str(first)
    again = one.sockets.test_client(one.app, flask_test_client=one.http)
    again.emit("join", {"key": first["key"]})
    assert next(m["args"][0] for m in again.get_received() if m["name"] == "hello")["scenario"] == first["scenario"]
    assert one.judge()["failure"]["text"].endswith("has been cut")


def test_a_free_lab_can_be_made_of_any_moment_of_a_lesson(lab: Any) -> None:
    learner = Learner(lab)
    key = learner.begin("quarantine")["key"]
    learner.type(1_000_000, "router", "hostname", "conntrack -L")
    copied = learner.http.post("/api/sessions", json={"copy_of": key, "at": 1_500_000}).get_json()["key"]
    learner.socket.emit("join", {"key": copied})
    heard = learner.socket.get_received()
    hello = next(m["args"][0] for m in heard if m["name"] == "hello")
    typed = [r["text"] for m in heard if m["name"] == "trace" for r in m["args"][0]["records"] if r["kind"] == "input"]
    assert hello["lesson"] is None and hello["position"]["t"] == 1_500_000
    assert "hostname" in typed


def test_a_learner_that_is_not_known_is_told_so(lab: Any) -> None:
    answer = lab[0].test_client().get("/api/learners/guess")
    assert answer.status_code == 404 and "another machine" in answer.get_json()["error"]
