"""The library in a process of its own: serves calls in order, polls feeds, sends what is new."""
