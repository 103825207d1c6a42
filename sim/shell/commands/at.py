"""at, atq, atrm: lines that run later, whatever has become of who asked for them. As at 3.2.5 has them.

A job runs at the start of its minute, as its user, without a terminal; what it prints comes by mail, into /var/mail/USER. The queue is
the machine's. Not in here: batch, queues by letter.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import simpy

from sim.apps.options import getopt
from sim.apps.paths import absolute
from sim.apps.program import EPOCH, Context, Steps, Text, clock, read_all
from sim.apps.tty import Tty
from sim.shell import files, run
from sim.shell.registry import Command
from sim.shell.when import Garbled, moment

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_WARNING = "warning: commands will be executed using /bin/sh\n"


@dataclass(slots=True)
class Job:
    """One job: when it runs (µs), who for, and the lines."""

    number: int
    at: int
    user: str
    lines: str


class _Nobody(Tty):
    """The terminal of those who have none."""

    def write(self, text: str) -> None:
        """Nobody reads it."""


def at(context: Context) -> Steps:
    """Takes lines from standard input (or -f FILE) and runs them at a time; -l lists, -r removes, -c prints."""
    options = getopt(context.argv, "lmMrdcvV", "fqt")
    if options.problem:
        return context.failed(f"at: {options.problem}\n{_USAGE}", 1)
    if options.has("l"):
        return (yield from atq(context))
    if options.has("r") or options.has("d"):
        return (yield from atrm(context))
    if options.has("c"):
        return _print(context, options.operands)
    try:
        when = moment(" ".join(options.operands), EPOCH + timedelta(microseconds=context.now))
        lines = yield from _lines(context, options.value("f"), when)
    except Garbled as error:
        return context.failed(f"{error}\nGarbled time", 1)
    except OSError as error:
        return context.failed(f"Cannot open input file {options.value('f')}: {error.strerror}", 1)
    return _queue(context, when, lines)


_USAGE = "Usage: at [-f file] timespec ...\n       at -c job ...\n       at -l\n       at -r job ..."


def _lines(context: Context, path: str, when: datetime) -> Generator[simpy.Event, Any, str]:
    """What is to be run. A person is asked line by line, up to ^D."""
    if path:
        yield from ()
        return files.read(context.machine, absolute(path, context.place), context.root)
    if context.stdin is not context.tty:
        return (yield from read_all(context))
    context.error(_WARNING + f"at {clock(_micros(when))}\n")
    text = ""
    while True:
        context.error("at> ")
        line = yield context.stdin.read()
        if line is None:
            context.error("<EOT>\n")
            return text
        text += f"{line}\n"


def _micros(when: datetime) -> int:
    return (when - EPOCH) // timedelta(microseconds=1)


def _queue(context: Context, when: datetime, lines: str) -> int:
    machine, queue = context.machine, context.machine.at_jobs
    number = machine.at_number = machine.at_number + 1
    job = queue[number] = Job(number, max(_micros(when), context.now), context.user, lines)
    machine.run(_later(machine, job))
    warning = "" if context.stdin is context.tty else _WARNING
    return context.failed(f"{warning}job {number} at {clock(_micros(when))}", 0)


def _later(machine: Machine, job: Job) -> Steps:
    """atd's part: wait, run, and send what was printed by mail."""
    context = Context(machine, ["atd"], tty=None, user="root")
    yield from context.sleep(job.at - context.now)
    if machine.at_jobs.pop(job.number, None) is None:
        return 0
    gathered: list[str] = []
    tty = _Nobody(machine.env)
    for line in job.lines.splitlines():
        yield from run.line(machine, tty, job.user, line, gathered.append, Text(machine.env, ""))
    if gathered:
        _mail(machine, job, context.now, "".join(gathered))
    return 0


def _mail(machine: Machine, job: Job, now: int, text: str) -> None:
    address, path = f"{job.user}@{machine.name}", f"/var/mail/{job.user}"
    head = f"From {address} {clock(now)}\nSubject: Output from your job {job.number:8}\nTo: {address}\n\n"
    machine.files[path] = machine.files.get(path, "") + head + text + "\n"


def atq(context: Context) -> Steps:
    """Lists the jobs that wait: root sees everybody's."""
    yield from ()
    for job in context.machine.at_jobs.values():
        if context.root or job.user == context.user:
            context.write(f"{job.number}\t{clock(job.at)} a {job.user}\n")
    return 0


def atrm(context: Context) -> Steps:
    """Removes jobs by number."""
    yield from ()
    queue, status = context.machine.at_jobs, 0
    for word in getopt(context.argv, "rdV", "").operands:
        job = queue.get(int(word)) if word.isdecimal() else None
        if job is None or not (context.root or job.user == context.user):
            why = f"{job.number}: Not owner" if job is not None else f"Cannot find jobid {word}"
            status = context.failed(why, 1)
        else:
            del queue[job.number]
    return status


def _print(context: Context, words: list[str]) -> int:
    for word in words:
        job = context.machine.at_jobs.get(int(word)) if word.isdecimal() else None
        if job is None:
            return context.failed(f"Cannot find jobid {word}", 1)
        context.write(f"#!/bin/sh\n{job.lines}")
    return 0


def _times(machine: Machine, before: list[str], word: str) -> list[str]:
    return ["now + 1 minute", "now + 5 minutes", "-f", "-l"] if len(before) == 1 else []


COMMANDS = [
    Command("at", at, "run lines later, come what may", "at now + 5 minutes | at 10:30 | at -f FILE TIME | at -l | at -r JOB", _times),
    Command("atq", atq, "the jobs that wait", "atq", hidden=True),
    Command("atrm", atrm, "remove a waiting job", "atrm JOB…", hidden=True),
]
