"""The terminal process: who attaches, what is answered, which faults are played."""
