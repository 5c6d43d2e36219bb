"""What world does a simulated terminal run in? `load_scenario` reads it from TOML.

A scenario is data: the account, the symbols, the prices, the clock, the terminal and the broker's
habits (`schema` has the fields). The built-in ones lie in ``scenarios/*.toml`` and are named
without a path; `extends` starts from another one, and tables are merged key by key (lists are
replaced).
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from tradingview_scraper.adapters.mt5.simulator.market.catalogue import (
    CATALOGUE,
    LIVE_FIELDS,
    CatalogueSymbol,
    PriceModel,
)
from tradingview_scraper.adapters.mt5.simulator.market.conversion import conversion_path
from tradingview_scraper.adapters.mt5.simulator.market.recorded import symbol_of_file
from tradingview_scraper.adapters.mt5.simulator.market.sessions import parse_sessions
from tradingview_scraper.adapters.mt5.simulator.schema import (
    AccountSpec,
    BrokerSpec,
    ClockSpec,
    FaultSpec,
    PricesSpec,
    Scenario,
    ScenarioError,
    SymbolSpec,
    TerminalSpec,
)
from tradingview_scraper.adapters.mt5.simulator.zone import ServerZone
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

__all__ = [
    "BUILT_IN",
    "AccountSpec",
    "BrokerSpec",
    "ClockSpec",
    "FaultSpec",
    "PricesSpec",
    "Scenario",
    "ScenarioError",
    "SymbolSpec",
    "TerminalSpec",
    "built_in_names",
    "load_scenario",
    "with_whole_paths",
]

#: Keys of a symbol's table that name files.
_FILES: Final = ("file", "ticks")

#: Where the built-in scenarios lie.
BUILT_IN: Final = Path(__file__).parent / "scenarios"


def load_scenario(scenario: str | Path | Mapping[str, Any]) -> Scenario:
    """Read a scenario: the name of a built-in one, the path of a TOML file, or its tables.

    Raises `ScenarioError`, also for unknown keys, unknown symbols, and an account into whose
    currency the symbols' money cannot be converted.
    """
    if isinstance(scenario, Mapping):
        source, folder = "", Path.cwd()
        tables = with_whole_paths(scenario, folder)
    else:
        source, folder, tables = _read(str(scenario), Path.cwd())
    try:
        tables, folder = _extended(tables, folder, [source])
        return _scenario(source, folder, tables)
    except ScenarioError as error:
        where = source or "a mapping"
        raise ScenarioError(f"scenario {where}: {error}") from None


def built_in_names() -> list[str]:
    """Names of the built-in scenarios, sorted."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def with_whole_paths(tables: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The tables with the files that their symbols name (`file`, `ticks`) taken from `folder`."""
    whole = dict(tables)
    symbols = whole.get("symbols")
    if isinstance(symbols, list | tuple):
        whole["symbols"] = [
            {
                key: str(folder / value) if key in _FILES and isinstance(value, str) else value
                for key, value in entry.items()
            }
            if isinstance(entry, Mapping)
            else entry
            for entry in symbols
        ]
    return whole


class _ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a file, as they may be written there."""

    seed: int = 1
    account: AccountSpec = AccountSpec()
    accounts: tuple[AccountSpec, ...] = ()
    clock: ClockSpec = ClockSpec()
    prices: PricesSpec = PricesSpec()
    broker: BrokerSpec = BrokerSpec()
    terminal: TerminalSpec = TerminalSpec()
    #: Catalogue names, or tables: `like` (catalogue name; left out: `name`) or `file` (JSON of a
    #: ``symbol_info``), `name`, `selected`, `commission_per_lot`, `real_only`, `ticks` (a file of
    #: recorded ticks), any field of `PriceModel`, any field of `SymbolInfo` that is not live. Files
    #: are relative to the scenario's.
    symbols: tuple[str | dict[str, Any], ...] = tuple(CATALOGUE)
    #: Directory of the books, relative to the file. Left out or "none": kept in memory.
    books: str = "none"
    #: Verbs of `control` that happen of themselves: ``at`` (seconds of world time after the
    #: terminal's first start), ``do`` (the verb), and the verb's arguments.
    faults: tuple[dict[str, Any], ...] = ()


def _read(name: str, folder: Path) -> tuple[str, Path, dict[str, Any]]:
    path = BUILT_IN / f"{name}.toml"
    if not re.fullmatch(r"[\w-]+", name) or not path.is_file():
        path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ScenarioError(
            f"expected a file or one of {', '.join(built_in_names())}, "
            f"got {name!r}: {getattr(error, 'strerror', None) or error}"
        ) from None
    try:
        return name, path.parent, with_whole_paths(tomllib.loads(text), path.parent)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"scenario {name}: not TOML: {error}") from None


def _extended(tables: dict[str, Any], folder: Path, seen: list[str]) -> tuple[dict[str, Any], Path]:
    name = tables.pop("extends", None)
    if name is None:
        return tables, folder
    if not isinstance(name, str):
        raise ScenarioError(f"field `extends`: expected a name or path, got {name!r}")
    if name in seen:
        raise ScenarioError(f"field `extends`: {name!r} extends itself")
    try:
        _, parent_folder, parent = _read(name, folder)
    except ScenarioError as error:
        raise ScenarioError(f"field `extends`: {error}") from None
    parent, _ = _extended(parent, parent_folder, [*seen, name])
    return _merged(parent, tables), folder


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _scenario(source: str, folder: Path, tables: dict[str, Any]) -> Scenario:
    file = _converted(tables, _ScenarioFile, "")
    symbols = tuple(_symbol(entry, index) for index, entry in enumerate(file.symbols))
    scenario = Scenario(
        source=source,
        seed=file.seed,
        account=file.account,
        accounts=file.accounts,
        clock=file.clock,
        prices=file.prices,
        broker=file.broker,
        terminal=file.terminal,
        symbols=symbols,
        faults=tuple(_fault(entry, index) for index, entry in enumerate(file.faults)),
        books=None if file.books in ("", "none") else folder / file.books,
    )
    _validate(scenario)
    return scenario


def _converted[T](value: Any, kind: type[T], under: str) -> T:
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `")
        field = (under + path.rstrip("`").removeprefix("$")).lstrip(".")
        raise ScenarioError(f"field `{field}`: {text}" if field else text) from None


@cache
def _symbol_table() -> type[Any]:
    hints = get_type_hints(SymbolInfo)
    model = get_type_hints(PriceModel)
    fields: list[tuple[str, Any, Any]] = [
        (name, kind | msgspec.UnsetType, msgspec.UNSET)
        for name, kind in {**hints, **model}.items()
        if name not in LIVE_FIELDS
    ]
    fields += [
        ("like", str, ""),
        ("selected", bool, True),
        ("commission_per_lot", float | None, None),
        ("real_only", bool, False),
        ("file", str, ""),
        ("ticks", str, ""),
    ]
    return msgspec.defstruct("SymbolTable", fields, kw_only=True, forbid_unknown_fields=True)


def _symbol(entry: str | dict[str, Any], index: int) -> SymbolSpec:
    where = f"symbols[{index}]"
    table = {"name": entry} if isinstance(entry, str) else entry
    given = _converted(table, _symbol_table(), where)
    like = given.like or (given.name if given.name is not msgspec.UNSET else "")
    base: CatalogueSymbol | None
    if given.file:
        if given.like:
            raise ScenarioError(f"field `{where}.like`: expected none beside a file")
        try:
            base = symbol_of_file(Path(given.file))
        except ValueError as error:
            raise ScenarioError(f"field `{where}.file`: {error}") from None
        like = base.info.name
    else:
        base = CATALOGUE.get(like)
    if base is None:
        raise ScenarioError(
            f"field `{where}.like`: expected one of {', '.join(CATALOGUE)}, got {like!r}"
        )
    set_ = {key: getattr(given, key) for key in table}
    model = msgspec.structs.replace(
        base.model, **{key: value for key, value in set_.items() if hasattr(base.model, key)}
    )
    try:
        parse_sessions(model.sessions)
    except ValueError as error:
        raise ScenarioError(f"field `{where}.sessions`: {error}") from None
    own = {key: value for key, value in set_.items() if key in SymbolInfo._fields}
    if "digits" in own and "point" not in own:
        own["point"] = round(10.0 ** -own["digits"], own["digits"])
        own.setdefault("trade_tick_size", own["point"])
    if "path" not in own and not given.file:
        own["path"] = base.info.path.removesuffix(like) + own.get("name", like)
    info = base.info._replace(**own)
    if "trade_tick_value" not in own and {"trade_tick_size", "trade_contract_size"} & own.keys():
        info = info._replace(trade_tick_value=info.trade_tick_size * info.trade_contract_size)
    for field, least in (("trade_tick_size", 0.0), ("volume_step", 0.0), ("volume_min", 0.0)):
        if getattr(info, field) <= least:
            raise ScenarioError(f"field `{where}.{field}`: expected more than {least:g}")
    return SymbolSpec(
        info=info,
        like=like,
        selected=given.selected,
        model=model,
        commission_per_lot=given.commission_per_lot,
        real_only=given.real_only,
        ticks=Path(given.ticks) if given.ticks else None,
    )


def _fault(entry: dict[str, Any], index: int) -> FaultSpec:
    where = f"faults[{index}]"
    rest = dict(entry)
    at, do = rest.pop("at", None), rest.pop("do", None)
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e9:
        raise ScenarioError(f"field `{where}.at`: expected seconds from 0 on, got {at!r}")
    if not isinstance(do, str):
        raise ScenarioError(f"field `{where}.do`: expected the name of a verb, got {do!r}")
    return FaultSpec(at=float(at), do=do, arguments=rest)


def _validate(scenario: Scenario) -> None:
    def refuse(field: str, expected: str, got: object) -> None:
        raise ScenarioError(f"field `{field}`: expected {expected}, got {got!r}")

    if not 0 <= scenario.seed < 2**63:
        refuse("seed", "0 or more", scenario.seed)
    try:
        ServerZone(scenario.clock.zone)
    except ValueError as error:
        raise ScenarioError(f"field `clock.zone`: {error}") from None
    start = scenario.clock.start
    if start is not None and start.tzinfo is None:
        refuse("clock.start", "UTC like 2025-03-10T12:00:00Z", start.isoformat())
    if start is not None and scenario.clock.mode == "real":
        refuse("clock.start", "none with the mode real", start.isoformat())
    if not 0.01 <= scenario.clock.factor <= 100_000:
        refuse("clock.factor", "0.01 to 100000", scenario.clock.factor)
    if scenario.clock.factor != 1.0 and scenario.clock.mode != "fast":
        refuse("clock.factor", f"none with the mode {scenario.clock.mode}", scenario.clock.factor)
    try:
        date.fromisoformat(scenario.prices.history_from)
    except ValueError:
        refuse("prices.history_from", "a day like 2020-01-01", scenario.prices.history_from)
    for field in ("rate", "volatility"):
        value = getattr(scenario.prices, field)
        if not 0.0 < value <= 100.0:
            refuse(f"prices.{field}", "more than 0 and at most 100", value)
    for field in (
        "latency_ms",
        "latency_spread_ms",
        "timeout_ms",
        "deal_lag_ms",
        "slippage_points",
        "stop_slippage_points",
        "commission_per_lot",
        "fee_per_deal",
        "liquidity_lots",
    ):
        if not getattr(scenario.broker, field) >= 0:
            refuse(f"broker.{field}", "0 or more", getattr(scenario.broker, field))
    if not 0 <= scenario.broker.comment_limit <= 31:
        refuse("broker.comment_limit", "0 to 31", scenario.broker.comment_limit)
    for field in ("maxbars", "history_sync_secs", "connections"):
        if not getattr(scenario.terminal, field) >= 0:
            refuse(f"terminal.{field}", "0 or more", getattr(scenario.terminal, field))
    names = [symbol.name for symbol in scenario.symbols]
    for index, name in enumerate(names):
        if not 0 < len(name) < 30:
            refuse(f"symbols[{index}].name", "1 to 29 characters", name)
        if name in names[:index]:
            refuse(f"symbols[{index}].name", "a name used once", name)
    accounts = (scenario.account, *scenario.accounts)
    for index, account in enumerate(accounts):
        where = "account" if index == 0 else f"accounts[{index - 1}]"
        if account.login in [other.login for other in accounts[:index]] or account.login <= 0:
            refuse(f"{where}.login", "a positive number used once", account.login)
        if account.leverage < 1:
            refuse(f"{where}.leverage", "1 or more", account.leverage)
        if not 0 <= account.currency_digits <= 8:
            refuse(f"{where}.currency_digits", "0 to 8", account.currency_digits)
        for field in ("balance", "limit_orders", "limit_positions"):
            if not getattr(account, field) >= 0:
                refuse(f"{where}.{field}", "0 or more", getattr(account, field))
        _validate_currencies(scenario.symbols, account, where)


def _validate_currencies(symbols: tuple[SymbolSpec, ...], account: AccountSpec, where: str) -> None:
    infos = [symbol.info for symbol in symbols]
    for info in infos:
        for currency in (info.currency_profit, info.currency_margin):
            if conversion_path(infos, currency, account.currency) is None:
                raise ScenarioError(
                    f"field `{where}.currency`: expected a currency that the symbols lead to, got "
                    f"{account.currency!r}: {info.name} has profit or margin in {currency}, and no "
                    f"symbol converts {currency} into {account.currency}; add one"
                )
