"""What does the demo show while it runs? One line, kept up to date."""

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tradingview_scraper.adapters.mt5.cli.demo.strategy import DemoStrategy

_BAR = 24


class Progress:
    """A context manager; `show` draws the state after so many seconds.

    A line is redrawn on a terminal; elsewhere (a log, a pipe) one is printed every five seconds.
    """

    def __init__(
        self, console: Console, seconds: float, symbols: tuple[str, ...], strategy: DemoStrategy
    ) -> None:
        self._console = console
        self._seconds = seconds
        self._symbols = symbols
        self._observed = strategy.observed
        self._live: Live | None = None
        self._printed = -5.0

    def __enter__(self) -> "Progress":
        self._console.print(
            f"Starting a node on the simulated terminal: {', '.join(self._symbols)}"
        )
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=8)
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def show(self, elapsed: float) -> None:
        """Draw the state `elapsed` seconds after the strategy started."""
        if self._live is not None:
            self._live.update(self._line(elapsed))
        elif elapsed - self._printed >= 5.0:
            self._printed = elapsed
            self._console.print(self._line(elapsed))

    def _line(self, elapsed: float) -> Text:
        done = int(_BAR * min(1.0, elapsed / self._seconds))
        ticks = sum(len(quotes) for quotes in self._observed.quotes.values())
        equity = f"{self._observed.equity[-1][1]:,.2f}" if self._observed.equity else "-"
        return Text.assemble(
            ("━" * done, "green"),
            ("━" * (_BAR - done), "dim"),
            f" {elapsed:4.0f}/{self._seconds:.0f} s   {ticks:,} ticks   "
            f"{len(self._observed.fills)} fills   equity {equity}",
        )
