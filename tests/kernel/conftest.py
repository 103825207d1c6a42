"""The real kernel for tests: `real(...)` opens a KernelFirewall that the test's end closes; where there is none, tests skip by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.edges.kernel import KernelFirewall, why_unavailable

DEVICES = {
    "lan": ["192.168.1.1/24", "fd00:1::1/64"],
    "wan": ["203.0.113.2/24", "fd00:2::1/64"],
}
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


@pytest.fixture
def real() -> Iterator[Callable[..., KernelFirewall]]:
    """Opens a firewall between lan (192.168.1.1, fd00:1::1) and wan (203.0.113.2, fd00:2::1), or the devices given."""
    opened: list[KernelFirewall] = []

    def open_one(devices: dict[str, list[str]] | None = None, **settings: Any) -> KernelFirewall:
        opened.append(KernelFirewall(devices or DEVICES, **settings))
        return opened[-1]

    yield open_one
    for firewall in opened:
        firewall.close()
