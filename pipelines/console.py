"""What a person at the terminal sees of a run: one short line a step, and what went wrong."""

import logging
import time

import dagster as dg


class _Plain(logging.Formatter):
    """Elapsed seconds and the message, without Dagster's run and step names."""

    def __init__(self) -> None:
        super().__init__()
        self._start = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        said = getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()
        return f"[{time.monotonic() - self._start:5.1f} s] {said}"


@dg.logger(description="Progress for a person at the terminal.")
def console(_context: dg.InitLoggerContext) -> logging.Logger:
    """Print what the steps say of themselves; Dagster's own events stay in its log."""
    logger = logging.Logger("beatbook.console", level=logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain())
    # An event of Dagster's own carries it; the failure is told by the command line, once.
    handler.addFilter(lambda record: not getattr(record, "dagster_event", None))
    logger.addHandler(handler)
    return logger
