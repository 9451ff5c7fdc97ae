"""Put the faults of one run into a copy of the clean checkout, and see what becomes of it."""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from assets.publishing import NotPublished, check_specs, publish_checked
from beatbook.compstat.table import compstat_table
from beatbook.errors import FeedError
from beatbook.store import load_table
from expectations.checking import check_table, findings
from expectations.runner import RuleResult
from tests.quality_faults.city import TABLES, City
from tests.quality_faults.fault import Fault
from tests.quality_faults.ordinary_feed import LATEST, MONTHS
from tests.quality_faults.table_faults import WEEK, ordinary_forecasts


@dataclass
class Outcome:
    """What a run ended in.

    Attributes
    ----------
    city
        The checkout after it.
    before, after
        All bytes of the published tables before and after.
    error
        Why nothing was read, or why a later table was not published; empty if that did not
        happen.
    results, found
        Each rule's result, and all failing records.
    staged
        The staged tables as they were checked, by name.
    readable
        Rows of each published table that can be loaded afterwards.
    rows
        How many rows the feed holds.
    """

    city: City
    before: dict[str, bytes]
    after: dict[str, bytes] = field(default_factory=dict)
    error: str = ""
    results: list[RuleResult] = field(default_factory=list)
    found: pd.DataFrame = field(default_factory=pd.DataFrame)
    staged: dict[str, pd.DataFrame] = field(default_factory=dict)
    readable: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    def ids(self, case: str) -> set[str]:
        """The record ids of a case, accepted or refused."""
        tables = (self.staged["incidents"], self.staged["rejected_incidents"])
        return {
            record
            for table in tables
            for record in table.loc[table["incident_number"] == case, "record_id"]
        }


class _Log:
    def info(self, _message: str) -> None:
        """Say nothing on the test's own output."""


CONTEXT = SimpleNamespace(log=_Log(), run=SimpleNamespace(run_id="a run"))
LATER = ("compstat", "forecasts")


def published_city(root: Path, months: dict) -> City:
    """The checkout before the newest month came: all tables of the earlier ones published."""
    city = City.build(root, months)
    for month in MONTHS[:-1]:
        city.put(month, city.rows(month))
    city.refresh()
    incidents = city.table("incidents")
    week = dt.date.fromisoformat(WEEK)
    table = compstat_table(incidents, city.department(), week, dt.date(2023, 11, 30))
    publish_later(city, {"compstat": table, "forecasts": ordinary_forecasts()})
    return city


def publish_later(city: City, tables: dict[str, pd.DataFrame]) -> None:
    """Check and publish tables of the week as their assets do."""
    specs = check_specs(tables)
    list(publish_checked(CONTEXT, city.home, city.slug, tables, {}, WEEK, specs))


def readable(city: City) -> dict[str, int]:
    """How many rows a reader gets of each published table, by name."""
    return {name: len(load_table(name, city.slug, home=city.home)) for name in (*TABLES, *LATER)}


def inject(city: City, faults: Sequence[Fault]) -> Outcome:
    """Let the newest month come to a checkout, with faults, and refresh it."""
    if faults and faults[0].table:
        return _inject_later(city, faults)
    rows = city.rows(LATEST)
    for change in _given(fault.rows for fault in faults):
        change(rows)
    city.put(LATEST, rows)
    for change in _given(fault.files for fault in faults):
        change(city)
    outcome = Outcome(city, city.published())

    def harm(staging: Path) -> None:
        for change in _given(fault.staged for fault in faults):
            change(staging)
        for path in staging.glob("*.parquet"):
            outcome.staged[path.stem] = pd.read_parquet(path)

    try:
        outcome.results = city.refresh(harm)
    except FeedError as error:
        outcome.error = str(error)
    outcome.found = findings(outcome.results)
    outcome.after = city.published()
    outcome.readable = readable(city)
    files = [path.read_bytes() for path in (city.folder / "feed").iterdir()]
    outcome.rows = sum(len(content.splitlines()) - 1 for content in files)
    return outcome


def _inject_later(city: City, faults: Sequence[Fault]) -> Outcome:
    name = faults[0].table
    frame = pd.read_parquet(city.store.find(name, WEEK).path)
    for change in _given(fault.frame for fault in faults):
        frame = change(frame)
    outcome = Outcome(city, _of(city, name))
    outcome.results = check_table(name, frame, city.department())
    outcome.found = findings(outcome.results)
    try:
        publish_later(city, {name: frame})
    except NotPublished as error:
        outcome.error = str(error)
    outcome.after = _of(city, name)
    outcome.readable = readable(city)
    return outcome


def _of(city: City, table: str) -> dict[str, bytes]:
    """The bytes of one table: the desk's own record of the run is published anew."""
    path = city.store.find(table, WEEK).path
    return {path.name: path.read_bytes()}


def _given(changes: Iterator) -> list:
    return [change for change in changes if change is not None]


def by_run(faults: Sequence[Fault]) -> dict[str, list[Fault]]:
    """The faults of each run, in order."""
    ordered = sorted(faults, key=lambda fault: fault.run)
    return {run: list(held) for run, held in itertools.groupby(ordered, lambda f: f.run)}
