"""The `ctlab` command as a person meets it: help without waiting, sentences instead of tracebacks."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from sim.errors import UsageError
from web import cli


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_row_of_the_table_is_a_command_with_help(name: str) -> None:
    result = CliRunner().invoke(cli.cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: cli {name} ")


def test_help_loads_neither_flask_nor_scapy_nor_pydantic() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from web.cli import cli; "
        "print(CliRunner().invoke(cli, ['--help']).output); "
        "print(sorted({'flask', 'scapy', 'pydantic', 'simpy', 'lark'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(name in output for name in cli.COMMANDS)
    assert output.splitlines()[-1] == "[]"


def test_an_unknown_command_is_refused_by_name() -> None:
    result = CliRunner().invoke(cli.cli, ["sevre"])
    assert result.exit_code == 2
    assert "No such command 'sevre'" in result.output


def raising(error: Exception) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("fail", callback=fail)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UsageError("rules.nft:3:10: unknown ct state 'establshed'"), "rules.nft:3:10: unknown ct state 'establshed'"),
        (FileNotFoundError(2, "No such file or directory", "walk.pcap"), "No such file or directory: walk.pcap"),
    ],
)
def test_a_mistake_of_the_user_ends_in_a_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "cli", raising(error))
    monkeypatch.setattr(sys, "argv", ["ctlab"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"ctlab: {said}\n"
