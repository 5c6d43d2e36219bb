"""History on disk, in the terminal's own words: raw ticks and rates as Parquet, symbols as JSON.

::

    archive.json                              server, zone rule, format
    terms.json                                what the account trades on: no number, name or money
    instruments/EURUSD/20250310T120000Z.json  symbol_info, whenever it had changed
    ticks/EURUSD/2025/2025-03-10.parquet      one server day
    bars/EURUSD/M1/2025-03.parquet            one server month, closed bars only

There is no index: what is known is what lies there. Every file is written beside its place and
renamed into it, so that a kill leaves either the old file or the new one.
"""
