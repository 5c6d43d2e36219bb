"""One reading of an account as reports."""

import pytest
from nautilus_trader.model.enums import OrderStatus, PositionSide
from nautilus_trader.model.identifiers import AccountId, ClientOrderId

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.reports import (
    Setting,
    fill_reports,
    order_reports,
    partial_positions,
    position_reports,
    symbols_in,
)
from tradingview_scraper.adapters.mt5.terminal.constants import DealType, OrderState

NOON = 1_741_608_000_000


class Cached:
    """As much of a position of the cache as reports look at."""

    def __init__(self, instrument_id, name):
        self.instrument_id, self.size_precision = instrument_id, 0
        self.id = ClientOrderId(name)


@pytest.fixture
def setting(listing_of, zone):
    return Setting(
        account_id=AccountId("MT5-1"),
        hedging=True,
        deposit="USD",
        zone=zone,
        ts_init=1,
        listings={"EURUSD": listing_of("EURUSD")},
        owner=lambda order, deal: None,
        known=lambda client_order_id: None,
    )


@pytest.fixture
def reading(account_of):
    def make(*, orders=(), history=(), deals=(), positions=()):
        return Snapshot(tuple(orders), tuple(history), tuple(deals), tuple(positions), account_of())

    return make


@pytest.fixture
def traded(deal_of, order_of, position_of):
    """An order, its deal, and the position that it opened."""

    def make(ticket, lots=0.01, *, side=0, position=None, symbol="EURUSD"):
        shared = {"symbol": symbol, "position_id": position or ticket}
        order = order_of(
            ticket=ticket,
            type=side,
            volume_initial=lots,
            state=OrderState.FILLED,
            time_setup_msc=NOON,
            **shared,
        )
        deal = deal_of(
            ticket=ticket + 1_000,
            order=ticket,
            type=side,
            volume=lots,
            price=1.1,
            time_msc=NOON + ticket,
            **shared,
        )
        held = position_of(
            ticket=ticket,
            identifier=ticket,
            type=side,
            volume=lots,
            price_open=1.1,
            time_msc=NOON,
            symbol=symbol,
        )
        return order, deal, held

    return make


def test_two_tickets_of_one_symbol_are_two_positions(reading, traded, setting):
    (one, first, held), (two, second, too) = traded(1), traded(2, 0.02)
    snapshot = reading(history=[one, two], deals=[second, first], positions=[held, too])
    assert partial_positions(snapshot) == set()
    reports = order_reports(snapshot, snapshot.deals, setting)
    assert [(str(r.venue_order_id), str(r.venue_position_id)) for r in reports] == [
        ("1", "1"),
        ("2", "2"),
    ]
    assert {r.order_status for r in reports} == {OrderStatus.FILLED}
    assert [r.trade_id.value for r in fill_reports(snapshot, snapshot.deals, setting)] == [
        "1001",
        "1002",
    ]
    positions = position_reports(snapshot, [], setting)
    assert [(str(r.venue_position_id), r.signed_decimal_qty) for r in positions] == [
        ("1", 1_000),
        ("2", 2_000),
    ]


def test_position_whose_opening_is_out_of_sight_is_partial(reading, traded):
    closing = traded(5, side=1, position=3)[1]
    assert partial_positions(reading(deals=[closing])) == {3}
    opening = traded(3)[1]
    assert partial_positions(reading(deals=[opening, closing])) == set()
    assert partial_positions(reading(deals=[opening], positions=[traded(3)[2]])) == set()
    assert partial_positions(reading(deals=[opening])) == {3}


def test_balance_operations_are_no_trades(reading, deal_of, setting):
    deposit = deal_of(type=DealType.BALANCE, profit=10.0)
    snapshot = reading(deals=[deposit])
    assert symbols_in(snapshot) == set()
    assert partial_positions(snapshot) == set()


def test_order_is_never_reported_further_than_its_deals(reading, traded, setting):
    order, _, _ = traded(1)
    own = setting._replace(owner=lambda order, deal: ClientOrderId("O-1"))
    (report,) = order_reports(reading(history=[order]), [], own)
    assert report.order_status == OrderStatus.ACCEPTED
    assert report.filled_qty == 0


def test_unfilled_orders_of_others_are_left_in_the_past(reading, order_of, setting):
    canceled = order_of(
        ticket=9, type=2, symbol="EURUSD", state=OrderState.CANCELED, volume_initial=0.01
    )._replace(volume_current=0.01)
    snapshot = reading(history=[canceled])
    assert order_reports(snapshot, [], setting) == []
    own = setting._replace(owner=lambda order, deal: ClientOrderId("O-1"))
    (report,) = order_reports(snapshot, [], own)
    assert report.order_status == OrderStatus.CANCELED


def test_pending_order_of_another_is_reported_while_it_works(reading, order_of, setting):
    pending = order_of(
        ticket=9,
        type=2,
        symbol="EURUSD",
        state=OrderState.PLACED,
        volume_initial=0.01,
        volume_current=0.01,
        price_open=1.0,
        time_setup_msc=NOON,
    )
    (report,) = order_reports(reading(orders=[pending]), [], setting)
    assert report.order_status == OrderStatus.ACCEPTED


def test_ticket_that_the_account_no_longer_has_is_said_to_be_flat(reading, traded, setting):
    held = traded(2)[2]
    instrument_id = setting.listings["EURUSD"].instrument.id
    cached = [Cached(instrument_id, name) for name in ("1", "2", "EURUSD.MT5-S-1")]
    reports = position_reports(reading(positions=[held]), cached, setting)
    assert [(str(r.venue_position_id), r.position_side) for r in reports] == [
        ("2", PositionSide.LONG),
        ("1", PositionSide.FLAT),
    ]


def test_netting_is_flat_once_a_symbol(reading, setting):
    netting = setting._replace(hedging=False)
    instrument_id = setting.listings["EURUSD"].instrument.id
    cached = [Cached(instrument_id, name) for name in ("EURUSD.MT5-S-1", "EURUSD.MT5-EXTERNAL")]
    (report,) = position_reports(reading(), cached, netting)
    assert report.venue_position_id is None
    assert report.position_side == PositionSide.FLAT


def test_symbol_that_is_no_instrument_is_left_out(reading, traded, setting):
    order, deal, held = traded(1, symbol="BOND")
    snapshot = reading(history=[order], deals=[deal], positions=[held])
    assert order_reports(snapshot, [deal], setting) == []
    assert fill_reports(snapshot, [deal], setting) == []
    assert position_reports(snapshot, [], setting) == []
