"""What did an order look like when its strategy made it, as far as the venue knows?"""

from collections.abc import Mapping, Sequence
from typing import Any

from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import OrderStatusReport
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TriggerType,
    trigger_type_to_str,
)
from nautilus_trader.model.events import OrderInitialized
from nautilus_trader.model.identifiers import ClientOrderId, StrategyId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import OrderUnpacker

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import levels_of
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import BracketOrders, Leg
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import price
from tradingview_scraper.adapters.mt5.rules.bracket_ids import StopIds
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder


def initialized(
    report: OrderStatusReport,
    total: Quantity,
    client_order_id: ClientOrderId,
    strategy_id: StrategyId,
    out: LiveExecutionClient,
) -> OrderInitialized:
    """An order's beginning: `report` says how it stands, `total` what was asked for in all."""
    options: dict[str, Any] = {
        "expire_time_ns": 0 if report.expire_time is None else dt_to_unix_nanos(report.expire_time)
    }
    if report.price is not None:
        options["price"] = str(report.price)
    if report.trigger_price is not None:
        options["trigger_price"] = str(report.trigger_price)
    if report.trigger_type is not None:
        options["trigger_type"] = trigger_type_to_str(report.trigger_type)
    return OrderInitialized(
        trader_id=out.trader_id,
        strategy_id=strategy_id,
        instrument_id=report.instrument_id,
        client_order_id=client_order_id,
        order_side=report.order_side,
        order_type=report.order_type,
        quantity=total,
        time_in_force=report.time_in_force,
        post_only=report.post_only,
        reduce_only=report.reduce_only,
        quote_quantity=False,
        options=options,
        emulation_trigger=TriggerType.NO_TRIGGER,
        trigger_instrument_id=None,
        contingency_type=report.contingency_type,
        order_list_id=None,
        linked_order_ids=None,
        parent_order_id=None,
        exec_algorithm_id=None,
        exec_algorithm_params=None,
        exec_spawn_id=None,
        tags=None,
        event_id=UUID4(),
        ts_init=report.ts_accepted,
        reconciliation=True,
    )


def levels_at(records: Sequence[TradeOrder], snapshot: Snapshot) -> dict[Leg, float]:
    """Where the stops of an order are, or were last; 0: nobody knows.

    `records`: the order, the newest ticket first. What was taken off a position had the level that
    the order was sent with.
    """
    tickets = {record.ticket for record in records}
    opened = {deal.position_id for deal in snapshot.deals if deal.order in tickets}
    held = [one for one in snapshot.positions if one.identifier in opened]
    known = [*map(levels_of, held), *map(levels_of, records)]
    return {leg: next((one[leg] for one in known if one[leg]), 0.0) for leg in Leg}


def bracket_of(
    entry: OrderInitialized,
    ids: StopIds | None,
    levels: Mapping[Leg, float],
    out: LiveExecutionClient,
) -> BracketOrders | None:
    """The bracket of an entry and the ids of its stops, as the order factory makes it.

    A stop without a level cannot be made. None when that leaves nothing.
    """
    instrument = out._cache.instrument(entry.instrument_id)
    if ids is None or instrument is None:
        return None
    named = {leg: name for leg, name in ((Leg.SL, ids.sl), (Leg.TP, ids.tp)) if name}
    names = {leg: name for leg, name in named.items() if levels[leg]}
    if not names:
        return None
    either = ContingencyType[ids.contingency or "NO_CONTINGENCY"]
    if len(names) < len(named):
        either = ContingencyType.NO_CONTINGENCY
    stops = {
        leg: _with(
            entry,
            client_order_id=name,
            order_side=(OrderSide.SELL if _buys(entry) else OrderSide.BUY).name,
            order_type=(OrderType.STOP_MARKET if leg is Leg.SL else OrderType.LIMIT).name,
            time_in_force=TimeInForce.GTC.name,
            post_only=leg is Leg.TP,
            reduce_only=True,
            contingency_type=either.name,
            parent_order_id=entry.client_order_id.value,
            linked_order_ids=[other for other in names.values() if other != name] or None,
            options=_options(leg, levels[leg], instrument),
        )
        for leg, name in names.items()
    }
    return BracketOrders(
        _with(entry, contingency_type="OTO", linked_order_ids=list(names.values())), stops
    )


def _buys(entry: OrderInitialized) -> bool:
    return bool(entry.side == OrderSide.BUY)


def _options(leg: Leg, level: float, instrument: Instrument) -> dict[str, Any]:
    at = str(price(level, instrument))
    if leg is Leg.TP:
        return {"price": at, "expire_time_ns": 0}
    return {"trigger_price": at, "trigger_type": "DEFAULT", "expire_time_ns": 0}


def _with(init: OrderInitialized, **changes: Any) -> Any:
    """The order of `init`, initialized otherwise."""
    fields = {**OrderInitialized.to_dict(init), **changes, "event_id": UUID4().value}
    return OrderUnpacker.from_init(OrderInitialized.from_dict(fields))
