"""``mt5 backtest``: a strategy on an archive, at a venue that mirrors the account."""
