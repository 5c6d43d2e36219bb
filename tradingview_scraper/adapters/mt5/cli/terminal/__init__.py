"""``mt5 terminal``: a simulated terminal in the foreground."""
