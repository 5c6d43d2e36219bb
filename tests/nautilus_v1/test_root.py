"""The package's front door."""

import subprocess
import sys
from pathlib import Path

import pytest

import tradingview_scraper.adapters.mt5 as mt5

NAMES = [
    "MT5_VENUE",
    "MT5AccountFigures",
    "MT5Alarm",
    "MT5Client",
    "MT5DataClient",
    "MT5DataClientConfig",
    "MT5ExecClientConfig",
    "MT5ExecutionClient",
    "MT5Gap",
    "MT5GuardsConfig",
    "MT5InstrumentProvider",
    "MT5InstrumentProviderConfig",
    "MT5LiveDataClientFactory",
    "MT5LiveExecClientFactory",
    "MT5QualityConfig",
    "MT5SwapRates",
    "MT5TerminalConfig",
]


def test_public_names_are_pinned():
    assert mt5.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_public_name_resolves_to_its_own(name):
    assert getattr(getattr(mt5, name), "__name__", name) == name
    assert name in dir(mt5)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="MT5Bridge"):
        _ = mt5.MT5Bridge


def test_importing_the_root_imports_neither_nautilus_nor_pandas():
    script = (
        "import sys, tradingview_scraper.adapters.mt5 as mt5; mt5.MT5TerminalConfig; "
        "print(sorted({'nautilus_trader', 'pandas', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_package_is_typed():
    assert (Path(mt5.__file__).parent / "py.typed").is_file()
