"""Which terminal, on which account, and how patiently? `MT5TerminalConfig`."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

#: Environment variables that fill the fields left out.
ENVIRONMENT: Final = {
    "path": "MT5_TERMINAL_PATH",
    "login": "MT5_LOGIN",
    "password": "MT5_PASSWORD",
    "server": "MT5_SERVER",
}

#: The module path of the simulated terminal's library, for `MT5TerminalConfig.module`.
SIMULATOR_MODULE: Final = "tradingview_scraper.adapters.mt5.simulator"

#: `MT5TerminalConfig.server_time_zone` that is detected at connect.
AUTO_ZONE: Final = "auto"


class MT5TerminalConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=False
):
    """One MetaTrader 5 terminal and the account it must be on.

    >>> MT5TerminalConfig(path=r"C:\\MT5\\terminal64.exe", login=1234567, server="Broker-Demo")

    ``path``, ``login``, ``password`` and ``server`` fall back to ``MT5_TERMINAL_PATH``,
    ``MT5_LOGIN``, ``MT5_PASSWORD`` and ``MT5_SERVER``. The password never appears in a repr.
    Raises `MT5ConfigError` for values that cannot work.
    """

    #: The terminal's executable, or a scenario of the simulator. None: the library's own search.
    path: str | None = None
    #: Expected account number; trading needs it. None: any account, read only.
    login: int | None = None
    #: Needed only when the terminal is not logged in to `login` already.
    password: str | None = None
    #: Expected trade server, as the terminal shows it. None: not compared.
    server: str | None = None
    #: The terminal keeps its data beside its program (``/portable``).
    portable: bool = False
    #: The library's module: the vendor's, or `SIMULATOR_MODULE`.
    module: str = "MetaTrader5"
    #: Zone rule of the server's clock: ``Zone/Name``, ``Zone/Name+7h`` or ``UTC+2``; or `AUTO_ZONE`
    #: to take it from live ticks at connect, which fails while no market is open.
    server_time_zone: str = "America/New_York+7h"
    #: Seconds to wait for live ticks at connect, with `AUTO_ZONE`.
    clock_timeout_secs: float = 20.0
    #: Trade on an account that holds real money. False: such an account is refused.
    allow_real_account: bool = False
    #: Seconds for a worker to start and attach; after that it is killed.
    attach_timeout_secs: float = 60.0
    #: Seconds for a read on the trade or the quotes lane.
    call_timeout_secs: float = 10.0
    #: Seconds for the broker to answer ``order_send``; after that its outcome is unknown.
    order_timeout_secs: float = 30.0
    #: Seconds for a call on the history lane (the terminal may synchronise for 45 s).
    history_timeout_secs: float = 60.0
    #: Milliseconds between polls of orders, positions and deals, start to start.
    trade_poll_ms: int = 100
    #: Milliseconds between readings of the account that are sent though only prices moved it.
    account_poll_ms: int = 5_000
    #: Milliseconds between looks at the terminal's link to its trade server.
    link_poll_ms: int = 250
    #: Milliseconds between polls of one symbol's ticks while it is busy, start to start.
    quote_poll_ms: int = 10
    #: Most milliseconds between polls of a symbol that is quiet: how late the first tick after a
    #: silence may be seen. It is polled less often the longer it is quiet (a twentieth of the
    #: silence), so that hundreds of quiet symbols cost little.
    quote_poll_quiet_ms: int = 200
    #: Milliseconds between polls of one symbol's depth.
    book_poll_ms: int = 50
    #: Milliseconds between polls of one bar series.
    bar_poll_ms: int = 250
    #: Milliseconds before a dead worker is started again; doubles up to the maximum.
    restart_delay_ms: int = 250
    #: Longest pause between two starts of a worker, in milliseconds.
    restart_delay_max_ms: int = 30_000
    #: Workers of a lane that may die one after the other, each within `restart_delay_max_ms` of its
    #: attach, until the lane gives up. A terminal that cannot be reached does not count: it may
    #: come back. 0: never give up.
    restart_limit: int = 20

    def __post_init__(self) -> None:
        for name, least in (
            ("attach_timeout_secs", 0.1),
            ("call_timeout_secs", 0.1),
            ("order_timeout_secs", 0.1),
            ("history_timeout_secs", 0.1),
            ("clock_timeout_secs", 0.1),
            ("trade_poll_ms", 1),
            ("account_poll_ms", 1),
            ("link_poll_ms", 1),
            ("quote_poll_ms", 1),
            ("quote_poll_quiet_ms", self.quote_poll_ms),
            ("book_poll_ms", 1),
            ("bar_poll_ms", 1),
            ("restart_delay_ms", 1),
            ("restart_delay_max_ms", self.restart_delay_ms),
            ("restart_limit", 0),
        ):
            value = getattr(self, name)
            if not value >= least:
                raise MT5ConfigError(f"{name} must be at least {least:g}, was {value:g}")
        if self.login is not None and self.login <= 0:
            raise MT5ConfigError(f"login must be a positive account number, was {self.login}")
        if not self.module:
            raise MT5ConfigError("module must name the library's module, e.g. 'MetaTrader5'")

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name == 'password' else repr(value)}"
            for name, value in msgspec.structs.asdict(self).items()
            if value is not None
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def with_environment(self, environment: Mapping[str, str]) -> "MT5TerminalConfig":
        """This config with the fields left out filled from `environment` (see `ENVIRONMENT`)."""
        filled: dict[str, Any] = {}
        for field, variable in ENVIRONMENT.items():
            text = environment.get(variable, "")
            if getattr(self, field) is not None or not text:
                continue
            if field == "login":
                if not text.isdecimal():
                    raise MT5ConfigError(f"{variable} must be an account number, was {text!r}")
                filled[field] = int(text)
            else:
                filled[field] = text
        return msgspec.structs.replace(self, **filled) if filled else self
