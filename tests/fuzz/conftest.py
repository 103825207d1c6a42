"""These tests ask this machine's own kernel: where there is none, they are skipped by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.edges.kernel import why_unavailable

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("kernel")


@pytest.fixture(autouse=True)
def _needs_the_real_kernel() -> None:
    why = why_unavailable()
    if why:
        pytest.skip(f"no real kernel to ask: {why}")
