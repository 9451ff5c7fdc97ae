"""The repository keeps its promises: names, documents, locks, and no trace of one machine."""

import importlib
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from beatbook.department import Department
from beatbook.dictionary import PAGE, data_dictionary

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows; all files where this is no git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "name",
    ["pipelines", "notebooks", "assets", "expectations", "workspace.yaml", "pyproject.toml",
     "tests", "README.md"],
)  # fmt: skip
def test_the_promised_top_level_is_there(name):
    assert (ROOT / name).exists()


def test_the_promised_packages_are_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[<>=\[ ]", line)[0] for line in wanted}
    assert names >= {
        "jupyterlab", "dagster", "pandas", "geopandas", "statsmodels", "prophet", "folium",
        "great-expectations", "papermill", "pytest",
    }  # fmt: skip


def test_every_pin_has_a_hash_and_no_address():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock and "index" not in re.sub(
        r"^[a-z0-9_.\[\]-]+==.*", "", lock, flags=re.M
    )
    pins = re.findall(r"^([A-Za-z0-9_.\[\],-]+)==\S+(.*?)(?=^\S|\Z)", lock, flags=re.M | re.S)
    assert len(pins) > 100
    assert all("--hash=sha256:" in rest for _, rest in pins)


@pytest.mark.parametrize("name", ["beatbook", "assets", "expectations", "pipelines"])
def test_a_package_of_that_name_is_ours(name):
    """`assets` is a name that another installed package could shadow."""
    found = Path(importlib.import_module(name).__file__)
    assert found == ROOT / name / "__init__.py"


def test_the_data_dictionary_is_current():
    assert (ROOT / PAGE).read_text(encoding="utf-8") == data_dictionary()


def settings_keys(model: type[BaseModel]) -> set[str]:
    keys = set(model.model_fields)
    for field in model.model_fields.values():
        for nested in settings_within(field.annotation):
            keys |= settings_keys(nested)
    return keys


def settings_within(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in settings_within(part)]


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "add-a-department.md").read_text(encoding="utf-8")
    missing = {
        key for key in settings_keys(Department) - {"slug", "folder"}
        if not re.search(rf"\b{key}\b", page)
    }  # fmt: skip
    assert not missing


def test_links_between_documents_hold():
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_notebooks_are_committed_without_outputs():
    for path in tracked("notebooks/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), path.name
        assert all(cell.get("execution_count") is None for cell in cells), path.name


def test_no_code_names_a_department():
    names = re.compile(r"st_louis|washington_dc|st\. louis|slmpd|washington", re.IGNORECASE)
    for path in tracked("beatbook/*.py", "assets/*.py", "expectations/*.py", "pipelines/*.py"):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r'""".*?"""', "", text, flags=re.S)
        code = re.sub(r"#.*", "", code)
        assert not names.search(code), path.relative_to(ROOT)


def test_no_path_of_one_machine_is_written_down():
    here = str(ROOT.parent)
    for path in tracked("*.py", "*.md", "*.yaml", "*.toml", "*.ipynb", "Makefile", ".ci/run"):
        assert f"{here}/" not in path.read_text(encoding="utf-8"), path.relative_to(ROOT)


def test_the_command_answers_without_the_heavy_libraries():
    code = (
        "import sys; from pipelines.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'great_expectations', 'prophet', 'dagster', 'matplotlib', 'geopandas'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    import sys

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "report" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "LOADED []"
