"""How are the clients of one terminal configured?

>>> terminal = MT5TerminalConfig(path=r"C:\\MT5\\terminal64.exe", login=1234567)
>>> MT5DataClientConfig(terminal=terminal)
>>> MT5ExecClientConfig(terminal=terminal, oms_type="HEDGING")

The configs are frozen, refuse unknown fields and survive a round trip through JSON (which contains
the password where one is set; a repr never does). What is left out of `terminal` is filled from the
environment by the factories: ``MT5_TERMINAL_PATH``, ``MT5_LOGIN``, ``MT5_PASSWORD``,
``MT5_SERVER``.
"""

from typing import Any, Final

import msgspec
from nautilus_trader.common.config import InstrumentProviderConfig, NautilusConfig
from nautilus_trader.live.config import LiveDataClientConfig, LiveExecClientConfig
from nautilus_trader.model.enums import OmsType

from tradingview_scraper.adapters.mt5.rules.identity import NAMESPACES
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

#: The two ways in which an account keeps positions.
OMS_TYPES: Final = ("HEDGING", "NETTING")


class MT5InstrumentProviderConfig(InstrumentProviderConfig, kw_only=True, frozen=True):
    """Which instruments are loaded when the clients connect.

    Beside the inherited `load_all`, `load_ids`, `filter_callable` and `filters`; the latter
    overrides the fields below by their names, ``{"group": "*USD*"}``. They narrow what `load_all`
    takes. Whatever is named is loaded in any case: by `load_ids`, or when it is subscribed,
    requested, or traded on the account.
    """

    #: Symbols in the terminal's words: ``"*USD*,!*JPY*"``. None: all.
    group: str | None = None
    #: Only symbols that the terminal shows in its Market Watch.
    market_watch_only: bool = False
    #: Only symbols on which positions can be opened now (trade mode full, long only, short only).
    tradable_only: bool = False
    #: Only symbols with these calculation modes (`SymbolCalcMode`, 0 is FX). None: all.
    calc_modes: tuple[int, ...] | None = None
    #: At most so many symbols, in the terminal's order; the log says how many were left out.
    #: None: no limit.
    max_count: int | None = None

    def __post_init__(self) -> None:
        if self.max_count is not None and self.max_count < 1:
            raise MT5ConfigError(f"max_count must be 1 or more, was {self.max_count}")
        unknown = set(self.filters or ()) - set(PROVIDER_FILTERS)
        if unknown:
            raise MT5ConfigError(
                f"filters must be among {', '.join(PROVIDER_FILTERS)}, "
                f"was {', '.join(map(repr, sorted(unknown)))}"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MT5InstrumentProviderConfig) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash((self.group, self.load_all, self.load_ids))


#: Names that `MT5InstrumentProviderConfig.filters` takes.
PROVIDER_FILTERS: Final = (
    "group",
    "market_watch_only",
    "tradable_only",
    "calc_modes",
    "max_count",
)


def _values(config: msgspec.Struct) -> tuple[Any, ...]:
    return msgspec.structs.astuple(config)


class MT5DataClientConfig(LiveDataClientConfig, kw_only=True, frozen=True):
    """Configuration of an `MT5DataClient`."""

    #: The terminal, and the account that it must be on.
    terminal: MT5TerminalConfig = MT5TerminalConfig()
    #: Venue of the instruments; its own name where a node trades several terminals.
    venue: str = "MT5"
    #: Instruments that are loaded at connect.
    instrument_provider: MT5InstrumentProviderConfig = MT5InstrumentProviderConfig()
    #: Seconds between looks at the definition of an instrument that is subscribed to.
    instrument_poll_secs: float = 60.0
    #: Seconds between looks at the status, or the closing price, of an instrument.
    status_poll_secs: float = 5.0
    #: Seconds without a new quote after which an instrument counts as quiet: closed or paused.
    status_quiet_secs: float = 120.0
    #: Weeks of H1 bars from which the opening hours of an instrument are learned (the library shows
    #: no session table). 0: nothing is learned.
    status_learn_weeks: int = 4
    #: Size of both sides of a quote, in lots: the terminal has none.
    quote_size_lots: float = 1.0
    #: Rows of a historical answer that the node takes at once; the event loop has a turn after
    #: each. 0: the whole answer at once, which a node with a data catalog needs where a request
    #: is answered from both (the parts are sorted only when they come whole).
    response_rows: int = 64
    #: Seconds for which a history that is not there yet is asked for again: a terminal downloads
    #: it when it is first asked, and says nothing or too little meanwhile.
    history_sync_secs: float = 10.0

    def __post_init__(self) -> None:
        _check_venue(self.venue)
        for name in ("instrument_poll_secs", "status_poll_secs", "status_quiet_secs"):
            if not getattr(self, name) > 0:
                raise MT5ConfigError(f"{name} must be above 0, was {getattr(self, name):g}")
        for name in ("quote_size_lots", "response_rows", "history_sync_secs"):
            if not getattr(self, name) >= 0:
                raise MT5ConfigError(f"{name} must be 0 or more, was {getattr(self, name):g}")
        if not 0 <= self.status_learn_weeks <= 52:
            raise MT5ConfigError(
                f"status_learn_weeks must be 0 to 52, was {self.status_learn_weeks}"
            )


class MT5GuardsConfig(NautilusConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Limits of one's own, checked before an order is sent; None (the default) is no limit.

    An order beyond one is denied with the figure and the limit. What can only close (reduce-only,
    a `position_id` on a hedging account, the part of an order against a netted position) is never
    denied by them. See ``docs/operations.md``.
    """

    #: Lots that one order may open.
    max_order_lots: float | None = None
    #: Value of what one order may open, in the account's currency (lots x contract size x price).
    max_order_notional: float | None = None
    #: Orders within any 60 seconds, closing ones counted.
    max_orders_per_minute: int | None = None
    #: Lots open on the whole account, of all programs and hands, with all working orders: tickets
    #: of a hedging account add up, also opposite ones; a netting account's positions count net.
    max_open_lots: float | None = None
    #: The same of one symbol.
    max_open_lots_per_symbol: float | None = None
    #: Loss of the whole account since the server's midnight, in the account's currency (profit,
    #: commission, swap and fee of its deals; deposits and withdrawals are no loss). When it is
    #: reached, nothing is opened any more until the server's next midnight.
    max_daily_loss: float | None = None
    #: What open positions have lost or won counts for `max_daily_loss`; all of it, also what they
    #: had lost or won at midnight.
    daily_loss_counts_floating: bool = True

    def __post_init__(self) -> None:
        for name in (
            "max_order_lots",
            "max_order_notional",
            "max_orders_per_minute",
            "max_open_lots",
            "max_open_lots_per_symbol",
            "max_daily_loss",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise MT5ConfigError(
                    f"guards.{name} must be above 0, was {value!r}; leave it out for no limit"
                )


class MT5QualityConfig(NautilusConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Files with the figures of execution quality: slippage, requotes, times, spread at the fill.

    Each is replaced whole, every `interval_secs` and when the client disconnects, so that a reader
    never sees half of one. See ``docs/operations.md``.
    """

    #: A text file for Prometheus' node exporter (its textfile collector wants ``*.prom``).
    prometheus_path: str | None = None
    #: The same figures as JSON.
    json_path: str | None = None
    #: Seconds between two writings.
    interval_secs: float = 15.0

    def __post_init__(self) -> None:
        if not 0 < self.interval_secs < float("inf"):
            raise MT5ConfigError(
                f"quality.interval_secs must be above 0, was {self.interval_secs!r}"
            )
        for name in ("prometheus_path", "json_path"):
            if getattr(self, name) == "":
                raise MT5ConfigError(f"quality.{name} must name a file; leave it out for none")


class MT5ExecClientConfig(LiveExecClientConfig, kw_only=True, frozen=True):
    """Configuration of an `MT5ExecutionClient`. Trading needs `terminal.login`."""

    #: How the account keeps positions: "HEDGING" (tickets) or "NETTING" (one position a symbol;
    #: exchange accounts too). An `OmsType` is taken as well. Compared with the account at connect.
    oms_type: str
    #: The terminal, and the account that it must be on.
    terminal: MT5TerminalConfig = MT5TerminalConfig()
    #: Venue of the instruments; the same as the data client's.
    venue: str = "MT5"
    #: Instruments that are loaded at connect.
    instrument_provider: MT5InstrumentProviderConfig = MT5InstrumentProviderConfig()
    #: First four digits of the magic number of this node's orders (1000 to 9999). Nodes that trade
    #: the same account need different ones.
    magic_namespace: int = 1000
    #: Further namespaces whose orders are this node's: those that it had before, under another
    #: name. What is sent from now on gets `magic_namespace`.
    own_namespaces: tuple[int, ...] = ()
    #: Price change that is accepted on symbols with Instant or Request execution, in points.
    deviation_points: int = 20
    #: Ask ``order_check`` before an order is sent: what lacks margin is denied, not rejected. Costs
    #: a call; an order is submitted when its check is passed.
    check_orders: bool = False
    #: Seconds for which a quote forbids what it forbids: an order that is then on the wrong side of
    #: the market, or nearer than the symbol's stops level, is denied. Later the server answers.
    fresh_quote_secs: float = 1.0
    #: Send orders and stops that the server drops at the end of its day (`order_gtc_mode`) though
    #: they were to last. Their end is told as it comes. They are denied otherwise.
    allow_daily_expiry: bool = False
    #: Change the quantity of a waiting order by cancelling it and placing it anew, what is left of
    #: it, under another ticket. False: the change is rejected, for no server changes a volume.
    #: Between the two there is no order, its place in the book is lost, and when the second one is
    #: refused the order is cancelled.
    replace_to_change_quantity: bool = False
    #: Seconds between looks at an order whose change or cancel has an unknown outcome. When two in
    #: a row, each with the terminal linked to its server, show it unchanged, that did nothing.
    unproven_change_secs: float = 60.0
    #: Seconds by which the server's clock must have passed an order of unknown outcome before a
    #: reading of the account counts as proof that it is not there. Two such readings in a row,
    #: with the terminal linked to its server all the time, have it rejected.
    unproven_order_secs: float = 60.0
    #: Seconds between comparisons of the account with what the trade feed has brought. 0: never.
    audit_secs: float = 300.0
    #: Seconds between lines in the log that say what was done and how long it took. 0: never.
    metrics_log_secs: float = 600.0
    #: Seconds after which an order whose outcome is not known yet is confirmed to be in flight, so
    #: that the engine does not give it up. Below the engine's `inflight_check_threshold_ms`.
    inflight_keepalive_secs: float = 2.0
    #: Limits of one's own: volume, value, rate, open lots, daily loss.
    guards: MT5GuardsConfig = MT5GuardsConfig()
    #: Set the stop loss of a position again that should have one and has none (cleared by hand,
    #: dropped by the server). False: an alarm is raised, and nothing is done.
    restore_stop_loss: bool = False
    #: Where the figures of execution quality are written; nowhere by default.
    quality: MT5QualityConfig = MT5QualityConfig()

    def __post_init__(self) -> None:
        _check_venue(self.venue)
        if isinstance(self.oms_type, OmsType):
            msgspec.structs.force_setattr(self, "oms_type", self.oms_type.name)
        if self.oms_type not in OMS_TYPES:
            raise MT5ConfigError(
                f"oms_type must be 'HEDGING' or 'NETTING', was {self.oms_type!r}; take the one "
                f"that the account has"
            )
        for namespace in self.own_namespaces:
            if namespace not in NAMESPACES:
                raise MT5ConfigError(
                    f"own_namespaces must be {NAMESPACES.start} to {NAMESPACES.stop - 1}, "
                    f"was {namespace}"
                )
        if self.magic_namespace not in NAMESPACES:
            raise MT5ConfigError(
                f"magic_namespace must be {NAMESPACES.start} to {NAMESPACES.stop - 1}, "
                f"was {self.magic_namespace}"
            )
        if self.deviation_points < 0:
            raise MT5ConfigError(f"deviation_points must be 0 or more, was {self.deviation_points}")
        for name in ("inflight_keepalive_secs", "unproven_change_secs", "unproven_order_secs"):
            if not getattr(self, name) > 0:
                raise MT5ConfigError(f"{name} must be above 0, was {getattr(self, name):g}")
        for name in ("fresh_quote_secs", "audit_secs", "metrics_log_secs"):
            if not getattr(self, name) >= 0:
                raise MT5ConfigError(f"{name} must be 0 or more, was {getattr(self, name):g}")


def _check_venue(venue: str) -> None:
    if not venue or "." in venue:
        raise MT5ConfigError(f"venue must be a name without a dot, e.g. 'MT5', was {venue!r}")


def without_password[C: (MT5DataClientConfig, MT5ExecClientConfig)](config: C) -> C:
    """`config` as Nautilus may keep it: components publish their configuration in events."""
    return msgspec.structs.replace(
        config, terminal=msgspec.structs.replace(config.terminal, password=None)
    )
