"""Prices: symbols, sessions, seeded ticks, bars and depth, as of the terminal's moment."""
