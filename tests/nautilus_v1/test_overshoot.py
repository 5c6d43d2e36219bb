"""Reduce-only orders on a netting account whose position somebody else closes meanwhile."""

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from tests.nautilus_v1.bracket_steps import EURUSD, close_by_hand, opened, push

CLAIMS = {"external_order_claims": [EURUSD]}
ALARM = "POSITION_OPENED_BY_REDUCING"


def alarms_of(rig):
    heard = []
    rig.node.kernel.msgbus.subscribe("data.MT5Alarm", heard.append)
    return heard


async def hold_the_lane(rig, seconds=3.0):
    """A request that the broker takes his time for: those behind it wait, and so does the feed."""
    instrument = rig.cache.instrument(EURUSD)
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    away = [instrument.make_price(float(quote.bid_price) - far) for far in (0.02, 0.03)]
    order = rig.strategy.order_factory.limit(
        EURUSD, OrderSide.BUY, instrument.make_qty(1_000), away[0]
    )
    rig.strategy.submit_order(order)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    sends = rig.sends()
    rig.terminal.hang(seconds, "order_send")
    rig.strategy.modify_order(order, price=away[1])
    await rig.until(lambda: rig.sends() == sends + 1)


def net(rig):
    """Units of EURUSD in the cache, and at the account."""
    positions = rig.terminal.books()["positions"]
    return (
        sum(position.signed_decimal_qty() for position in rig.cache.positions_open()),
        sum(round(one["volume"] * 100_000) * (-1 if one["type"] else 1) for one in positions),
    )


@pytest.mark.parametrize("claims", [True, False])
@pytest.mark.parametrize("lots", [0.01, 0.02])
def test_position_that_a_reduce_only_order_opens_is_counted_and_raises_an_alarm(
    terminal, run_netting, claims, lots
):
    """A strategy that claims the instrument is flat by the time of its fill."""

    async def drive(rig):
        alarms = alarms_of(rig)
        await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        await hold_the_lane(rig)
        close_by_hand(terminal, lots)
        order = rig.strategy.sell("EURUSD", "2000", reduce_only=True)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 2_000)
        left = round(-lots * 100_000)
        await rig.until(lambda: net(rig) == (left, left))
        assert [(alarm.kind, alarm.symbol) for alarm in alarms] == [(ALARM, "EURUSD")]
        # It can be closed as any other.
        (short,) = [one for one in rig.cache.positions_open() if one.is_short]
        await rig.done(rig.strategy.buy("EURUSD", str(-left)))
        await rig.until(lambda: net(rig) == (0, 0))
        assert short.instrument_id == EURUSD
        assert len(alarms) == 1
        # What is counted besides costs nothing more.
        balance = pytest.approx(terminal.books()["account"]["balance"], abs=0.005)
        account = rig.cache.account(rig.client.account_id)
        await rig.until(lambda: account.balance_total().as_double() == balance)
        (paid,) = [fill for fill in rig.fills() if fill.client_order_id == order.client_order_id]
        extra = [fill for fill in rig.fills() if fill.trade_id.value.endswith("-OPENED")]
        assert len(extra) == (claims and lots == 0.02)
        assert all(float(fill.commission) == 0 and fill.last_px == paid.last_px for fill in extra)

    run_netting(drive, strategy_fields=CLAIMS if claims else {})


def test_position_that_an_order_opens_when_a_stop_was_hit_before_it_is_counted(
    terminal, run_netting
):
    async def drive(rig):
        alarms = alarms_of(rig)
        _entry, sl, _tp = await opened(rig)
        await hold_the_lane(rig)
        push(terminal, float(sl.trigger_price) - 0.0001)
        order = rig.strategy.sell("EURUSD", "10000", reduce_only=True)
        await rig.done(order)
        await rig.done(sl)
        await rig.until(lambda: net(rig) == (-10_000, -10_000))
        assert [alarm.kind for alarm in alarms] == [ALARM]

    run_netting(drive)


def test_position_that_an_order_opened_while_no_node_ran_is_counted_at_the_start(
    terminal, run_netting
):
    orders = []

    async def first(rig):
        orders.append(rig.strategy.buy("EURUSD", "2000"))
        await rig.opened(orders[0])
        terminal.hang(600.0, "order_send")
        close_by_hand(terminal, 0.02)
        orders.append(rig.strategy.sell("EURUSD", "2000", reduce_only=True))
        await rig.until(lambda: rig.sends() == 2)

    async def second(rig):
        await rig.until(lambda: net(rig) == (-2_000, -2_000))
        assert rig.cache.order(orders[1].client_order_id).status == OrderStatus.FILLED
        await rig.done(rig.strategy.buy("EURUSD", "2000"))
        await rig.until(lambda: net(rig) == (0, 0))

    # The node does not hear of what a person does before it sends.
    run_netting(first, strategy_fields=CLAIMS, terminal_fields={"trade_poll_ms": 30_000})
    terminal.clear_faults()
    assert orders[1].status == OrderStatus.SUBMITTED
    run_netting.again(second, strategy_fields=CLAIMS, remembered=orders)


def test_reduce_only_order_that_reduces_raises_no_alarm(terminal, run_netting):
    async def drive(rig):
        alarms = alarms_of(rig)
        await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        await rig.done(rig.strategy.sell("EURUSD", "1000", reduce_only=True))
        await rig.until(lambda: net(rig) == (1_000, 1_000))
        assert not alarms

    run_netting(drive, strategy_fields=CLAIMS)
