"""``mt5 paper``: a strategy on the terminal's live quotes, filled by Nautilus' sandbox."""
