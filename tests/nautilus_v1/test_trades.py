"""Deals, orders, positions and the account, in Nautilus' words."""

from decimal import Decimal

import pytest
from nautilus_trader.accounting.factory import AccountFactory
from nautilus_trader.model.currencies import JPY, USD
from nautilus_trader.model.enums import (
    OmsType,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import AccountId, PositionId, VenueOrderId
from nautilus_trader.model.objects import Money, Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing import trades
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.account import (
    account_state,
    check_countable,
    check_reported,
    oms_type_of,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealType,
    OrderFilling,
    OrderState,
    OrderTime,
)
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType as TerminalOrderType
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

ACCOUNT = AccountId("MT5-5001234")
NOON = 1_741_608_000_000


@pytest.fixture
def how(zone):
    return {"hedging": True, "account_id": ACCOUNT, "zone": zone, "ts_init": 1}


def test_commission_and_fee_are_a_cost_in_the_accounts_currency(deal_of, listing_of):
    deal = deal_of(commission=-3.5, fee=-0.25, price=1.1)
    assert trades.commission(deal, listing_of("EURUSD").instrument, "USD") == Money(3.75, USD)


def test_commission_of_a_pair_on_the_accounts_own_currency_is_in_its_quote(deal_of, listing_of):
    deal = deal_of(commission=-3.5, price=150.0)
    assert trades.commission(deal, listing_of("USDJPY").instrument, "USD") == Money(525, JPY)


def test_commission_on_a_cfd_stays_in_the_accounts_currency(deal_of, listing_of):
    deal = deal_of(commission=-3.5, price=5000.0)
    assert trades.commission(deal, listing_of("US500").instrument, "USD") == Money(3.5, USD)


def test_fill_info_has_the_money_as_it_was_booked(deal_of):
    info = trades.fill_info(deal_of(commission=-3.5, swap=-0.1, profit=7.0, reason=99), "USD")
    assert (info["commission"], info["swap"], info["profit"]) == (-3.5, -0.1, 7.0)
    assert info["reason"] == "99"


@pytest.mark.parametrize(
    ("lots", "symbol", "units"),
    [(0.01, "EURUSD", "1000"), (0.07, "XAUUSD", "7"), (0.3, "US500", "0.3"), (2.0, "#AAPL", "2")],
)
def test_lots_become_units(listing_of, lots, symbol, units):
    assert str(trades.volume(lots, listing_of(symbol))) == units


def test_fill_report_carries_ticket_price_and_position(deal_of, listing_of, how):
    deal = deal_of(
        ticket=71,
        order=51,
        position_id=40,
        type=DealType.SELL,
        volume=0.02,
        price=1.0973600000000001,
        time_msc=NOON,
    )
    report = trades.fill_report(deal, listing_of("EURUSD"), deposit="USD", **how)
    assert (report.trade_id.value, report.venue_order_id.value) == ("71", "51")
    assert report.venue_position_id == PositionId("40")
    assert (str(report.last_px), report.last_qty) == ("1.09736", Quantity.from_int(2_000))
    assert report.order_side == OrderSide.SELL
    assert report.commission == Money(0, USD)
    assert report.ts_event == (NOON - 3 * 3_600_000) * 10**6


def test_netting_account_has_no_position_ids(deal_of, position_of, listing_of, how):
    how = how | {"hedging": False}
    deal = deal_of(order=51, position_id=40, volume=0.02)
    assert (
        trades.fill_report(deal, listing_of("EURUSD"), deposit="USD", **how).venue_position_id
        is None
    )
    position = position_of(identifier=40, volume=0.02, type=1, price_open=1.1)
    report = trades.position_report(position, listing_of("EURUSD"), **how)
    assert report.venue_position_id is None
    assert report.position_side == PositionSide.SHORT


def test_position_report_names_the_identifier_not_the_ticket(position_of, listing_of, how):
    position = position_of(ticket=99, identifier=40, volume=0.02, price_open=1.12345, time_msc=NOON)
    report = trades.position_report(position, listing_of("EURUSD"), **how)
    assert report.venue_position_id == PositionId("40")
    assert report.avg_px_open == Decimal("1.12345")
    assert report.signed_decimal_qty == 2_000


def test_order_counts_only_the_deals_it_is_given(deal_of, order_of, listing_of, how):
    order = order_of(
        ticket=51,
        volume_initial=0.03,
        state=OrderState.FILLED,
        time_setup_msc=NOON,
        time_done_msc=NOON + 5,
        type_filling=OrderFilling.IOC,
    )
    deals = [
        deal_of(order=51, position_id=51, volume=0.01, price=1.1, time_msc=NOON),
        deal_of(order=51, position_id=51, volume=0.02, price=1.4, time_msc=NOON + 5),
    ]
    whole = trades.order_report(order, deals, listing_of("EURUSD"), is_open=False, **how)
    assert whole.order_status == OrderStatus.FILLED
    assert whole.filled_qty == whole.quantity == Quantity.from_int(3_000)
    assert whole.avg_px == Decimal("1.3")
    assert whole.order_type == OrderType.MARKET
    assert whole.time_in_force == TimeInForce.IOC
    part = trades.order_report(order, deals[:1], listing_of("EURUSD"), is_open=True, **how)
    assert part.order_status == OrderStatus.PARTIALLY_FILLED
    assert part.filled_qty == Quantity.from_int(1_000)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (TerminalOrderType.BUY_LIMIT, ("LIMIT", "1.10000", None)),
        (TerminalOrderType.SELL_STOP, ("STOP_MARKET", None, "1.10000")),
        (TerminalOrderType.BUY_STOP_LIMIT, ("STOP_LIMIT", "1.20000", "1.10000")),
    ],
)
def test_pending_order_keeps_its_prices(order_of, listing_of, how, kind, expected):
    order = order_of(
        ticket=5,
        type=int(kind),
        volume_initial=0.01,
        price_open=1.1,
        price_stoplimit=1.2,
        type_time=OrderTime.SPECIFIED,
        time_expiration=NOON // 1000,
        time_setup_msc=NOON,
    )
    report = trades.order_report(order, [], listing_of("EURUSD"), is_open=True, **how)
    text = [str(one) if one is not None else None for one in (report.price, report.trigger_price)]
    assert (report.order_type.name, *text) == expected
    assert report.time_in_force == TimeInForce.GTD
    assert report.expire_time.hour == 9
    assert report.order_status == OrderStatus.ACCEPTED


def test_each_leg_of_a_close_by_is_an_order_of_its_own(deal_of, order_of, listing_of, how):
    order = order_of(ticket=60, type=TerminalOrderType.CLOSE_BY, volume_initial=0.05)
    legs = [
        deal_of(order=60, position_id=40, type=1, entry=DealEntry.OUT_BY, volume=0.02, ticket=1),
        deal_of(order=60, position_id=41, type=0, entry=DealEntry.OUT_BY, volume=0.02, ticket=2),
    ]
    reports = [
        trades.order_report(
            trades.order_of(order, [leg]), [leg], listing_of("EURUSD"), is_open=False, **how
        )
        for leg in legs
    ]
    assert [one.venue_order_id for one in reports] == [VenueOrderId("60-40"), VenueOrderId("60-41")]
    assert [one.order_side for one in reports] == [OrderSide.SELL, OrderSide.BUY]
    assert {one.quantity for one in reports} == {Quantity.from_int(2_000)}


def test_account_is_balance_and_credit_less_margin(account_of):
    account = account_of(balance=1_000.0, credit=50.0, margin=300.0, equity=1_100.0, profit=50.0)
    state = account_state(account, account_id=ACCOUNT, ts_event=1, ts_init=2)
    (balance,) = state.balances
    assert (balance.total, balance.locked) == (Money(1_050, USD), Money(300, USD))
    assert balance.free == Money(750, USD)
    assert state.base_currency == USD
    assert (state.info["equity"], state.info["credit"]) == (1_100.0, 50.0)


def test_account_in_debt_is_said_as_it_is(account_of):
    state = account_state(
        account_of(balance=-5.0, margin=1.0), account_id=ACCOUNT, ts_event=1, ts_init=1
    )
    assert state.balances[0].free == Money(-6, USD)


@pytest.mark.parametrize(
    ("mode", "oms"), [(0, OmsType.NETTING), (1, OmsType.NETTING), (2, OmsType.HEDGING)]
)
def test_margin_mode_says_how_positions_are_kept(account_of, mode, oms):
    assert oms_type_of(account_of(margin_mode=mode)) == oms


def test_account_that_cannot_be_counted_is_refused(account_of):
    check_countable(account_of(balance=9e9), 9_223_372_036.0)
    with pytest.raises(MT5ConfigError, match="5001234 holds"):
        check_countable(account_of(balance=9.3e9), 9_223_372_036.0)


def test_account_that_nautilus_would_compute_is_refused(account_of):
    def account(issuer):
        account_id = AccountId(f"{issuer}-1")
        return AccountFactory.create(
            account_state(account_of(), account_id=account_id, ts_event=1, ts_init=1)
        )

    check_reported(account("BELIEVED"))
    AccountFactory.register_calculated_account("SIMULATED")
    with pytest.raises(MT5ConfigError, match="venue SIMULATED was simulated in this process"):
        check_reported(account("SIMULATED"))
