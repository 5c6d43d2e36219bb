"""Which terminal does a command speak with? The options that all of them share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import click

from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.simulator.control import connect, launch
from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

_VENDOR: Final = "MetaTrader5"


class TerminalChoice(NamedTuple):
    """What the options said. None: the environment, or the config's default."""

    path: str | None = None
    module: str | None = None
    login: int | None = None
    server: str | None = None
    zone: str | None = None
    simulator: str | None = None


_OPTIONS: Final = (
    click.option("--path", help="The terminal's executable, or a scenario. [MT5_TERMINAL_PATH]"),
    click.option("--login", type=int, help="Expected account number. [MT5_LOGIN]"),
    click.option("--server", help="Expected trade server. [MT5_SERVER]"),
    click.option(
        "--zone",
        metavar="RULE",
        help="The server's clock: America/New_York+7h (default), Europe/Athens, UTC+2, auto.",
    ),
    click.option("--module", help="The library's module. [default: MetaTrader5]"),
    click.option(
        "--simulator",
        metavar="SCENARIO",
        help="A simulated terminal: a built-in scenario or a TOML file; started if need be.",
    ),
)


def terminal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the terminal, as one argument `terminal`."""

    def called(**options: Any) -> Any:
        fields = {field: options.pop(field) for field in TerminalChoice._fields}
        return command(terminal=TerminalChoice(**fields), **options)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    wrapped: Callable[..., Any] = called
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


@contextmanager
def chosen_terminal(choice: TerminalChoice) -> Iterator[MT5TerminalConfig]:
    """The configuration of the chosen terminal, for reading.

    A scenario that nobody serves is started for the length of the block, on books of its own. The
    password comes from ``MT5_PASSWORD`` only. Raises `MT5ConfigError`.
    """
    if choice.simulator is None:
        given = {"path": choice.path, "login": choice.login, "server": choice.server}
        if choice.zone is not None:
            given["server_time_zone"] = choice.zone
        yield MT5TerminalConfig(module=choice.module or _VENDOR, **given)  # type: ignore[arg-type]
        return
    if choice.path is not None or choice.module is not None:
        raise MT5ConfigError("--simulator stands for --module and --path: leave them out")
    scenario = load_scenario(choice.simulator)
    fields: dict[str, Any] = {
        "module": SIMULATOR_MODULE,
        "login": choice.login or scenario.account.login,
        "server": choice.server or scenario.account.server,
        "server_time_zone": choice.zone or scenario.clock.zone,
    }
    try:
        connect(choice.simulator)
    except ConnectionError:
        with launch(choice.simulator) as control:
            yield MT5TerminalConfig(path=control.path, **fields)
    else:
        yield MT5TerminalConfig(path=choice.simulator, **fields)


def with_client[T](config: MT5TerminalConfig, use: Callable[[MT5Client], Awaitable[T]]) -> T:
    """What `use` makes of a connected client; it is disconnected after. Raises `MT5Error`."""

    async def whole() -> T:
        client = MT5Client(config)
        await client.connect()
        try:
            return await use(client)
        finally:
            await client.disconnect()

    return asyncio.run(whole())
