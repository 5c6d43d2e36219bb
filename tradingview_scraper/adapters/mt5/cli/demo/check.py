"""Does the node know what the broker knows? Fills and positions against the books, deal by deal.

The two sides come by different paths: the node's from ``OrderFilled`` events and its positions, the
broker's from its own books. Account states are not compared: that would compare the adapter's
report with itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.position import Position

from tradingview_scraper.adapters.mt5.terminal.constants import DealEntry, DealType

_TRADES = (DealType.BUY, DealType.SELL)
_CLOSING = (DealEntry.OUT, DealEntry.INOUT, DealEntry.OUT_BY)


class Check(NamedTuple):
    """One comparison: what the node says, what the books say, whether they agree."""

    subject: str
    node: str
    books: str
    agrees: bool


def compare(
    *,
    fills: Sequence[OrderFilled],
    positions: Iterable[Position],
    open_orders: int,
    instruments: Mapping[str, Instrument],
    books: Mapping[str, Any],
) -> list[Check]:
    """Every comparison, also those that agree. `instruments` by the broker's symbol."""
    account = books["account"]
    deals = {deal["ticket"]: deal for deal in books["deals"] if deal["type"] in _TRADES}
    known = {int(fill.trade_id.value): fill for fill in fills}
    checks = [
        Check(f"deal {ticket}", "unknown", "done", False) for ticket in deals.keys() - known.keys()
    ]
    checks += [
        Check(f"deal {ticket}", "filled", "unknown", False)
        for ticket in known.keys() - deals.keys()
    ]
    if len(known) != len(fills):
        checks.append(Check("fills", f"{len(fills)} events", f"{len(known)} deals", False))
    for ticket in sorted(deals.keys() & known.keys()):
        deal = deals[ticket]
        checks += _compare_deal(known[ticket], deal, instruments[deal["symbol"]], account)
    closed = [position for position in positions if position.is_closed]
    checks += _compare_profits(closed, deals, instruments, account)
    checks.append(_equal("open orders", open_orders, len(books["orders"])))
    still_open = sum(1 for position in positions if position.is_open)
    checks.append(_equal("open positions", still_open, len(books["positions"])))
    return checks


def _compare_deal(
    fill: OrderFilled, deal: Mapping[str, Any], instrument: Instrument, account: Mapping[str, Any]
) -> list[Check]:
    name = f"deal {deal['ticket']}"
    side = "BUY" if deal["type"] == DealType.BUY else "SELL"
    units = deal["volume"] * instrument.info["trade_contract_size"]
    if instrument.multiplier.as_double() != 1.0:
        units = deal["volume"]
    tick = instrument.price_increment.as_double()
    currency = fill.commission.currency
    charged = -(deal["commission"] + deal["fee"])
    rate = _rate(str(account["currency"]), currency.code, instrument, deal["price"])
    return [
        _equal(f"{name} side", fill.order_side.name, side),
        _near(f"{name} quantity", fill.last_qty.as_double(), units, 1e-9 * units),
        _near(f"{name} price", fill.last_px.as_double(), deal["price"], tick / 2),
        _near(
            f"{name} commission ({currency.code})",
            fill.commission.as_double(),
            charged * rate,
            10.0**-currency.precision,
        ),
    ]


def _compare_profits(
    positions: Iterable[Position],
    deals: Mapping[int, Mapping[str, Any]],
    instruments: Mapping[str, Instrument],
    account: Mapping[str, Any],
) -> list[Check]:
    """The gross profit of each closed position, converted at the closing deal's rate."""
    checks = []
    for position in positions:
        tickets = [int(event.trade_id.value) for event in position.events]
        closing = [
            deals[ticket]
            for ticket in tickets
            if ticket in deals and deals[ticket]["entry"] in _CLOSING
        ]
        if not closing or position.realized_pnl is None:
            continue
        gross = position.realized_pnl.as_double()
        settled = position.realized_pnl.currency
        gross += sum(
            paid.as_double() for paid in position.commissions() if paid.currency == settled
        )
        instrument = instruments[closing[-1]["symbol"]]
        rate = _rate(settled.code, account["currency"], instrument, closing[-1]["price"])
        unit = 10.0 ** -account["currency_digits"]
        rounding = 10.0**-settled.precision * rate
        checks.append(
            _near(
                f"profit of {position.id} ({account['currency']})",
                gross * rate,
                sum(deal["profit"] for deal in closing),
                (unit + rounding) * len(tickets),
            )
        )
    return checks


def _rate(source: str, target: str, instrument: Instrument, price: float) -> float:
    """What one unit of `source` is in `target`, by the price of a deal in `instrument`."""
    if source == target:
        return 1.0
    base = instrument.get_base_currency()
    quote = instrument.quote_currency
    if base is not None and (source, target) == (base.code, quote.code):
        return price
    if base is not None and (source, target) == (quote.code, base.code):
        return 1.0 / price
    raise ValueError(
        f"cannot convert {source} to {target} by a deal in {instrument.id}: choose symbols that "
        "are quoted in, or based on, the account's currency"
    )


def _equal(subject: str, node: object, books: object) -> Check:
    return Check(subject, str(node), str(books), node == books)


def _near(subject: str, node: float, books: float, tolerance: float) -> Check:
    agrees = abs(node - books) <= tolerance * (1 + 1e-9)
    return Check(subject, f"{node:.10g}", f"{books:.10g}", agrees)
