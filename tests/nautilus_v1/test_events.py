"""Does custom data of the adapter survive a catalog, and does it reach who subscribes to it?"""

from pathlib import Path

import msgspec
import pytest
from nautilus_trader.model.data import CustomData, DataType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.serialization.arrow.serializer import ArrowSerializer
from nautilus_trader.serialization.serializer import MsgSpecSerializer

from tradingview_scraper.adapters.mt5.nautilus_v1.events import (
    MT5AccountFigures,
    MT5Alarm,
    MT5AlarmKind,
    MT5Gap,
    MT5SwapRates,
    MT5TerminalStatus,
)

EURUSD = InstrumentId.from_str("EURUSD.MT5")
ODD = InstrumentId.from_str("US500%2A.MT5")
STAMP = 1_741_608_000_000_000_000


def gap(instrument_id=EURUSD, at=STAMP):
    return MT5Gap(
        ts_event=at,
        ts_init=at + 7,
        instrument_id=instrument_id,
        after_ns=at - 5_000_000_000,
        until_ns=at,
    )


def alarm(at=STAMP):
    return MT5Alarm(
        ts_event=at,
        ts_init=at,
        kind=str(MT5AlarmKind.DAILY_LOSS),
        text="looked at",
        is_over=True,
        account="MT5-5001234",
        symbol="EURUSD",
        position=2**53,
        figure=-12.5,
        limit=100.0,
    )


def figures(at=STAMP):
    return MT5AccountFigures(
        ts_event=at,
        ts_init=at,
        account="MT5-5001234",
        currency="USD",
        balance=1_500.0,
        equity=-12.34,
        margin_level=99.5,
        levels_in_money=True,
        margin_zone="MARGIN_CALL",
    )


def rates(instrument_id=EURUSD, at=STAMP):
    return MT5SwapRates(
        ts_event=at,
        ts_init=at,
        instrument_id=instrument_id,
        long=-7.5,
        short=0.25,
        mode="POINTS",
        triple_day="WEDNESDAY",
    )


def status(at=STAMP):
    return MT5TerminalStatus(
        ts_event=at,
        ts_init=at,
        lane="quotes",
        state="lost",
        reason="its worker died",
        may_trade=True,
        account="MT5-5001234",
    )


CASES = [
    (MT5Gap, [gap(), gap(ODD, STAMP + 1), gap(at=STAMP + 2)]),
    (MT5Alarm, [alarm(), alarm(STAMP + 1)]),
    (MT5TerminalStatus, [status(), status(STAMP + 1)]),
    (MT5AccountFigures, [figures(), figures(STAMP + 1)]),
    (MT5SwapRates, [rates(), rates(ODD, STAMP + 1), rates(at=STAMP + 2)]),
]


def plain(data):
    return data.data if isinstance(data, CustomData) else data


@pytest.mark.parametrize(("kind", "data"), CASES)
@pytest.mark.parametrize("wrapped", [False, True])
def test_custom_data_comes_back_from_a_catalog_as_it_was(tmp_path: Path, kind, data, wrapped):
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data([CustomData(DataType(kind), one) for one in data] if wrapped else data)

    found = [plain(one) for one in ParquetDataCatalog(str(tmp_path)).query(kind)]

    assert sorted(map(repr, found)) == sorted(map(repr, data))
    assert {one.ts_init for one in found} == {one.ts_init for one in data}
    assert all(type(one) is kind for one in found)


def test_gaps_of_one_instrument_can_be_read_alone(tmp_path: Path):
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data([gap(), gap(at=STAMP + 2)])
    catalog.write_data([gap(ODD, STAMP + 1)])

    for instrument_id, count in ((EURUSD, 2), (ODD, 1)):
        found = [plain(one) for one in catalog.query(MT5Gap, identifiers=[instrument_id.value])]
        assert [one.instrument_id for one in found] == [instrument_id] * count


@pytest.mark.parametrize(("kind", "data"), CASES)
def test_custom_data_can_be_streamed_to_disk(kind, data):
    """As the writer of a node's `streaming` configuration does."""
    batch = ArrowSerializer.serialize(data[0], kind)
    assert repr(ArrowSerializer.deserialize(kind, batch)) == repr([data[0]])
    assert repr(kind.from_bytes(data[0].to_bytes())) == repr(data[0])


@pytest.mark.parametrize(("kind", "data"), CASES)
@pytest.mark.parametrize("encoding", [msgspec.json, msgspec.msgpack])
def test_custom_data_can_leave_on_the_message_bus(kind, data, encoding):
    """To another node, through a stream."""
    serializer = MsgSpecSerializer(encoding)
    assert repr(serializer.deserialize(serializer.serialize(data[0]))) == repr(data[0])
