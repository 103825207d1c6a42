"""The programs of sim/apps as commands: ssh, curl, ftp, dig, nc, ping, hping3, slowhttptest, tcpdump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.apps.curl import curl
from sim.apps.dig import dig
from sim.apps.dns_wire import TYPES
from sim.apps.ftp import ftp
from sim.apps.hping3 import hping3
from sim.apps.nc import nc
from sim.apps.ping import ping
from sim.apps.slowhttptest import slowhttptest
from sim.apps.ssh import ssh
from sim.apps.tcpdump import tcpdump
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine


def hosts(machine: Machine) -> list[str]:
    """Names that can be resolved here."""
    return sorted({*machine.hosts, "localhost"} - {machine.name})


def _hosts(machine: Machine, before: list[str], word: str) -> list[str]:
    return hosts(machine)


def _ssh_hosts(machine: Machine, before: list[str], word: str) -> list[str]:
    user, at, _ = word.rpartition("@")
    return [f"{user}{at}{name}" for name in hosts(machine)]


def _urls(machine: Machine, before: list[str], word: str) -> list[str]:
    return (
        [f"http://{name}/" for name in hosts(machine)]
        if not word.startswith("-")
        else ["-v", "-s", "-I", "-m", "--connect-timeout"]
    )


def _dig(machine: Machine, before: list[str], word: str) -> list[str]:
    if word.startswith("@"):
        return [f"@{name}" for name in hosts(machine)]
    return ["+short", "+timeout=", "+tries=", "+noall", "+answer"] if word.startswith("+") else [*TYPES][:-1]


def _dump(machine: Machine, before: list[str], word: str) -> list[str]:
    if before[-1] == "-i":
        return [*machine.ip.interfaces, "any"]
    if before[-1] == "host":
        return sorted(machine.hosts.values())
    return "-n -i -c -v -X tcp udp icmp host port src dst and or not net".split()


COMMANDS = [
    Command(
        "ssh",
        ssh,
        "log in on another machine",
        "ssh [-p PORT] [USER@]HOST [COMMAND]     (~. at the start of a line closes)",
        _ssh_hosts,
    ),
    Command(
        "curl",
        curl,
        "fetch a web page",
        "curl [-v] [-s] [-I] [-m SECONDS] [--connect-timeout SECONDS] http://HOST[:PORT]/PATH",
        _urls,
    ),
    Command("ftp", ftp, "fetch and bring files", "ftp [-46aAnp] HOST [PORT]     (then: ls, get FILE, put FILE, passive, bye)", _hosts),
    Command("dig", dig, "ask a name server", "dig [@SERVER] NAME [TYPE] [+short] [+timeout=SECONDS] [+tries=N]", _dig),
    Command(
        "nc",
        nc,
        "send and receive lines over TCP or UDP",
        "nc [-u] [-v] [-z] [-w SECONDS] HOST PORT | nc -l [-u] [-k] PORT",
        _hosts,
    ),
    Command("ping", ping, "echo requests", "ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-s SIZE] [-t TTL] HOST", _hosts),
    Command(
        "hping3",
        hping3,
        "send packets field by field",
        "hping3 [-1|-2] [-SAFRPU] [-p PORT] [-s PORT] [-a ADDRESS] [-c COUNT] [-M SEQ] [-L ACK] [-w WINDOW] [-d SIZE] [-t TTL] [-b] HOST",
        _hosts,
    ),
    Command(
        "slowhttptest", slowhttptest, "many connections to a web server, and no whole request",
        "slowhttptest [-c CONNECTIONS] [-r PER SECOND] [-l SECONDS] -u http://HOST/", _urls,
    ),
    Command(
        "tcpdump", tcpdump, "what a device sends and receives",
        "tcpdump [-n] [-v] [-X] [-t] [-c COUNT] [-i DEVICE|any] [-w FILE] [-r FILE] [FILTER]", _dump,
    ),
]  # fmt: skip
