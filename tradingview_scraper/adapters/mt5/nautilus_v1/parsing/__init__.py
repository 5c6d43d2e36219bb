"""Records of the terminal as Nautilus objects: pure functions, one module per kind of record."""
