"""Every error the product raises on purpose.

Each says what happened, where (file, row, setting, process), and what to do. The three
branches tell a caller how to react: stop, retry, or skip the one item.
"""


class TickhouseError(Exception):
    """Base of all errors raised on purpose. The message names the remedy."""


class SettingsError(TickhouseError):
    """A setting is unknown or has a wrong value. Stop; correct the named setting."""


class InputError(TickhouseError):
    """A file or row of the user's cannot be read. Stop; nothing of that file was stored.

    Args:
        path: the file, as the user named it.
        problem: what is wrong and what to do about it.
        row: the 1-based row (or record), when one is to blame.
    """

    def __init__(self, path: str, problem: str, row: int | None = None) -> None:
        self.path, self.problem, self.row = path, problem, row
        where = f"{path}, row {row}" if row is not None else path
        super().__init__(f"{where}: {problem}")


class MessageError(TickhouseError):
    """A message on the bus is malformed or of another version. Skip it and record it."""


class UnavailableError(TickhouseError):
    """Bus, warehouse or terminal does not answer. Retry with back-off; nothing was lost."""


class WarehouseError(TickhouseError):
    """ClickHouse refused a statement. Stop; the message carries its code and text.

    Args:
        message: ClickHouse's own text.
        code: ClickHouse's error code, 0 when unknown.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        self.code = code
        super().__init__(message)


class JournalError(TickhouseError):
    """The order journal is damaged. Stop: execution must not guess; see the named record."""


class ModelError(TickhouseError):
    """A model is missing, corrupt, or does not fit the feature set. Stop predicting with it."""


class BusyError(TickhouseError):
    """Another Tickhouse already uses this home. Stop; stop that one or choose another home."""
