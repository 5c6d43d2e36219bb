"""Trade a moving average's crossing: an ordinary script for the MetaTrader5 library.

It knows nothing of simulators. `examples/run_simulated.py` runs it unchanged on a simulated
terminal; on Windows with a terminal it runs as it is: ``python examples/moving_average.py``.
"""

import time

import MetaTrader5 as mt5

SYMBOL, VOLUME, MAGIC = "EURUSD", 0.1, 20_250_310
FAST, SLOW, ROUNDS = 5, 20, 30


def main(pause=time.sleep):
    """Trade for `ROUNDS` minutes; gives the profit of its own deals."""
    if not mt5.initialize():
        raise SystemExit(f"initialize failed: {mt5.last_error()}")
    began = mt5.symbol_info_tick(SYMBOL).time
    for _ in range(ROUNDS):
        bars = mt5.copy_rates_from_pos(SYMBOL, mt5.TIMEFRAME_M1, 1, SLOW)
        if bars is None or len(bars) < SLOW:
            print(f"no bars yet: {mt5.last_error()}")
        else:
            upwards = bars["close"][-FAST:].mean() > bars["close"].mean()
            follow(mt5.ORDER_TYPE_BUY if upwards else mt5.ORDER_TYPE_SELL)
        pause(60)
    close()
    until = mt5.symbol_info_tick(SYMBOL).time
    deals = mt5.history_deals_get(began, until + 60, group=SYMBOL)
    profit = sum(deal.profit + deal.commission for deal in deals if deal.magic == MAGIC)
    print(f"{len(deals)} deals, {profit:+.2f} {mt5.account_info().currency}")
    mt5.shutdown()
    return profit


def follow(side):
    """Be in the market on that side."""
    for position in mine():
        if position.type == side:
            return
    close()
    send(side)


def close():
    """Leave the market."""
    for position in mine():
        send(1 - position.type, position=position.ticket)


def mine():
    return [found for found in mt5.positions_get(symbol=SYMBOL) or () if found.magic == MAGIC]


def send(side, **more):
    """Send a market order, and say what became of it."""
    tick = mt5.symbol_info_tick(SYMBOL)
    result = mt5.order_send(
        {
            "action": mt5.TRADE_ACTION_DEAL,
            "symbol": SYMBOL,
            "volume": VOLUME,
            "type": side,
            "price": tick.ask if side == mt5.ORDER_TYPE_BUY else tick.bid,
            "deviation": 20,
            "magic": MAGIC,
            "type_filling": mt5.ORDER_FILLING_IOC,
            **more,
        }
    )
    if result is None:
        print(f"not sent: {mt5.last_error()}")
    elif result.retcode != mt5.TRADE_RETCODE_DONE:
        print(f"refused: {result.retcode} {result.comment}")
    else:
        print(f"{'bought' if side == mt5.ORDER_TYPE_BUY else 'sold'} at {result.price}")


if __name__ == "__main__":
    main()
