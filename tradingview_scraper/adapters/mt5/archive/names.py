"""How is a symbol written as the name of a folder, on every file system?

Letters, digits and ``# & + - . _ ! ( )`` stay; other ASCII is ``%XX``, and so is a first or last
dot and the first letter of a name that Windows reserves (``AUX``). Other alphabets stay as they
are. The two functions are exact inverses; symbols that differ in nothing but upper and lower case
share a folder on Windows, which `Archive` refuses.
"""

import re
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

_UNSAFE: Final = re.compile(r"[\x00-\x7f](?<![A-Za-z0-9#&+\-._!()])")
_ESCAPE: Final = re.compile(r"%([0-9A-F]{2})")
#: Names of devices, also with an extension [vendor: Windows file naming].
_DEVICE: Final = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?", re.IGNORECASE)


def folder_name(symbol: str) -> str:
    """The folder of a symbol. Raises `MT5ConfigError` for an empty one."""
    if not symbol:
        raise MT5ConfigError("a symbol must have a name, was ''")
    name = _UNSAFE.sub(lambda found: _escaped(found[0]), symbol)
    if name[-1] == ".":
        name = name[:-1] + _escaped(".")
    if name[0] == "." or _DEVICE.fullmatch(name):
        name = _escaped(name[0]) + name[1:]
    return name


def symbol_of(folder: str) -> str:
    """The symbol whose folder this is."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), folder)


def _escaped(character: str) -> str:
    return f"%{ord(character):02X}"
