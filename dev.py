#!/usr/bin/env python3
"""Sets up, starts and checks ctlab. Needs Python 3.11 or newer and nothing else; the rest it fetches itself.

    python3 dev.py run [options of ctlab]     set up, build the page, start the lab, open the browser
    python3 dev.py test [options of pytest]   set up what the tests need too, then every check and every test
    python3 dev.py lint                       the checks alone: ruff, mypy, svelte-check, the page's own tests
    python3 dev.py bench [options of pytest]  print the figures of tests/bench
    python3 dev.py page                       build the page, if something in web/ui changed
    python3 dev.py compile                    compile the hot modules of sim, if their sources changed (run, test, bench do it too)
    python3 dev.py npm [arguments]            npm in web/ui, with ctlab's own Node.js (npm run dev, npm run check …)
    python3 dev.py lock [options of uv]       make the lock files anew after a change of pyproject.toml or package.json

All of it lands in .venv, build and web/ui/node_modules, from hash-locked pins. What has not changed is not done again.
With CTLAB_PURE=1 in the environment nothing is compiled, and Python runs all of ctlab's sources itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from devtools import BIN, PYTHON, ROOT, VENV, Trouble, aloud, environment, hushed, last_line, last_lines, quietly, say

HOOK = ROOT / "web" / "build_hook.py"
MODULES = ROOT / "build_modules.py"
RUN_LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "requirements-test.lock"
UV = "uv==0.13.9"  # wanted by `lock` alone
OLDEST = (3, 11)
# What is tested twice: with the compiled modules, as everything is, and once more with the sources run by Python itself.
BRANCHES = "test_traffic_takes_every_branch_of_conntrack_and_nat"  # compiled, there is no byte code to count
PAGE_TESTS = ["tests/browser", "tests/web"]  # run beside all others: a browser waits much
LONG_TESTS = ["tests/kernel", "tests/lessons", "tests/fuzz"]  # each by itself, so that both lanes end at about the same time
PURE_TESTS = {
    "pytest, pure Python": ["tests/conntrack", "tests/netfilter", "tests/edges"],
    "pytest, pure Python, rules and branches": ["tests/ruleset", "tests/fuzz/test_against_kernel.py::" + BRANCHES],
}

# What the tests ask of the system, and the Debian package that has it. Where one cannot be had, its tests are skipped
# (without cc, nothing is compiled, and the tests run in pure Python).
SYSTEM = {
    "cc": "gcc",
    "chromium": "chromium",
    "conntrack": "conntrack",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables-legacy": "iptables",
    "nc": "netcat-openbsd",
    "nft": "nftables",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
}


def stamped(step: str, inputs: Sequence[Path], doing: str, work: Callable[[], None], also: Sequence[str] = ()) -> None:
    """Do `work` unless the stamp in .venv says that it was done with the same inputs by the same Python.

    `also` names the stamps of steps that this one covers.
    """
    total = hashlib.sha256(f"{sys.version} {sys.base_prefix} {ROOT}".encode())
    for path in inputs:
        total.update(path.read_bytes())
    stamps = [VENV / f".{name}.stamp" for name in (step, *also)]
    if stamps[0].is_file() and stamps[0].read_text() == total.hexdigest():
        return say(step, "unchanged")
    say(step, doing)
    started = time.monotonic()
    work()
    for stamp in stamps:
        stamp.write_text(total.hexdigest())
    say("", f"done in {time.monotonic() - started:.1f} s")


def make_venv() -> None:
    """A virtual environment at .venv, with pip in it; one that is there and fits is kept."""
    if venv_fits():
        return
    try:
        import ensurepip  # noqa: F401  (Debian keeps it in a package of its own)
    except ImportError:
        install_packages(["python3-venv"])
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    quietly(command, "Python could not make .venv (on Debian: apt install python3-venv):")


def venv_fits() -> bool:
    """Whether .venv was made here (its programs name their Python by its path) and by a Python of our version."""
    settings, program = VENV / "pyvenv.cfg", BIN / "pip"
    if not settings.is_file() or not program.is_file() or not Path(PYTHON).exists():
        return False
    made_here = program.read_bytes().startswith(f"#!{PYTHON}\n".encode())
    return made_here and f"version = {sys.version.split()[0]}\n" in settings.read_text(encoding="utf-8")


def pip(*arguments: str) -> None:
    """`pip install` into .venv."""
    quietly([PYTHON, "-m", "pip", "install", *arguments], "pip could not install (is the network there?):")


def set_up(testing: bool = False) -> int:
    """The virtual environment, the locked packages, the page, and ctlab itself, editable. Gives 0: it worked."""
    print("ctlab: setting up", flush=True)
    pyproject = ROOT / "pyproject.toml"
    if not Path(PYTHON).exists():
        shutil.rmtree(VENV, ignore_errors=True)
    stamped("python", [], f"making .venv with Python {sys.version.split()[0]}", make_venv)
    lock, name, also = (TEST_LOCK, "test pins", ["pins"]) if testing else (RUN_LOCK, "pins", [])
    both = [RUN_LOCK, TEST_LOCK]  # the second holds the first, so both stamps speak of both
    stamped(name, both, f"installing {lock.name}", lambda: pip("--require-hashes", "-r", str(lock)), also)
    page()
    editable = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    stamped("ctlab", [pyproject, HOOK, *both], "installing the ctlab command", lambda: pip(*editable))
    return 0


def page() -> None:
    """The page; web/build_hook.py keeps the stamps."""
    index = ROOT / "web" / "static" / "dist" / "index.html"
    before = index.stat().st_mtime_ns if index.is_file() else 0
    started = time.monotonic()
    quietly([PYTHON, str(HOOK)], "There is no page:")
    built = index.stat().st_mtime_ns != before
    say("page", f"built in {time.monotonic() - started:.1f} s" if built else "unchanged")


def compiled(needed: bool) -> None:
    """The hot modules, as build_modules.py compiles them. Where this machine cannot, ctlab runs as well, slower: one sentence says so.

    With `needed`, sources that do not compile are a trouble; else they are run as they are.
    """
    if os.environ.get("CTLAB_PURE", "") not in ("", "0"):
        return say("compiled", "not wanted: CTLAB_PURE is set")
    started = time.monotonic()
    status = hushed([PYTHON, str(MODULES), "--check"])
    say("compiled", last_line(status))
    if status.returncode != 1:
        return
    done = hushed([PYTHON, str(MODULES)])
    say("", f"{last_line(done)} in {time.monotonic() - started:.1f} s")
    if done.returncode and needed:
        raise Trouble(f"The hot modules do not compile:\n\n{last_lines(done.stdout + done.stderr, 25)}")


def system_tools() -> None:
    """The system's programs that the tests use: installed where there are root and apt, else named."""
    missing = missing_tools()
    if missing:
        install_packages([SYSTEM[tool] for tool in missing])
    missing = missing_tools()
    say("system", f"tests that need {', '.join(missing)} are skipped" if missing else "all tools are here")


def missing_tools() -> list[str]:
    """Which of SYSTEM's programs are not found."""
    return [tool for tool in SYSTEM if not shutil.which(tool, path=environment()["PATH"])]


def install_packages(packages: Sequence[str]) -> None:
    """Debian packages, where there are root and apt. What cannot be installed is said, and is no failure."""
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return say("system", f"not installed, for that needs root and apt: {' '.join(packages)}")
    say("system", f"installing {' '.join(packages)}")
    with no_service_started():
        apt("update")
        for package in packages:  # one by one: one that this Debian lacks must not keep the others away
            apt("install", "-y", "--no-install-recommends", package)


def apt(*arguments: str) -> None:
    """apt-get, without questions; its complaint is printed."""
    done = hushed(["apt-get", "-qq", *arguments], extra={"DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode:
        say("system", f"apt-get {' '.join(arguments)} failed:\n{last_lines(done.stderr, 5)}")


@contextmanager
def no_service_started() -> Iterator[None]:
    """A package that is a service (sshd) is not started by its installation: Debian asks policy-rc.d, and 101 forbids."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield  # the machine's owner has a policy
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def command_run(arguments: Sequence[str]) -> int:
    """Set up, then become ctlab."""
    set_up()
    compiled(needed=False)
    print("ctlab: starting", flush=True)
    ctlab = str(BIN / "ctlab")
    if os.name == "nt":
        return aloud([ctlab, *arguments])
    os.execve(ctlab, [ctlab, *arguments], environment())


def npm(*arguments: str) -> list[str]:
    """The command line of npm, run by the pinned Node.js."""
    return [PYTHON, str(HOOK), "npm", *arguments]


def checks() -> list[tuple[str, list[str]]]:
    """Every check that is not pytest: name, command line."""
    return [
        ("ruff", [PYTHON, "-m", "ruff", "check"]),
        ("mypy", [PYTHON, "-m", "mypy"]),
        ("svelte-check", npm("run", "--silent", "check")),
        ("vitest", npm("run", "--silent", "test")),
    ]


def run_checks() -> list[tuple[str, bool, float]]:
    """Run them all; what a failed one said is shown. Gives name, passed, seconds."""
    print("ctlab: checking", flush=True)
    results = []
    for name, command in checks():
        started = time.monotonic()
        done = hushed(command)
        results.append((name, done.returncode == 0, time.monotonic() - started))
        say(name, "passed" if done.returncode == 0 else "FAILED")
        if done.returncode:
            print(f"{done.stdout}{done.stderr}", flush=True)
    return results


def summary(results: Sequence[tuple[str, bool, float]]) -> int:
    """What passed and what failed, a line each; the exit status."""
    print("\nctlab: summary")
    for name, passed, seconds in results:
        say("passed" if passed else "FAILED", f"{name} ({seconds:.1f} s)")
    return 0 if all(passed for _, passed, _ in results) else 1


def command_lint(arguments: Sequence[str]) -> int:
    """The checks without the tests."""
    set_up(testing=True)
    return summary(run_checks())


def command_test(arguments: Sequence[str]) -> int:
    """Set up, check, test; fails when anything failed."""
    set_up(testing=True)
    system_tools()
    with ThreadPoolExecutor(1) as beside:  # two processors, if there are two
        checked = beside.submit(run_checks)
        compiled(needed=True)
        results = checked.result()
    print("ctlab: testing", flush=True)
    return summary(results + ([tested("pytest", arguments)] if arguments else tested_together()))


def tested_together() -> list[tuple[str, bool, float]]:
    """All tests: those of the page, told as they come, and beside them all others, each kind told when it is done."""
    others = {f"pytest, {path}": [path] for path in LONG_TESTS}
    others["pytest, all others"] = [f"--ignore={path}" for path in (*PAGE_TESTS, *LONG_TESTS)]
    if not os.environ.get("CTLAB_PURE"):
        others |= PURE_TESTS
    waiting: SimpleQueue[tuple[str, list[str]]] = SimpleQueue()
    for each in others.items():
        waiting.put(each)
    results = []

    def work() -> None:
        with suppress(Empty):
            while True:
                one(*waiting.get_nowait())

    def one(name: str, arguments: Sequence[str]) -> None:
        started = time.monotonic()
        done = hushed([PYTHON, "-m", "pytest", *arguments], extra={"CTLAB_PURE": "1"} if name in PURE_TESTS else {})
        print(f"  {name}\n{done.stdout}{done.stderr}", flush=True)
        results.append((name, done.returncode == 0, time.monotonic() - started))

    with ThreadPoolExecutor(1) as beside:
        ended = beside.submit(work)
        results.append(tested("pytest, the page", PAGE_TESTS))
        work()
        ended.result()
    return results


def tested(name: str, arguments: Sequence[str]) -> tuple[str, bool, float]:
    """One run of pytest: name, passed, seconds."""
    started = time.monotonic()
    print(f"  {name}", flush=True)
    status = aloud([PYTHON, "-m", "pytest", *arguments])
    return name, status == 0, time.monotonic() - started


def command_bench(arguments: Sequence[str]) -> int:
    """The figures."""
    set_up(testing=True)
    system_tools()
    compiled(needed=True)
    return aloud([PYTHON, "-m", "pytest", "-m", "bench", "-s", "tests/bench", "tests/browser/test_speed.py", *arguments])


def command_compile(arguments: Sequence[str]) -> int:
    """The hot modules alone."""
    set_up()
    compiled(needed=True)
    return 0


def command_npm(arguments: Sequence[str]) -> int:
    """npm, for who writes the page."""
    if not Path(PYTHON).exists():
        set_up()
    return aloud(npm(*arguments))


def command_lock(arguments: Sequence[str]) -> int:
    """Make requirements.lock, requirements-test.lock and package-lock.json anew; they name no registry."""
    import tomllib

    stamped("python", [], f"making .venv with Python {sys.version.split()[0]}", make_venv)
    pip(UV)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = "\n".join(pyproject["build-system"]["requires"])
    lock(RUN_LOCK, build, arguments)
    lock(TEST_LOCK, build, ["--extra", "test", "--constraint", str(RUN_LOCK), *arguments])
    pip("--require-hashes", "-r", str(RUN_LOCK))
    say("npm", "package-lock.json")
    quietly(npm("install", "--package-lock-only", "--ignore-scripts"), "npm could not make package-lock.json:")
    return 0


def lock(target: Path, build: str, arguments: Sequence[str]) -> None:
    """One lock file: what ctlab needs to run and what it is built with (`build`), for every system, with hashes."""
    say("uv", target.name)
    uv = [str(BIN / "uv"), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    plain = ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    command = [*uv, *plain, *arguments, "-o", target.name, "pyproject.toml", "-"]
    quietly(command, f"uv could not make {target.name}:", said=build)


COMMANDS = {
    "run": command_run,
    "test": command_test,
    "lint": command_lint,
    "bench": command_bench,
    "page": lambda arguments: set_up(),  # it is built on the way
    "compile": command_compile,
    "npm": command_npm,
    "lock": command_lock,
}


def main(arguments: Sequence[str]) -> int:
    """Choose the command; turn trouble into a sentence."""
    if sys.version_info < OLDEST:
        newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
        how = f"Try: {newer[0]} dev.py {' '.join(arguments)}" if newer else "Install a newer one."
        raise Trouble(f"ctlab needs Python 3.11 or newer; this is {sys.version.split()[0]}. {how}")
    if not arguments or arguments[0] not in COMMANDS:
        print((__doc__ or "").strip())
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        sys.exit(f"\ndev.py: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
