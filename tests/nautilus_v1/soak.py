"""How long does it go well? Random trading and trouble for minutes or days, and the figures of it.

Nodes follow each other, in turn on a hedging and on a netting account, each on fresh books and with
another seed. The last line of stdout is the figures as JSON; exit status 1: a node did not
agree with its books, and stderr says which seed, and what led to it, between what nodes log.
"""

import argparse
import dataclasses
import gc
import importlib.util
import json
import logging
import math
import os
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from tradingview_scraper.adapters.mt5.simulator.control import launch


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
nodes = loaded(HERE / "conftest.py")
processes = loaded(HERE.parent / "processes.py")
cells, chaos = nodes.beside_this("cells"), nodes.beside_this("chaos")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first node; then one more each")
    parser.add_argument("--rounds", type=int, default=40, help="faults in the life of a node")
    parser.add_argument("--account", choices=("hedging", "netting"), help="only this kind")
    wanted = parser.parse_args(arguments)
    # Trouble is what is wanted here: what it is called each time is no news.
    logging.disable()
    began = time.monotonic()
    figures = Soak(wanted).run(began + 60.0 * wanted.minutes)
    figures = {"minutes": round((time.monotonic() - began) / 60, 1), **figures}
    for name, value in figures.items():
        print(f"{name:22} {value}")
        if name == "slow":
            for one in value:
                print(f"    {one}")
    print(json.dumps(figures))
    return 0 if not figures["failed_seeds"] else 1


class Soak:
    """Nodes on one terminal, one after the other."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.tally = chaos.Tally()
        self.failed = []
        self.memory = []

    def run(self, until):
        seed, self.nodes = self.wanted.seed, 0
        terminal = launch("demo-hedging")
        try:
            while time.monotonic() < until or not self.nodes:
                account = self.wanted.account or ("netting" if seed % 2 == 0 else "hedging")
                try:
                    self.node(terminal, account, seed, until)
                except Exception:
                    self.failed.append(seed)
                    print(f"seed {seed}, {account}:", file=sys.stderr)
                    traceback.print_exc()
                    terminal.close()
                    terminal = launch("demo-hedging")
                seed += 1
                self.nodes += 1
        finally:
            terminal.close()
        return self.figures()

    def node(self, terminal, account, seed, until):
        hedging = account == "hedging"
        terminal.reset(chaos.scenario(account, seed))
        login = terminal.books()["account"]["login"]

        fields = chaos.fields(cells, account, login)

        def run(drive, **more):
            nodes.run_on(terminal, drive, **fields, **more)

        chaos.live(
            run,
            nodes.compare,
            nodes.doubled,
            rounds=self.wanted.rounds,
            until=until,
            tally=self.tally,
            looks=[lambda rig: self.look(rig, f"seed {seed}, {account}")],
            processes=processes,
            seed=seed,
            hedging=hedging,
        )

    def look(self, rig, which):
        gc.collect()
        self.memory.append(self.memory_now(rig))
        ours = Counter(
            type(one).__name__
            for one in gc.get_objects()
            if str(type(one).__module__).startswith("tradingview_scraper")
        )
        node, worker = self.memory[-1]
        orders = len(rig.cache.orders())
        most = dict(ours.most_common(8))
        print(
            f"{which}: {orders} orders, node {node:.1f} MB, worker {worker} MB, "
            f"{ours.total()} objects of ours, {most}",
            file=sys.stderr,
            flush=True,
        )

    def memory_now(self, rig):
        workers = [chaos.memory_mb(pid) for pid in rig.client._mt5.pids.values()]
        return chaos.memory_mb(os.getpid()), max(filter(None, workers), default=None)

    def figures(self):
        recovery = sorted(self.tally.recovery)
        memory = dict(zip(("node", "worker"), zip(*self.memory, strict=True), strict=True))
        given = {
            field.name: getattr(self.tally, field.name)
            for field in dataclasses.fields(self.tally)
            if field.name not in ("actions", "faults", "recovery")
        }
        return {
            "nodes": self.nodes,
            **given,
            "actions": dict(self.tally.actions),
            "faults": dict(self.tally.faults),
            "recovery_p50_secs": percentile(recovery, 0.50),
            "recovery_p95_secs": percentile(recovery, 0.95),
            "recovery_longest_secs": percentile(recovery, 1.0),
            # Of the first node at its start, of the last one at its end.
            **{
                f"{who}_mb_{when}": round(sizes[place], 1) if sizes[place] else None
                for who, sizes in memory.items()
                for when, place in (("first", 0), ("last", -1))
            },
            "failed_seeds": self.failed,
        }


def percentile(sizes, part):
    if not sizes:
        return None
    return round(sizes[max(0, math.ceil(part * len(sizes)) - 1)], 2)


if __name__ == "__main__":
    sys.exit(main())
