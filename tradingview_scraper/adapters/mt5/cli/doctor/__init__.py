"""``mt5 doctor``: is everything in order between here and the broker, and what mends it if not?"""
