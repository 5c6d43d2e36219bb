"""What does a download show while it runs? One bar: periods, rate and remaining time."""

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from tradingview_scraper.adapters.mt5.archive.download import Outcome, State

_TROUBLE = (State.SHORT, State.FAILED)


class DownloadProgress:
    """A context manager; `planned` and `done` are the callbacks of `download`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rows]:>12,} rows {task.fields[rate]:>9,}/s"),
            TimeRemainingColumn(),
            console=console,
            transient=not console.is_terminal,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._rows = 0

    def __enter__(self) -> "DownloadProgress":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def planned(self, periods: int) -> None:
        """So many periods are to be read."""
        self._task = self._progress.add_task("", total=periods, rows=0, rate=0)

    def done(self, outcome: Outcome) -> None:
        """One of them is over; trouble is said in a line of its own."""
        if outcome.state in _TROUBLE:
            self._console.print(
                f"[yellow]{escape(str(outcome.series))} {outcome.period.name}: "
                f"{outcome.state}: {escape(outcome.note)}[/yellow]",
                soft_wrap=True,
            )
        if self._task is None:
            return
        if outcome.state is not State.KEPT:
            self._rows += outcome.rows
        task = self._progress.tasks[self._task]
        elapsed = max(task.elapsed or 0.0, 0.001)
        self._progress.update(
            self._task,
            advance=1,
            description=f"{outcome.series} {outcome.period.name}",
            rows=self._rows,
            rate=int(self._rows / elapsed),
        )
