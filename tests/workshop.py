"""A checkout of its own for a test: a real department, real jobs, nothing shared."""

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from beatbook.home import HOME_VARIABLE, Home

ROOT = Path(__file__).resolve().parents[1]
DC = "washington_dc"
CSV_FILE = "Crime_Incidents_in_2024.csv"
WEEK = "2024-03-10"
"""The week of the book that is made once a test run, and read by many tests."""

PACKETS = ["1", "2", "3", "7"]
"""The precincts whose packets are made with it: the first, the last, and two to compare."""


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

    def report(self, week: str | None = WEEK, as_of: str | None = None) -> list[Path]:
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
        # In memory: see the fixture ``events_in_memory`` of the pipeline tests.
        with dg.DagsterInstance.ephemeral() as instance:
            run_job(definitions, "refresh", instance, self.slug)

    def figures(self, week: str, as_of: str | None = None) -> bytes:
        """Make a week's CompStat table only, of the published tables; give it as the book's CSV."""
        import dagster as dg

        from assets.partitions import WEEK_ENDING, book_partition
        from assets.rendering import write_csv
        from pipelines.definitions import build_definitions

        with dg.DagsterInstance.ephemeral() as instance:
            job = build_definitions(str(self.home.root)).resolve_job_def("make_book")
            instance.add_dynamic_partitions(WEEK_ENDING, [week])
            job.execute_in_process(
                instance=instance,
                partition_key=book_partition(self.slug, week),
                asset_selection=[dg.AssetKey("compstat")],
                run_config={"ops": {"compstat": {"config": {"as_of": as_of or "all"}}}},
            )
        path = self.home.root / "figures.csv"
        write_csv(self.table("compstat", week_ending=week), path)
        return path.read_bytes()

    def table(self, name: str, **options: str) -> pd.DataFrame:
        """A published table of this checkout."""
        from beatbook import load_table

        return load_table(name, self.slug, home=self.home, **options)


def only_packets(precincts: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Let a report make the packets of these precincts only; each takes seconds."""
    import assets.packets as packets

    every = packets.packet_tasks
    patch.setattr(packets, "packet_tasks", lambda *week: every(*week, precincts=precincts))


def checkout(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    """Copy a department and the notebooks to a folder, which is the checkout from then on."""
    shutil.copytree(
        ROOT / "departments" / department,
        root / "departments" / department,
        ignore=shutil.ignore_patterns("census_*", "tracts.geojson"),
    )
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "workspace.yaml").write_text("")
    return workshop_at(root, department, patch)


def workshop_at(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    """Make a folder the checkout that Beatbook and Dagster work in."""
    patch.setenv(HOME_VARIABLE, str(root))
    patch.setenv("DAGSTER_HOME", str(root / ".dagster"))
    return Workshop(root, department)
