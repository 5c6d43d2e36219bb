"""The demo's report in a real browser: no script fails, and every plot is drawn."""

import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from tradingview_scraper.adapters.mt5.cli.demo import session
from tradingview_scraper.adapters.mt5.cli.demo.report import write_report
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "headless_shell",
    "microsoft-edge",
    "msedge",
)
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
#: Written into the page before any of its scripts: what fails is seen in the page that is dumped.
LISTENER = (
    "<script>window.addEventListener('error', e => document.documentElement.setAttribute("
    "'data-failed', e.message));</script>"
)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        BROWSER is None, reason=f"no Chromium on the PATH: none of {', '.join(NAMES)} was found"
    ),
]


def dumped(page: Path, profile: Path) -> str:
    """The page's elements after its scripts have run."""
    done = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--disable-gpu",
            "--no-sandbox",
            f"--user-data-dir={profile}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
        check=True,
    )
    return done.stdout


def listening(page: Path) -> Path:
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("<head>", f"<head>{LISTENER}", 1), encoding="utf-8")
    return page


def test_demo_report_draws_its_plots_without_an_error(tmp_path: Path) -> None:
    result = session.trade(
        seconds=3.0,
        scenario="demo-hedging",
        library=SIMULATOR_MODULE,
        console=Console(quiet=True),
    )
    page = listening(write_report(result, tmp_path / "report"))
    elements = dumped(page, tmp_path / "profile")
    assert "data-failed=" not in elements.split(">", 2)[1]
    # Prices with equity, latencies, execution quality.
    assert elements.count('class="main-svg"') >= 3
    assert elements.count("js-plotly-plot") >= 3


def test_page_whose_script_fails_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><html><head></head><body><script>nothing();</script></body>")
    elements = dumped(listening(page), tmp_path / "profile")
    assert "data-failed=" in elements
