"""``mt5 flatten``: close positions and cancel orders from another shell, and say what is left."""
