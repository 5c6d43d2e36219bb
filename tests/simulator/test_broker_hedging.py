"""A hedging account: life cycles of positions, exact money, and what the server refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.broker.broker import SendAnswer
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    DealType,
    OrderFilling,
    OrderReason,
    OrderState,
    OrderType,
    SymbolCalcMode,
    TradeAction,
    TradeRetcode,
)

DONE = TradeRetcode.DONE
SATURDAY = "2025-03-15T12:00:00Z"


@pytest.fixture
def desk(open_desk: Callable[..., Any]) -> Any:
    """10,000 USD at 1:100, 3.50 a lot and side on pairs, EURUSD at 1.10000/1.10010."""
    desk = open_desk(account={"balance": 10_000.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def position(desk: Any) -> Any:
    (only,) = desk.broker.positions()
    return only


def deals(desk: Any) -> list[Any]:
    """All deals but the deposit."""
    now = desk.market.now_msc // 1000
    return [deal for deal in desk.broker.history_deals(0, now) if deal.type < DealType.BALANCE]


def test_account_opens_with_a_balance_deal(desk: Any) -> None:
    (deal,) = desk.broker.history_deals(0, desk.market.now_msc // 1000)
    assert (deal.type, deal.profit, deal.symbol, deal.order) == (DealType.BALANCE, 10_000.0, "", 0)
    account = desk.broker.account()
    assert (account.balance, account.equity, account.margin_free) == (10_000.0,) * 3
    assert (account.margin, account.margin_level, account.profit) == (0.0, 0.0, 0.0)


def test_buy_fills_at_the_ask_and_opens_a_position(desk: Any) -> None:
    answer = desk.buy("EURUSD", 0.01, magic=77, comment="entry")
    now = desk.market.now_msc
    assert answer == SendAnswer(
        retcode=DONE,
        deal=answer.deal,
        order=answer.order,
        volume=0.01,
        price=1.10010,
        bid=1.10000,
        ask=1.10010,
        comment="Request executed",
        request_id=answer.request_id,
    )
    assert answer.request_id > 0 and abs(answer.order - answer.deal) > 1_000_000
    held = position(desk)
    assert held.ticket == held.identifier == answer.order
    assert (held.type, held.volume, held.price_open, held.magic) == (0, 0.01, 1.10010, 77)
    assert (held.time, held.time_msc) == (now // 1000, now)
    assert (held.price_current, held.profit) == (1.10000, -0.10)
    (deal,) = deals(desk)
    assert (deal.ticket, deal.order, deal.position_id) == (answer.deal, answer.order, answer.order)
    assert (deal.type, deal.entry, deal.reason) == (0, DealEntry.IN, DealReason.EXPERT)
    assert (deal.price, deal.volume, deal.profit, deal.commission) == (1.10010, 0.01, 0.0, -0.04)
    (order,) = desk.broker.history_orders(0, now // 1000)
    assert (order.ticket, order.state, order.type) == (answer.order, OrderState.FILLED, 0)
    assert (order.volume_initial, order.volume_current) == (0.01, 0.0)
    assert (order.position_id, order.magic, order.comment) == (answer.order, 77, "entry")
    assert (order.price_current, order.time_done_msc) == (1.10010, now)
    assert desk.broker.orders() == []


def test_round_trip_in_eurusd_on_a_usd_account(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01)
    desk.advance(5)
    desk.tick("EURUSD", 1.10110, 1.10120)
    # (1.10110 - 1.10010) * 100,000 * 0.01 = 1.00 USD
    assert position(desk).profit == 1.00
    assert desk.broker.account().equity == 10_000.96
    closed = desk.sell("EURUSD", 0.01, position=opened.order, magic=5)
    assert (closed.retcode, closed.price) == (DONE, 1.10110)
    assert desk.broker.positions() == []
    deal = deals(desk)[1]
    assert (deal.type, deal.entry, deal.position_id) == (1, DealEntry.OUT, opened.order)
    assert (deal.order, deal.ticket) == (closed.order, closed.deal)
    assert closed.order != opened.order
    assert (deal.profit, deal.commission, deal.magic) == (1.00, -0.04, 5)
    assert desk.broker.account().balance == 10_000.92
    order = desk.broker.history_order(closed.order)
    assert (order.type, order.position_id) == (OrderType.SELL, opened.order)


def test_round_trip_in_eurusd_on_a_eur_account(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(account={"balance": 10_000.0, "currency": "EUR"})
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.tick("GBPUSD", 1.3, 1.3001)
    opened = desk.buy("EURUSD", 0.01)
    account = desk.broker.account()
    # 0.01 * 100,000 / 100, in euros as it is [recorded: exactly 10.0].
    assert (account.margin, account.balance) == (10.0, 9_999.96)
    # (1.10000 - 1.10010) * 1,000 = -0.10 USD, / 1.10000 = -0.0909 EUR
    assert account.profit == -0.09
    desk.tick("EURUSD", 1.10110, 1.10120)
    desk.sell("EURUSD", 0.01, position=opened.order)
    # 1.00 USD / 1.10110 = 0.9082 EUR
    assert deals(desk)[1].profit == 0.91
    assert desk.broker.account().balance == 10_000.83


def test_round_trip_in_usdjpy_is_converted_at_the_closing_side(desk: Any) -> None:
    desk.tick("USDJPY", 144.128, 144.132)
    opened = desk.buy("USDJPY", 0.1)
    desk.tick("USDJPY", 144.124, 144.128)
    # (144.124 - 144.132) * 10,000 / 144.124 = -0.555 [recorded: -0.56]
    assert position(desk).profit == -0.56
    desk.sell("USDJPY", 0.1, position=opened.order)
    out = deals(desk)[1]
    # 3.50 * 0.1 = 0.35 a side
    assert (out.profit, out.commission) == (-0.56, -0.35)
    assert desk.broker.account().balance == 9_998.74


def test_short_in_usdchf_is_converted_at_the_ask(desk: Any) -> None:
    desk.tick("USDCHF", 0.99145, 0.99150)
    opened = desk.sell("USDCHF", 0.01)
    desk.tick("USDCHF", 0.98525, 0.98530)
    # (0.99145 - 0.98530) * 1,000 = 6.15 CHF / 0.98530 = 6.2417 USD [recorded: 6.24]
    assert (position(desk).price_current, position(desk).profit) == (0.98530, 6.24)
    desk.buy("USDCHF", 0.01, position=opened.order)
    assert deals(desk)[1].profit == 6.24


def test_profit_of_a_cross_is_converted_through_another_pair(desk: Any) -> None:
    desk.tick("GBPUSD", 1.30000, 1.30020)
    desk.tick("EURGBP", 0.86000, 0.86010)
    desk.buy("EURGBP", 0.1)
    desk.tick("EURGBP", 0.86110, 0.86120)
    # (0.86110 - 0.86010) * 10,000 = 10 GBP at the bid of GBPUSD
    assert position(desk).profit == 13.00
    # 0.1 lot is 10,000 EUR / 100 at the ask of EURUSD
    assert desk.broker.account().margin == 110.01


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "volume", "margin", "later", "profit"),
    [
        # FOREX, 1 lot is 100 oz: 3000.50 / 100 a hundredth; 10.00 on one ounce
        ("XAUUSD", 3000.00, 3000.50, 0.01, 30.01, 3010.50, 10.00),
        # CFDINDEX: price * lots, no leverage
        ("US500", 6000.0, 6000.5, 0.1, 600.05, 6010.5, 1.00),
        # CFDLEVERAGE in euros: 24,000 * 0.5 / 100 = 120 EUR * 1.10010; 50 EUR * 1.10000
        ("Germany 40", 23_990.0, 24_000.0, 0.5, 132.01, 24_100.0, 55.00),
        ("BTCUSD", 99_990.0, 100_000.0, 0.02, 20.00, 100_500.0, 10.00),
        # EXCH_STOCKS: the whole price
        ("#AAPL", 199.9, 200.0, 7.0, 1400.00, 201.0, 7.00),
    ],
)
def test_margin_and_profit_by_calculation_mode(
    open_desk: Callable[..., Any],
    symbol: str,
    bid: float,
    ask: float,
    volume: float,
    margin: float,
    later: float,
    profit: float,
) -> None:
    desk = open_desk(prices={"always_open": True})
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.tick(symbol, bid, ask)
    assert desk.buy(symbol, volume).retcode == DONE
    assert desk.broker.account().margin == margin
    assert desk.broker.calc_margin(OrderType.BUY, symbol, volume, ask) == margin
    desk.tick(symbol, later, later + 1.0)
    assert position(desk).profit == profit
    assert desk.broker.calc_profit(OrderType.BUY, symbol, volume, ask, later) == profit


def test_account_figures_with_an_open_position(desk: Any) -> None:
    desk.buy("EURUSD", 0.1)
    desk.tick("EURUSD", 1.10050, 1.10060)
    account = desk.broker.account()
    # 10,000 EUR / 100 at the opening price; (1.10050 - 1.10010) * 10,000; 0.35 commission
    assert (account.margin, account.profit, account.balance) == (110.01, 4.0, 9_999.65)
    assert (account.equity, account.margin_free) == (10_003.65, 9_893.64)
    assert account.margin_level == 10_003.65 / 110.01 * 100


def test_partial_close_keeps_the_ticket(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.05)
    before = position(desk)
    desk.advance(10)
    desk.tick("EURUSD", 1.10110, 1.10120)
    answer = desk.sell("EURUSD", 0.02, position=opened.order)
    assert (answer.retcode, answer.volume) == (DONE, 0.02)
    rest = position(desk)
    assert (rest.ticket, rest.identifier, rest.volume) == (opened.order, opened.order, 0.03)
    assert (rest.price_open, rest.time_msc) == (before.price_open, before.time_msc)
    assert rest.time_update_msc == desk.market.now_msc
    assert deals(desk)[1].profit == 2.00
    assert desk.sell("EURUSD", 0.03, position=opened.order).retcode == DONE
    assert desk.broker.positions() == []
    assert [deal.volume for deal in desk.broker.history_deals_of(opened.order)] == [
        0.05,
        0.02,
        0.03,
    ]
    assert len(desk.broker.history_orders_of(opened.order)) == 3


def test_opposite_order_without_a_ticket_opens_a_second_position(desk: Any) -> None:
    first, second = desk.buy("EURUSD", 0.02), desk.sell("EURUSD", 0.01)
    assert [held.ticket for held in desk.broker.positions()] == [first.order, second.order]
    assert [held.type for held in desk.broker.positions()] == [0, 1]
    # margin_hedged 0: the covered hundredth is free.
    assert desk.broker.account().margin == 11.00


def test_larger_leg_pays_when_the_symbol_says_so(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", "margin_hedged_use_leg": True}])
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.buy("EURUSD", 0.02)
    desk.sell("EURUSD", 0.01)
    assert desk.broker.account().margin == 22.00


def test_covered_volume_pays_its_own_margin(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", "margin_hedged": 50_000.0}])
    desk.tick("EURUSD", 1.10000, 1.10000)
    desk.buy("EURUSD", 0.02)
    desk.sell("EURUSD", 0.01)
    # 0.01 uncovered: 11.00; 0.01 covered at half the contract: 5.50
    assert desk.broker.account().margin == 16.50


def test_closing_needs_the_right_ticket_symbol_side_and_volume(desk: Any) -> None:
    desk.tick("GBPUSD", 1.3, 1.3001)
    opened = desk.buy("EURUSD", 0.02)
    cases = {
        TradeRetcode.POSITION_CLOSED: desk.sell("EURUSD", 0.02, position=opened.order + 1),
        TradeRetcode.INVALID_CLOSE_VOLUME: desk.sell("EURUSD", 0.03, position=opened.order),
    }
    assert [answer.retcode for answer in cases.values()] == list(cases)
    assert desk.buy("EURUSD", 0.02, position=opened.order).retcode == TradeRetcode.INVALID
    assert desk.sell("GBPUSD", 0.02, position=opened.order).retcode == TradeRetcode.INVALID
    assert len(desk.broker.positions()) == len(deals(desk)) == 1


def test_refusal_has_no_numbers_and_changes_nothing(desk: Any) -> None:
    before = desk.broker.truth()
    answer = desk.buy("EURUSD", 0.015)
    assert answer._replace(request_id=0) == SendAnswer(
        retcode=TradeRetcode.INVALID_VOLUME, comment="Invalid volume"
    )
    assert desk.broker.truth() == before


@pytest.mark.parametrize(
    ("overrides", "fields", "code"),
    [
        ({}, {"symbol": "NOPE"}, TradeRetcode.INVALID),
        ({}, {"symbol": ""}, TradeRetcode.INVALID),
        ({}, {"type": OrderType.BUY_LIMIT}, TradeRetcode.INVALID_ORDER),
        ({}, {"action": 0}, TradeRetcode.INVALID),
        ({}, {"volume": 0.0}, TradeRetcode.INVALID_VOLUME),
        ({}, {"volume": -0.01}, TradeRetcode.INVALID_VOLUME),
        ({}, {"volume": 0.001}, TradeRetcode.INVALID_VOLUME),
        ({}, {"volume": 100.01}, TradeRetcode.INVALID_VOLUME),
        ({}, {"volume": 10.0}, TradeRetcode.NO_MONEY),
        ({}, {"type_filling": OrderFilling.RETURN}, TradeRetcode.INVALID_FILL),
        ({}, {"type_filling": OrderFilling.BOC}, TradeRetcode.INVALID_FILL),
        ({"filling_mode": 2}, {"type_filling": OrderFilling.FOK}, TradeRetcode.INVALID_FILL),
        ({"filling_mode": 1}, {"type_filling": OrderFilling.IOC}, TradeRetcode.INVALID_FILL),
        ({"trade_mode": 0}, {}, TradeRetcode.TRADE_DISABLED),
        ({"trade_mode": 1}, {"type": OrderType.SELL}, TradeRetcode.LONG_ONLY),
        ({"trade_mode": 2}, {"type": OrderType.BUY}, TradeRetcode.SHORT_ONLY),
        ({"trade_mode": 3}, {}, TradeRetcode.CLOSE_ONLY),
        ({"order_mode": 48}, {}, TradeRetcode.INVALID_ORDER),
        ({"volume_limit": 0.05}, {"volume": 0.06}, TradeRetcode.LIMIT_VOLUME),
        ({"sessions": "Mon 00:00-24:00"}, {}, TradeRetcode.MARKET_CLOSED),
        ({"trade_calc_mode": SymbolCalcMode.EXCH_BONDS}, {}, TradeRetcode.TRADE_DISABLED),
        ({}, {"sl": 1.10001}, TradeRetcode.INVALID_STOPS),
        ({}, {"tp": 1.09999}, TradeRetcode.INVALID_STOPS),
        ({}, {"sl": 1.099995}, TradeRetcode.INVALID_STOPS),
        ({"trade_stops_level": 20}, {"sl": 1.09981}, TradeRetcode.INVALID_STOPS),
        ({"trade_stops_level": 20}, {"tp": 1.10019}, TradeRetcode.INVALID_STOPS),
        ({}, {"type": OrderType.SELL, "sl": 1.10009}, TradeRetcode.INVALID_STOPS),
        ({}, {"type": OrderType.SELL, "tp": 1.10011}, TradeRetcode.INVALID_STOPS),
        ({"order_mode": 1}, {"sl": 1.09}, TradeRetcode.INVALID_STOPS),
        ({"trade_exemode": 1}, {"price": 0.0}, TradeRetcode.INVALID_PRICE),
        ({"trade_exemode": 1}, {"price": 1.100105}, TradeRetcode.INVALID_PRICE),
        ({"trade_exemode": 1}, {"price": 1.10004, "deviation": 5}, TradeRetcode.REQUOTE),
    ],
)
def test_server_refuses(
    open_desk: Callable[..., Any],
    overrides: dict[str, Any],
    fields: dict[str, Any],
    code: TradeRetcode,
) -> None:
    desk = open_desk(
        symbols=[{"name": "EURUSD", **overrides}, {"like": "EURUSD", "name": "EURUSD.a"}],
        account={"balance": 10_000.0},
    )
    desk.tick("EURUSD", 1.10000, 1.10010)
    answer = desk.send(**{"symbol": "EURUSD", "volume": 0.01, **fields})
    assert (answer.retcode, answer.deal, answer.order) == (code, 0, 0)
    assert answer.comment
    assert desk.broker.positions() == [] and deals(desk) == []


@pytest.mark.parametrize(
    ("overrides", "fields"),
    [
        ({"filling_mode": 2}, {"type_filling": OrderFilling.IOC}),
        ({"filling_mode": 1}, {"type_filling": OrderFilling.FOK}),
        ({"trade_exemode": 3}, {"type_filling": OrderFilling.RETURN}),
        ({"trade_exemode": 1, "filling_mode": 2}, {"price": 1.10010, "type_filling": 0}),
        ({"trade_exemode": 1}, {"price": 1.10006, "deviation": 5}),
        ({"trade_stops_level": 20}, {"sl": 1.09980, "tp": 1.10020}),
        ({}, {"sl": 1.0990000000000002, "tp": 1.11}),
        ({"trade_mode": 1}, {}),
        ({"volume_limit": 0.01}, {}),
        ({}, {"volume": 0.07 + 0.02}),
        ({}, {"price": 1.23}),
    ],
)
def test_server_accepts(
    open_desk: Callable[..., Any], overrides: dict[str, Any], fields: dict[str, Any]
) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", **overrides}])
    desk.tick("EURUSD", 1.10000, 1.10010)
    answer = desk.send(**{"symbol": "EURUSD", "volume": 0.01, **fields})
    assert (answer.retcode, answer.price) == (DONE, 1.10010)


@pytest.mark.parametrize(
    "action",
    [TradeAction.PENDING, TradeAction.MODIFY, TradeAction.REMOVE, TradeAction.CLOSE_BY],
)
def test_what_is_not_offered_is_refused_not_made_up(
    open_desk: Callable[..., Any], action: TradeAction
) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", "order_mode": 1 | 16 | 32}])
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.buy("EURUSD", 0.01)
    desk.sell("EURUSD", 0.01)
    named, by = (held.ticket for held in desk.broker.positions())
    answer = desk.send(
        action=int(action),
        symbol="EURUSD",
        volume=0.01,
        type=int(OrderType.BUY_LIMIT),
        price=1.05,
        type_filling=int(OrderFilling.RETURN),
        order=123,
        position=named,
        position_by=by,
    )
    assert answer.retcode in (TradeRetcode.INVALID_ORDER, TradeRetcode.INVALID)
    assert (answer.order, answer.deal, desk.broker.orders()) == (0, 0, [])
    assert len(desk.broker.positions()) == 2


def test_requote_brings_the_prices(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", "trade_exemode": 1}])
    desk.tick("EURUSD", 1.10000, 1.10010)
    answer = desk.buy("EURUSD", 0.01, price=1.09, deviation=10)
    assert (answer.retcode, answer.bid, answer.ask) == (TradeRetcode.REQUOTE, 1.10000, 1.10010)


def test_symbol_without_a_price_is_not_traded(open_desk: Callable[..., Any]) -> None:
    assert open_desk().buy("EURUSD", 0.01).retcode == TradeRetcode.PRICE_OFF


def test_symbol_without_a_conversion_price_is_not_traded(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    desk.tick("EURGBP", 0.86, 0.8601)
    assert desk.buy("EURGBP", 0.01).retcode == TradeRetcode.PRICE_OFF
    assert desk.broker.positions() == []


def test_weekend_is_closed(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(clock={"start": SATURDAY})
    desk.tick("EURUSD", 1.1, 1.1001)
    desk.tick("BTCUSD", 99_990.0, 100_000.0)
    assert desk.buy("EURUSD", 0.01).retcode == TradeRetcode.MARKET_CLOSED
    assert desk.buy("BTCUSD", 0.01).retcode == DONE


def test_auto_trading_button_stops_programs_only(desk: Any) -> None:
    desk.broker.auto_trading = False
    answer = desk.buy("EURUSD", 0.01)
    assert answer == SendAnswer(
        retcode=TradeRetcode.CLIENT_DISABLES_AT, comment="AutoTrading disabled by client"
    )
    assert (
        desk.broker.check(desk.request(symbol="EURUSD", volume=0.01)).retcode
        == TradeRetcode.CLIENT_DISABLES_AT
    )
    by_hand = desk.buy("EURUSD", 0.01, by=OrderReason.CLIENT)
    assert by_hand.retcode == DONE
    assert position(desk).reason == deals(desk)[0].reason == DealReason.CLIENT


def test_investor_and_servers_ban_of_programs(open_desk: Callable[..., Any]) -> None:
    investor = open_desk(account={"trade_allowed": False})
    investor.tick("EURUSD", 1.1, 1.1001)
    assert investor.buy("EURUSD", 0.01).retcode == TradeRetcode.TRADE_DISABLED
    assert not investor.broker.account().trade_allowed
    no_programs = open_desk(account={"trade_expert": False})
    no_programs.tick("EURUSD", 1.1, 1.1001)
    assert no_programs.buy("EURUSD", 0.01).retcode == TradeRetcode.SERVER_DISABLES_AT
    assert no_programs.buy("EURUSD", 0.01, by=OrderReason.CLIENT).retcode == DONE


def test_closing_is_allowed_without_free_margin_and_when_close_only(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(account={"balance": 120.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    opened = desk.buy("EURUSD", 0.1)
    desk.tick("EURUSD", 1.09800, 1.09810)
    assert desk.broker.account().margin_free < 0.0
    assert desk.buy("EURUSD", 0.01).retcode == TradeRetcode.NO_MONEY
    # The opposite side frees margin, so it needs no money.
    assert desk.sell("EURUSD", 0.01).retcode == DONE
    assert desk.sell("EURUSD", 0.1, position=opened.order).retcode == DONE


def test_stop_loss_closes_at_the_first_tick_that_touches(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01, sl=1.09900, tp=1.10500, magic=42)
    assert (position(desk).sl, position(desk).tp) == (1.09900, 1.10500)
    desk.advance(60)
    desk.tick("EURUSD", 1.09901, 1.09911)
    assert len(desk.broker.positions()) == 1
    desk.advance(1)
    desk.tick("EURUSD", 1.09890, 1.09900)
    assert desk.broker.positions() == []
    deal = deals(desk)[1]
    # The tick jumped over the level: filled at its bid, (1.09890 - 1.10010) * 1,000
    assert (deal.price, deal.profit) == (1.09890, -1.20)
    assert (deal.type, deal.entry, deal.reason) == (1, DealEntry.OUT, DealReason.SL)
    assert (deal.comment, deal.magic, deal.commission) == ("[sl 1.09900]", 42, -0.04)
    assert (deal.position_id, deal.time_msc) == (opened.order, desk.market.now_msc)
    order = desk.broker.history_order(deal.order)
    assert (order.reason, order.type, order.state) == (OrderReason.SL, 1, OrderState.FILLED)
    assert (order.position_id, order.magic, order.comment) == (opened.order, 42, "[sl 1.09900]")


def test_take_profit_of_a_sell_position_is_touched_by_the_ask(desk: Any) -> None:
    desk.sell("EURUSD", 0.01, tp=1.09900)
    desk.tick("EURUSD", 1.09895, 1.09905)
    assert len(desk.broker.positions()) == 1
    desk.tick("EURUSD", 1.09890, 1.09900)
    deal = deals(desk)[1]
    assert (deal.reason, deal.price, deal.profit) == (DealReason.TP, 1.09900, 1.00)
    assert deal.comment == "[tp 1.09900]"


def test_stops_are_triggered_in_the_order_of_time_within_one_advance(desk: Any) -> None:
    desk.tick("GBPUSD", 1.30000, 1.30010)
    first = desk.buy("EURUSD", 0.01, sl=1.09500)
    second = desk.buy("GBPUSD", 0.01, sl=1.29500)
    third = desk.buy("EURUSD", 0.01, tp=1.11000)
    now = desk.market.now_msc
    for symbol, after, bid in [
        ("EURUSD", 3000, 1.09400),
        ("EURUSD", 5000, 1.11100),
        ("GBPUSD", 4000, 1.29400),
    ]:
        desk.tick_at(symbol, now + after, bid, bid + 0.0001)
    desk.advance(10)
    closed = deals(desk)[3:]
    assert [deal.position_id for deal in closed] == [first.order, second.order, third.order]
    assert [deal.time_msc - now for deal in closed] == [3000, 4000, 5000]
    assert [deal.price for deal in closed] == [1.09400, 1.29400, 1.11100]


def test_both_positions_of_one_tick_are_closed(desk: Any) -> None:
    desk.buy("EURUSD", 0.01, sl=1.09900)
    desk.buy("EURUSD", 0.02, sl=1.09900)
    desk.tick("EURUSD", 1.09900, 1.09910)
    assert [deal.volume for deal in deals(desk)[2:]] == [0.01, 0.02]
    assert desk.broker.positions() == []


def test_profit_at_a_stop_is_converted_at_the_touching_moment(desk: Any) -> None:
    desk.tick("GBPUSD", 1.30000, 1.30010)
    desk.tick("EURGBP", 0.86000, 0.86010)
    desk.buy("EURGBP", 0.1, tp=0.87010)
    now = desk.market.now_msc
    desk.tick_at("GBPUSD", now + 1000, 1.20000, 1.20000 + 0.0001)
    desk.tick_at("EURGBP", now + 2000, 0.87010, 0.87010 + 0.0001)
    desk.tick_at("GBPUSD", now + 3000, 1.40000, 1.40000 + 0.0001)
    desk.advance(5)
    # 0.01 * 10,000 = 100 GBP, at 1.20000 as of two seconds
    assert deals(desk)[1].profit == 120.00


def test_zero_prices_touch_nothing(desk: Any) -> None:
    desk.buy("EURUSD", 0.01, sl=1.09)
    desk.tick("EURUSD", 0.0, 0.0)
    assert len(desk.broker.positions()) == 1


def test_stops_are_set_changed_and_removed(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01)
    sltp = {"action": int(TradeAction.SLTP), "symbol": "EURUSD", "position": opened.order}
    answer = desk.send(**sltp, sl=1.09, tp=1.12)
    assert answer._replace(request_id=0) == SendAnswer(DONE, comment="Request executed")
    assert (position(desk).sl, position(desk).tp) == (1.09, 1.12)
    assert desk.send(**sltp, sl=1.09, tp=1.12).retcode == TradeRetcode.NO_CHANGES
    assert desk.send(**sltp, sl=1.10001).retcode == TradeRetcode.INVALID_STOPS
    assert desk.send(**sltp, tp=1.12).retcode == DONE
    assert (position(desk).sl, position(desk).tp) == (0.0, 1.12)
    assert position(desk).time_update_msc == position(desk).time_msc
    assert len(deals(desk)) == 1


def test_stops_need_a_position_of_that_symbol(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01)
    sltp = {"action": int(TradeAction.SLTP), "sl": 1.09}
    answers = [
        desk.send(**sltp, symbol="EURUSD", position=opened.order + 1),
        desk.send(**sltp, symbol="GBPUSD", position=opened.order),
        desk.send(**sltp, symbol="EURUSD"),
    ]
    assert [answer.retcode for answer in answers] == [
        TradeRetcode.POSITION_CLOSED,
        TradeRetcode.INVALID,
        TradeRetcode.INVALID,
    ]


def test_frozen_near_a_stop(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=[{"name": "EURUSD", "trade_freeze_level": 10}])
    desk.tick("EURUSD", 1.10000, 1.10010)
    opened = desk.buy("EURUSD", 0.01, sl=1.09950)
    desk.tick("EURUSD", 1.09960, 1.09970)
    sltp = desk.send(action=int(TradeAction.SLTP), symbol="EURUSD", position=opened.order, sl=1.09)
    assert sltp.retcode == TradeRetcode.FROZEN
    assert desk.sell("EURUSD", 0.01, position=opened.order).retcode == TradeRetcode.FROZEN
    desk.tick("EURUSD", 1.09961, 1.09971)
    assert desk.sell("EURUSD", 0.01, position=opened.order).retcode == DONE


def test_check_says_done_and_the_figures_after_the_trade(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(account={"balance": 9681.25, "currency": "EUR"})
    desk.tick("EURUSD", 1.09720, 1.09729)
    check = desk.broker.check(desk.request(symbol="EURUSD", volume=0.01))
    # Recorded with these figures.
    assert check._asdict() == {
        "retcode": 0,
        "balance": 9681.25,
        "equity": 9681.25,
        "profit": 0.0,
        "margin": 10.0,
        "margin_free": 9671.25,
        "margin_level": 96812.5,
        "comment": "Done",
    }
    assert desk.broker.positions() == []


def test_check_looks_at_fields_filling_and_money_but_not_at_the_session(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(clock={"start": SATURDAY}, account={"balance": 1_000.0})
    desk.tick("EURUSD", 1.1, 1.1001)
    codes = [
        desk.broker.check(desk.request(**{"symbol": "EURUSD", "volume": 0.01, **fields})).retcode
        for fields in (
            {},
            {"type_filling": int(OrderFilling.RETURN)},
            {"volume": 0.005},
            {"volume": 5.0},
            {"action": int(TradeAction.PENDING)},
        )
    ]
    assert codes == [
        0,
        TradeRetcode.INVALID_FILL,
        TradeRetcode.INVALID_VOLUME,
        TradeRetcode.NO_MONEY,
        TradeRetcode.INVALID_ORDER,
    ]


def test_comment_is_cut_by_the_server(desk: Any) -> None:
    desk.buy("EURUSD", 0.01, comment="python script open")
    assert position(desk).comment == deals(desk)[0].comment == "python script op"


def test_slippage_is_against_the_client(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(broker={"slippage_points": 7})
    desk.tick("EURUSD", 1.10000, 1.10010)
    assert desk.buy("EURUSD", 0.01).price == 1.10017
    assert desk.sell("EURUSD", 0.01).price == 1.09993


def test_deals_and_history_lag_while_positions_do_not(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(broker={"deal_lag_ms": 500})
    desk.advance(1)
    desk.tick("EURUSD", 1.10000, 1.10010)
    answer = desk.buy("EURUSD", 0.01)
    assert position(desk).ticket == answer.order
    assert deals(desk) == [] and desk.broker.history_order(answer.order) is None
    assert desk.broker.history_deal(answer.deal) is None
    assert len(desk.broker.truth()["deals"]) == 2
    desk.advance(0.499)
    assert deals(desk) == []
    desk.advance(0.001)
    assert [deal.ticket for deal in deals(desk)] == [answer.deal]
    assert desk.broker.history_order(answer.order).ticket == answer.order


def test_history_is_by_time_with_both_ends(desk: Any) -> None:
    start = desk.market.now_msc // 1000
    tickets = []
    for _ in range(3):
        desk.advance(10)
        tickets.append(desk.buy("EURUSD", 0.01).order)

    def orders(begin: int, end: int) -> list[int]:
        return [order.ticket for order in desk.broker.history_orders(begin, end)]

    assert orders(start + 10, start + 20) == tickets[:2]
    assert orders(start + 11, start + 19) == []
    deals_between = desk.broker.history_deals(start + 20, start + 30)
    assert [deal.order for deal in deals_between] == tickets[1:]
    by_order = desk.broker.history_deal(tickets[1])
    assert by_order.order == tickets[1]
    assert desk.broker.history_deal(by_order.ticket) == by_order
    assert desk.broker.history_deal(0) is None


def test_open_symbol_stays_in_market_watch(desk: Any) -> None:
    desk.tick("USDCHF", 0.9, 0.9001)
    assert not desk.market.is_selected("USDCHF")
    opened = desk.buy("USDCHF", 0.01)
    assert desk.market.is_selected("USDCHF") and not desk.market.select("USDCHF", False)
    desk.sell("USDCHF", 0.01, position=opened.order)
    assert desk.market.select("USDCHF", False)


def test_log_in_switches_to_books_of_its_own(open_desk: Callable[..., Any]) -> None:
    other = {"login": 900, "password": "secret", "currency": "EUR", "balance": 77.0}
    desk = open_desk(accounts=[other])
    desk.tick("EURUSD", 1.10000, 1.10010)
    opened = desk.buy("EURUSD", 0.01, sl=1.09)
    assert not desk.broker.login(900, "wrong") and not desk.broker.login(901)
    assert desk.broker.account().login == 5_001_234
    assert desk.broker.login(900, "secret")
    account = desk.broker.account()
    assert (account.login, account.currency, account.balance) == (900, "EUR", 77.0)
    assert desk.broker.positions() == []
    # 1 USD of tick value at the ask, in euros.
    assert desk.market.info("EURUSD").trade_tick_value == pytest.approx(1 / 1.10010)
    # The other account's stop lives on at the server.
    desk.tick("EURUSD", 1.08, 1.0801)
    assert deals(desk) == []
    assert desk.broker.login(5_001_234)
    assert desk.broker.positions() == []
    assert deals(desk)[1].position_id == opened.order


def test_order_calc_ignores_what_is_open_and_refuses_nonsense(desk: Any) -> None:
    calc = desk.broker.calc_margin
    assert calc(OrderType.BUY, "EURUSD", 0.01, 1.1795) == 11.80
    desk.sell("EURUSD", 0.01)
    assert calc(OrderType.BUY, "EURUSD", 0.01, 1.1795) == 11.80
    assert calc(OrderType.BUY, "NOPE", 0.01, 1.1) is None
    assert calc(OrderType.BUY_LIMIT, "EURUSD", 0.01, 1.1) is None
    assert calc(OrderType.BUY, "EURUSD", 0.0, 1.1) is None
    assert calc(OrderType.BUY, "USDCHF", 0.01, 0.9) == 10.0
    profit = desk.broker.calc_profit
    assert profit(OrderType.SELL, "EURUSD", 0.1, 1.1, 1.09) == 100.00
    # No price of USDCHF converts francs yet.
    assert profit(OrderType.BUY, "USDCHF", 0.1, 0.9, 0.91) is None


trades = st.lists(
    st.tuples(
        st.sampled_from(["open", "close", "reverse", "tick"]),
        st.sampled_from(["EURUSD", "USDJPY", "XAUUSD"]),
        st.booleans(),
        st.integers(1, 9),
        st.integers(-400, 400),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(trades, st.sampled_from(["USD", "EUR"]), st.sampled_from(["hedging", "netting"]))
def test_balance_is_always_the_sum_of_the_deals(
    open_desk: Callable[..., Any],
    steps: list[tuple[str, str, bool, int, int]],
    currency: str,
    mode: str,
) -> None:
    """Whatever is traded: no cent appears or vanishes, and positions are what deals left open."""
    desk = open_desk(account={"currency": currency, "margin_mode": mode, "balance": 50_000.0})
    prices = {"EURUSD": (1.1, 5), "USDJPY": (150.0, 3), "XAUUSD": (3000.0, 2)}
    for symbol, (price, digits) in prices.items():
        desk.tick(symbol, price, round(price + 12 * 10**-digits, digits))
    for step, symbol, bought, hundredths, move in steps:
        desk.advance(1)
        price, digits = prices[symbol]
        volume = round(hundredths / 100, 2)
        held = [p for p in desk.broker.positions() if p.symbol == symbol]
        if step == "tick":
            bid = round(price + move * 10**-digits, digits)
            desk.tick(symbol, bid, round(bid + 12 * 10**-digits, digits))
        elif step == "open" or not held:
            desk.send(symbol=symbol, volume=volume, type=int(bought))
        elif step == "close":
            least = min(volume, held[0].volume)
            desk.send(symbol=symbol, volume=least, type=1 - held[0].type, position=held[0].ticket)
        else:
            desk.send(symbol=symbol, volume=volume, type=1 - held[0].type)
    truth = desk.broker.truth()
    money = sum(d["profit"] + d["commission"] + d["fee"] + d["swap"] for d in truth["deals"])
    assert truth["account"]["balance"] == round(money, 2)
    open_lots: dict[int, float] = {}
    for deal in truth["deals"][1:]:
        signed = deal["volume"] if deal["type"] == DealType.BUY else -deal["volume"]
        key = deal["position_id"]
        open_lots[key] = round(open_lots.get(key, 0.0) + signed, 2)
    left = {key: lots for key, lots in open_lots.items() if lots}
    assert left == {
        p["identifier"]: p["volume"] if p["type"] == 0 else -p["volume"] for p in truth["positions"]
    }
    floating = round(sum(p["profit"] for p in truth["positions"]), 2)
    assert truth["account"]["equity"] == round(truth["account"]["balance"] + floating, 2)
    tickets = [d["ticket"] for d in truth["deals"]] + [o["ticket"] for o in truth["history"]]
    assert len(set(tickets)) == len(tickets)
