"""Labels of connections: `-m connlabel` and conntrack's -l, -o labels, --label-add and --label-del, in the real tools and in ours.

The real ones read /etc/xtables/connlabel.conf: for them, a file of that name lies over the machine's own /etc, in a namespace of mounts.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.kernel.test_conntrack_tool_prints_the_same import masked
from tests.shell.one_machine import OneMachine

pytestmark = pytest.mark.kernel

FILE = "# bit name\n0 first\n1 web\n1 again\n0x20 word\n127 last\n130 beyond\n\n5 two words\n2000 far\nx y\n"
LINES = """
iptables -A INPUT -m connlabel --label nix
iptables -A INPUT -m connlabel
iptables -A INPUT -m connlabel --label beyond
iptables -A INPUT -m connlabel --label 128
iptables -A INPUT -m connlabel --label -1
conntrack -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 6 -t 500 --label-add web
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 6 --label-add web
conntrack -L -o labels
iptables -A INPUT -m connlabel --label web
iptables -A INPUT -m connlabel ! --label 0x20 --set
iptables -A INPUT -m connlabel --label 77 --set
iptables -S INPUT
iptables -L INPUT
iptables -L INPUT -n
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 6 --label-add web
conntrack -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 2 --dport 6 -t 500 --label-add web,last
conntrack -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 -t 500
conntrack -L -o labels
conntrack -L
conntrack -L -l web
conntrack -L -l web,last -o xml
conntrack -L -l word
conntrack -L -l beyond
conntrack -L -l nix
conntrack -G -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 2 --dport 6 -o labels
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 --label-add first,word
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 --label-add first,beyond
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 --label-del first
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 --label-del web
conntrack -U -l word --label-add web
conntrack -U -f ipv4 -l word --label-add web -m 5
conntrack -L -o labels,id,extended
conntrack -U -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 3 --dport 6 --label-del
conntrack -L -o labels
conntrack -D -l web -o labels
conntrack -D -p udp --sport 3 -o labels
""".strip().splitlines()
RUNNER = """
import json, os, subprocess, sys
for command in ("mount -t tmpfs t /mnt", "mkdir /mnt/u /mnt/w", "mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"):
    subprocess.run(command.split(), check=True)
os.makedirs("/etc/xtables", exist_ok=True)
text, lines = json.load(sys.stdin)
open("/etc/xtables/connlabel.conf", "w").write(text)
env = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
for line in lines:
    done = subprocess.run(line.replace("iptables", "iptables-legacy").split(), capture_output=True, text=True, env=env)
    print(json.dumps([done.returncode, done.stdout + done.stderr]))
"""


def theirs() -> list[tuple[int, list[str]]]:
    command = ["unshare", "--net", "--mount", sys.executable, "-c", RUNNER]
    done = subprocess.run(command, input=json.dumps([FILE, LINES]), capture_output=True, text=True, timeout=60, check=True)
    return [(status, masked(said)) for status, said in map(json.loads, done.stdout.splitlines())]


def ours() -> list[tuple[int, list[str]]]:
    machine = OneMachine(interfaces={"lo": ["127.0.0.1/8"]})
    machine.files["/etc/xtables/connlabel.conf"] = FILE
    machine.ip.rules.label_file = lambda: FILE
    machine.ip.rules.on_load.append(machine.ip.arrange_conntrack)
    found = []
    for line in LINES:
        printed = machine.type(line.replace("!", "'!'"))
        found.append((machine.shell.status, masked(printed)))
    return found


def test_labels_are_listed_added_and_taken_away_as_the_real_tools_do_it() -> None:
    want, got = theirs(), ours()
    assert [row for row in zip(LINES, want, got, strict=True) if row[1] != row[2]] == []
