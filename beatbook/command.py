"""The ``beatbook`` command.

The analysis package imports nothing of the workshop around it; the command belongs to the
workshop and is looked up when it is called, which only works in a checkout.
"""

import importlib
import sys


def main() -> int:
    """Hand over to the command line of the checkout, or say that there is none."""
    try:
        cli = importlib.import_module("pipelines.cli")
    except ModuleNotFoundError as error:
        if error.name not in ("pipelines", "pipelines.cli"):
            raise
        print(
            "beatbook: this installation holds the analysis package only. Its commands run from "
            "a checkout of the project: see README.md there.",
            file=sys.stderr,
        )
        return 1
    code: int = cli.main()
    return code
