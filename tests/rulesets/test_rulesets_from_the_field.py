"""Rulesets as tools and distributions write them: each loads, and is listed as the real tool lists it, or is refused at the named word.

A file that begins with `# refused: WORD` must be refused there, and nowhere else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.ruleset.ipset import tool as ipset
from sim.ruleset.iptables import tool
from sim.ruleset.nft.tool import run as nft
from tests.ruleset.firewall import Firewall

HERE = Path(__file__).parent
FILES = sorted([*HERE.glob("*.iptables"), *HERE.glob("*.nft")])
DATES = re.compile(r"^#.*\n", re.MULTILINE)


def refused_at(text: str) -> str:
    found = re.match(r"# refused: (.*)\n", text)
    return found[1] if found else ""


def load(path: Path, text: str) -> tuple[Firewall, tool.Result]:
    firewall = Firewall()
    if path.suffix == ".nft":
        return firewall, nft(["nft", "-f", "-"], firewall.state, text, interfaces={"lo": 1})
    if _sets(path):
        ipset.run(["ipset", "restore"], firewall.state.ipsets, 0, _sets(path))
    return firewall, tool.run(["iptables-restore"], firewall.state, text)


def _sets(path: Path) -> str:
    """What ipset must have made before, if anything."""
    beside = path.with_suffix(".ipset")
    return beside.read_text("utf-8") if beside.exists() else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_loads_or_is_refused_at_its_word(path: Path) -> None:
    text = path.read_text("utf-8")
    firewall, result = load(path, text)
    word = refused_at(text)
    if word:
        assert result.status and f"{word} is right, but not simulated here" in result.err
        assert not firewall.state.ruleset.tables
    else:
        assert result.err == ""
        assert firewall.passes("udp 192.168.1.10:5000 > 192.168.1.20:53 len 20") in (True, False)


REAL = [path for path in FILES if not refused_at(path.read_text("utf-8"))]


@pytest.mark.kernel
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_it_is_listed_as_the_real_tool_lists_it(path: Path) -> None:
    text = path.read_text("utf-8")
    firewall, _ = load(path, text)
    if path.suffix == ".nft":
        script, ours = "ip link set lo up; nft -f -; nft list ruleset", nft(["nft", "list", "ruleset"], firewall.state).out
    else:
        if _sets(path) and shutil.which("ipset") is None:
            pytest.skip("the program ipset is not here")
        first = f"ipset restore -file {path.with_suffix('.ipset')} && " if _sets(path) else ""
        script, ours = f"{first}iptables-legacy-restore; iptables-legacy-save", tool.run(["iptables-save"], firewall.state).out
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], input=text, capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    assert _tables(ours) == _tables(done.stdout)


def _tables(text: str) -> list[str]:
    """Without dates, and iptables' tables in one order: the real tool's follows from when modules were loaded."""
    return sorted(DATES.sub("", text).split("COMMIT\n"))
