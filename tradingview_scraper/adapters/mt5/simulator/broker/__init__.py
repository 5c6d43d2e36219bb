"""The trade server: requests in, orders, deals, positions and money out, and the books on disk."""
