"""``mt5 catalog``: an archive into a Nautilus catalog of this machine."""
