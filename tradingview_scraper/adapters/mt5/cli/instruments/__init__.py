"""``mt5 instruments``: which symbols the broker has, and which instruments they become."""
