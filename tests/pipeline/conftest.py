"""A checkout of its own for each pipeline test: real departments, real jobs, nothing shared."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from beatbook.home import HOME_VARIABLE, Home

ROOT = Path(__file__).resolve().parents[2]
DC = "washington_dc"
CSV_FILE = "Crime_Incidents_in_2024.csv"


class Workshop:
    """A temporary checkout, and the few things that tests do in it."""

    def __init__(self, root: Path, department: str) -> None:
        self.home = Home(root)
        self.slug = department
        self.folder = root / "departments" / department

    def settings(self, change: Callable[[str], str]) -> None:
        """Edit department.yaml as a person would."""
        path = self.folder / "department.yaml"
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def edit_csv(self, change: Callable[[list[dict[str, str]]], None]) -> None:
        """Edit the rows of the yearly CSV in place."""
        path = self.folder / "feed" / CSV_FILE
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        change(rows)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(out.getvalue(), encoding="utf-8")

    def report(self, week: str | None = "2024-03-10", as_of: str | None = None) -> list[Path]:
        """Run the real jobs, as the command line does."""
        import datetime as dt

        from pipelines.launch import report

        return report(
            self.home,
            self.slug,
            dt.date.fromisoformat(week) if week else None,
            dt.date.fromisoformat(as_of) if as_of else None,
        )

    def refresh(self) -> None:
        """Run the refresh job only."""
        import dagster as dg

        from pipelines.definitions import build_definitions
        from pipelines.launch import prepare_dagster_home, run_job

        prepare_dagster_home(self.home)
        definitions = build_definitions(str(self.home.root))
        with dg.DagsterInstance.get() as instance:
            run_job(definitions, "refresh", instance, self.slug)

    def table(self, name: str, **options: str) -> pd.DataFrame:
        """A published table of this checkout."""
        from beatbook import load_table

        return load_table(name, self.slug, home=self.home, **options)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workshop]:
    """Make a checkout with one real department; by default Washington, which is small."""

    def make(department: str = DC) -> Workshop:
        return _checkout(tmp_path, department, monkeypatch)

    return make


@pytest.fixture(scope="session")
def published_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose tables have been published once, to be copied by the tests."""
    root = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        _checkout(root, DC, patch).refresh()
    return root


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of Washington's book for the week ending 2024-03-10."""
    with pytest.MonkeyPatch.context() as patch:
        return _checkout(tmp_path_factory.mktemp("book"), DC, patch).report("2024-03-10")


@pytest.fixture
def shop(published_checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A checkout with published tables, so that a later failure could harm them."""
    shutil.copytree(published_checkout, tmp_path, dirs_exist_ok=True)
    return _at(tmp_path, DC, monkeypatch)


def _checkout(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    shutil.copytree(
        ROOT / "departments" / department,
        root / "departments" / department,
        ignore=shutil.ignore_patterns("census_*", "tracts.geojson"),
    )
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "workspace.yaml").write_text("")
    return _at(root, department, patch)


def _at(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    patch.setenv(HOME_VARIABLE, str(root))
    patch.setenv("DAGSTER_HOME", str(root / ".dagster"))
    return Workshop(root, department)
