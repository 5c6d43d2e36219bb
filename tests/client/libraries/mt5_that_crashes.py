"""A library whose `initialize` takes its process down, as a broken installation does."""

import os


def initialize(*args, **kwargs):
    os._exit(7)
