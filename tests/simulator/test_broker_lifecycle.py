"""Whatever is asked of a broker, whatever the market does: what always holds."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulator.conftest import Desk
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealType,
    OrderFilling,
    OrderState,
    OrderType,
    TradeAction,
    TradeRetcode,
)

#: Pending orders that wait above the market.
_ABOVE = (OrderType.SELL_LIMIT, OrderType.BUY_STOP, OrderType.BUY_STOP_LIMIT)
SYMBOLS = ("EURUSD", "USDJPY", "@ES")
#: Middle, point and half a spread in points.
PRICES = {"EURUSD": (1.1, 1e-5, 5), "USDJPY": (150.0, 1e-3, 5), "@ES": (6400.0, 0.25, 1)}
DAY = 86_400
ENDED = {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}

symbols = st.sampled_from(SYMBOLS)
lots = st.integers(1, 9)
#: Steps from the market to the right side of it; now and then to the wrong one.
distance = st.integers(2, 30) | st.integers(-2, 30)
fillings = st.sampled_from([OrderFilling.IOC] * 3 + list(OrderFilling))


class Account(RuleBasedStateMachine):
    """Random requests, ticks, hours and restarts on one account."""

    mode = "hedging"

    @initialize(
        balance=st.sampled_from([1_000_000.0, 30_000.0, 1_000.0, 200.0]),
        liquidity=st.sampled_from([0.0, 0.05, 3.0]),
        fee=st.sampled_from([0.0, 0.1]),
        slippage=st.sampled_from([0, 3]),
    )
    def begin(self, balance: float, liquidity: float, fee: float, slippage: int) -> None:
        self.books = Path(tempfile.mkdtemp(prefix="broker-"))
        self.seconds = 0
        self.tables: dict[str, Any] = {
            "symbols": list(SYMBOLS),
            "account": {"balance": balance, "margin_mode": self.mode},
            "broker": {
                "commission_per_lot": 3.5,
                "liquidity_lots": liquidity,
                "fee_per_deal": fee,
                "slippage_points": slippage,
                "stop_slippage_points": slippage,
            },
        }
        self.at = dict.fromkeys(SYMBOLS, 0)
        self.desk = Desk(self.tables, self.books)
        self.quote_all()

    def teardown(self) -> None:
        shutil.rmtree(getattr(self, "books", ""), ignore_errors=True)

    def quote_all(self) -> None:
        for symbol in SYMBOLS:
            self.quote(symbol)

    def quote(self, symbol: str) -> None:
        middle, point, half = PRICES[symbol]
        middle += self.at[symbol] * point * 10
        self.desk.tick(symbol, round(middle - half * point, 5), round(middle + half * point, 5))

    def price(self, symbol: str, away: int) -> float:
        middle, point, _ = PRICES[symbol]
        return round(middle + (self.at[symbol] + away) * point * 10, 5)

    def stops(self, symbol: str, side: int, away: tuple[int, int] | None) -> tuple[float, float]:
        """A stop loss and a take profit on their sides of the market."""
        if away is None:
            return 0.0, 0.0
        up = 1 if side % 2 == 0 else -1
        return self.price(symbol, -up * away[0]), self.price(symbol, up * away[1])

    @staticmethod
    def volume(symbol: str, count: int) -> float:
        return float(count) if symbol == "@ES" else count / 100

    @rule(
        symbol=symbols,
        move=st.integers(-40, 40) | st.integers(-1500, 1500),
        seconds=st.sampled_from([0, 1, 3600]),
    )
    def tick(self, symbol: str, move: int, seconds: int) -> None:
        self.pass_time(seconds)
        self.at[symbol] += move
        self.quote(symbol)

    @rule(seconds=st.sampled_from([1, 60, 3600, 10 * 3600, DAY]))
    def pass_time(self, seconds: int) -> None:
        self.seconds += seconds
        self.desk.advance(seconds)
        if not self.desk.market.is_open("EURUSD"):
            # The weekend is refusals only.
            self.seconds += 2 * DAY
            self.desk.advance(2 * DAY)

    @rule(
        symbol=symbols,
        side=st.sampled_from([OrderType.BUY, OrderType.SELL]),
        count=lots,
        filling=fillings,
        stops=st.none() | st.tuples(distance, distance),
        pick=st.integers(0, 9) | st.none(),
    )
    def deal(
        self,
        symbol: str,
        side: OrderType,
        count: int,
        filling: OrderFilling,
        stops: tuple[int, int] | None,
        pick: int | None,
    ) -> None:
        sl, tp = self.stops(symbol, side, stops)
        held = [p for p in self.desk.broker.positions() if p.symbol == symbol]
        position = held[pick % len(held)].ticket if held and pick is not None else 0
        answer = self.desk.send(
            symbol=symbol,
            type=int(side),
            volume=self.volume(symbol, count),
            type_filling=int(filling),
            sl=sl,
            tp=tp,
            position=position,
        )
        self.check_answer(answer)

    @rule(
        symbol=symbols,
        type=st.sampled_from(list(OrderType)),
        count=lots,
        away=distance,
        further=distance,
        filling=st.sampled_from([OrderFilling.RETURN, OrderFilling.RETURN, OrderFilling.IOC]),
        time=st.sampled_from([(0, 0), (1, 0), (2, 7200), (3, DAY)]),
    )
    def place(
        self,
        symbol: str,
        type: OrderType,
        count: int,
        away: int,
        further: int,
        filling: OrderFilling,
        time: tuple[int, int],
    ) -> None:
        answer = self.desk.send(
            action=int(TradeAction.PENDING),
            symbol=symbol,
            type=int(type),
            volume=self.volume(symbol, count),
            price=self.price(symbol, away if type in _ABOVE else -away),
            stoplimit=self.price(symbol, away - further if type in _ABOVE else further - away),
            type_filling=int(filling),
            type_time=time[0],
            expiration=self.desk.market.now_msc // 1000 + time[1],
        )
        self.check_answer(answer)

    @rule(pick=st.integers(0, 9), away=distance)
    def change(self, pick: int, away: int) -> None:
        if orders := self.desk.broker.orders():
            order = orders[pick % len(orders)]
            price = self.price(order.symbol, away if order.type in _ABOVE else -away)
            stoplimit = self.price(order.symbol, 0)
            self.desk.send(
                action=int(TradeAction.MODIFY),
                order=order.ticket,
                price=price,
                stoplimit=stoplimit,
            )

    @rule(pick=st.integers(0, 9))
    def remove(self, pick: int) -> None:
        if orders := self.desk.broker.orders():
            ticket = orders[pick % len(orders)].ticket
            answer = self.desk.send(action=int(TradeAction.REMOVE), order=ticket)
            active = [order.ticket for order in self.desk.broker.orders()]
            assert (ticket in active) == (answer.retcode != TradeRetcode.DONE)

    @rule(pick=st.integers(0, 9), stops=st.tuples(distance, distance))
    def set_stops(self, pick: int, stops: tuple[int, int]) -> None:
        if held := self.desk.broker.positions():
            position = held[pick % len(held)]
            sl, tp = self.stops(position.symbol, position.type, stops)
            self.desk.send(
                action=int(TradeAction.SLTP),
                symbol=position.symbol,
                position=position.ticket,
                sl=sl,
                tp=tp,
            )

    @rule(one=st.integers(0, 9), other=st.integers(0, 9))
    def close_by(self, one: int, other: int) -> None:
        if held := self.desk.broker.positions():
            self.desk.send(
                action=int(TradeAction.CLOSE_BY),
                position=held[one % len(held)].ticket,
                position_by=held[other % len(held)].ticket,
            )

    @rule(amount=st.sampled_from([-50.0, 100.0]))
    def pay(self, amount: float) -> None:
        if self.desk.broker.account().margin_free > 50.0:
            self.desk.broker.operate(DealType.BALANCE, amount)

    @rule()
    def restart(self) -> None:
        before = self.desk.broker.truth()
        start = {"mode": "stepped", "start": f"{_utc(self.seconds)}"}
        self.desk = Desk({**self.tables, "clock": start}, self.books)
        after = self.desk.broker.truth()
        # Prices that were pushed are gone with the terminal; the books are not.
        for name in ("deals", "history"):
            assert after[name] == before[name]
        for name, live in (
            ("positions", ("price_current", "profit")),
            ("orders", ("price_current",)),
        ):
            strip = [{k: v for k, v in item.items() if k not in live} for item in before[name]]
            assert [
                {k: v for k, v in item.items() if k not in live} for item in after[name]
            ] == strip
        assert after["account"]["balance"] == before["account"]["balance"]
        self.quote_all()

    def check_answer(self, answer: Any) -> None:
        """What an answer says has happened is in the books, and nothing else is."""
        truth = self.desk.broker.truth()
        tickets = {deal["ticket"] for deal in truth["deals"]}
        orders = {order["ticket"] for name in ("orders", "history") for order in truth[name]}
        taken = (TradeRetcode.DONE, TradeRetcode.DONE_PARTIAL, TradeRetcode.PLACED)
        assert (answer.order > 0) == (answer.retcode in taken)
        assert not answer.order or answer.order in orders
        assert not answer.deal or answer.deal in tickets

    @invariant()
    def money_is_conserved(self) -> None:
        if not hasattr(self, "desk"):
            return
        truth = self.desk.broker.truth()
        total = sum(d["profit"] + d["commission"] + d["fee"] + d["swap"] for d in truth["deals"])
        account = truth["account"]
        assert account["balance"] == pytest.approx(total, abs=1e-6)
        floating = sum(p["profit"] + p["swap"] for p in truth["positions"])
        assert account["equity"] == pytest.approx(account["balance"] + floating, abs=1e-6)

    @invariant()
    def positions_are_what_the_deals_left(self) -> None:
        if not hasattr(self, "desk"):
            return
        truth = self.desk.broker.truth()
        left: dict[str, float] = {}
        for deal in truth["deals"]:
            if deal["type"] <= DealType.SELL:
                signed = deal["volume"] if deal["type"] == DealType.BUY else -deal["volume"]
                left[deal["symbol"]] = left.get(deal["symbol"], 0.0) + signed
        for symbol in SYMBOLS:
            held = [p for p in truth["positions"] if p["symbol"] == symbol]
            signed = sum(p["volume"] if p["type"] == 0 else -p["volume"] for p in held)
            assert signed == pytest.approx(left.get(symbol, 0.0), abs=1e-7)
            assert self.mode == "hedging" or len(held) <= 1
        assert all(position["volume"] > 0.0 for position in truth["positions"])
        for key in ("ticket", "identifier"):
            values = [position[key] for position in truth["positions"]]
            assert len(values) == len(set(values))

    @invariant()
    def every_order_ends_once(self) -> None:
        if not hasattr(self, "desk"):
            return
        truth = self.desk.broker.truth()
        ended = [order["ticket"] for order in truth["history"]]
        active = [order["ticket"] for order in truth["orders"]]
        assert len(ended) == len(set(ended))
        assert len(active) == len(set(active)) and not set(ended) & set(active)
        for order in truth["history"]:
            assert order["state"] in ENDED and order["time_done"] >= order["time_setup"]
            assert (order["state"] == OrderState.FILLED) == (order["volume_current"] == 0.0)
        for order in truth["orders"]:
            assert order["state"] in (OrderState.PLACED, OrderState.PARTIAL)
            assert 0.0 < order["volume_current"] <= order["volume_initial"]
        # A deal's lots are those that its order has traded.
        traded: dict[int, float] = {}
        for deal in truth["deals"]:
            traded[deal["order"]] = traded.get(deal["order"], 0.0) + deal["volume"]
        for order in (*truth["history"], *truth["orders"]):
            sides = 2 if order["type"] == OrderType.CLOSE_BY else 1
            lots = (order["volume_initial"] - order["volume_current"]) * sides
            assert traded.get(order["ticket"], 0.0) == pytest.approx(lots, abs=1e-7)

    @invariant()
    def tickets_rise(self) -> None:
        if not hasattr(self, "desk"):
            return
        truth = self.desk.broker.truth()
        deals = [deal["ticket"] for deal in truth["deals"]]
        assert deals == sorted(set(deals))
        times = [deal["time_msc"] for deal in truth["deals"]]
        assert times == sorted(times)
        done = [order["time_done_msc"] for order in truth["history"]]
        assert done == sorted(done)
        every = (*truth["history"], *truth["orders"])
        orders = [order["ticket"] for order in every]
        # Orders end in another order than they were made in, but new ones have the next tickets.
        made = sorted((order["time_setup_msc"], order["ticket"]) for order in every)
        assert [ticket for _, ticket in made] == sorted(orders)

    @invariant()
    def nobody_stays_below_the_stop_out(self) -> None:
        if not hasattr(self, "desk"):
            return
        account = self.desk.broker.account()
        held = self.desk.broker.positions()
        if held and all(self.desk.market.is_open(position.symbol) for position in held):
            quoted = all(self.desk.market.quote(p.symbol).bid > 0.0 for p in held)
            enough = account.margin == 0.0 or account.margin_level > account.margin_so_so
            assert enough or not quoted


class NettingAccount(Account):
    """The same on an account with one position per symbol."""

    mode = "netting"


class ExchangeAccount(Account):
    """The same where pending orders hold margin."""

    mode = "exchange"


def _utc(seconds: int) -> str:
    start = datetime(2025, 3, 12, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    return start.strftime("%Y-%m-%dT%H:%M:%SZ")


_SETTINGS = settings(
    deadline=None,
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
Account.TestCase.settings = _SETTINGS
NettingAccount.TestCase.settings = _SETTINGS
ExchangeAccount.TestCase.settings = _SETTINGS
TestHedging = Account.TestCase
TestNetting = NettingAccount.TestCase
TestExchange = ExchangeAccount.TestCase
