"""The command line ``mt5``: every command in a module of its own, imported when it is asked for."""
