"""Does an ordinary script for the library run unchanged on the simulated terminal?"""

import importlib.util
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_ordinary_script_trades_on_it_and_twice_the_same(capsys):
    module = example("run_simulated")
    before = sys.modules.get("MetaTrader5")
    first = module.main()
    said = capsys.readouterr().out
    assert "refused: 10004 Requote" in said
    assert "bought at" in said
    assert "sold at" in said
    assert module.main() == first
    assert capsys.readouterr().out == said
    assert sys.modules.get("MetaTrader5") is before


def test_the_script_does_not_know_of_simulators():
    lines = (EXAMPLES / "moving_average.py").read_text("utf-8").splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports == ["import time", "import MetaTrader5 as mt5"]
