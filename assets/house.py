"""What every asset shares: the checkout it works in, and how a person's mistake is told."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import dagster as dg

from beatbook.errors import BeatbookError
from beatbook.home import Home, find_home

P = ParamSpec("P")
R = TypeVar("R")


class House(dg.ConfigurableResource):
    """The checkout to work in; found from the current folder when ``root`` is empty."""

    root: str = ""

    def home(self) -> Home:
        """The folders of this checkout."""
        return Home(Path(self.root)) if self.root else find_home()


def told_plainly(step: Callable[P, R]) -> Callable[P, R]:
    """End a step with the sentence of a person's mistake, not with a library's stack trace."""

    def failure(error: BeatbookError) -> dg.Failure:
        return dg.Failure(description=str(error), allow_retries=False)

    @functools.wraps(step)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except BeatbookError as error:
            raise failure(error) from None

    @functools.wraps(step)
    def told_in_parts(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            yield from step(*args, **kwargs)  # type: ignore[misc]
        except BeatbookError as error:
            raise failure(error) from None

    return told_in_parts if inspect.isgeneratorfunction(step) else told


def progress(context: Any) -> Callable[[str], None]:
    """Say how far a long step is, in the run's log and on the console."""

    def say(message: str) -> None:
        context.log.info(message)

    return say
