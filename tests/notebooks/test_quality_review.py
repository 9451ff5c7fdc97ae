"""The steward's notebook runs as it stands on a small department, and shows its form."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from assets.rendering import run_notebook
from beatbook.quality.queue import FINDING_COLUMNS, update_queue
from beatbook.store import Store

ROOT = Path(__file__).resolve().parents[2]
NAME = "quality_review.ipynb"


@pytest.fixture
def department(small_department):
    """A department with one item in its queue, and the steward's notebook."""
    home = small_department.home
    home.notebooks.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / NAME, home.notebooks)
    (home.root / "workspace.yaml").touch()
    found = dict.fromkeys(FINDING_COLUMNS, "") | {
        "table": "feed_files", "check": "files_are_whole", "severity": "warning",
        "why": "A file that is cut short reads as a fall in crime.", "queue": "each",
        "record_key": "2024-01.csv", "observed": "12 rows", "expected": "about 400",
        "source_row": None,
    }  # fmt: skip
    checked = dt.datetime(2024, 2, 5, 12, 0, tzinfo=dt.UTC)
    queue = update_queue(None, pd.DataFrame([found]), None, checked, department="example")
    Store("example", home).publish({"quality_queue": queue}, {"run_id": "made up"})
    return small_department


def test_it_says_where_things_stand_and_shows_the_form(department, tmp_path):
    parameters = {"department": "example", "decided_by": "steward"}
    path = run_notebook(NAME, tmp_path, parameters, department.home)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    text = "".join("".join(output.get("text", "")) for output in outputs)
    assert "Waiting for a decision: 0 critical, 1 warning, 0 info" in text
    shown = [output["data"] for output in outputs if output["output_type"] == "execute_result"]
    assert ["application/vnd.jupyter.widget-view+json" in data for data in shown] == [True]
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_it_takes_its_parameters_and_imports_only_the_analysis():
    cells = json.loads((ROOT / "notebooks" / NAME).read_text(encoding="utf-8"))["cells"]
    (tagged,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    names = [line.split(" = ")[0] for line in tagged["source"] if " = " in line]
    assert names == ["department", "decided_by"]
    source = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imports and all(line.startswith("from beatbook.") for line in imports)
