"""Is every answer to a trade request classified, and nothing unknown called known?"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules import retcodes
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe, outcome
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode

ACCEPTED = {TradeRetcode.PLACED, TradeRetcode.DONE, TradeRetcode.DONE_PARTIAL}
UNKNOWN = {TradeRetcode.ERROR, TradeRetcode.TIMEOUT, TradeRetcode.CONNECTION}


def test_every_code_is_in_the_table_exactly_once():
    assert sorted(code for code, _, _ in retcodes._CODES) == sorted(TradeRetcode)


@pytest.mark.parametrize("code", TradeRetcode)
@pytest.mark.parametrize("action", TradeAction)
def test_outcome_of_every_code_for_every_action(action, code):
    expected = Outcome.REJECTED
    if code in ACCEPTED:
        expected = Outcome.ACCEPTED
    if code in UNKNOWN:
        expected = Outcome.UNKNOWN
    if code == TradeRetcode.NO_CHANGES and action in (TradeAction.MODIFY, TradeAction.SLTP):
        expected = Outcome.ACCEPTED
    assert outcome(action, code) is expected


@given(action=st.sampled_from(TradeAction), code=st.integers())
def test_any_other_number_is_unknown(action, code):
    if code not in list(TradeRetcode):
        assert outcome(action, code) is Outcome.UNKNOWN


@pytest.mark.parametrize("code", [0, 10005, 10037, 10047, -10004])
def test_gaps_and_codes_of_others_are_unknown(code):
    assert outcome(TradeAction.DEAL, code) is Outcome.UNKNOWN


def test_accepted_is_accepted_for_an_action_that_nobody_knows():
    assert outcome(99, 10009) is Outcome.ACCEPTED
    assert outcome(99, 10025) is Outcome.REJECTED


def test_close_of_a_closed_position_is_rejected_because_it_traded_nothing():
    assert outcome(TradeAction.DEAL, TradeRetcode.POSITION_CLOSED) is Outcome.REJECTED
    assert outcome(TradeAction.CLOSE_BY, TradeRetcode.CLOSE_ORDER_EXIST) is Outcome.REJECTED


@pytest.mark.parametrize("code", TradeRetcode)
def test_every_code_is_described_by_number_name_and_text(code):
    assert re.fullmatch(rf"{int(code)} {code.name}: [a-z].{{10,}}", describe(code))


def test_description_of_a_code_nobody_knows_says_so():
    assert describe(10037) == "10037: not a known code of a trade server"


def test_an_outcome_is_written_as_its_name():
    assert str(Outcome.UNKNOWN) == "UNKNOWN"
