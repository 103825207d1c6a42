"""`ctlab verify` as an ordinary user: in a user namespace of its own it is root, and the kernel judges as it does for root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534
CODE = f"""
import os, sys
from sim.edges.kernel import why_unavailable
from sim.edges.replay.console import Console
from sim.edges.replay.wall import Wall
from sim.edges.verify.fuzz.session import session, with_rules
from web.cli import cli, main
import web.commands.verify  # all of it while the interpreter may be read: it may lie where an ordinary user is not let in
cli.get_command(None, "verify"), session(5000, 1), [with_rules(5000 + each, 1) for each in range(2)]
Console(Wall({{"lan": ["192.168.1.1/24"]}})).run("conntrack -C")
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
why = why_unavailable()
if why:
    sys.exit("UNAVAILABLE " + why)
sys.argv = ["ctlab", "verify", "--fuzz", "400", "--rulesets", "2", "--seed", "5000"]
main()
"""
"""The case's seed is fixed: what is tested is the user namespace, not the firewall."""


def test_verify_runs_without_root_in_a_user_namespace() -> None:
    environment = {**os.environ, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    if "UNAVAILABLE" in done.stderr:
        pytest.skip(f"this machine gives an ordinary user no kernel to ask: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cases, 700 packets: 0 cases differ from this machine's kernel" in done.stdout
