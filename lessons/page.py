"""What of a lesson goes to the page: JSON-ready messages (web/README.md, `Lesson`). What is only for testing stays here."""

from __future__ import annotations

from typing import Any

from lessons.model import Block, Goal, Hint, Lesson, Listing, Predict, Prose, Run, Step
from sim.inputs import to_json


def as_message(lesson: Lesson) -> dict[str, Any]:
    """The lesson as the page gets it (web/README.md, `Lesson`)."""
    return {
        "id": lesson.id, "title": lesson.title, "part": lesson.part, "minutes": lesson.minutes, "languages": list(lesson.languages),
        "kind": lesson.kind, "end": lesson.end, "judged": len(lesson.asked()),
        "asked": [one.text for one in lesson.asked()] if lesson.kind == "drill" else [],
        "ways": _ways(lesson) if lesson.kind == "drill" else [],
        "steps": [{"title": step.title, "blocks": _message_blocks(step)} for step in lesson.steps if _message_blocks(step)],
    }  # fmt: skip


def _ways(lesson: Lesson) -> list[dict[str, Any]]:
    """The ways through a drill with what is typed on each. Those of a challenge are its answers, and stay here."""
    return [
        {"id": way.id, "title": way.title, "why": way.why, "reached": way.reached,
         "runs": [_message_run(run, "run") for run in lesson.blocks() if isinstance(run, Run) and run.way == way.id]}
        for way in lesson.ways()
    ]  # fmt: skip


def _message_run(block: Run, kind: str) -> dict[str, Any]:
    return {"type": kind, "act": block.act, "terminal": block.terminal, "lines": list(block.lines), "language": block.language,
            "inputs": [to_json(value) for value in block.inputs], "wait": block.wait}  # fmt: skip


def _message_blocks(step: Step) -> list[dict[str, Any]]:
    shown = [message for block in step.blocks if (message := _message(block))]
    return shown


def _message(block: Block) -> dict[str, Any] | None:
    if isinstance(block, Prose):
        return {"type": "html", "html": block.html}
    if isinstance(block, Run) and not block.way:
        return _message_run(block, "solution" if block.solution else "run")
    if isinstance(block, Predict):
        options = [
            {"html": one.html, "right": one.right, "why": one.why, "misconception": one.misconception} for one in block.options
        ]
        change = to_json(block.change) if block.change else None
        return {"type": "predict", "id": block.id, "question": block.question, "options": options, "change": change, "before": block.before,
                "language": block.language}  # fmt: skip
    if isinstance(block, Hint):
        return {"type": "hint", "html": block.html, "language": block.language}
    if isinstance(block, Goal):
        return {"type": "goal", "id": block.id, "text": block.text}
    if isinstance(block, Listing):
        return {"type": "output", "terminal": block.terminal, "text": block.text, "language": block.language}
    return None
