"""iptables-translate and ip6tables-translate: ours against the real ones, output, errors and exit status."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables import translator
from tests.kernel.test_iptables_prints_the_same import RUNNER

LINES = [
    line for line in Path(__file__).with_name("translations.txt").read_text().splitlines() if line and not line.startswith("#")
]  # fmt: skip
NO_NAMES = "Warning: cannot open /etc/xtables/connlabel.conf: No such file or directory\n"
"""Which ours does not say: a machine's file of labels is read where a name is asked for."""


def test_each_command_is_translated_in_the_words_of_the_real_translator() -> None:
    asked = json.dumps([[shlex.split(line), ""] for line in LINES])
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", RUNNER], input=asked, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    theirs = [[out, err.replace(NO_NAMES, ""), status] for out, err, status in answers]
    found = [translator.run(shlex.split(line), Sets()) for line in LINES]
    ours = [[each.out, each.err, each.status] for each in found]
    assert [(line, want, got) for line, want, got in zip(LINES, theirs, ours, strict=True) if want != got] == []
