"""Does any history of an account, however it is read, come out as its facts, each once, in order?

A *history* is what truly happened: orders with their fills and their end. A *feed* reads it as a
terminal shows it (open orders at once, deals and finished orders with a lag), compares with what it
read before and hands on updates: some full, some twice, some in pieces, some joined.
"""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.lifecycle import (
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
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder, TradePosition

THE_END = 10_000


def blank(record):
    return {name: "" if kind is str else kind(0) for name, kind in record.__annotations__.items()}


@dataclass
class Order:
    """The true life of one order; times count from 0, volumes in hundredths of a lot."""

    ticket: int
    kind: OrderType
    end: OrderState
    started: int
    accepted: int
    done: int
    volume: int
    lag: int
    fills: list[tuple[int, int]] = field(default_factory=list)  # (time, volume)
    moved: list[int] = field(default_factory=list)  # times at which its SL was moved
    deals: list[tuple[TradeDeal, int]] = field(default_factory=list)  # and when each shows

    def at(self, time):
        """Its record at `time`."""
        filled = sum(volume for when, volume in self.fills if when <= time)
        state = OrderState.STARTED if time < self.accepted else OrderState.PLACED
        state = OrderState.PARTIAL if filled else state
        return TradeOrder(
            **blank(TradeOrder)
            | {
                "ticket": self.ticket,
                "type": self.kind,
                "state": self.end if time >= self.done else state,
                "volume_initial": self.volume / 100,
                "volume_current": (self.volume - filled) / 100,
                "sl": float(sum(when <= time for when in self.moved)),
                "price_current": float(time),
                "time_done_msc": self.done if time >= self.done else 0,
            }
        )

    @property
    def is_pending(self):
        return self.kind == OrderType.BUY_LIMIT

    @property
    def record(self):
        return self.at(self.done)


@st.composite
def orders(draw, ticket, lags):
    kind = draw(st.sampled_from([OrderType.BUY, OrderType.BUY_LIMIT]))
    started = draw(st.integers(0, 30))
    accepted = time = started + draw(st.integers(0, 3))
    fills, moved = [], []
    for volume in draw(st.lists(st.integers(1, 5), max_size=3)):
        time += draw(st.integers(0, 8))
        fills.append((time, volume))
        if kind == OrderType.BUY_LIMIT and draw(st.booleans()):
            moved.append(time + draw(st.integers(0, 3)))
    unfilled = draw(st.integers(0 if fills else 1, 4))
    ends = [OrderState.CANCELED, OrderState.EXPIRED] if unfilled else [OrderState.FILLED]
    if not fills:
        ends.append(OrderState.REJECTED)
    end = draw(st.sampled_from(ends))
    done = time if end == OrderState.FILLED else time + draw(st.integers(0, 20))
    if end == OrderState.REJECTED:
        accepted = done  # never
    volume = sum(volume for _, volume in fills) + unfilled
    return Order(ticket, kind, end, started, accepted, done, volume, draw(lags), fills, moved)


@st.composite
def histories(draw, lags, *, shown_in_order):
    """Orders with deals that show `lags` late; `shown_in_order`: none before an earlier one."""
    count = draw(st.integers(1, 4))
    history = [draw(orders(ticket, lags)) for ticket in range(1, count + 1)]
    fills = sorted((when, o.ticket, n) for o in history for n, (when, _) in enumerate(o.fills))
    for number, (when, ticket, n) in enumerate(fills):
        order = history[ticket - 1]
        deal = TradeDeal(
            **blank(TradeDeal)
            | {
                "ticket": 1001 + number,
                "order": ticket,
                "time_msc": when,
                "volume": order.fills[n][1] / 100,
            }
        )
        shown = when + draw(lags)
        if shown_in_order and order.deals:
            shown = max(shown, order.deals[-1][1])
        order.deals.append((deal, shown))
    return history


class Feed:
    """Reads a history as a terminal shows it and hands on what is new, as a worker does."""

    def __init__(self, history):
        self.history = history
        self.open = {}
        self.shown = set()

    def read(self, time, *, later=0, full=False):
        """The update at `time`; deals and history were read `later`."""
        listed = {o.ticket: o.at(time) for o in self.history if o.started <= time < o.done}
        finished = [o.record for o in self.history if o.done + o.lag <= time + later]
        deals = [deal for o in self.history for deal, when in o.deals if when <= time + later]
        new = lambda records: tuple(r for r in records if full or r not in self.shown)  # noqa: E731
        changed = (r for t, r in listed.items() if full or r != self.open.get(t))
        update = TradeUpdate(
            full,
            orders=tuple(changed),
            orders_gone=() if full else tuple(self.open.keys() - listed.keys()),
            deals=new(deals),
            history=new(finished),
        )
        self.open = listed
        self.shown.update(deals, finished)
        return update


def joined(one, other):
    """One update for two in a row, the second not full."""
    return TradeUpdate(
        one.full,
        orders=one.orders + other.orders,
        orders_gone=() if one.full else one.orders_gone + other.orders_gone,
        deals=one.deals + other.deals,
        history=one.history + other.history,
    )


def pieces(update):
    """The same update in three: the lists of orders, the deals, and the finished orders."""
    return [
        update._replace(deals=(), history=()),
        TradeUpdate(full=False, deals=update.deals),
        TradeUpdate(full=False, history=update.history),
    ]


@st.composite
def updates(draw, feed, start=0, *, lists_first):
    """What the feed hands on from `start` on, until everything has shown."""
    handed = []
    time = start
    for _ in range(draw(st.integers(0, 12))):
        time += draw(st.integers(0, 8))
        later = 0 if lists_first else draw(st.integers(0, 4))
        update = feed.read(time, later=later, full=draw(st.booleans()))
        how = draw(st.sampled_from(["as it is", "twice", "in pieces", "joined", "as it is"]))
        if how == "twice":
            handed += [update, update]
        elif how == "in pieces":
            parts = pieces(update)
            handed += parts if lists_first else draw(st.permutations(parts))
        elif how == "joined" and handed and not update.full and not handed[-1].full:
            handed[-1] = joined(handed[-1], update)
        else:
            handed.append(update)
    return [*handed, feed.read(THE_END), feed.read(THE_END, full=True)]


def told(life, handed):
    return [fact for update in handed for fact in life.apply(update)]


def of(order, facts):
    """The facts of one order, in order."""
    ours = []
    for fact in facts:
        ticket = fact.deal.order if isinstance(fact, Dealt) else fact.order.ticket
        if ticket == order.ticket:
            ours.append(fact)
    return ours


def check(history, facts, *, strict):
    assert {type(fact) for fact in facts} <= {OrderPlaced, OrderChanged, Dealt, OrderDone}
    for order in history:
        ours = of(order, facts)
        assert ours[-1] == OrderDone(order.record)
        assert [type(fact) for fact in ours].count(OrderDone) == 1
        dealt = [fact.deal for fact in ours if isinstance(fact, Dealt)]
        true = [deal for deal, _ in order.deals]
        assert sorted(dealt) == true
        if strict:
            assert dealt == true
        check_placed(order, [fact for fact in ours if not isinstance(fact, OrderChanged)])
        check_changes(ours)


def check_placed(order, ours):
    placed = [n for n, fact in enumerate(ours) if isinstance(fact, OrderPlaced)]
    if order.end == OrderState.REJECTED:
        assert not placed
    elif order.is_pending:
        assert placed == [0]
    else:
        assert placed in ([], [0])


def check_changes(ours):
    known = None
    for fact in ours:
        if isinstance(fact, OrderPlaced):
            known = fact.order
        elif isinstance(fact, OrderChanged):
            still = fact.order._replace(price_current=fact.before.price_current)
            assert still != fact.before
            if known is not None:
                assert known == fact.before._replace(price_current=known.price_current)
            known = fact.order


lags = st.sampled_from([0, 0, 0, 1, 3, 7, 15])
none = st.just(0)


@given(history=histories(lags, shown_in_order=False), data=st.data())
def test_deals_that_show_late_come_in_order_when_the_lists_are_fresh(history, data):
    handed = data.draw(updates(Feed(history), lists_first=True))
    life = Lifecycle(patience=1_000)
    check(history, told(life, handed), strict=True)
    assert not life.is_waiting
    assert not life._tracks


@given(history=histories(lags, shown_in_order=True), data=st.data())
def test_deals_that_show_in_order_come_in_order_however_they_are_read(history, data):
    handed = data.draw(updates(Feed(history), lists_first=False))
    life = Lifecycle(patience=1_000)
    check(history, told(life, handed), strict=True)
    assert not life.is_waiting


@given(history=histories(lags, shown_in_order=False), data=st.data())
def test_every_fact_comes_once_and_between_placed_and_done_whatever_happens(history, data):
    handed = data.draw(updates(Feed(history), lists_first=False))
    life = Lifecycle(patience=1_000)
    check(history, told(life, handed), strict=False)
    assert not life.is_waiting


@given(history=histories(lags, shown_in_order=False), patience=st.integers(0, 3), data=st.data())
def test_lack_of_patience_loses_and_doubles_nothing(history, patience, data):
    handed = data.draw(updates(Feed(history), lists_first=False))
    life = Lifecycle(patience=patience)
    facts = told(life, handed)
    dealt = sorted(fact.deal for fact in facts if isinstance(fact, Dealt))
    assert dealt == sorted(deal for order in history for deal, _ in order.deals)
    done = sorted(fact.order for fact in facts if isinstance(fact, OrderDone))
    assert done == sorted(order.record for order in history)
    for order in history:
        assert [type(fact) for fact in of(order, facts)].count(OrderPlaced) <= 1
    assert not life.is_waiting


@given(history=histories(none, shown_in_order=True), start=st.integers(0, 60), data=st.data())
def test_after_a_baseline_only_what_came_later_is_told(history, start, data):
    feed = Feed(history)
    life = Lifecycle(patience=1_000)
    life.baseline(feed.read(start, full=True))
    facts = told(life, data.draw(updates(feed, start, lists_first=False)))
    for order in history:
        ours = of(order, facts)
        dealt = [fact.deal for fact in ours if isinstance(fact, Dealt)]
        assert dealt == [deal for deal, when in order.deals if when > start]
        assert [fact for fact in ours if isinstance(fact, OrderDone)] == (
            [OrderDone(order.record)] if order.done > start else []
        )
        placed = [fact for fact in ours if isinstance(fact, OrderPlaced)]
        was_working = order.started <= start and order.accepted <= start
        if was_working or order.end == OrderState.REJECTED:
            assert not placed
        elif order.is_pending:
            assert len(placed) == 1
    assert not life.is_waiting


@dataclass
class Position:
    """The true life of one position: volumes after each of its deals, in hundredths of a lot."""

    ticket: int
    steps: list[tuple[int, int]]  # (time, volume from then on); 0 is closed

    def at(self, time):
        past = [(when, volume) for when, volume in self.steps if when <= time]
        if not past or not past[-1][1]:
            return None
        return TradePosition(
            **blank(TradePosition)
            | {
                "ticket": self.ticket,
                "identifier": self.ticket,
                "volume": past[-1][1] / 100,
                "time_update_msc": past[-1][0],
                "profit": float(time),
            }
        )

    def deals(self):
        """Each deal with its market order, which is done at once."""
        before = 0
        for number, (when, volume) in enumerate(self.steps):
            traded, opens = abs(volume - before), volume > before
            ticket = self.ticket * 100 + number
            deal = TradeDeal(
                **blank(TradeDeal)
                | {
                    "ticket": ticket + 50_000,
                    "order": ticket,
                    "time_msc": when,
                    "type": DealType.BUY if opens else DealType.SELL,
                    "entry": DealEntry.IN if opens else DealEntry.OUT,
                    "position_id": self.ticket,
                    "volume": traded / 100,
                }
            )
            order = TradeOrder(
                **blank(TradeOrder)
                | {
                    "ticket": ticket,
                    "type": OrderType.BUY if opens else OrderType.SELL,
                    "state": OrderState.FILLED,
                    "volume_initial": traded / 100,
                    "time_done_msc": when,
                }
            )
            yield deal, order
            before = volume


@st.composite
def positions(draw, ticket):
    time = draw(st.integers(0, 20))
    volume = draw(st.integers(1, 5))
    steps = [(time, volume)]
    for change in draw(st.lists(st.integers(-4, 4).filter(bool), max_size=4)):
        time += draw(st.integers(1, 8))
        volume = max(0, volume + change)
        steps.append((time, volume))
        if not volume:
            break
    return Position(ticket, steps)


@st.composite
def position_updates(draw, history):
    """Readings of positions and, `late`, of the deals (in the order in which they were made)."""
    deals = sorted((d.time_msc, d.ticket, d, o) for p in history for d, o in p.deals())
    handed, listed, shown, time = [], {}, 0, 0
    times = [time := time + draw(st.integers(0, 8)) for _ in range(draw(st.integers(0, 12)))]
    for time in [*times, THE_END, THE_END]:
        late = 0 if time == THE_END else draw(st.integers(0, 10))
        now = {p.ticket: record for p in history if (record := p.at(time))}
        visible = sum(when <= time - late for when, *_ in deals)
        new = deals[shown : max(shown, visible)]
        shown = max(shown, visible)
        full = draw(st.booleans())
        changed = tuple(r for t, r in now.items() if full or r != listed.get(t))
        update = TradeUpdate(
            full,
            positions=changed,
            positions_gone=() if full else tuple(listed.keys() - now.keys()),
            deals=tuple(deal for *_, deal, _ in new),
            history=tuple(order for *_, order in new),
        )
        handed += [update] * draw(st.integers(1, 2))
        listed = now
    return handed


@given(
    history=st.integers(1, 3).flatmap(
        lambda count: st.tuples(*(positions(ticket) for ticket in range(1, count + 1)))
    ),
    data=st.data(),
)
def test_positions_open_change_and_close_after_the_deals_that_closed_them(history, data):
    handed = data.draw(position_updates(history))
    life = Lifecycle(patience=1_000)
    facts = told(life, handed)
    for position in history:
        ours = [
            fact
            for fact in facts
            if isinstance(fact, PositionOpened | PositionChanged | PositionClosed)
            and fact.position.ticket == position.ticket
        ]
        kinds = [type(fact) for fact in ours]
        closed = not position.steps[-1][1]
        was_listed = any(position.ticket == r.ticket for u in handed for r in u.positions)
        if not was_listed:
            assert closed and not ours  # it came and went between two readings
            continue
        assert kinds[0] is PositionOpened
        assert kinds[1:] == [PositionChanged] * (len(kinds) - 1 - closed) + (
            [PositionClosed] if closed else []
        )
        if closed:
            last = max(
                n
                for n, fact in enumerate(facts)
                if isinstance(fact, Dealt) and fact.deal.position_id == position.ticket
            )
            assert facts.index(ours[-1]) > last
    assert not life.is_waiting
