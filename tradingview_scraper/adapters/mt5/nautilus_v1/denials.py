"""Why is a command not served? `Denied` and `Unavailable`."""


class Denied(Exception):
    """The order is not sent. The text begins with a reason code: ``CODE: why``."""


class Unavailable(Exception):
    """A subscription or request that cannot be served; the text says why."""
