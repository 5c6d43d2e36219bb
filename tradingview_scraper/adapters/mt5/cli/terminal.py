"""``mt5 terminal``: a simulated terminal in the foreground."""

from pathlib import Path


def run(scenario: str, books: Path | None) -> int:
    """Serve `scenario` until Ctrl-C; 0 when it ended orderly, 2 when it could not start."""
    import sys

    from tradingview_scraper.adapters.mt5.simulator import server

    arguments = [scenario]
    if books is not None:
        arguments += ["--books", str(books)]
    print(
        f"Simulated terminal {scenario!r}: attach with initialize({scenario!r}). Ctrl-C ends it.",
        flush=True,
    )
    try:
        return server.main(arguments)
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as error:
        print(f"mt5 terminal: {error}", file=sys.stderr)
        return 2
