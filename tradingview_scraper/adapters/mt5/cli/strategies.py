"""Which strategy does a command run? An import path and a file with its configuration."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.trading.config import ImportableStrategyConfig, StrategyFactory
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def load_strategy(path: str, config: Path | None) -> Strategy:
    """The strategy of ``module:Class``, configured by a TOML or JSON file.

    The configuration's class is ``ClassConfig`` beside it, or the key ``config_path`` of the file.
    Modules of the current folder are found. Raises `MT5ConfigError`.
    """
    fields = _fields(config) if config is not None else {}
    config_path = fields.pop("config_path", f"{path}Config")
    if path.count(":") != 1:
        raise MT5ConfigError(f"a strategy must be named like my_module:MyStrategy, was {path!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        made: Strategy = StrategyFactory.create(
            ImportableStrategyConfig(strategy_path=path, config_path=config_path, config=fields)
        )
    except (ImportError, AttributeError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise MT5ConfigError(
            f"the strategy {path} with the configuration {config_path} could not be made: {error}"
        ) from error
    return made


def _fields(config: Path) -> dict[str, Any]:
    text = config.read_text("utf-8")
    try:
        fields = tomllib.loads(text) if config.suffix.lower() == ".toml" else json.loads(text)
    except ValueError as error:
        raise MT5ConfigError(f"{config} is neither TOML nor JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MT5ConfigError(f"{config} must hold the fields of the configuration")
    return fields
