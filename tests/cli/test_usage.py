"""Which commands are there, and are they answered at once when they only say what they take?"""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from tradingview_scraper.adapters.mt5.cli.main import main

COMMANDS = {
    "backtest", "catalog", "demo", "doctor", "download",
    "flatten", "import", "instruments", "paper", "terminal",
}  # fmt: skip


def test_commands_are_pinned() -> None:
    assert set(main.commands) == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_says_what_it_does_and_refuses_what_it_does_not_know(command: str) -> None:
    said = CliRunner().invoke(main, [command, "-h"])
    assert said.exit_code == 0
    assert f"Usage: main {command} " in said.output
    text = main.commands[command].help
    assert text is not None
    assert " ".join(text.splitlines()[0].split()) in " ".join(said.output.split())
    assert CliRunner().invoke(main, [command, "--no-such-option"]).exit_code == 2


def test_help_needs_neither_nautilus_nor_pandas() -> None:
    script = (
        "import sys\n"
        "from tradingview_scraper.adapters.mt5.cli.main import main\n"
        "main(['backtest', '--help'], standalone_mode=False)\n"
        "print(sorted({'nautilus_trader', 'pandas', 'rich'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
