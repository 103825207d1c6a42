"""What of a lesson goes to the page: JSON-ready messages (web/README.md, `Lesson`). What is only for testing stays here."""

from __future__ import annotations

from typing import Any

from lessons.model import Block, Goal, Hint, Lesson, Listing, Predict, Prose, Run, Step
from sim.inputs import to_json


def as_message(lesson: Lesson) -> dict[str, Any]:
    """The lesson as the page gets it (web/README.md, `Lesson`)."""
    return {
        "id": lesson.id, "title": lesson.title, "part": lesson.part, "minutes": lesson.minutes, "languages": list(lesson.languages),
        "steps": [{"title": step.title, "blocks": _message_blocks(step)} for step in lesson.steps],
    }  # fmt: skip


def _message_blocks(step: Step) -> list[dict[str, Any]]:
    shown = [message for block in step.blocks if (message := _message(block))]
    return shown


def _message(block: Block) -> dict[str, Any] | None:
    if isinstance(block, Prose):
        return {"type": "html", "html": block.html}
    if isinstance(block, Run):
        kind = "solution" if block.solution else "run"
        return {"type": kind, "act": block.act, "terminal": block.terminal, "lines": list(block.lines), "language": block.language,
                "inputs": [to_json(value) for value in block.inputs], "wait": block.wait}  # fmt: skip
    if isinstance(block, Predict):
        options = [{"html": option.html, "right": option.right, "why": option.why} for option in block.options]
        return {"type": "predict", "id": block.id, "question": block.question, "options": options}
    if isinstance(block, Hint):
        return {"type": "hint", "html": block.html}
    if isinstance(block, Goal):
        return {"type": "goal", "id": block.id, "text": block.text}
    if isinstance(block, Listing):
        return {"type": "output", "terminal": block.terminal, "text": block.text, "language": block.language}
    return None
