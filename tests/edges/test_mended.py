"""What verify once found, without a kernel: tests/fuzz/mended.yaml has the kernel's answers. One test a finding, named after it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fuzz import mended

CASES = mended.load()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_mended(case: dict[str, Any]) -> None:
    run = mended.Run(case)
    for step in case["steps"]:
        said = run.say(step)
        if not said:
            continue
        missing = set(str(step.get("expect", "")).split()) - said["words"]
        assert not missing, f"{step}: expected {sorted(missing)}, but it is {sorted(said['words'])}"
        assert said["log"] == step.get("log")
        assert said["verdict"] == step.get("verdict", said["verdict"])
        assert said["out"] == step.get("out", said["out"])
