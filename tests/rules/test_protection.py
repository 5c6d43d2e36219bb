"""Stop losses that should be there: known, lost, said once, set again."""

from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.facts import (
    Dealt,
    OrderDone,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.rules.identity import magic
from tradingview_scraper.adapters.mt5.rules.protection import (
    AGAIN_NS,
    GRACE_NS,
    ProtectionAudit,
    Trouble,
    protection_request,
)
from tradingview_scraper.adapters.mt5.terminal.constants import DealEntry, TradeAction
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder, TradePosition

_ZEROS = {bool: False, int: 0, float: 0.0, str: ""}
MAGIC = magic(1000, "O-1")


def blank(record, **fields):
    return record(**{name: _ZEROS[kind] for name, kind in record.__annotations__.items()} | fields)


def position(sl=0.0, tp=0.0, identifier=5, **fields):
    fields = {"ticket": identifier, "magic": MAGIC, "symbol": "EURUSD", **fields}
    return blank(TradePosition, identifier=identifier, sl=sl, tp=tp, **fields)


def opened(sl, tp=0.0, *, ordered=1.05):
    """An audit of a position whose order carried a stop loss."""
    audit = ProtectionAudit()
    audit.ordered(MAGIC, sl=ordered, tp=tp)
    audit.apply(Dealt(blank(TradeDeal, magic=MAGIC, position_id=5, order=5), None))
    audit.apply(PositionOpened(position(sl, tp)))
    return audit


def change(audit, **fields):
    audit.apply(PositionChanged(position(**fields), position()))


def looks(audit, *times):
    return [[finding.trouble for finding in audit.look(at)] for at in times]


def test_stop_loss_cleared_by_hand_is_said_once_after_its_grace():
    audit = opened(1.05)
    assert looks(audit, 0, GRACE_NS) == [[], []]
    change(audit)
    found = looks(audit, 10, 10 + GRACE_NS - 1, 10 + GRACE_NS, 10 + 9 * GRACE_NS)
    assert found == [[], [], [Trouble.MISSING], []]


def test_stop_loss_that_the_broker_did_not_take_is_missing():
    audit = opened(0.0)
    assert looks(audit, 0, GRACE_NS) == [[], [Trouble.MISSING]]
    (due,) = audit.restorations(GRACE_NS)
    assert due.sl == 1.05


def test_the_level_that_it_had_last_is_set_again_every_minute_with_its_take_profit():
    audit = opened(1.05, 1.2)
    change(audit, sl=1.07, tp=1.3)
    audit.look(0)
    change(audit)
    audit.look(0)
    assert audit.restorations(0) == []
    audit.look(GRACE_NS)
    (due,) = audit.restorations(GRACE_NS)
    assert protection_request(due) == {
        "action": int(TradeAction.SLTP),
        "symbol": "EURUSD",
        "position": 5,
        "sl": 1.07,
        "tp": 1.3,
        "magic": MAGIC,
    }
    assert audit.restorations(GRACE_NS + AGAIN_NS - 1) == []
    assert len(audit.restorations(GRACE_NS + AGAIN_NS)) == 1


def test_return_of_a_stop_loss_is_said_and_ends_it():
    audit = opened(0.0)
    audit.look(0)
    assert looks(audit, GRACE_NS) == [[Trouble.MISSING]]
    change(audit, sl=1.06)
    assert looks(audit, GRACE_NS) == [[Trouble.RESTORED]]
    assert not audit.is_waiting and audit.restorations(10**15) == []


def filled(**carried):
    """An audit of a position whose order it hears of with the deal: an earlier run's, or one that
    was placed anew with an unknown outcome.
    """
    audit = ProtectionAudit()
    audit.seed([], [], namespaces=(1000,))
    order = blank(TradeOrder, **{"ticket": 5, "magic": MAGIC, **carried})
    audit.apply(Dealt(blank(TradeDeal, magic=order.magic, position_id=5, order=5), order))
    audit.apply(OrderDone(order))
    audit.apply(PositionOpened(position(order.sl, order.tp)))
    return audit


def test_stop_loss_that_only_the_record_of_the_order_knows_is_missed_when_it_goes():
    audit = filled(sl=1.05, tp=1.2)
    assert looks(audit, 0, GRACE_NS) == [[], []]
    change(audit)
    assert looks(audit, 0, GRACE_NS) == [[], [Trouble.MISSING]]
    (due,) = audit.restorations(GRACE_NS)
    assert (due.sl, due.tp) == (1.05, 1.2)


def test_order_of_somebody_else_or_without_a_stop_loss_makes_none_expected():
    for carried in ({"sl": 1.05, "magic": 7}, {"tp": 1.2}):
        audit = filled(**carried)
        change(audit)
        assert looks(audit, 0, 10 * GRACE_NS) == [[], []]


def test_position_without_an_expected_stop_loss_needs_none():
    audit = ProtectionAudit()
    audit.apply(PositionOpened(position()))
    assert looks(audit, 0, 10 * GRACE_NS) == [[], []]


def test_released_reversed_and_closed_positions_need_none():
    for end in (
        lambda audit: audit.released(5),
        lambda audit: audit.apply(
            Dealt(blank(TradeDeal, magic=1, position_id=5, entry=int(DealEntry.INOUT)), None)
        ),
        lambda audit: audit.apply(PositionClosed(position())),
    ):
        audit = opened(1.05)
        end(audit)
        change(audit)
        assert looks(audit, 0, 10 * GRACE_NS) == [[], []]


def test_expected_of_a_bracket_is_missing_without_its_stop_loss():
    audit = ProtectionAudit()
    audit.apply(PositionOpened(position()))
    audit.expect(5, sl=1.01)
    assert looks(audit, 0, GRACE_NS) == [[], [Trouble.MISSING]]


def test_stop_loss_lost_before_the_start_is_said_and_not_restored():
    audit = ProtectionAudit()
    order = blank(TradeOrder, ticket=5, sl=1.05)
    other = position(identifier=6, magic=magic(2000, "O-1"))
    audit.seed([position(), other], [order, order._replace(ticket=6)], namespaces=(1000,))
    audit.look(0)
    (finding,) = audit.look(GRACE_NS)
    assert (finding.position.identifier, finding.sl) == (5, 1.05)
    assert audit.restorations(GRACE_NS) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_missing_and_restored_take_turns(steps):
    audit = opened(1.05)
    now, said = 0, []
    for has, seconds in steps:
        change(audit, sl=1.05 if has else 0.0)
        for _ in range(2):
            said += [finding.trouble for finding in audit.look(now)]
            now += seconds * 1_000_000_000
    assert said == [Trouble.MISSING, Trouble.RESTORED] * (len(said) // 2) + [Trouble.MISSING] * (
        len(said) % 2
    )
