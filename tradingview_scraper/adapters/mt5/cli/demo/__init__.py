"""``mt5 demo``: a node that trades on a simulated terminal, checked against the broker's books."""
