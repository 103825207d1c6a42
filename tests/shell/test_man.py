"""man: every command that help lists has a page; the options come from the parsers' own tables."""

from __future__ import annotations

import pytest

from sim.conntrack.settings import TIMEOUTS
from sim.ruleset.iptables import matches, targets
from sim.shell import manual
from sim.shell.registry import commands


@pytest.mark.parametrize("name", [name for name, command in commands().items() if not command.hidden])
def test_every_command_that_help_lists_has_a_page_with_its_usage(name: str) -> None:
    page = manual.page(name)
    assert page is not None
    words = " ".join(page.split())
    assert " ".join(commands()[name].summary.split()) in words
    assert " ".join(commands()[name].usage.split()) in words
    assert all(len(line) <= 160 for line in page.splitlines())


def test_the_page_of_iptables_names_every_module_and_option_that_its_parser_knows() -> None:
    page = manual.page("iptables") or ""
    for module in (*matches.MATCHES.values(), *targets.TARGETS.values()):
        if "ip" in module.families:
            assert f"{module.name}: " in page
            assert all(f"--{option.name}" in page for option in module.options)
    assert "ipvs" in page.split("NOT HERE")[1]


def test_the_page_of_sysctl_has_every_time_out_with_its_default() -> None:
    page = manual.page("sysctl") or ""
    assert all(f"nf_conntrack_{name} = {seconds} s" in page for name, seconds in TIMEOUTS.items())


def test_what_has_no_page_is_said() -> None:
    assert manual.page("emacs") is None and manual.page("wget") is None
