"""Which Nautilus instrument is a symbol?"""

from decimal import ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from nautilus_trader.model.enums import AssetClass, CurrencyType, OptionKind
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import (
    Cfd,
    CurrencyPair,
    Equity,
    FuturesContract,
    Instrument,
    OptionContract,
    PerpetualContract,
)
from nautilus_trader.model.objects import MONEY_MAX, QUANTITY_MAX, Currency, Price, Quantity

from tradingview_scraper.adapters.mt5.rules.margin import (
    formula_rate,
    maintenance_rate,
    margin_rate,
)
from tradingview_scraper.adapters.mt5.rules.symbols import (
    Kind,
    Sizing,
    UnsupportedSymbol,
    escape,
    sizing,
    unescape,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode, SymbolOptionRight
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: A price may rise by this factor after the load before a capped quantity overflows [decision].
_PRICE_HEADROOM: Final = 2


class Listing(NamedTuple):
    """A symbol as both sides know it."""

    info: SymbolInfo
    sizing: Sizing
    instrument: Instrument
    #: The symbol's own maximum in units, where `instrument.max_quantity` had to be lower.
    capped_from: Decimal | None


def instrument_id(symbol: str, venue: Venue) -> InstrumentId:
    """The broker's symbol, unchanged but for what `escape` writes otherwise, and the venue."""
    return InstrumentId(Symbol(escape(symbol)), venue)


def symbol_of(instrument_id: InstrumentId) -> str:
    """The broker's symbol behind an instrument id."""
    return unescape(instrument_id.symbol.value)


def listing(
    info: SymbolInfo,
    *,
    venue: Venue,
    leverage: int,
    zone: ZoneRule,
    ts_init: int,
    measured: Decimal | None = None,
    money_max: float = MONEY_MAX,
    quantity_max: float = QUANTITY_MAX,
) -> Listing:
    """The Nautilus instrument of a symbol, with what is needed to convert its volumes.

    Quantities are units of the underlying (lots x contract size); `lot_size` is the contract size.
    Margin rates are fractions of the notional value that already contain the account's `leverage`
    where the symbol's formula divides by it: the Nautilus account's own leverage stays 1
    [decision]. `measured` is the rate that the terminal itself takes, where it was asked. A margin
    that is a fixed sum per lot is right at the price at which it was loaded. `info` has all 96
    fields of the symbol as the terminal gave them. Currencies that Nautilus does not know are
    registered.

    Raises `UnsupportedSymbol` with the reason.
    """
    sizes = sizing(info)
    most = _largest(info, sizes, money_max=money_max, quantity_max=quantity_max)
    rate = margin_rate(formula_rate(info, sizes, leverage), measured)
    instrument = _build(info, sizes, most, venue=venue, rate=rate, zone=zone, ts=ts_init)
    capped = sizes.max_units if most != sizes.max_units else None
    return Listing(info, sizes, instrument, capped)


def listing_of(instrument: Instrument) -> Listing:
    """The listing of an instrument that `listing` built, from its own `info`.

    Raises `UnsupportedSymbol` when `info` is not the terminal's.
    """
    try:
        info = SymbolInfo(**instrument.info)
    except TypeError as error:
        raise UnsupportedSymbol(
            f"{instrument.id} was not loaded from this terminal: its info has no symbol_info"
        ) from error
    return Listing(info, sizing(info), instrument, None)


def currency(code: str) -> Currency:
    """The currency of a code. Unknown ones are registered: three letters as FIAT with 2 decimals
    (``USC``, a cent account), others as CRYPTO with 8 [decision].
    """
    known = Currency.from_internal_map(code)
    if known is not None:
        return known
    is_fiat = len(code) == 3 and code.isalpha()
    made = Currency(
        code=code,
        precision=2 if is_fiat else 8,
        iso4217=0,
        name=code,
        currency_type=CurrencyType.FIAT if is_fiat else CurrencyType.CRYPTO,
    )
    Currency.register(made)
    return made


def quantity(units: Decimal, precision: int) -> Quantity:
    """Units as a quantity of `precision` decimals; `units` lie on that grid."""
    return Quantity.from_str(f"{units:.{precision}f}")


def _build(
    info: SymbolInfo,
    sizes: Sizing,
    most: Decimal | None,
    *,
    venue: Venue,
    rate: Decimal,
    zone: ZoneRule,
    ts: int,
) -> Instrument:
    shared = {
        "instrument_id": instrument_id(info.name, venue),
        "raw_symbol": Symbol(info.name),
        "price_precision": sizes.price_precision,
        "price_increment": Price.from_str(f"{sizes.price_increment:.{sizes.price_precision}f}"),
        "lot_size": _exact(sizes.lot),
        "margin_init": rate,
        "margin_maint": maintenance_rate(info, rate),
        "ts_event": ts,
        "ts_init": ts,
        "info": info._asdict(),
    }
    least = quantity(sizes.min_units, sizes.size_precision) if sizes.min_units > 0 else None
    largest = quantity(most, sizes.size_precision) if most is not None else None
    limits = {"min_quantity": least, "max_quantity": largest}
    steps = {
        "size_precision": sizes.size_precision,
        "size_increment": quantity(sizes.size_increment, sizes.size_precision),
    }
    profit = currency(info.currency_profit)
    base = currency(info.currency_base) if info.currency_base else None
    match sizes.kind:
        case Kind.CURRENCY_PAIR:
            return CurrencyPair(
                base_currency=base, quote_currency=profit, **shared, **limits, **steps
            )
        case Kind.CFD:
            return Cfd(
                asset_class=_asset_class(info, base),
                base_currency=base,
                quote_currency=profit,
                **shared,
                **limits,
                **steps,
            )
        case Kind.EQUITY:
            return Equity(currency=profit, isin=info.isin or None, **shared, **limits)
        case Kind.PERPETUAL:
            return PerpetualContract(
                underlying=info.basis or info.name,
                asset_class=_asset_class(info, base),
                quote_currency=profit,
                settlement_currency=profit,
                is_inverse=False,
                base_currency=base,
                multiplier=_exact(sizes.multiplier),
                **shared,
                **limits,
                **steps,
            )
    dated = {
        "asset_class": _asset_class(info, base),
        "currency": profit,
        "multiplier": _exact(sizes.multiplier),
        "underlying": info.basis or info.name,
        "activation_ns": _ns(info.start_time, zone),
        "expiration_ns": _ns(info.expiration_time, zone),
        "exchange": info.exchange or None,
    }
    if sizes.kind is Kind.FUTURES:
        return FuturesContract(**dated, **shared)
    is_call = info.option_right == SymbolOptionRight.CALL
    return OptionContract(
        option_kind=OptionKind.CALL if is_call else OptionKind.PUT,
        strike_price=Price(info.option_strike, sizes.price_precision),
        **dated,
        **shared,
    )


def _largest(
    info: SymbolInfo, sizes: Sizing, *, money_max: float, quantity_max: float
) -> Decimal | None:
    # The wheel's money and quantities are 64-bit integers on Windows: a notional value above
    # `money_max` raises inside an engine's queue, which ends the process.
    limit = Decimal(quantity_max)
    price = max(info.bid, info.ask, info.last, info.askhigh, info.bidhigh, info.lasthigh)
    if price > 0:
        worth = Decimal(str(price)) * _PRICE_HEADROOM * max(sizes.multiplier, Decimal(1))
        limit = min(limit, Decimal(money_max) / worth)
    if sizes.max_units is not None and sizes.max_units <= limit:
        return sizes.max_units
    if sizes.max_units is None and price <= 0:
        return None
    step = sizes.size_increment
    capped = (limit / step).to_integral_value(rounding=ROUND_FLOOR) * step
    if capped < sizes.min_units:
        raise UnsupportedSymbol(
            f"{info.name}: its smallest volume at {price:g} is worth more than {money_max:_.0f} "
            f"{info.currency_profit}, the most that this build of NautilusTrader can count"
        )
    return capped


def _asset_class(info: SymbolInfo, base: Currency | None) -> AssetClass:
    if base is not None and base.currency_type == CurrencyType.CRYPTO:
        return AssetClass.CRYPTOCURRENCY
    if base is not None and base.currency_type == CurrencyType.COMMODITY_BACKED:
        return AssetClass.COMMODITY
    if info.trade_calc_mode in (SymbolCalcMode.EXCH_STOCKS, SymbolCalcMode.EXCH_STOCKS_MOEX):
        return AssetClass.EQUITY
    if info.trade_calc_mode in (SymbolCalcMode.EXCH_BONDS, SymbolCalcMode.EXCH_BONDS_MOEX):
        return AssetClass.DEBT
    if info.trade_calc_mode == SymbolCalcMode.CFDINDEX:
        return AssetClass.INDEX
    if info.currency_base and info.currency_base != info.currency_profit:
        return AssetClass.FX
    # An index, a share or a coin, quoted as if it were money: no field says which.
    return AssetClass.EQUITY if info.isin else AssetClass.ALTERNATIVE


def _exact(value: Decimal) -> Quantity:
    return Quantity.from_str(f"{value.normalize():f}")


def _ns(server_seconds: int, zone: ZoneRule) -> int:
    return zone.utc_ns(server_seconds * 1000) if server_seconds > 0 else 0
