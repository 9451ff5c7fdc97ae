"""A made-up department's feed, cleaned and opened for the checks."""

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import Any

import pytest

from beatbook.quality.staged import open_staged


def month_rows(department: Any, month: str, number: int = 30, **changes: str) -> list[dict]:
    """Records of one coded month: robberies on its first 28 days, in precincts 1 to 4 in turn."""
    year, number_of_month = month.split("-")
    return [
        department.row(
            Case=f"{month}-{i:04d}",
            Month=month,
            Date=f"{number_of_month}/{1 + i % 28:02d}/{year} 10:{i % 60:02d}",
            Reported="",
            District=str(1 + i % 4),
            Area=f"{1 + i % 4}0",
            X=str(700_400 + 1000 * (i % 4 % 2)),
            Y=str(4_270_300 + 1000 * (i % 4 // 2)),
            **changes,
        )
        for i in range(number)
    ]


MONTHS = [f"{2022 + i // 12}-{1 + i % 12:02d}" for i in range(24)]


@pytest.fixture
def opened(small_department) -> Callable[..., Any]:
    """Write files (name to rows) or one month a file, clean them, and open what was staged."""

    @contextmanager
    def opening(
        files: dict[str, Iterable[dict]] | None = None,
        as_of: dt.date | None = None,
        published_files: Any = None,
    ):
        for name, rows in (files or {}).items():
            small_department.write(name, rows)
        tables = small_department.clean()
        with open_staged(
            tables.cleaned.incidents.parent,
            small_department.load(),
            small_department.snapshot(),
            as_of,
            published_files,
        ) as staged:
            yield staged

    return opening


@pytest.fixture
def two_years(small_department) -> dict[str, list[dict]]:
    """Two ordinary years, one file a month."""
    return {f"{month}.csv": month_rows(small_department, month) for month in MONTHS}
