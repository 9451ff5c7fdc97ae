"""The errors that people read: each says what is wrong, where, and what to do next."""


class BeatbookError(Exception):
    """A mistake that a person can mend; printed without a stack trace by the command line."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook prints instead of the stack; ``%tb`` still shows that."""
        return [f"{type(self).__name__}: {self}"]


class InvalidInput(BeatbookError, ValueError):
    """A function was handed values it cannot answer for."""


class SettingsError(BeatbookError):
    """A department's settings are missing, misspelt or contradict each other."""


class UnknownDepartment(SettingsError):
    """No department of that name; the message lists those that exist."""


class FeedError(BeatbookError):
    """A feed file cannot be read as the department's settings say it should."""


class MissingTable(BeatbookError):
    """A table was asked for that has not been built."""


class BookError(BeatbookError):
    """A book was asked for that the feed cannot fill."""
