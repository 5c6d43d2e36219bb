"""A node in a process of its own, which begins what its cell says and then waits to be killed.

Prints ``struck`` when the activity is under way, and the ids of its orders.
"""

import asyncio
import importlib.util
import sys
from pathlib import Path

from nautilus_trader.config import DatabaseConfig

from tradingview_scraper.adapters.mt5.simulator.control import connect


def main(path: str, activity: str, account: str, redis_port: str = "") -> None:
    spec = importlib.util.spec_from_file_location("nodes", Path(__file__).with_name("conftest.py"))
    nodes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(nodes)
    cells = nodes.beside_this("cells")
    terminal = connect(path)
    fields = cells.fields(account, terminal.books()["account"]["login"], activity)
    if redis_port:
        fields["database"] = DatabaseConfig(type="redis", host="127.0.0.1", port=int(redis_port))

    async def drive(rig):
        if activity == "starting":
            await rig.until(lambda: rig.client._mt5.pids.get("trade"), 40)
            print("struck", flush=True)
            await asyncio.sleep(600)
        cell = cells.Cell(rig, None, "node", activity, account)
        await cell.prepare()
        cell.arm()
        await cell.act()
        print("struck", *(order.client_order_id for order in rig.cache.orders()), flush=True)
        if activity != "stopping":
            await asyncio.sleep(600)

    nodes.run_on(terminal, drive, starts=activity != "starting", **fields)


if __name__ == "__main__":
    main(*sys.argv[1:])
