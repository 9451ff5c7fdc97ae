"""Arguments that several commands share."""

import argparse
import datetime as dt
import sys


def date(text: str) -> dt.date:
    """An ISO date, or an error that says how to write one."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date; write it as 2019-12-29"
        ) from None


def department(parser: argparse.ArgumentParser) -> None:
    """The option that names a department."""
    parser.add_argument("--department", required=True, help="a folder under departments/")


def progress(message: str) -> None:
    """Say how far a command is, beside what it prints."""
    print(message, file=sys.stderr)
