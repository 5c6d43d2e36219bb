"""Why is a request not written? `RequestRefused`."""


class RequestRefused(ValueError):
    """The request was not written, because it cannot succeed.

    `code` is one of Nautilus' reason codes: ``VALIDATION_FAILED``, ``UNSUPPORTED_TIME_IN_FORCE``,
    ``UNSUPPORTED_ORDER_TYPE``, ``UNSUPPORTED_TP_SL``, ``UNSUPPORTED_POST_ONLY`` or
    ``TRADING_HALTED``. `text` says what was expected and what it was.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def invalid(text: str) -> RequestRefused:
    """A value that no server takes."""
    return RequestRefused("VALIDATION_FAILED", text)
