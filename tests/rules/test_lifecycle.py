"""Is every fact told once and in order, whatever the terminal shows when? One case at a time."""

import pytest

from tradingview_scraper.adapters.mt5.rules.lifecycle import (
    AccountSeen,
    Dealt,
    Lifecycle,
    OrderChanged,
    OrderDone,
    OrderPlaced,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    TradeUpdate,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealType,
    OrderState,
    OrderType,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)


def blank(record):
    return {name: "" if kind is str else kind(0) for name, kind in record.__annotations__.items()}


def order(ticket=1, *, volume=0.1, left=None, done=0, **fields):
    """An order of which `left` lots are unfilled (all by default): a buy limit, working."""
    given = {
        "ticket": ticket,
        "type": OrderType.BUY_LIMIT,
        "state": OrderState.PLACED,
        "symbol": "EURUSD",
        "volume_initial": volume,
        "volume_current": volume if left is None else left,
        "time_done": done // 1000,
        "time_done_msc": done,
    }
    return TradeOrder(**(blank(TradeOrder) | given | fields))


def market(ticket=1, *, left=0.0, done=1_000, state=OrderState.FILLED, **fields):
    """A market order as history shows it."""
    given = {"left": left, "done": done, "state": state, "type": OrderType.BUY}
    return order(ticket, **(given | fields))


def deal(ticket=1001, order=1, *, time=1_000, volume=0.1, **fields):
    given = {
        "ticket": ticket,
        "order": order,
        "time": time // 1000,
        "time_msc": time,
        "volume": volume,
        "symbol": "EURUSD",
    }
    return TradeDeal(**(blank(TradeDeal) | given | fields))


def position(ticket=1, *, volume=0.1, **fields):
    given = {"ticket": ticket, "identifier": ticket, "symbol": "EURUSD", "volume": volume}
    return TradePosition(**(blank(TradePosition) | given | fields))


def account(**fields):
    return AccountInfo(**(blank(AccountInfo) | {"login": 7, "balance": 1e4} | fields))


def update(full=False, **fields):
    return TradeUpdate(full, **fields)


NOTHING = update()


def test_market_order_is_dealt_and_done_without_being_placed():
    life = Lifecycle()
    facts = life.apply(update(deals=(deal(),), history=(market(),)))
    assert facts == [Dealt(deal(), market()), OrderDone(market())]
    assert not life.is_waiting


def test_deal_waits_for_the_order_that_explains_it():
    life = Lifecycle()
    assert life.apply(update(deals=(deal(),))) == []
    assert life.is_waiting
    assert life.missing_orders == (1,)
    assert life.apply(NOTHING) == []
    facts = life.apply(update(history=(market(),)))
    assert facts == [Dealt(deal(), market()), OrderDone(market())]
    assert not life.is_waiting


def test_the_answer_to_the_request_explains_its_deals_without_the_record():
    life = Lifecycle()
    facts = life.apply(update(deals=(deal(),), answered=((1, 0.1),)))
    assert facts == [Dealt(deal(), None)]
    assert not life.is_waiting
    # The record ends the order, and its deals are not told again.
    assert life.apply(update(deals=(deal(),), history=(market(),))) == [OrderDone(market())]


def test_the_answer_holds_deals_until_they_are_as_much_as_it_says():
    life = Lifecycle()
    second = deal(1002, time=2_000, volume=0.2)
    assert life.apply(update(deals=(second,), answered=((1, 0.3),))) == []
    facts = life.apply(update(deals=(deal(),)))
    assert facts == [Dealt(deal(), None), Dealt(second, None)]


def test_the_answer_to_one_request_explains_no_other_deals():
    life = Lifecycle()
    assert life.apply(update(deals=(deal(order=2),), answered=((1, 0.1),))) == []
    assert life.missing_orders == (2,)


def test_an_answer_for_an_order_that_is_done_changes_nothing():
    life = Lifecycle()
    life.apply(update(deals=(deal(),), history=(market(),)))
    assert life.apply(update(answered=((1, 0.1),))) == []
    assert life.apply(update(full=True, deals=(deal(),), history=(market(),))) == []


def test_order_is_not_done_before_its_deals():
    life = Lifecycle()
    assert life.apply(update(history=(market(volume=0.3),))) == []
    assert life.is_waiting
    assert life.missing_orders == ()
    facts = life.apply(update(deals=(deal(volume=0.3),)))
    assert facts == [Dealt(deal(volume=0.3), market(volume=0.3)), OrderDone(market(volume=0.3))]


def test_earlier_deal_that_shows_late_is_not_overtaken():
    life = Lifecycle()
    first, second = deal(1001, time=900), deal(1002, time=950, volume=0.2)
    done = market(volume=0.3)
    assert life.apply(update(history=(done,), deals=(second,))) == []
    assert life.apply(update(deals=(first,))) == [
        Dealt(first, done),
        Dealt(second, done),
        OrderDone(done),
    ]


def test_deals_of_one_reading_come_by_time_and_ticket():
    life = Lifecycle()
    early, late, same = deal(1003, 2, time=1), deal(1002, 1, time=5), deal(1001, 3, time=5)
    orders = tuple(market(ticket) for ticket in (1, 2, 3))
    facts = life.apply(update(deals=(late, early, same), history=orders))
    assert [fact.deal for fact in facts[:3]] == [early, same, late]
    assert [type(fact) for fact in facts[3:]] == [OrderDone] * 3


def test_deal_seen_twice_is_one_fact():
    life = Lifecycle()
    first = update(deals=(deal(), deal()), history=(market(), market()))
    assert len(life.apply(first)) == 2
    assert life.apply(first) == []
    assert life.apply(first._replace(full=True)) == []


def test_pending_order_is_placed_filled_in_parts_and_done():
    life = Lifecycle()
    placed = order(volume=0.3)
    assert life.apply(update(orders=(placed,))) == [OrderPlaced(placed)]
    partly = order(volume=0.3, left=0.2, state=OrderState.PARTIAL)
    assert life.apply(update(orders=(partly,), deals=(deal(),))) == [
        OrderChanged(partly, placed),
        Dealt(deal(), partly),
    ]
    done = order(volume=0.3, left=0.0, state=OrderState.FILLED, done=2_000)
    rest = deal(1002, time=2_000, volume=0.2)
    assert life.apply(update(orders_gone=(1,), deals=(rest,), history=(done,))) == [
        Dealt(rest, done),
        OrderDone(done),
    ]
    assert not life.is_waiting


def test_pending_order_that_was_never_seen_working_is_placed_first():
    life = Lifecycle()
    done = order(left=0.0, state=OrderState.FILLED, done=1_000)
    assert life.apply(update(deals=(deal(),), history=(done,))) == [
        OrderPlaced(done),
        Dealt(deal(), done),
        OrderDone(done),
    ]


@pytest.mark.parametrize("state", [OrderState.CANCELED, OrderState.EXPIRED])
def test_pending_order_that_came_and_went_unfilled_is_placed_and_done(state):
    done = order(state=state, done=1_000)
    assert Lifecycle().apply(update(history=(done,))) == [OrderPlaced(done), OrderDone(done)]


@pytest.mark.parametrize("kind", [OrderType.BUY, OrderType.SELL_STOP])
def test_rejected_order_was_never_placed(kind):
    life = Lifecycle()
    started = order(type=kind, state=OrderState.STARTED)
    assert life.apply(update(orders=(started,))) == []
    done = order(type=kind, state=OrderState.REJECTED, done=1_000)
    assert life.apply(update(orders_gone=(1,), history=(done,))) == [OrderDone(done)]


@pytest.mark.parametrize("state", [OrderState.STARTED, OrderState.REQUEST_ADD])
def test_order_is_placed_when_the_server_has_taken_it(state):
    life = Lifecycle()
    assert life.apply(update(orders=(order(state=state),))) == []
    assert life.apply(update(orders=(order(),))) == [OrderPlaced(order())]
    assert life.apply(update(orders=(order(),))) == []


def test_deal_proves_that_an_order_was_placed():
    life = Lifecycle()
    life.apply(update(orders=(order(state=OrderState.STARTED),)))
    started = order(state=OrderState.STARTED)
    assert life.apply(update(deals=(deal(),))) == [OrderPlaced(started), Dealt(deal(), started)]
    assert [type(f) for f in life.apply(update(orders=(order(left=0.0),)))] == [OrderChanged]


def test_market_order_seen_working_is_placed():
    life = Lifecycle()
    working = order(type=OrderType.BUY)
    assert life.apply(update(orders=(working,))) == [OrderPlaced(working)]


def test_market_order_filled_in_part_and_cancelled():
    done = market(volume=0.3, left=0.2, state=OrderState.CANCELED)
    facts = Lifecycle().apply(update(deals=(deal(),), history=(done,)))
    assert facts == [Dealt(deal(), done), OrderDone(done)]


def test_gone_order_is_not_done_before_history_says_how():
    life = Lifecycle(patience=3)
    life.apply(update(orders=(order(),)))
    assert life.apply(update(orders_gone=(1,))) == []
    assert life.missing_orders == (1,)
    for _ in range(10):
        assert life.apply(NOTHING) == []
    assert life.is_waiting
    done = order(state=OrderState.CANCELED, done=1_000)
    assert life.apply(update(history=(done,))) == [OrderDone(done)]
    assert not life.is_waiting


def test_order_that_is_missing_in_a_full_reading_is_gone():
    life = Lifecycle()
    life.apply(update(orders=(order(1), order(2))))
    assert life.apply(update(full=True, orders=(order(2),))) == []
    assert life.missing_orders == (1,)


def test_order_that_is_listed_again_is_not_missing():
    life = Lifecycle()
    life.apply(update(orders=(order(),)))
    life.apply(update(orders_gone=(1,)))
    assert life.apply(update(orders=(order(),))) == []
    assert not life.is_waiting


def test_full_reading_after_a_restart_yields_what_really_changed():
    life = Lifecycle()
    known = {
        "orders": (order(1), order(2), order(3)),
        "positions": (position(8), position(9)),
        "deals": (deal(1001, 5),),
        "history": (market(5),),
        "account": account(),
    }
    life.apply(update(full=True, **known))
    assert life.apply(update(full=True, **known)) == []
    moved = order(2, price_open=1.1)
    gone = order(3, state=OrderState.CANCELED, done=9_000)
    facts = life.apply(
        update(
            full=True,
            orders=(order(1, price_current=1.2), moved, order(4)),
            positions=(position(8, profit=5.0), position(9, volume=0.2)),
            deals=(deal(1001, 5), deal(1002, 6, time=8_000)),
            history=(market(5), market(6, done=8_000), gone),
            account=account(),
        )
    )
    assert facts == [
        OrderChanged(moved, order(2)),
        OrderPlaced(order(4)),
        Dealt(deal(1002, 6, time=8_000), market(6, done=8_000)),
        OrderDone(market(6, done=8_000)),
        OrderDone(gone),
        PositionChanged(position(9, volume=0.2), position(9)),
    ]


def test_nothing_of_the_baseline_becomes_a_fact():
    life = Lifecycle()
    before = update(
        full=True,
        orders=(order(1), order(2, volume=1.0, left=0.4, state=OrderState.PARTIAL)),
        positions=(position(8),),
        deals=(deal(1001, 5), deal(1002, 0, type=DealType.BALANCE)),
        history=(market(5),),
        account=account(),
    )
    life.baseline(before)
    assert life.apply(before) == []
    assert life.apply(before) == []
    assert not life.is_waiting


def test_orders_of_the_baseline_go_on_from_there():
    life = Lifecycle()
    partly = order(2, volume=1.0, left=0.4, state=OrderState.PARTIAL)
    life.baseline(update(full=True, orders=(order(1), partly)))
    done = order(2, volume=1.0, left=0.0, state=OrderState.FILLED, done=9_000)
    rest = deal(1003, 2, time=9_000, volume=0.4)
    # What was filled before the baseline is not waited for.
    assert life.apply(update(orders_gone=(2,), history=(done,))) == []
    assert life.apply(update(deals=(rest,))) == [Dealt(rest, done), OrderDone(done)]
    changed = order(1, tp=1.2)
    assert life.apply(update(orders=(changed,))) == [OrderChanged(changed, order(1))]


def test_order_of_a_deal_of_the_baseline_is_done_when_history_shows_it():
    life = Lifecycle()
    life.baseline(update(full=True, deals=(deal(),)))
    assert not life.is_waiting
    assert life.apply(update(deals=(deal(),), history=(market(),))) == [OrderDone(market())]


def test_late_deal_of_an_order_of_the_baseline_knows_its_order():
    life = Lifecycle()
    life.baseline(update(full=True, history=(market(),)))
    assert life.apply(update(deals=(deal(),))) == [Dealt(deal(), market())]


def test_deal_whose_order_never_shows_comes_without_it_when_patience_ends():
    life = Lifecycle(patience=3)
    assert life.apply(update(deals=(deal(),))) == []
    assert life.apply(NOTHING) == []
    assert life.apply(NOTHING) == []
    assert life.apply(NOTHING) == [Dealt(deal(), None)]
    assert not life.is_waiting
    done = order(left=0.0, state=OrderState.FILLED, done=2_000)
    assert life.apply(update(deals=(deal(),), history=(done,))) == [OrderDone(done)]


def test_order_whose_deals_never_add_up_is_done_when_patience_ends():
    life = Lifecycle(patience=2)
    done = market(volume=0.3)
    assert life.apply(update(history=(done,), deals=(deal(),))) == []
    assert life.apply(NOTHING) == []
    assert life.apply(NOTHING) == [Dealt(deal(), done), OrderDone(done)]
    late = deal(1002, volume=0.2)
    assert life.apply(update(deals=(late,))) == [Dealt(late, done)]
    assert life.apply(update(deals=(late,), history=(done,))) == []


def test_patience_starts_again_with_every_piece_of_evidence():
    life = Lifecycle(patience=2)
    done = market(volume=0.3)
    assert life.apply(update(deals=(deal(),))) == []
    assert life.apply(NOTHING) == []
    assert life.apply(update(history=(done,))) == []
    assert life.apply(NOTHING) == []
    rest = deal(1002, volume=0.2)
    assert life.apply(update(deals=(rest,)))[-1] == OrderDone(done)


def test_working_order_that_misses_a_deal_keeps_nobody_waiting_twice():
    life = Lifecycle(patience=2)
    life.apply(update(orders=(order(volume=1.0, left=0.5, state=OrderState.PARTIAL),)))
    assert life.apply(update(deals=(deal(),))) == []
    life.apply(NOTHING)
    assert [type(fact) for fact in life.apply(NOTHING)] == [Dealt]
    more = order(volume=1.0, left=0.4, state=OrderState.PARTIAL)
    facts = life.apply(update(orders=(more,), deals=(deal(1002, time=2_000),)))
    assert [type(fact) for fact in facts] == [OrderChanged, Dealt]


def test_no_patience_at_all_holds_nothing_back():
    life = Lifecycle(patience=0)
    assert life.apply(update(deals=(deal(),))) == [Dealt(deal(), None)]


@pytest.mark.parametrize("kind", [k for k in DealType if k > DealType.SELL])
def test_balance_operations_come_at_once_and_without_an_order(kind):
    money = deal(1001, 0, type=kind, volume=0.0, profit=100.0, symbol="")
    assert Lifecycle().apply(update(deals=(money,))) == [Dealt(money, None)]


def test_trade_without_an_order_is_not_waited_for():
    assert Lifecycle().apply(update(deals=(deal(1001, 0),))) == [Dealt(deal(1001, 0), None)]


def test_close_by_is_done_after_both_of_its_deals():
    life = Lifecycle()
    done = market(type=OrderType.CLOSE_BY)
    one, two = (deal(t, entry=DealEntry.OUT_BY) for t in (1001, 1002))
    assert life.apply(update(history=(done,), deals=(one,))) == []
    assert life.apply(update(deals=(two,))) == [Dealt(one, done), Dealt(two, done), OrderDone(done)]


def test_float_noise_of_volumes_does_not_keep_an_order_waiting():
    parts = tuple(deal(1000 + n, time=n, volume=0.1) for n in range(3))
    done = market(volume=0.3)  # 0.1 + 0.1 + 0.1 is not 0.3
    assert len(Lifecycle().apply(update(deals=parts, history=(done,)))) == 4


def test_price_alone_changes_no_order():
    life = Lifecycle()
    life.apply(update(orders=(order(),)))
    assert life.apply(update(orders=(order(price_current=1.1),))) == []
    changed = order(price_current=1.2, sl=1.0)
    assert life.apply(update(orders=(changed,))) == [
        OrderChanged(changed, order(price_current=1.1))
    ]


@pytest.mark.parametrize("field", ["price_open", "sl", "tp", "price_stoplimit", "volume_current"])
def test_every_other_field_does(field):
    life = Lifecycle()
    life.apply(update(orders=(order(),)))
    changed = order()._replace(**{field: 0.05})
    assert life.apply(update(orders=(changed,))) == [OrderChanged(changed, order())]


def test_listing_that_is_older_than_history_is_not_believed():
    life = Lifecycle()
    done = order(state=OrderState.CANCELED, done=1_000)
    life.apply(update(orders=(order(),)))
    assert life.apply(update(orders=(order(sl=1.0),), history=(done,)))[-1] == OrderDone(done)
    assert life.apply(update(orders=(order(sl=1.0),))) == []
    assert life.apply(update(full=True, orders=(order(),), history=(done,))) == []
    assert not life.is_waiting


def test_record_in_history_that_is_not_final_ends_nothing_but_explains_its_deals():
    life = Lifecycle(patience=2)
    early = market(state=OrderState.STARTED, left=0.1)
    assert life.apply(update(deals=(deal(),), history=(early,))) == []
    assert life.missing_orders == (1,)
    assert life.apply(NOTHING) == []
    assert life.apply(NOTHING) == [Dealt(deal(), early)]
    assert life.apply(update(history=(market(),))) == [OrderDone(market())]


def test_last_listing_of_a_gone_order_is_not_believed_to_know_all_its_deals():
    life = Lifecycle()
    first, second = deal(1001, time=900), deal(1002, time=950)
    life.apply(update(orders=(order(volume=0.2),)))
    assert life.apply(update(orders_gone=(1,), deals=(second,))) == []
    done = order(volume=0.2, left=0.0, state=OrderState.FILLED, done=950)
    assert life.apply(update(history=(done,))) == []
    assert life.apply(update(deals=(first,))) == [
        Dealt(first, done),
        Dealt(second, done),
        OrderDone(done),
    ]


def test_facts_of_two_kinds_are_never_equal():
    assert OrderPlaced(order()) != OrderDone(order())
    assert PositionOpened(position()) != PositionClosed(position())


def test_account_is_told_when_its_figures_differ():
    life = Lifecycle()
    assert life.apply(update(account=account())) == [AccountSeen(account())]
    assert life.apply(update(account=account())) == []
    assert life.apply(update(account=None)) == []
    richer = account(balance=2e4)
    assert life.apply(update(account=richer)) == [AccountSeen(richer)]


def test_account_comes_after_the_deals_that_changed_it():
    facts = Lifecycle().apply(
        update(deals=(deal(),), history=(market(),), positions=(position(),), account=account())
    )
    assert [type(fact) for fact in facts] == [Dealt, OrderDone, PositionOpened, AccountSeen]


def open_position(life, **fields):
    facts = life.apply(
        update(
            deals=(deal(position_id=1),),
            history=(market(),),
            positions=(position(**fields),),
        )
    )
    assert facts[-1] == PositionOpened(position(**fields))


def closing(**fields):
    given = {"time": 5_000, "type": DealType.SELL, "entry": DealEntry.OUT, "position_id": 1}
    return deal(1002, 2, **(given | fields))


def test_position_is_closed_after_the_deal_that_closed_it():
    life = Lifecycle()
    open_position(life)
    assert life.apply(update(positions_gone=(1,))) == []
    assert life.is_waiting
    done = market(2, done=5_000, type=OrderType.SELL)
    assert life.apply(update(deals=(closing(),), history=(done,))) == [
        Dealt(closing(), done),
        OrderDone(done),
        PositionClosed(position()),
    ]
    assert not life.is_waiting


def test_position_is_not_closed_while_its_closing_deal_is_held():
    life = Lifecycle()
    open_position(life)
    assert life.apply(update(positions_gone=(1,), deals=(closing(),))) == []
    facts = life.apply(update(history=(market(2, done=5_000),)))
    assert [type(fact) for fact in facts] == [Dealt, OrderDone, PositionClosed]


def test_position_of_the_baseline_is_closed_by_its_closing_deal():
    life = Lifecycle()
    life.baseline(update(full=True, positions=(position(volume=0.3),)))
    done = market(2, done=5_000)
    facts = life.apply(
        update(
            full=True, deals=(closing(volume=0.3),), history=(done._replace(volume_initial=0.3),)
        )
    )
    assert facts[-1] == PositionClosed(position(volume=0.3))


def test_short_position_of_the_baseline_is_closed_by_a_purchase():
    life = Lifecycle()
    life.baseline(update(full=True, positions=(position(type=1),)))
    bought = closing(type=DealType.BUY)
    facts = life.apply(update(full=True, deals=(bought,), history=(market(2),)))
    assert facts[-1] == PositionClosed(position(type=1))


def test_position_closed_in_parts_is_closed_once_at_the_end():
    life = Lifecycle()
    open_position(life)
    half = closing(volume=0.05)
    facts = life.apply(
        update(
            deals=(half,),
            history=(market(2, volume=0.05),),
            positions=(position(volume=0.05),),
        )
    )
    assert facts[-1] == PositionChanged(position(volume=0.05), position())
    rest = deal(1003, 3, time=6_000, volume=0.05, type=1, entry=1, position_id=1)
    facts = life.apply(
        update(positions_gone=(1,), deals=(rest,), history=(market(3, volume=0.05),))
    )
    assert facts[-1] == PositionClosed(position(volume=0.05))


def test_position_that_went_without_a_deal_is_closed_when_patience_ends():
    life = Lifecycle(patience=2)
    life.apply(update(positions=(position(),)))
    assert life.apply(update(positions_gone=(1,))) == []
    assert life.apply(NOTHING) == []
    assert life.apply(NOTHING) == [PositionClosed(position())]
    assert not life.is_waiting


def test_position_that_is_listed_again_was_not_closed():
    life = Lifecycle()
    life.apply(update(positions=(position(),)))
    life.apply(update(full=True))
    assert life.apply(update(full=True, positions=(position(),))) == []
    assert not life.is_waiting


def test_reversed_position_changes_its_ticket_and_stays_the_same():
    life = Lifecycle()
    open_position(life)
    turned = position(2, identifier=1, type=1)
    facts = life.apply(update(positions=(turned,), positions_gone=(1,)))
    assert facts == [PositionChanged(turned, position())]
    assert not life.is_waiting


def test_price_profit_and_swap_change_no_position():
    life = Lifecycle()
    life.apply(update(positions=(position(),)))
    moved = position(price_current=1.1, profit=5.0, swap=-0.1)
    assert life.apply(update(positions=(moved,))) == []
    stopped = moved._replace(sl=1.0)
    assert life.apply(update(positions=(stopped,))) == [PositionChanged(stopped, moved)]


def test_memory_is_bounded_and_what_is_forgotten_counts_as_seen():
    life = Lifecycle(memory=10)
    updates = [
        update(deals=(deal(1000 + n, n, time=n),), history=(market(n, done=n),))
        for n in range(1, 100)
    ]
    assert all(len(life.apply(one)) == 2 for one in updates)
    assert all(life.apply(one) == [] for one in updates)
    assert len(life._deals._times) <= 10
    assert len(life._done._times) <= 10
    assert not life._tracks


def test_nothing_grows_with_the_number_of_trades():
    life = Lifecycle(memory=10)
    for n in range(1, 1_200):
        life.apply(update(deals=(deal(9_000 + n, n, time=n, position_id=n),)))
        life.apply(update(history=(market(n, done=n),)))
    assert len(life._recent) <= 1_000
    assert len(life._net) <= 11
    assert not life._tracks


def test_one_large_reading_is_not_cut_by_the_memory():
    life = Lifecycle(memory=10)
    numbers = range(1, 100)
    facts = life.apply(
        update(
            full=True,
            deals=tuple(deal(1000 + n, n, time=n) for n in numbers),
            history=tuple(market(n, done=n) for n in numbers),
        )
    )
    assert len(facts) == 198


def test_recorded_cancelled_limit_order():
    """Figures of a buy limit on a demo account, cancelled by its script 18 seconds later."""
    placed = order(
        1437318706, volume=0.01, reason=3, type_filling=2, price_open=0.99301,
        time_setup=1661348065, time_setup_msc=1661348065049, price_current=0.99315,
    )  # fmt: skip
    done = placed._replace(
        state=OrderState.CANCELED,
        time_done=1661348083,
        time_done_msc=1661348083632,
        price_current=0.99311,
    )
    life = Lifecycle()
    assert life.apply(update(orders=(placed,))) == [OrderPlaced(placed)]
    assert life.apply(update(orders_gone=(1437318706,), history=(done,))) == [OrderDone(done)]
