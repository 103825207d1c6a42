"""What is right but not simulated is refused at its word; what is wrong points, and changes nothing."""

from __future__ import annotations

import pytest

from sim.errors import LanguageError, Unsupported
from sim.ruleset.iptables import matches, targets
from sim.ruleset.iptables.save import load_text
from tests.ruleset.firewall import Firewall


@pytest.mark.parametrize("name", sorted(matches.NOT_SIMULATED))
def test_a_match_that_is_not_simulated_is_refused_by_name(name: str) -> None:
    result = Firewall().try_(f"-A INPUT -m {name} -j ACCEPT")
    assert result.status == 2
    assert f"match '{name}' is right, but not simulated here" in result.err
    assert "             ^" in result.err.splitlines()[-1] or "^" * len(name) in result.err


@pytest.mark.parametrize("name", sorted(targets.NOT_SIMULATED))
def test_a_target_that_is_not_simulated_is_refused_by_name(name: str) -> None:
    result = Firewall().try_(f"-A INPUT -j {name}")
    assert result.status == 2
    assert f"target '{name}' is right, but not simulated here" in result.err


def test_no_name_is_both_simulated_and_refused() -> None:
    assert not set(matches.MATCHES) & matches.NOT_SIMULATED
    assert not set(targets.TARGETS) & targets.NOT_SIMULATED


RULES = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n{}\nCOMMIT\n"


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("-A INPUT -m ipvs --ipvs -j DROP", 13, "match 'ipvs' is right, but not simulated here"),
        ("-A INPUT -p tcp --dprt 22", 17, 'unknown option "--dprt"'),
        ("-A INPUT -m conntrack --ctstate NEW,ESTABLSHED -j ACCEPT", 33, 'Bad ctstate "ESTABLSHED"'),
        ("-A INPUT -s 10.0.0.256 -j DROP", 13, "host/network `10.0.0.256' not found"),
        ("-A INPUT -j NIX", 13, "Couldn't load target `NIX':No such file or directory\n"),
        ("-A nowhere -j DROP", 1, "No chain/target/match by that name"),
    ],
)
def test_a_mistake_in_a_file_points_at_line_and_column_and_changes_nothing(line: str, column: int, message: str) -> None:
    firewall = Firewall("-A INPUT -p udp")
    before = firewall.state.ruleset
    with pytest.raises(LanguageError) as caught:
        load_text(RULES.format(line), "ip", firewall.state, "my.rules")
    error = caught.value
    assert error.message == message
    assert error.span is not None
    assert (error.span.file, error.span.line, error.span.column) == ("my.rules", 4, column)
    assert error.source == line
    assert isinstance(error, Unsupported) is ("simulated" in message)
    assert firewall.state.ruleset is before


def test_a_file_that_is_right_is_loaded_and_the_tables_before_a_mistake_stay() -> None:
    firewall = Firewall()
    text = "*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n*filter\n-A INPUT -j NIX\nCOMMIT\n"
    with pytest.raises(LanguageError):
        load_text(text, "ip", firewall.state)
    assert [table.name for table in firewall.state.ruleset.tables] == ["raw"]
