"""A netting account that was flat in between: the next node hears of every order all the same.

The engine keeps, for an instrument whose position is reported, only what is younger than that.
"""

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)

EURUSD = InstrumentId.from_str("EURUSD.MT5")
CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}


def by_hand(terminal, side, lots=0.02):
    terminal.trade_by_hand(
        action=int(TradeAction.DEAL),
        type_filling=int(OrderFilling.IOC),
        symbol="EURUSD",
        type=int(side),
        volume=lots,
    )


@pytest.mark.parametrize("ends_flat", [False, True])
@pytest.mark.parametrize("remembers", [True, False])
def test_what_a_person_did_while_no_node_ran(
    terminal, run_node, cells, compared, ends_flat, remembers
):
    terminal.reset({"extends": "demo-netting", "clock": CLOCK})
    login = terminal.books()["account"]["login"]
    fields = cells.fields("netting", login)
    kept = {}

    async def first(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        instrument = rig.cache.instrument(EURUSD)
        await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        order = rig.strategy.order_factory.limit(
            EURUSD,
            OrderSide.BUY,
            instrument.make_qty(1_000),
            instrument.make_price(float(quote.bid_price) - 0.01),
        )
        rig.strategy.submit_order(order)
        await rig.until(lambda: order.is_open)
        kept.update(id=order.client_order_id, orders=rig.cache.orders())

    async def second(rig):
        await cells.agreed(rig, False, compared)
        if remembers:
            order = rig.cache.order(kept["id"])
            assert order.status == OrderStatus.CANCELED
        held = rig.cache.positions_open()
        assert bool(held) != ends_flat

    run_node(terminal, first, **fields)
    (waiting,) = terminal.books()["orders"]
    by_hand(terminal, OrderType.SELL)
    terminal.trade_by_hand(action=int(TradeAction.REMOVE), order=waiting["ticket"])
    terminal.advance(60)
    by_hand(terminal, OrderType.SELL, 0.03)
    if ends_flat:
        by_hand(terminal, OrderType.BUY, 0.03)
    run_node(terminal, second, remembered=kept["orders"] if remembers else (), **fields)


def test_stop_of_a_bracket_that_joined_an_older_position_is_known_again(
    terminal, run_node, cells, compared
):
    """Its deal carries the ticket of the position, and that is not the entry's."""
    terminal.reset({"extends": "demo-netting", "clock": CLOCK})
    fields = cells.fields("netting", terminal.books()["account"]["login"])
    kept = []

    async def first(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        at, instrument = float(quote.bid_price), rig.cache.instrument(EURUSD)
        orders = rig.strategy.order_factory.bracket(
            EURUSD,
            OrderSide.BUY,
            instrument.make_qty(2_000),
            sl_trigger_price=instrument.make_price(at - 0.002),
            tp_price=instrument.make_price(at + 0.002),
        )
        # In one breath: with the position there, the bracket would be denied.
        older = rig.strategy.buy("EURUSD", "1000")
        rig.strategy.submit_order_list(orders)
        entry, stop, _ = orders.orders
        await rig.done(older)
        await rig.done(entry)
        await rig.until(lambda: int(stop.quantity) == 3_000)
        cells.come_to(terminal, at - 0.002)
        await rig.done(stop)
        await cells.agreed(rig, False, compared)
        assert stop.status == OrderStatus.FILLED
        kept.extend(rig.cache.orders())

    async def second(rig):
        await cells.agreed(rig, False, compared)
        assert len(rig.cache.orders()) == len(kept)

    run_node(terminal, first, **fields)
    run_node(terminal, second, remembered=kept, **fields)
