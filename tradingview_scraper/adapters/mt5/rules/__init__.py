"""What the terminal's words mean: pure functions and small state machines, no I/O and no clocks."""
