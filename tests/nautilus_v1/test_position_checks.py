"""Positions that are reported while a node runs: never ahead of their fills."""

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GeneratePositionStatusReports

CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
#: The engine compares positions all the time, and takes each difference for true at once.
HASTY = {"position_check_interval_secs": 0.05, "position_check_threshold_ms": 1}
EVERY_POSITION = GeneratePositionStatusReports(
    instrument_id=None, start=None, end=None, command_id=UUID4(), ts_init=0
)


@pytest.fixture(params=["hedging", "netting"])
def run_checked(request, terminal, run_node):
    def run(drive, **fields):
        terminal.reset({"extends": f"demo-{request.param}", "clock": CLOCK})
        login = terminal.books()["account"]["login"]
        settings = {"login": login, "restart_delay_ms": 50}
        oms_type = request.param.upper()
        run_node(terminal, drive, oms_type=oms_type, terminal_fields=settings, **fields)

    return run


async def bought_in_silence(rig):
    """An order that the broker has done, and does not answer."""
    rig.terminal.hang(600.0, "order_send")
    order = rig.strategy.buy("EURUSD", "1000")
    await rig.until(lambda: rig.terminal.books()["positions"])
    return order


def answer(rig, processes):
    rig.terminal.clear_faults()
    processes.kill(rig.client._mt5.pids["trade"])


def test_positions_are_not_reported_before_their_fills(run_checked, processes):
    async def drive(rig):
        order = await bought_in_silence(rig)
        with pytest.raises(RuntimeError, match="cannot be reported before their fills: deal"):
            await rig.client.generate_position_status_reports(EVERY_POSITION)
        answer(rig, processes)
        await rig.opened(order)
        (report,) = await rig.client.generate_position_status_reports(EVERY_POSITION)
        assert report.signed_decimal_qty == 1_000

    run_checked(drive)


def test_engine_makes_up_no_fill_while_the_broker_takes_his_time(run_checked, processes):
    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        order = await bought_in_silence(rig)

        def readings():
            return rig.client.metrics.client.lanes["history"].functions["snapshot"].calls

        enough = readings() + 30
        await rig.until(lambda: readings() > enough, 30)
        assert len(rig.fills()) == 1
        answer(rig, processes)
        await rig.done(order)
        deals = [str(deal["ticket"]) for deal in rig.terminal.books()["deals"] if deal["symbol"]]
        assert [fill.trade_id.value for fill in rig.fills()] == deals
        assert rig.sends() == 2

    run_checked(drive, engine_fields=HASTY)
