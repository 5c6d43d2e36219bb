"""Which symbol was recorded? A ``symbol_info(...)._asdict()`` that was saved as JSON."""

import json
from pathlib import Path
from typing import Any, Final, get_type_hints

from tradingview_scraper.adapters.mt5.simulator.market.catalogue import (
    LIVE_FIELDS,
    ORDER_MODE,
    CatalogueSymbol,
    Day,
    PriceModel,
)
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode, SymbolChartMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_KINDS: Final = get_type_hints(SymbolInfo)
#: Calculation modes whose tick value is the tick size times the contract size; that of the others
#: is a figure of its own.
_BY_CONTRACT: Final = frozenset(
    {
        *(SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE, SymbolCalcMode.CFD),
        *(SymbolCalcMode.CFDINDEX, SymbolCalcMode.CFDLEVERAGE, SymbolCalcMode.EXCH_STOCKS),
    }
)
_CURRENCY_LETTERS: Final = 3


def symbol_of_file(file: Path) -> CatalogueSymbol:
    """The symbol of a JSON file. Raises ValueError that says what is wrong with it.

    Its contract is what was recorded; its prices are synthetic, from the recorded price and spread.
    Of `order_mode` it keeps what the broker executes. Fields that are missing are zero.
    """
    try:
        fields = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise ValueError(f"{file}: not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"{file}: expected an object, got {type(fields).__name__}")
    unknown = sorted(fields.keys() - _KINDS.keys())
    if unknown or "name" not in fields:
        problem = f"got {', '.join(unknown)}" if unknown else "no name"
        raise ValueError(f"{file}: expected the fields of symbol_info, {problem}")
    values = {name: _value(file, name, kind, fields) for name, kind in _KINDS.items()}
    price = values["bid"] or values["last"] or values["ask"] or values["session_close"]
    if price <= 0.0 or values["point"] <= 0.0:
        raise ValueError(
            f"{file}: expected a bid, last, ask or session_close, and a point, above 0"
        )
    info = SymbolInfo(**values)
    if info.trade_calc_mode in _BY_CONTRACT or not info.trade_tick_value:
        # The recorded one is in the currency of an account that nobody knows.
        info = info._replace(trade_tick_value=info.trade_tick_size * info.trade_contract_size)
    blank = {name: type(values[name])() for name in LIVE_FIELDS}
    return CatalogueSymbol(
        info=info._replace(**blank, order_mode=info.order_mode & int(ORDER_MODE)),
        model=_model(info, price),
    )


def _model(info: SymbolInfo, price: float) -> PriceModel:
    by_last = info.chart_mode == SymbolChartMode.LAST
    is_pair = info.trade_calc_mode in (SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE) and (
        len(info.currency_base) == len(info.currency_profit) == _CURRENCY_LETTERS
    )
    day: Day = "stocks" if by_last else "currencies" if is_pair else "flat"
    # A spread of nothing is what an average of nothing would give.
    return PriceModel(
        start_price=price,
        daily_volatility=0.005 if is_pair else 0.015,
        spread_points=max(0, info.spread),
        day=day,
        sessions="Mon-Fri 00:00-24:00",
        trade_volume=3.0 if by_last else 0.0,
    )


def _value(file: Path, name: str, kind: type, fields: dict[str, Any]) -> Any:
    value = fields.get(name, kind())
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{file}, {name}: expected {kind.__name__}, got {value!r}")
    return value
