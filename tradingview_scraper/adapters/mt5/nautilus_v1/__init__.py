"""The binding to NautilusTrader 1.231: what the terminal says, as Nautilus says it.

``config`` and ``factories`` build; ``providers`` and ``data`` publish instruments and prices;
``execution`` takes commands, ``orders`` turns them into requests, ``fills`` turns what the account
did into events, ``reports`` says how the account is; ``journal`` knows which ticket is whose;
``parsing`` translates. Nothing here polls, retries or waits for a broker.
"""
