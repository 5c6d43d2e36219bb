"""``mt5 download``: a terminal's history into an archive."""
