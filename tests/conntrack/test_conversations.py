"""Conversations, packet by packet: see conversation.py for how they are written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conntrack import conversation

LOADED = conversation.load()


@pytest.mark.parametrize(("name", "spoken"), LOADED, ids=[name for name, _ in LOADED])
def test_conversation(name: str, spoken: dict[str, Any]) -> None:
    run = conversation.Conversation(spoken.get("sysctls", {}))
    if spoken.get("begin") == "established":
        for step in conversation.ESTABLISHED:
            run.say(step)
    for step in spoken["steps"]:
        said, log = run.say(step)
        missing = conversation.wanted(step) - said
        assert not missing, f"{step}: expected {sorted(missing)}, but it is {sorted(said)} {log}"
        assert (log == ()) == ("log" not in step), f"{step}: the kernel would log {log}"
        assert "log" not in step or step["log"] in log[0]


def test_there_are_conversations_of_every_kind() -> None:
    assert len(LOADED) >= 25
