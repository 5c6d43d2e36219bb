"""Why does an order not go to the broker? `Denied`."""


class Denied(Exception):
    """The order is not sent. The text begins with a reason code: ``CODE: why``."""
