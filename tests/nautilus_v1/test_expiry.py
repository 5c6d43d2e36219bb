"""Orders that end at a time of their own, on every kind of account."""

from datetime import UTC, datetime, timedelta

import pytest
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId

ACCOUNTS = {
    "hedging": ("demo-hedging", "HEDGING", "EURUSD", 1_000),
    "netting": ("demo-netting", "NETTING", "EURUSD", 1_000),
    "exchange": ("exchange-netting", "NETTING", "#AAPL", 1),
}


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("ends_first", [True, False])
def test_good_till_date_order_is_expired_by_the_server_at_its_time(
    terminal, run_node, account, ends_first
):
    """The risk engine compares with this machine's clock: the server's starts there too."""
    scenario, oms_type, symbol, units = ACCOUNTS[account]
    now = datetime.now(UTC)
    terminal.reset(
        {
            "extends": scenario,
            "clock": {"mode": "stepped", "start": now.strftime("%Y-%m-%dT%H:%M:%SZ")},
            "prices": {"synthetic": True, "always_open": True},
        }
    )
    instrument_id = InstrumentId.from_str(f"{symbol}.MT5")
    end = now + timedelta(days=2, seconds=0.4)

    async def drive(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(instrument_id))
        instrument = rig.cache.instrument(instrument_id)
        orders = [
            rig.strategy.order_factory.limit(
                instrument_id,
                OrderSide.BUY,
                instrument.make_qty(units),
                instrument.make_price(float(quote.bid_price) * 0.5),
                **terms,
            )
            for terms in (
                {"time_in_force": TimeInForce.GTD, "expire_time": end},
                {"time_in_force": TimeInForce.GTC},
            )
        ]
        for order in orders:
            rig.strategy.submit_order(order)
            await rig.until(lambda order=order: order.status == OrderStatus.ACCEPTED)
        timed, lasting = orders
        last = {order["ticket"]: order["time_expiration"] for order in terminal.books()["orders"]}
        ns = rig.client._mt5.zone.utc_ns(last[int(timed.venue_order_id.value)] * 1_000)
        assert 0 <= ns - dt_to_unix_nanos(end) < 1_000_000_000
        assert last[int(lasting.venue_order_id.value)] == 0
        terminal.advance(2 * 86_400 - 30)
        (shown,) = {order["ticket"] for order in terminal.books()["orders"]} - {
            int(lasting.venue_order_id.value)
        }
        assert str(shown) == timed.venue_order_id.value
        assert timed.is_open
        if ends_first:
            terminal.advance(60)
            await rig.done(timed)
            assert rig.names(timed)[1:] == ["Submitted", "Accepted", "Expired"]
        else:
            rig.strategy.cancel_order(timed)
            await rig.done(timed)
            assert timed.status == OrderStatus.CANCELED
            terminal.advance(60)
        assert lasting.status == OrderStatus.ACCEPTED
        (left,) = terminal.books()["orders"]
        assert str(left["ticket"]) == lasting.venue_order_id.value

    run_node(
        terminal,
        drive,
        symbols=(symbol,),
        oms_type=oms_type,
        terminal_fields={"login": terminal.books()["account"]["login"]},
    )
