"""The worked explorations run as they stand, for a real department."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from assets.rendering import run_notebook
from beatbook.compstat.table import compstat_table
from beatbook.department import load_department
from beatbook.feed import take_snapshot
from beatbook.home import Home
from beatbook.hotspots.weekly import weekly_layers
from beatbook.incidents import clean
from beatbook.store import Store, load_table

ROOT = Path(__file__).resolve().parents[2]
SLUG, WEEK = "washington_dc", "2024-03-10"


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with Washington's incidents and one week's layers, published without Dagster."""
    home = Home(tmp_path_factory.mktemp("home"))
    shutil.copytree(ROOT / "departments" / SLUG, home.departments / SLUG)
    shutil.copytree(ROOT / "notebooks", home.notebooks)
    home.reports.mkdir()
    department, store = load_department(SLUG, home), Store(SLUG, home)
    snapshot = take_snapshot(department, store.folder / "text")
    cleaned = clean(department, snapshot, store.staging)
    made_from = {"feed_sha256": snapshot.sha256, "code_version": "test"}
    store.publish({"incidents": cleaned.incidents}, made_from)
    week = dt.date.fromisoformat(WEEK)
    incidents = load_table("incidents", SLUG, home=home)
    layers = weekly_layers(incidents, department, week, dt.date(2024, 3, 17))
    store.publish(layers._asdict(), {**made_from, "as_of": "2024-03-17"}, partition=WEEK)
    return home


@pytest.fixture(scope="session")
def explored(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The cells of the executed notebook."""
    path = run_notebook(
        "explore_hotspots.ipynb",
        tmp_path_factory.mktemp("explored"),
        {"department": SLUG, "week_ending": WEEK},
        published_home,
    )
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def said(cells: list[dict]) -> str:
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join("".join(output.get("text", "")) for output in outputs)


def test_each_step_says_its_finding(explored):
    text = said(explored)
    for sentence in (
        "143 net offenses in 143 records",  # counted with the yearly CSV, by START_DATE
        "0.0% of the records have no usable point",
        "of 3,032 cells are hot",
        "20 bands tested with 999 permutations",
        "50% of the offenses: at 1.6% of 3,637 blocks; by chance",
        "127 of 143 offenses are spans",
        "81 offenses up to 2024-02-04, 62 after. S = ",
        "hotspots.gpkg",
    ):
        assert sentence in text, sentence


def test_it_draws_its_maps_and_warns_of_nothing(explored):
    outputs = [output for cell in explored for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_the_export_lies_in_the_weeks_folder(explored, published_home):
    assert (published_home.reports / SLUG / WEEK / "layers" / "hotspots.gpkg").is_file()


def test_the_start_page_runs_on_a_department_with_a_week(published_home, run_cells):
    incidents = load_table("incidents", SLUG, home=published_home)
    made_from = {"feed_sha256": "00", "code_version": "test"}
    department = load_department(SLUG, published_home)
    table = compstat_table(incidents, department, dt.date.fromisoformat(WEEK), dt.date(2024, 3, 17))
    Store(SLUG, published_home).publish({"compstat": table}, made_from, partition=WEEK)
    text, names = run_cells("start.ipynb", published_home, department=SLUG)
    assert f"{SLUG}: Metropolitan Police Department of the District of Columbia: 8 tables" in text
    assert "Hot cells for burglary, 52 weeks" in text
    assert f"Changes beyond noise, week ending {WEEK}" in text
    assert names["burglaries"]["count"].sum() > 0


def test_every_step_says_what_it_shows(explored):
    """A code cell without words before it is a step that nobody can follow."""
    kinds = [cell["cell_type"] for cell in explored if "injected-parameters" not in tags(cell)]
    steps = kinds[3:]  # the title, the parameters and the imports
    assert steps[::2] == ["markdown"] * len(steps[::2])
    assert steps[1::2] == ["code"] * len(steps[1::2])


def test_the_parameters_are_department_and_week():
    notebook = json.loads((ROOT / "notebooks" / "explore_hotspots.ipynb").read_text("utf-8"))
    (cell,) = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    names = [line.split(" = ")[0] for line in cell["source"] if " = " in line]
    assert names == ["department", "week_ending"]


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])
