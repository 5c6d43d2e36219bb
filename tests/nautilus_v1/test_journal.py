"""Whose is a record?"""

import pytest
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId, StrategyId, TraderId
from nautilus_trader.model.objects import Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal, MagicTaken
from tradingview_scraper.adapters.mt5.rules.identity import magic
from tradingview_scraper.adapters.mt5.terminal.constants import DealReason, OrderReason, TradeAction

DEAL = {"action": int(TradeAction.DEAL)}
EXPERT, CLIENT = int(OrderReason.EXPERT), int(OrderReason.CLIENT)


@pytest.fixture
def journal():
    return Journal(1000)


@pytest.fixture
def order():
    factory = OrderFactory(TraderId("T-1"), StrategyId("S-1"), clock=TestClock())
    return factory.market(
        InstrumentId.from_str("EURUSD.MT5"), OrderSide.BUY, Quantity.from_int(1000)
    )


@pytest.fixture
def entry(journal, order):
    return journal.enter(order, DEAL)


@pytest.fixture
def record(entry, order_of):
    return order_of(ticket=7, magic=entry.magic, symbol="EURUSD", type=0, reason=EXPERT)


def test_record_with_the_magic_of_an_order_is_that_order(journal, entry, record, deal_of):
    assert journal.owner(record) is entry
    deal = deal_of(order=7, magic=entry.magic, symbol="EURUSD", reason=int(DealReason.EXPERT))
    assert journal.owner_of_deal(deal, None) is entry
    assert journal.owner_of_deal(deal, record) is entry


@pytest.mark.parametrize(
    "other",
    [
        {"reason": CLIENT},
        {"reason": int(OrderReason.SL)},
        {"symbol": "GBPUSD"},
        {"type": 1},
        {"magic": 0},
        {"type": 8},
    ],
)
def test_record_that_differs_from_the_order_is_somebody_elses(journal, record, other):
    assert journal.owner(record._replace(**other)) is None


def test_stop_loss_that_inherited_the_magic_is_not_the_order(journal, entry, deal_of):
    deal = deal_of(order=9, magic=entry.magic, symbol="EURUSD", type=1, reason=int(DealReason.SL))
    assert journal.owner_of_deal(deal, None) is None


def test_second_ticket_with_the_same_magic_is_somebody_elses(journal, entry, record):
    journal.accept(entry, 7)
    assert journal.owner(record) is entry
    assert journal.owner(record._replace(ticket=8)) is None


def test_accepted_ticket_is_ours_whatever_became_of_its_magic(journal, entry, record, deal_of):
    journal.accept(entry, 7)
    assert journal.owner(record._replace(magic=0)) is entry
    assert journal.owner_of_deal(deal_of(order=7), None) is entry


def test_order_is_in_flight_until_accepted_or_refused(journal, entry):
    assert journal.in_flight() == [entry]
    journal.accept(entry, 7)
    assert journal.in_flight() == []


def test_magic_that_is_in_use_is_refused(journal, entry, order):
    with pytest.raises(MagicTaken, match=str(entry.client_order_id)):
        journal.enter(order, DEAL)


def test_magic_that_the_venue_has_already_is_refused(journal, order):
    journal.note_foreign(magic(1000, order.client_order_id.value))
    with pytest.raises(MagicTaken, match="at the venue"):
        journal.magic_for(order)


def test_magic_of_another_namespace_is_nobodys_concern(journal, order):
    journal.note_foreign(magic(1001, order.client_order_id.value))
    journal.enter(order, DEAL)
