"""How may an order be filled on a symbol? By its filling mask and execution mode [vendor].

The mask (1 FOK, 2 IOC, 4 BOC) is not the enum (0 FOK, 1 IOC, 2 RETURN, 3 BOC) [recorded].
"""

from typing import Final

from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    SymbolFilling,
    SymbolTradeExecution,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: Execution at a requested price, which the server keeps to within the deviation.
PRICED: Final = frozenset({SymbolTradeExecution.REQUEST, SymbolTradeExecution.INSTANT})

_BOOKED: Final = frozenset(
    {
        OrderType.BUY_LIMIT,
        OrderType.SELL_LIMIT,
        OrderType.BUY_STOP_LIMIT,
        OrderType.SELL_STOP_LIMIT,
    }
)


def market_filling(info: SymbolInfo, *, all_or_none: bool | None = None) -> OrderFilling:
    """How a market order may be filled on the symbol.

    `all_or_none` True asks for FOK, False for IOC (what is not there is cancelled), None for what
    comes nearest to "until it is filled": RETURN on an exchange, else IOC where the symbol has it,
    else FOK. Raises `RequestRefused` when the symbol does not take what was asked for.
    """
    if info.trade_exemode in PRICED:
        # Every filling passes there, whatever the bits say.
        return OrderFilling.IOC if all_or_none is False else OrderFilling.FOK
    if info.trade_exemode == SymbolTradeExecution.EXCHANGE and all_or_none is None:
        return OrderFilling.RETURN
    bits = SymbolFilling(info.filling_mode)
    if all_or_none is not True and SymbolFilling.IOC in bits:
        return OrderFilling.IOC
    if all_or_none is not False and SymbolFilling.FOK in bits:
        return OrderFilling.FOK
    wanted = {True: "FOK", False: "IOC", None: "IOC or FOK"}[all_or_none]
    raise RequestRefused(
        "UNSUPPORTED_TIME_IN_FORCE",
        f"{info.name} does not fill market orders {wanted}: its filling mode is {bits!r}",
    )


def pending_filling(
    info: SymbolInfo,
    type: OrderType,
    *,
    all_or_none: bool | None = None,
    post_only: bool = False,
) -> OrderFilling:
    """How a pending order may be filled on the symbol: RETURN, unless more is asked for.

    `all_or_none` True (FOK) and False (IOC) are an exchange's alone, and there the mask's to
    allow: elsewhere a pending order waits for its price, whatever its filling. `post_only` is BOC:
    a limit or stop limit order on an exchange symbol that has it. Raises `RequestRefused`.
    """
    bits = SymbolFilling(info.filling_mode)
    at_exchange = info.trade_exemode == SymbolTradeExecution.EXCHANGE
    if post_only:
        if all_or_none is None and at_exchange and SymbolFilling.BOC in bits and type in _BOOKED:
            return OrderFilling.BOC
        raise RequestRefused(
            "UNSUPPORTED_POST_ONLY",
            f"{info.name} has no book-or-cancel for this order: its execution is "
            f"{SymbolTradeExecution(info.trade_exemode).name}, its filling mode {bits!r}; send it "
            f"without post_only",
        )
    if all_or_none is None:
        return OrderFilling.RETURN
    wanted, bit = (
        (OrderFilling.FOK, SymbolFilling.FOK)
        if all_or_none
        else (OrderFilling.IOC, SymbolFilling.IOC)
    )
    if at_exchange and bit in bits:
        return wanted
    raise RequestRefused(
        "UNSUPPORTED_TIME_IN_FORCE",
        f"{info.name} does not fill orders with a price {wanted.name}: its execution is "
        f"{SymbolTradeExecution(info.trade_exemode).name}, its filling mode {bits!r}",
    )
