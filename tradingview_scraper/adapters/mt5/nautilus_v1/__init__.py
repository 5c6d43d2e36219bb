"""The binding to NautilusTrader 1.231: what the terminal says, as Nautilus says it.

``config`` and ``factories`` build. ``providers`` and ``data`` publish instruments and prices,
``history`` reads ranges. ``execution`` takes commands: a ``session`` is the connected account,
``orders`` makes requests, ``submission`` follows them, ``fills`` turns what the account did into
events, ``statements`` and ``reports`` say how it stands; ``journal`` knows which ticket is whose,
``holdings`` what is open, ``rates`` what the portfolio needs to begin. ``parsing`` translates.

Nothing here polls the terminal, sends anything twice or waits for a broker.
"""
