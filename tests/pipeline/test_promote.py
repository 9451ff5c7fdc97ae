"""From an exploration to a report of every week: what is asked of it, and that it is then made."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from assets.reports import promoted_notebooks, report_tasks
from beatbook.compstat.table import compstat_table
from beatbook.department import load_department
from beatbook.errors import BookError, InvalidInput, UnknownDepartment
from beatbook.home import Home
from beatbook.store import Store
from pipelines.cli import main
from pipelines.commands.servers import LAB_SETTINGS, lab_command, lab_environment
from pipelines.promoting import promote, what_it_lacks

ROOT = Path(__file__).resolve().parents[2]
DC, WEEK = "washington_dc", "2024-03-10"

PARAMETERS = """\
department = "washington_dc"
week_ending = "2024-03-10"
as_of = ""
book_file = ""
"""
BODY = """\
import datetime as dt
from pathlib import Path
from beatbook import load_table
from beatbook.book import Book, Text, TitleBlock
%matplotlib inline
rows = len(load_table("compstat", department, week_ending=week_ending))
if book_file:
    day = dt.date.fromisoformat
    book = Book("Robbery notes", department, day(week_ending), day(as_of))
    book.add(TitleBlock())
    book.add(Text(f"The table has {rows} rows."))
    book.save(Path(book_file))
"""


def notebook(*cells, tags=("parameters",)):
    made = []
    for number, source in enumerate(cells):
        made.append(
            {
                "cell_type": "code", "id": f"c{number}", "source": source, "execution_count": 7,
                "metadata": {"tags": list(tags)} if number == 0 else {},
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "1515 MAIN ST"}],
            }
        )  # fmt: skip
    return {"cells": made, "metadata": {"mine": 1}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A checkout with two departments and no tables."""
    monkeypatch.setenv("BEATBOOK_HOME", str(tmp_path))
    for slug in ("washington_dc", "st_louis"):
        (tmp_path / "departments" / slug).mkdir(parents=True)
        shutil.copy(
            ROOT / "departments" / slug / "department.yaml", tmp_path / "departments" / slug
        )
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "workspace.yaml").write_text("")
    return Home(tmp_path)


def written(home, content, name="mine.ipynb"):
    path = home.notebooks / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_promoted_notebook_has_no_outputs_and_is_found(home):
    made = promote(written(home, notebook(PARAMETERS, BODY)), "robbery_notes", home)
    text = made.read_text(encoding="utf-8")
    assert made == home.notebooks / "reports" / "robbery_notes.ipynb"
    assert "MAIN ST" not in text
    assert json.loads(text)["metadata"]["kernelspec"]["name"] == "python3"
    for slug in (DC, "st_louis"):
        assert promoted_notebooks(home, slug) == [made]


def test_it_may_be_for_one_department_only(home):
    promote(written(home, notebook(PARAMETERS, BODY)), "notes", home, [DC])
    assert [path.stem for path in promoted_notebooks(home, DC)] == ["notes"]
    assert promoted_notebooks(home, "st_louis") == []
    assert report_tasks("st_louis", WEEK, home) == []
    with pytest.raises(UnknownDepartment, match="Did you mean washington_dc"):
        promote(home.notebooks / "mine.ipynb", "other", home, ["washington"])


@pytest.mark.parametrize(
    ("cells", "tags", "said"),
    [
        ((BODY,), (), "0 cells tagged `parameters`"),
        (('department = "x"\n', BODY), ("parameters",), "lacks week_ending, as_of, book_file"),
        ((PARAMETERS, "rows = 1"), ("parameters",), "saves no book"),
        ((PARAMETERS, BODY, "from assets.books import GROUP"), ("parameters",), "imports assets"),
        ((PARAMETERS, BODY, "if x"), ("parameters",), "no Python that can be read"),
        ((PARAMETERS, BODY), ("parameters",), None),
    ],
)
def test_what_a_report_must_have(cells, tags, said):
    lacking = what_it_lacks(notebook(*cells, tags=tags))
    assert (lacking == []) if said is None else any(said in line for line in lacking)


@pytest.mark.parametrize("name", ["explore_burglary_spike.ipynb", "explore_repeat_places.ipynb"])
def test_shipped_explorations_that_say_so_can_be_promoted(name):
    assert what_it_lacks(json.loads((ROOT / "notebooks" / name).read_text("utf-8"))) == []


@pytest.mark.parametrize("name", ["Robbery Notes", "compstat", "../x", "1st", "packets"])
def test_a_name_that_a_folder_cannot_hold_is_refused(home, name):
    with pytest.raises(InvalidInput, match="cannot be called"):
        promote(written(home, notebook(PARAMETERS, BODY)), name, home)


def test_a_report_is_replaced_only_on_demand(home, capsys):
    path = str(written(home, notebook(PARAMETERS, BODY)))
    assert main(["promote", path, "--name", "notes"]) == 0
    assert capsys.readouterr().out == "notebooks/reports/notes.ipynb\n"
    assert main(["promote", path, "--name", "notes"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["promote", path, "--name", "notes", "--replace"]) == 0


@pytest.mark.parametrize(
    ("text", "said"), [(None, "There is no notebook"), ("[]", "not a Jupyter"), ("{", "not a Jupy")]
)
def test_what_is_no_notebook_is_refused(home, text, said):
    path = home.notebooks / "x.ipynb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        promote(path, "x", home)


def test_the_lab_opens_on_the_start_page_and_on_this_machine_only(home):
    without = lab_command(home, "8888", browser=True)
    assert "--LabApp.default_url=/lab/tree/notebooks" in without
    (home.notebooks / "start.ipynb").write_text("{}")
    command = lab_command(home, "9999", browser=False)
    assert "--ServerApp.ip=127.0.0.1" in command and "--ServerApp.port=9999" in command
    assert "--LabApp.default_url=/lab/tree/notebooks/start.ipynb" in command
    assert "--no-browser" in command
    assert f"--ServerApp.root_dir={home.root}" in command
    assert not any("0.0.0.0" in part or "allow_remote" in part for part in command)


def test_the_lab_asks_nobody_for_news(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    assert lab_environment()["JUPYTER_CONFIG_PATH"].startswith(str(LAB_SETTINGS))
    assert lab_environment()["JUPYTER_CONFIG_PATH"].endswith("mine")
    settings = json.loads((LAB_SETTINGS / "labconfig" / "page_config.json").read_text())
    assert settings["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"]


def test_the_weekly_run_makes_it_and_one_that_fails_fails_alone(shop):
    """With the real asset and kernels: a good report, and one that breaks."""
    incidents = shop.table("incidents")
    day = dt.date.fromisoformat(WEEK)
    table = compstat_table(incidents, load_department(DC, shop.home), day, dt.date(2024, 3, 17))
    made_from = {**incidents.attrs["provenance"], "as_of": "2024-03-17"}
    Store(DC, shop.home).publish({"compstat": table}, made_from, partition=WEEK)
    rows = len(table)
    mine = written(shop.home, notebook(PARAMETERS, BODY))
    promote(mine, "robbery_notes", shop.home, [DC])  # its trial runs on the published week
    assert not list(shop.home.reports.glob(".trial-*"))
    breaking = written(shop.home, notebook(PARAMETERS, BODY + "\n1 / 0\n"), "breaking.ipynb")
    with pytest.raises(BookError, match=r"Not promoted, its trial failed\. .*ZeroDivisionError"):
        promote(breaking, "broken", shop.home)
    assert not (shop.home.notebooks / "reports" / "broken.ipynb").exists()
    promote(breaking, "broken", shop.home, trial=False)

    import dagster as dg

    from assets.partitions import WEEK_ENDING, book_partition
    from pipelines.definitions import build_definitions

    definitions = build_definitions(str(shop.home.root))
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(WEEK_ENDING, [WEEK])
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("promoted_reports")],
            partition_key=book_partition(DC, WEEK),
            raise_on_error=False,
        )
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    told = failure.step_failure_data.user_failure_data.description
    assert "1 of 2 promoted reports failed, the others are delivered. report broken:" in told
    folder = shop.home.reports / DC / WEEK
    assert (folder / "robbery_notes.pdf").read_bytes().startswith(b"%PDF")
    page = (folder / "robbery_notes.html").read_text(encoding="utf-8")
    assert "Robbery notes" in page and f"The table has {rows} rows." in page
    assert not (folder / "broken.html").exists()
