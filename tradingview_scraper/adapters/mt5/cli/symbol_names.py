"""Which symbols do the words on a command line mean?"""

from collections.abc import Iterable

from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.suggestions import did_you_mean
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


async def named_symbols(client: MT5Client, words: Iterable[str]) -> list[SymbolInfo]:
    """The symbols of names and groups (``*USD*,!*JPY*``), each once, in that order.

    A word that is a symbol's name is that symbol, also with ``*`` in it. Raises `MT5ConfigError`
    for a word that is neither, with what may have been meant.
    """
    found: dict[str, SymbolInfo] = {}
    for word in words:
        infos = await _named(client, word)
        if not infos:
            names = [info.name for info in await client.symbols_get()]
            raise MT5ConfigError(f"the broker has no symbol {word!r}: {did_you_mean(word, names)}")
        found |= {info.name: info for info in infos}
    return list(found.values())


async def _named(client: MT5Client, word: str) -> list[SymbolInfo]:
    try:
        return [await client.symbol_info(word)]
    except MT5CallError as error:
        if error.code != ResultCode.E_NOT_FOUND:
            raise
    if not set(word) & set("*,!"):
        return []
    return sorted(await client.symbols_get(word), key=lambda info: info.name)
