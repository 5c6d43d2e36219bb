"""What is a symbol, and in which steps is it traded? Kind, precision, units and the one escape.

Quantities are *units of the underlying*: lots times the contract size, because currency pairs,
CFDs and shares know no multiplier [decision]. Futures and options are counted in lots, and the
multiplier carries their size. Nothing is decided by names: the calculation mode, the currency
fields and the volume step say everything.
"""

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import (
    CALC_MODE_EXCH_OPTIONS_REPORTED,
    SymbolCalcMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


class Kind(StrEnum):
    """What an instrument is, as far as money is concerned."""

    CURRENCY_PAIR = "CURRENCY_PAIR"
    CFD = "CFD"
    EQUITY = "EQUITY"
    FUTURES = "FUTURES"
    OPTION = "OPTION"
    PERPETUAL = "PERPETUAL"


class UnsupportedSymbol(ValueError):
    """The symbol cannot become an instrument; the text says why."""


class VolumeError(ValueError):
    """A volume that the symbol does not take; the text says what it takes."""


class Sizing(NamedTuple):
    """The steps of a symbol. Decimals are exact, and scaled to their precision.

    `lot` is how many units one lot holds, `multiplier` how much of the underlying one unit is.
    `min_units` and `max_units` lie on the grid of `size_increment`; no maximum is None.
    """

    kind: Kind
    price_precision: int
    price_increment: Decimal
    size_precision: int
    size_increment: Decimal
    lot: Decimal
    multiplier: Decimal
    min_units: Decimal
    max_units: Decimal | None


def escape(symbol: str) -> str:
    """The symbol as it is written in an instrument id: unchanged but for ``@``, ``*`` and ``?``.

    They become ``%40``, ``%2A`` and ``%3F``. The first separates composite bar types; the others
    are wildcards of the message bus: quotes of ``AXB`` would reach who subscribed to ``A*B``
    [measured]. A symbol that holds ``%40`` itself gets ``%2540``, so that `unescape` gives every
    symbol back.
    """
    return _ESCAPED.sub(r"%25\g<more>\g<code>", symbol).translate(_CODES)


def unescape(text: str) -> str:
    """The broker's symbol of an instrument id's text."""

    def plain(found: re.Match[str]) -> str:
        more, code = found["more"], found["code"]
        return f"%{more[2:]}{code}" if more else chr(int(code, 16))

    return _ESCAPED.sub(plain, text)


def sizing(info: SymbolInfo) -> Sizing:
    """Kind, steps and limits of a symbol. Raises `UnsupportedSymbol` with the reason."""
    kind, lot, multiplier = _kind(info)
    step = _decimal(info.volume_step)
    if step <= 0:
        raise UnsupportedSymbol(f"{info.name}: the volume step must be positive, was {step}")
    tick = _decimal(info.trade_tick_size)
    if tick <= 0:
        tick = Decimal(1).scaleb(-info.digits)
    price_precision = max(info.digits, _places(tick))
    size_increment = step * lot
    size_precision = _places(size_increment)

    def size(value: Decimal) -> Decimal:
        return _scaled(value, size_precision)

    least = (_decimal(info.volume_min) / step).to_integral_value(ROUND_CEILING)
    most = None
    if info.volume_min <= info.volume_max < _NO_LIMIT:
        most = (_decimal(info.volume_max) / step).to_integral_value(ROUND_FLOOR)
    return Sizing(
        kind=kind,
        price_precision=price_precision,
        price_increment=_scaled(tick, price_precision),
        size_precision=size_precision,
        size_increment=size(size_increment),
        lot=_plain(lot),
        multiplier=_plain(multiplier),
        min_units=size(max(least, Decimal(1)) * size_increment),
        max_units=None if most is None else size(most * size_increment),
    )


def units(lots: float, sizing: Sizing) -> Decimal:
    """The units of a volume in lots, exact on the step grid.

    Float noise is taken off. A volume that truly lies between two steps (a broker changed the
    step) comes back as it is, with more decimals than `size_precision`: facts are not rounded.
    """
    exact = _decimal(lots) * sizing.lot
    steps = exact / sizing.size_increment
    near = steps.to_integral_value()
    if abs(steps - near) < _NOISE:
        return _scaled(near * sizing.size_increment, sizing.size_precision)
    return _plain(exact)


def lots(units: Decimal, sizing: Sizing, info: SymbolInfo) -> float:
    """The volume in lots of `units`, as the float that the library wants.

    Raises `VolumeError` when it is below the minimum, above the maximum or between two steps.
    """
    said = f"{units} units of {info.name} ({_plain(units / sizing.lot)} lots)"
    if units < sizing.min_units:
        raise VolumeError(
            f"{said}: at least {sizing.min_units} units ({info.volume_min:g} lots) are needed"
        )
    if sizing.max_units is not None and units > sizing.max_units:
        raise VolumeError(
            f"{said}: at most {sizing.max_units} units ({info.volume_max:g} lots) are allowed"
        )
    if units % sizing.size_increment:
        raise VolumeError(
            f"{said}: must be a multiple of {sizing.size_increment} units "
            f"({info.volume_step:g} lots)"
        )
    return float(units / sizing.lot)


_ESCAPED: Final = re.compile(r"%(?P<more>(?:25)*)(?P<code>40|2A|3F)")
_CODES: Final = str.maketrans({mark: f"%{ord(mark):X}" for mark in "@*?"})

#: Volumes from here on, in lots, are a server's way to say "no limit" [decision].
_NO_LIMIT: Final = 1e9
#: A volume this close to a step (in steps) is on it: floats of a terminal carry noise [recorded].
_NOISE: Final = Decimal("1e-6")
#: Significant digits that a terminal's float can be trusted for.
_DIGITS: Final = 12

_FOREX: Final = frozenset({SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE})
_CFDS: Final = frozenset({SymbolCalcMode.CFD, SymbolCalcMode.CFDINDEX, SymbolCalcMode.CFDLEVERAGE})
_SHARES: Final = frozenset({SymbolCalcMode.EXCH_STOCKS, SymbolCalcMode.EXCH_STOCKS_MOEX})
# The library calls 34 the exchange options; terminals report FORTS futures with it [recorded].
_FUTURES: Final = frozenset(
    {SymbolCalcMode.FUTURES, SymbolCalcMode.EXCH_FUTURES, SymbolCalcMode.EXCH_OPTIONS}
)
_OPTIONS: Final = frozenset({CALC_MODE_EXCH_OPTIONS_REPORTED, SymbolCalcMode.EXCH_OPTIONS_MARGIN})
_REFUSED: Final = {
    SymbolCalcMode.EXCH_BONDS: "bonds are priced in percent of a face value",
    SymbolCalcMode.EXCH_BONDS_MOEX: "bonds are priced in percent of a face value",
    SymbolCalcMode.SERV_COLLATERAL: "a collateral asset cannot be traded",
}


def doubt_of_multiplier(info: SymbolInfo, sizing: Sizing, deposit: str) -> str | None:
    """Why the multiplier of a future may be wrong on an account in `deposit`; None: it is not.

    It is tick value / tick size, and on some servers the tick value is in the account's currency,
    converted by the quote of the moment [vendor]: nothing tells which it is.
    """
    if sizing.kind not in (Kind.FUTURES, Kind.PERPETUAL) or info.currency_profit == deposit:
        return None
    return (
        f"its profit is in {info.currency_profit}, the account in {deposit}: if the server shows "
        f"the tick value ({info.trade_tick_value:g}) in {deposit}, the multiplier "
        f"{sizing.multiplier} and all that is computed with it (profit, margin, value) are wrong; "
        f"compare it with the contract's specification before trading it"
    )


def _kind(info: SymbolInfo) -> tuple[Kind, Decimal, Decimal]:
    """Kind, units per lot, multiplier."""
    mode, one = info.trade_calc_mode, Decimal(1)
    if mode in _REFUSED:
        raise UnsupportedSymbol(f"{info.name}: {_REFUSED[SymbolCalcMode(mode)]}")
    if not info.currency_profit:
        raise UnsupportedSymbol(f"{info.name}: the terminal names no profit currency")
    if mode in _FUTURES:
        whole = _places(_decimal(info.volume_step)) == 0
        return Kind.FUTURES if whole else Kind.PERPETUAL, one, _tick_multiplier(info)
    contract = _decimal(info.trade_contract_size)
    if contract <= 0:
        raise UnsupportedSymbol(f"{info.name}: the contract size must be positive, was {contract}")
    if mode in _OPTIONS:
        if _places(_decimal(info.volume_step)):
            raise UnsupportedSymbol(
                f"{info.name}: options are counted in whole lots, the step is {info.volume_step:g}"
            )
        return Kind.OPTION, one, contract
    if mode in _FOREX:
        pair = info.currency_base and info.currency_base != info.currency_profit
        return Kind.CURRENCY_PAIR if pair else Kind.CFD, contract, one
    if mode in _SHARES:
        whole = _places(_decimal(info.volume_step) * contract) == 0
        return Kind.EQUITY if whole else Kind.CFD, contract, one
    if mode in _CFDS:
        return Kind.CFD, contract, one
    raise UnsupportedSymbol(f"{info.name}: calculation mode {mode} is not known")


def _tick_multiplier(info: SymbolInfo) -> Decimal:
    """Profit of one lot per unit of price: what futures modes calculate with [vendor]."""
    value, size = info.trade_tick_value, info.trade_tick_size
    if value <= 0 or size <= 0:
        raise UnsupportedSymbol(
            f"{info.name}: tick value and tick size must be positive to know what a lot is worth, "
            f"were {value:g} and {size:g}"
        )
    return _decimal(value / size)


def _decimal(value: float) -> Decimal:
    """The number that a terminal meant by a float: without its noise."""
    if not math.isfinite(value):
        raise UnsupportedSymbol(f"a number of the terminal must be finite, was {value}")
    return Decimal(f"{value:.{_DIGITS}g}")


def _places(value: Decimal) -> int:
    """Decimals that `value` needs."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _scaled(value: Decimal, precision: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-precision))


def _plain(value: Decimal) -> Decimal:
    return _scaled(value, _places(value))
