"""Facts that a simulator cannot be brought to say, on a real engine."""

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import PositionId, VenueOrderId

from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.rules.facts import (
    AccountSeen,
    Dealt,
    OrderChanged,
    OrderDone,
    OrderPlaced,
)
from tradingview_scraper.adapters.mt5.rules.identity import magic
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    DealType,
    OrderReason,
    OrderState,
    OrderType,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallTimeout
from tradingview_scraper.adapters.mt5.terminal.records import OrderSendResult, TradeRequest

NOON = 1_741_622_400_000  # 2025-03-10 16:00 on the server


@pytest.fixture
def unknown(terminal, run_node, order_of, deal_of):
    """Run `drive` with an order that the server timed out on, and makers of its records."""

    def run(drive):
        async def whole(rig):
            terminal.answer("order_send", int(TradeRetcode.TIMEOUT))
            order = rig.strategy.buy("EURUSD", "3000")
            entry = await rig.until(lambda: rig.client._journal.of_order(order.client_order_id))
            await rig.until(lambda: entry.is_unknown)
            own = {
                "magic": magic(1000, order.client_order_id.value),
                "symbol": "EURUSD",
                "reason": int(OrderReason.EXPERT),
                "position_id": 501,
            }

            def record(**fields):
                return order_of(
                    **own
                    | {
                        "ticket": 501,
                        "volume_initial": 0.03,
                        "time_setup_msc": NOON,
                        "time_done_msc": NOON + 9,
                    }
                    | fields
                )

            def deal(ticket, lots, **fields):
                return deal_of(
                    **own
                    | {"ticket": ticket, "order": 501, "volume": lots, "price": 1.1}
                    | {"time_msc": NOON + ticket, "commission": -0.1}
                    | fields
                )

            def publish(*facts):
                rig.client._session._events.publish(list(facts))

            await drive(rig, order, record, deal, publish)

        run_node(terminal, whole)

    return run


def names(rig, order):
    return [name for name in rig.names(order) if name != "Updated"][2:]


def test_rest_that_was_not_filled_is_cancelled_after_the_fills(unknown):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.CANCELED), volume_current=0.01)
        publish(Dealt(deal(1, 0.01), done), Dealt(deal(2, 0.01), done), OrderDone(done))
        await rig.done(order)
        assert names(rig, order) == ["Accepted", "Filled", "Filled", "Canceled"]
        assert (order.filled_qty, order.status) == (2_000, OrderStatus.CANCELED)
        assert order.venue_order_id == VenueOrderId("501")
        (position,) = rig.cache.positions_open()
        assert (position.id, position.quantity) == (PositionId("501"), 2_000)

    unknown(drive)


def test_deal_that_shows_after_the_end_still_counts(unknown):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.CANCELED), volume_current=0.02)
        publish(OrderDone(done))
        await rig.done(order)
        publish(Dealt(deal(1, 0.01), done))
        await rig.until(lambda: rig.cache.positions_open())
        assert names(rig, order) == ["Accepted", "Canceled", "Filled"]

    unknown(drive)


def test_server_that_refused_it_after_all_proves_the_rejection(unknown):
    async def drive(rig, order, record, deal, publish):
        publish(OrderDone(record(state=int(OrderState.REJECTED), comment="no liquidity")))
        await rig.done(order)
        assert names(rig, order) == ["Rejected"]
        assert "no liquidity" in order.last_event.reason

    unknown(drive)


def test_order_seen_working_is_accepted_once_and_filled_later(unknown):
    async def drive(rig, order, record, deal, publish):
        publish(OrderPlaced(record(state=int(OrderState.STARTED))))
        publish(OrderPlaced(record(state=int(OrderState.PLACED))))
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        done = record(state=int(OrderState.FILLED))
        publish(Dealt(deal(1, 0.03), done), OrderDone(done))
        await rig.done(order)
        assert names(rig, order) == ["Accepted", "Filled"]

    unknown(drive)


def test_same_deal_is_one_fill_however_often_it_is_told(unknown):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.FILLED))
        publish(Dealt(deal(1, 0.03), done))
        publish(Dealt(deal(1, 0.03), done))
        publish(Dealt(deal(1, 0.03), None))
        await rig.done(order)
        assert names(rig, order) == ["Accepted", "Filled"]

    unknown(drive)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_answer_that_a_deal_has_overtaken_changes_nothing(unknown, outcome):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.FILLED))
        publish(Dealt(deal(1, 0.03), done), OrderDone(done))
        await rig.done(order)
        blank = TradeRequest(0, 0, 0, "", *[0.0] * 5, *[0] * 5, "", 0, 0)
        result = OrderSendResult(
            int(TradeRetcode.DONE), 1, 501, 0.03, 1.1, 1.1, 1.1, "", 1, 0, blank
        )
        error = MT5CallTimeout("order_send", 1.0)
        entry = rig.client._journal.of_order(order.client_order_id)
        rig.client._session.submission._on_outcome(
            entry,
            SendOutcome(
                outcome,
                result if outcome is not Outcome.UNKNOWN else None,
                error if outcome is Outcome.UNKNOWN else None,
                {},
                True,
                1,
                2,
            ),
        )
        later = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert later.status == OrderStatus.FILLED
        assert names(rig, order) == ["Accepted", "Filled"]

    unknown(drive)


def test_deal_without_its_order_record_is_known_by_its_magic(unknown):
    async def drive(rig, order, record, deal, publish):
        publish(Dealt(deal(1, 0.03), None))
        await rig.done(order)
        assert names(rig, order) == ["Accepted", "Filled"]

    unknown(drive)


def test_stop_loss_with_the_inherited_magic_is_not_taken_for_the_order(unknown):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.FILLED))
        stop = record(
            ticket=777, type=int(OrderType.SELL), reason=int(OrderReason.SL), state=done.state
        )
        hit = deal(
            2,
            0.03,
            order=777,
            type=int(DealType.SELL),
            entry=int(DealEntry.OUT),
            reason=int(DealReason.SL),
        )
        publish(Dealt(deal(1, 0.03), done), Dealt(hit, stop), OrderDone(done), OrderDone(stop))
        position = await rig.until(lambda: rig.cache.position(PositionId("501")))
        await rig.until(lambda: position.is_closed)
        assert names(rig, order) == ["Accepted", "Filled"]
        assert rig.fills()[-1].strategy_id.value == "EXTERNAL"

    unknown(drive)


def test_both_legs_of_a_close_by_close_their_own_ticket(unknown):
    async def drive(rig, order, record, deal, publish):
        done = record(state=int(OrderState.FILLED))
        other = record(ticket=600, type=int(OrderType.SELL), magic=0, position_id=600)
        short = deal(
            2, 0.03, order=600, type=int(DealType.SELL), position_id=600, magic=0, reason=0
        )
        both = record(ticket=900, type=int(OrderType.CLOSE_BY), magic=0, reason=0)
        out = {"order": 900, "entry": int(DealEntry.OUT_BY), "magic": 0, "reason": 0}
        publish(
            Dealt(deal(1, 0.03), done),
            Dealt(short, other),
            Dealt(deal(3, 0.03, type=int(DealType.SELL), **out), both),
            Dealt(deal(4, 0.03, type=int(DealType.BUY), position_id=600, **out), both),
        )
        await rig.until(lambda: len(rig.fills()) == 4)
        assert rig.cache.positions_open() == []
        assert {position.id.value for position in rig.cache.positions()} == {"501", "600"}

    unknown(drive)


def test_pending_order_of_a_person_is_followed(unknown):
    async def drive(rig, order, record, deal, publish):
        placed = record(
            ticket=700,
            type=int(OrderType.BUY_LIMIT),
            state=int(OrderState.PLACED),
            magic=0,
            reason=0,
            price_open=1.05,
            volume_current=0.03,
            position_id=0,
        )
        publish(OrderPlaced(placed))
        working = await rig.until(lambda: next(iter(rig.cache.orders_open()), None))
        assert (str(working.price), working.quantity) == ("1.05000", 3_000)
        moved = placed._replace(price_open=1.06)
        publish(OrderChanged(moved, placed))
        await rig.until(lambda: str(working.price) == "1.06000")
        publish(OrderDone(moved._replace(state=int(OrderState.CANCELED))))
        await rig.until(lambda: working.status == OrderStatus.CANCELED)
        assert rig.names(working) == ["Accepted", "Updated", "Canceled"]
        assert working.strategy_id.value == "EXTERNAL"

    unknown(drive)


def test_balance_operation_is_no_fill_and_reaches_the_account_state(unknown):
    async def drive(rig, order, record, deal, publish):
        before = len(rig.states)
        paid = deal(9, 0.0, type=int(DealType.DIVIDEND), symbol="", order=0, magic=0, profit=250.0)
        account = rig.client._mt5.account
        publish(Dealt(paid, None), AccountSeen(account._replace(balance=account.balance + 250)))
        await rig.until(lambda: len(rig.states) > before)
        assert rig.states[-1].balances[0].total.as_double() == account.balance + 250
        assert rig.fills() == []

    unknown(drive)


def test_what_cannot_be_reported_holds_nothing_up(unknown):
    async def drive(rig, order, record, deal, publish):
        bond = deal(1, 1.0, symbol="NO SUCH SYMBOL", order=1, magic=0)
        lost = deal(2, 0.01, order=2, magic=0, entry=int(DealEntry.OUT), position_id=3)
        balance = deal(3, 0.0, type=int(DealType.BALANCE), symbol="", order=0, magic=0)
        done = record(state=int(OrderState.FILLED))
        publish(Dealt(bond, None), Dealt(lost, None), Dealt(balance, None))
        publish(Dealt(deal(4, 0.03), done))
        await rig.done(order)
        assert len(rig.fills()) == 1
        assert [position.id.value for position in rig.cache.positions()] == ["501"]
        assert rig.cache.positions()[0].side.name == "LONG"
        assert order.side == OrderSide.BUY

    unknown(drive)
