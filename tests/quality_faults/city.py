"""A made-up city's checkout: its feed, its settings, and the steps that a refresh takes."""

import datetime as dt
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from beatbook.compstat.counts import daily_counts, weekly_counts
from beatbook.department import Department, load_department
from beatbook.feed import take_snapshot
from beatbook.home import Home
from beatbook.incidents import clean
from beatbook.store import Store, write_parquet
from beatbook.tables import WEEKLY_COUNTS
from expectations.checking import check_staged
from expectations.runner import RuleResult
from tests.conftest import SETTINGS, SmallDepartment, merged
from tests.quality_faults.ordinary_feed import Row

TOUCHED = "Touched"
"""A mark on rows that a fault has changed; it is in no file."""

TABLES = ("incidents", "rejected_incidents", "feed_files", "corrections", "weekly_counts")

_MONTHLY = {**SETTINGS["feed"]["layouts"][0]["columns"], "offense_description": "Words"}
LAYOUTS = [
    {"name": "monthly", "columns": _MONTHLY},
    {
        "name": "new system",
        "columns": {
            **{field: name for field, name in _MONTHLY.items() if field != "reported_at"},
            "incident_number": "Complaint",
        },
    },
]


class City:
    """The checkout of a made-up department.

    Attributes
    ----------
    months
        The rows of each month, which are shared: :meth:`put` writes changed ones, and leaves
        these as they are.
    """

    slug = SmallDepartment.slug

    def __init__(self, root: Path, months: Mapping[str, list[Row]]) -> None:
        self.home = Home(root)
        self.folder = self.home.departments / self.slug
        self.months = months
        self.store = Store(self.slug, self.home)

    @classmethod
    def build(cls, root: Path, months: Mapping[str, list[Row]], **settings: Any) -> "City":
        """Set up the department, without a feed yet."""
        department = SmallDepartment(root)
        department.set(feed={"layouts": LAYOUTS, **settings})
        return cls(root, months)

    def copy(self, root: Path) -> "City":
        """The same checkout elsewhere."""
        shutil.copytree(self.home.root, root)
        return City(root, self.months)

    def rows(self, month: str) -> list[Row]:
        """The ordinary rows of a month, to be changed."""
        return [dict(row) for row in self.months[month]]

    def put(self, month: str, rows: list[Row], name: str = "") -> None:
        """Write a month's file."""
        plain = [{k: v for k, v in row.items() if k != TOUCHED} for row in rows]
        text = SmallDepartment.text(self, plain)  # type: ignore[arg-type]
        self.write(name or f"{month}.csv", text.encode())

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the feed."""
        (self.folder / "feed" / name).write_bytes(content)

    def read(self, name: str) -> bytes:
        """A file of the feed."""
        return (self.folder / "feed" / name).read_bytes()

    def set(self, **changes: Any) -> None:
        """Change the settings."""
        path = self.folder / "department.yaml"
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(merged(held, changes)), encoding="utf-8")

    def department(self) -> Department:
        """The settings as they are."""
        return load_department(self.slug, self.home)

    def refresh(
        self, harm: Callable[[Path], None] = lambda _staging: None, today: dt.date | None = None
    ) -> list[RuleResult]:
        """Read, clean and check the feed, and publish it unless a critical rule fails.

        As the assets do, without Dagster. ``harm`` is done to the staged tables, as a mistake in
        Beatbook itself would.
        """
        department = self.department()
        snapshot = take_snapshot(department, self.store.folder / "text")
        snapshot.save(self.store.folder / "snapshot.json")
        cleaned = clean(department, snapshot, self.store.staging)
        counts = weekly_counts(daily_counts(cleaned.incidents), department)
        write_parquet(WEEKLY_COUNTS.conform(counts), self.store.staging / "weekly_counts.parquet")
        harm(self.store.staging)
        results = check_staged(self.store.staging, department, self.home, today=today)
        if not any(result.rule.blocks and not result.passed for result in results):
            self.store.publish(
                {name: self.store.staging / f"{name}.parquet" for name in TABLES},
                {"feed_sha256": snapshot.sha256},
            )
        return results

    def published(self) -> dict[str, bytes]:
        """All bytes that readers of the published tables depend on, by the file's name."""
        files = [self.store.folder / "published.json", *self.store.folder.glob("tables/*")]
        return {path.name: path.read_bytes() for path in files}

    def table(self, name: str) -> pd.DataFrame:
        """A published table."""
        return pd.read_parquet(self.store.find(name).path)
