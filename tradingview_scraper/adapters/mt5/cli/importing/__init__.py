"""``mt5 import``: the terminal's own CSV exports into an archive."""
