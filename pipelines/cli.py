"""The command line: ``beatbook report``, ``backfill``, ``send``, ``open``, ``ui`` and others."""

import argparse
import os
import sys
from collections.abc import Sequence

from beatbook.errors import BeatbookError
from beatbook.home import HOME_VARIABLE, find_home
from pipelines.commands import (
    backfill,
    books,
    departments,
    layers,
    promote,
    quality,
    send,
    servers,
    shelf,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error for a person is one sentence on stderr and exit code 1."""
    chosen = parser().parse_args(arguments)
    try:
        home = find_home()
        os.environ[HOME_VARIABLE] = str(home.root)
        return int(chosen.run(chosen, home))
    except BeatbookError as error:
        print(f"beatbook: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Every command, with its arguments; each subject adds its own."""
    whole = argparse.ArgumentParser(
        prog="beatbook", description="Open crime analysis for police departments."
    )
    commands = whole.add_subparsers(required=True, metavar="command")
    for subject in (books, backfill, shelf, send, layers, departments, quality, servers, promote):
        subject.add(commands)
    return whole
