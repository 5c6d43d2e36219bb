"""Which symbols can a scenario name? The built-in ones: `SymbolInfo` and a model of the prices.

Contract figures are typical of retail brokers; every figure can be overridden in a scenario.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from tradingview_scraper.adapters.mt5.terminal.constants import (
    CALC_MODE_EXCH_OPTIONS_REPORTED,
    SymbolCalcMode,
    SymbolChartMode,
    SymbolExpiration,
    SymbolFilling,
    SymbolOptionMode,
    SymbolOptionRight,
    SymbolOrderMode,
    SymbolSwapMode,
    SymbolTradeExecution,
    SymbolTradeMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: Fields that the market fills in while it runs; a scenario cannot set them.
LIVE_FIELDS: Final = frozenset(
    {
        *("select", "visible", "time", "spread", "volume", "volumehigh", "volumelow"),
        *("bid", "bidhigh", "bidlow", "ask", "askhigh", "asklow", "last", "lasthigh", "lastlow"),
        *("volume_real", "volumehigh_real", "volumelow_real", "session_open", "session_close"),
        *("session_deals", "session_volume", "session_turnover", "price_change"),
        *("trade_tick_value_profit", "trade_tick_value_loss"),
    }
)

#: What the broker offers: everything.
ORDER_MODE: Final = ~SymbolOrderMode(0)
#: The same for symbols whose positions cannot be closed by each other.
_NO_CLOSE_BY: Final = int(ORDER_MODE & ~SymbolOrderMode.CLOSEBY)

Day = Literal["currencies", "stocks", "flat"]


class PriceModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the prices of a symbol move. A scenario may override each field."""

    #: Price that the walk stays around.
    start_price: float
    #: Standard deviation of a day's move, as a fraction of the price.
    daily_volatility: float = 0.005
    #: Smallest usual spread, in points.
    spread_points: int = 2
    #: Mean of what a tick's spread adds to it, in points.
    spread_noise: float = 2.0
    #: Mean over a day in which all hours are open.
    ticks_per_second: float = 1.0
    #: How the ticks spread over the hours of the server's day.
    day: Day = "currencies"
    #: ``"always"`` or ``"Mon-Fri 16:30-23:00"``, server time.
    sessions: str = "Mon-Fri 00:00-24:00"
    #: Mean volume of a trade. 0: the symbol has no last prices.
    trade_volume: float = 0.0


class CatalogueSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol of the catalogue: what it is, and how its prices move."""

    info: SymbolInfo
    model: PriceModel


def _blank() -> dict[str, Any]:
    zeros: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: ""}
    return {field: zeros[kind] for field, kind in SymbolInfo.__annotations__.items()}


def _symbol(name: str, path: str, model: PriceModel, **fields: Any) -> CatalogueSymbol:
    digits = int(fields["digits"])
    point = round(10.0**-digits, digits)
    fields = {
        **_blank(),
        "spread_float": True,
        "trade_mode": int(SymbolTradeMode.FULL),
        "trade_exemode": int(SymbolTradeExecution.MARKET),
        "filling_mode": int(SymbolFilling.FOK | SymbolFilling.IOC),
        "expiration_mode": int(~SymbolExpiration(0)),
        "order_mode": int(ORDER_MODE),
        "swap_rollover3days": 3,
        "point": point,
        "trade_tick_size": point,
        "volume_min": 0.01,
        "volume_max": 100.0,
        "volume_step": 0.01,
        "name": name,
        "path": f"{path}\\{name}",
        **fields,
    }
    fields.setdefault("trade_tick_value", 0.0)
    if not fields["trade_tick_value"]:
        fields["trade_tick_value"] = fields["trade_tick_size"] * fields["trade_contract_size"]
    return CatalogueSymbol(info=SymbolInfo(**fields), model=model)


def _pair(
    name: str, description: str, swap: tuple[float, float], digits: int, model: PriceModel
) -> CatalogueSymbol:
    return _symbol(
        name,
        "Forex",
        model,
        digits=digits,
        trade_calc_mode=int(SymbolCalcMode.FOREX),
        trade_contract_size=100_000.0,
        swap_mode=int(SymbolSwapMode.POINTS),
        swap_long=swap[0],
        swap_short=swap[1],
        currency_base=name[:3],
        currency_profit=name[3:],
        currency_margin=name[:3],
        description=description,
    )


def _index(
    name: str, description: str, currency: str, model: PriceModel, **fields: Any
) -> CatalogueSymbol:
    return _symbol(
        name,
        "Indices",
        model,
        trade_contract_size=1.0,
        volume_min=0.1,
        volume_step=0.1,
        volume_max=250.0,
        swap_mode=int(SymbolSwapMode.INTEREST_CURRENT),
        swap_long=-5.2,
        swap_short=1.7,
        swap_rollover3days=5,
        currency_base=currency,
        currency_profit=currency,
        currency_margin=currency,
        description=description,
        **fields,
    )


def _share(name: str, description: str, isin: str, model: PriceModel) -> CatalogueSymbol:
    return _symbol(
        name,
        "Stocks\\US",
        model,
        digits=2,
        chart_mode=int(SymbolChartMode.LAST),
        trade_calc_mode=int(SymbolCalcMode.EXCH_STOCKS),
        trade_exemode=int(SymbolTradeExecution.EXCHANGE),
        order_mode=_NO_CLOSE_BY,
        ticks_bookdepth=10,
        trade_contract_size=1.0,
        volume_min=1.0,
        volume_step=1.0,
        volume_max=10_000.0,
        swap_rollover3days=5,
        currency_base="USD",
        currency_profit="USD",
        currency_margin="USD",
        exchange="NASDAQ",
        isin=isin,
        description=description,
    )


#: What the future and its option have in common.
_E_MINI: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "trade_exemode": int(SymbolTradeExecution.EXCHANGE),
        "filling_mode": int(~SymbolFilling(0)),
        "order_mode": _NO_CLOSE_BY,
        "ticks_bookdepth": 10,
        "trade_tick_size": 0.25,
        "trade_tick_value": 12.5,
        "trade_contract_size": 50.0,
        "volume_min": 1.0,
        "volume_step": 1.0,
        "volume_max": 500.0,
        "currency_base": "USD",
        "currency_profit": "USD",
        "currency_margin": "USD",
        "exchange": "CME",
    }
)


def _catalogue() -> dict[str, CatalogueSymbol]:
    symbols = [
        _pair(
            "EURUSD",
            "Euro vs US Dollar",
            (-6.8, 3.9),
            5,
            PriceModel(start_price=1.1650, daily_volatility=0.0045, ticks_per_second=1.15),
        ),
        _pair(
            "GBPUSD",
            "Great Britain Pound vs US Dollar",
            (-3.1, -1.2),
            5,
            PriceModel(start_price=1.3380, daily_volatility=0.005, spread_points=4),
        ),
        _pair(
            "USDJPY",
            "US Dollar vs Japanese Yen",
            (5.2, -21.3),
            3,
            PriceModel(start_price=148.50, daily_volatility=0.0055, spread_points=3),
        ),
        _pair(
            "USDCHF",
            "US Dollar vs Swiss Franc",
            (4.4, -9.9),
            5,
            PriceModel(
                start_price=0.8010, daily_volatility=0.0045, spread_points=5, ticks_per_second=0.8
            ),
        ),
        _pair(
            "AUDUSD",
            "Australian Dollar vs US Dollar",
            (-2.9, 0.4),
            5,
            PriceModel(
                start_price=0.6560, daily_volatility=0.0055, spread_points=3, ticks_per_second=0.8
            ),
        ),
        _pair(
            "EURGBP",
            "Euro vs Great Britain Pound",
            (-5.6, 1.8),
            5,
            PriceModel(
                start_price=0.8710, daily_volatility=0.0035, spread_points=5, ticks_per_second=0.7
            ),
        ),
        _symbol(
            "XAUUSD",
            "Metals",
            PriceModel(
                start_price=3350.0,
                daily_volatility=0.009,
                spread_points=8,
                spread_noise=5.0,
                ticks_per_second=1.8,
                sessions="Mon-Fri 01:00-24:00",
            ),
            digits=2,
            trade_calc_mode=int(SymbolCalcMode.FOREX),
            trade_contract_size=100.0,
            swap_mode=int(SymbolSwapMode.POINTS),
            swap_long=-58.0,
            swap_short=46.4,
            currency_base="XAU",
            currency_profit="USD",
            currency_margin="XAU",
            description="Gold vs US Dollar",
        ),
        _index(
            "US500",
            "US 500 Index",
            "USD",
            PriceModel(
                start_price=6400.0,
                daily_volatility=0.008,
                spread_points=4,
                sessions="Mon-Fri 01:00-24:00",
            ),
            digits=1,
            trade_calc_mode=int(SymbolCalcMode.CFDINDEX),
        ),
        _index(
            "Germany 40",
            "Germany 40 Index",
            "EUR",
            PriceModel(
                start_price=24_000.0,
                daily_volatility=0.009,
                spread_points=10,
                spread_noise=4.0,
                sessions="Mon-Fri 02:15-24:00",
            ),
            digits=1,
            trade_calc_mode=int(SymbolCalcMode.CFDLEVERAGE),
            trade_stops_level=20,
        ),
        _symbol(
            "BTCUSD",
            "Crypto",
            PriceModel(
                start_price=96_000.0,
                daily_volatility=0.022,
                spread_points=800,
                spread_noise=300.0,
                ticks_per_second=2.0,
                day="flat",
                sessions="always",
            ),
            digits=2,
            trade_calc_mode=int(SymbolCalcMode.CFDLEVERAGE),
            order_mode=_NO_CLOSE_BY,
            trade_contract_size=1.0,
            volume_max=30.0,
            swap_mode=int(SymbolSwapMode.INTEREST_CURRENT),
            swap_long=-20.0,
            swap_short=-20.0,
            swap_rollover3days=5,
            currency_base="USD",
            currency_profit="USD",
            currency_margin="USD",
            description="Bitcoin vs US Dollar",
        ),
        _share(
            "#AAPL",
            "Apple Inc",
            "US0378331005",
            PriceModel(
                start_price=232.0,
                daily_volatility=0.014,
                spread_points=1,
                spread_noise=0.6,
                ticks_per_second=0.8,
                day="stocks",
                sessions="Mon-Fri 16:30-23:00",
                trade_volume=120.0,
            ),
        ),
        _share(
            "#MSFT",
            "Microsoft Corp",
            "US5949181045",
            PriceModel(
                start_price=505.0,
                daily_volatility=0.013,
                spread_points=2,
                spread_noise=1.0,
                ticks_per_second=0.7,
                day="stocks",
                sessions="Mon-Fri 16:30-23:00",
                trade_volume=80.0,
            ),
        ),
        _symbol(
            "@ES",
            "Futures",
            PriceModel(
                start_price=6420.0,
                daily_volatility=0.008,
                spread_points=25,
                spread_noise=4.0,
                sessions="Mon-Fri 01:00-24:00",
                trade_volume=3.0,
            ),
            digits=2,
            chart_mode=int(SymbolChartMode.LAST),
            trade_calc_mode=int(SymbolCalcMode.EXCH_FUTURES),
            **_E_MINI,
            margin_initial=12_000.0,
            margin_maintenance=11_000.0,
            description="E-mini S&P 500, continuous",
        ),
        _symbol(
            "@ES6500C",
            "Options",
            PriceModel(
                start_price=85.0,
                daily_volatility=0.06,
                spread_points=50,
                spread_noise=25.0,
                ticks_per_second=0.3,
                sessions="Mon-Fri 01:00-24:00",
                trade_volume=2.0,
            ),
            digits=2,
            chart_mode=int(SymbolChartMode.LAST),
            # What terminals report for options, while the library's own constant is 34 [recorded].
            trade_calc_mode=CALC_MODE_EXCH_OPTIONS_REPORTED,
            **_E_MINI,
            margin_initial=6_000.0,
            margin_maintenance=5_500.0,
            option_mode=int(SymbolOptionMode.AMERICAN),
            option_right=int(SymbolOptionRight.CALL),
            option_strike=6_500.0,
            # 20 December 2030, 16:30 at the server.
            expiration_time=1_924_014_600,
            basis="@ES",
            description="Call on the E-mini S&P 500, strike 6500",
        ),
    ]
    return {symbol.info.name: symbol for symbol in symbols}


#: The built-in symbols by name.
CATALOGUE: Final[Mapping[str, CatalogueSymbol]] = MappingProxyType(_catalogue())
