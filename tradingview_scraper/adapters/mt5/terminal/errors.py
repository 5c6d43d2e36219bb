"""What can go wrong between us and a terminal?

::

    MT5Error
    ├── MT5ConfigError            the configuration cannot work; says which field and what to do
    ├── MT5ConnectionError        no working terminal behind a lane: code and text of the library
    │   ├── MT5LibraryMissing     the library's module cannot be imported on this machine
    │   ├── MT5AttachTimeout      ``initialize`` did not come back in time; its worker was killed
    │   └── MT5LaneLost           the worker died, or the lane is down, before or during the call
    ├── MT5IdentityError          another account or server than the expected one; trading stops
    ├── MT5CallError              a call reached the library and failed: function, code and text
    └── MT5CallTimeout            a call did not answer in time; its worker was killed

A failure is never an empty answer: calls raise one of these, and ``()`` or an empty array is what
the terminal said. For a trade request, `MT5CallError`, `MT5CallTimeout` and `MT5LaneLost` mean that
the outcome is *unknown*, unless `MT5LaneLost.sent` or `MT5CallError.sent` is False.
"""


class MT5Error(Exception):
    """Root of all errors of this package."""


class MT5ConfigError(MT5Error, ValueError):
    """The configuration cannot work. The text says what was expected, what it was, what to do."""


class MT5ConnectionError(MT5Error):
    """No working terminal behind a lane.

    `code` and `text` are the library's ``last_error`` where it was reached, else ``(0, "")``.
    """

    def __init__(self, message: str, code: int = 0, text: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.text = text


class MT5LibraryMissing(MT5ConnectionError):
    """The configured module cannot be imported here (MetaTrader5 exists for Windows only)."""


class MT5AttachTimeout(MT5ConnectionError):
    """``initialize`` did not come back within the deadline; the worker was killed."""


class MT5LaneLost(MT5ConnectionError):
    """The lane went down. `sent` is False when the call certainly never reached the library."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class MT5IdentityError(MT5Error):
    """The terminal is on another account than the expected one. Nothing was sent."""


class MT5CallError(MT5Error):
    """A call failed in the library or the terminal.

    `code` and `text` are ``last_error`` read directly after the call. `sent` is False when the
    request was refused before it could leave the library (codes -2, -8, -10003, -10004, unless the
    text says that the terminal sent them).
    """

    def __init__(self, function: str, code: int, text: str, *, sent: bool = True) -> None:
        super().__init__(f"{function} failed: ({code}, {text!r})")
        self.function = function
        self.code = code
        self.text = text
        self.sent = sent


class MT5CallTimeout(MT5Error):
    """A call did not answer within its deadline; the worker was killed."""

    def __init__(self, function: str, seconds: float) -> None:
        super().__init__(f"{function} did not answer within {seconds:g} s; its worker was killed")
        self.function = function
        self.seconds = seconds
