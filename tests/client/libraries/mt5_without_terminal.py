"""A library that finds no terminal, as the real one says it."""


def initialize(*args, **kwargs):
    return False


def last_error():
    return (-10003, "IPC initialize failed, MetaTrader 5 x64 not found")


def shutdown():
    return True
