"""Promote an exploration: from a notebook that somebody runs to a report made every week."""

import ast
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assets.reports import FOLDER, write_report
from beatbook.department import list_departments
from beatbook.errors import BookError, InvalidInput, UnknownDepartment
from beatbook.files import write_atomically
from beatbook.home import Home
from beatbook.store import Store, did_you_mean

PARAMETERS = ("department", "week_ending", "as_of", "book_file")
TAKEN = ("compstat", "index", "layers", "packets")
"""Names of what a week's folder holds already."""

_NOT_FOR_NOTEBOOKS = (
    "assets", "dagster", "expectations", "great_expectations", "papermill", "pipelines"
)  # fmt: skip
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


def promote(
    notebook: Path,
    name: str,
    home: Home,
    departments: Sequence[str] = (),
    *,
    replace: bool = False,
    trial: bool = True,
) -> Path:
    """Copy an exploration into ``notebooks/reports/``, where the weekly run finds it.

    Parameters
    ----------
    notebook
        The exploration.
    name
        Of the report: small letters, digits and underscores.
    home
        The checkout.
    departments
        Only for these; for all of the checkout by default.
    replace
        Whether a promoted report of that name may be replaced.
    trial
        Run it once, for the latest week that is published, before it is taken; left out where no
        week is.

    Returns
    -------
    Path
        The promoted notebook, without outputs.

    Raises
    ------
    InvalidInput
        If the notebook cannot be a report; the message says everything that it lacks.
    BookError
        If the trial fails; nothing is promoted then.
    UnknownDepartment
        If there is no such department.
    """
    known = list_departments(home)
    for slug in departments:
        if slug not in known:
            raise UnknownDepartment(
                f"No department {slug!r}.{did_you_mean(slug, known)} "
                f"Departments here: {', '.join(known) or 'none yet'}."
            )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in TAKEN:
        raise InvalidInput(
            f"A report cannot be called {name!r}: take small letters, digits and underscores, "
            f"beginning with a letter, and none of {', '.join(TAKEN)}."
        )
    target = home.notebooks / FOLDER / f"{name}.ipynb"
    if target.exists() and not replace:
        raise InvalidInput(
            f"notebooks/{FOLDER}/{name}.ipynb is there already. Take another name, or replace it "
            "with --replace."
        )
    content = _read(notebook)
    lacking = what_it_lacks(content)
    if lacking:
        raise InvalidInput(
            f"{notebook.name} cannot be a report yet:\n"
            + "\n".join(f"- {line}" for line in lacking)
        )
    promoted = _cleaned(content, departments)
    before = target.read_bytes() if target.exists() else None
    write_atomically(target, promoted)
    if trial:
        try:
            _try(name, home, departments or known)
        except BookError as error:
            # As it was: a report that fails every Monday is none.
            if before is None:
                target.unlink()
            else:
                write_atomically(target, before)
            raise BookError(f"Not promoted, its trial failed. {error}") from None
    return target


def what_it_lacks(content: dict[str, Any]) -> list[str]:
    """Say what keeps a notebook from being a report, a sentence each; empty if nothing does."""
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    tagged = [c for c in code if "parameters" in c.get("metadata", {}).get("tags", [])]
    lines = []
    if len(tagged) != 1:
        lines.append(
            f"It has {len(tagged)} cells tagged `parameters` and needs one (in JupyterLab: "
            "Property Inspector, Cell Tags)."
        )
    else:
        given = _assigned(tagged[0])
        missing = [name for name in PARAMETERS if name not in given]
        if missing:
            lines.append(
                f"Its cell of parameters lacks {', '.join(missing)}; it needs "
                f'{", ".join(PARAMETERS)}, a line each (as_of = "" and book_file = "").'
            )
    trees = [tree for cell in code if (tree := _parsed(cell)) is not None]
    if len(trees) < len(code):
        lines.append("A code cell is no Python that can be read; run all cells once.")
    if not any(_saves_book(tree) for tree in trees):
        lines.append(
            "It saves no book. Add blocks to a beatbook.book.Book and end with: "
            "if book_file: book.save(book_file)"
        )
    foreign = sorted({name for tree in trees for name in _imported(tree)} & {*_NOT_FOR_NOTEBOOKS})
    if foreign:
        lines.append(
            f"It imports {', '.join(foreign)}; a notebook imports beatbook and analysis libraries "
            "only."
        )
    return lines


def _read(notebook: Path) -> dict[str, Any]:
    if not notebook.is_file():
        raise InvalidInput(f"There is no notebook {notebook}.")
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise InvalidInput(f"{notebook.name} is not a Jupyter notebook.")
    return content


def _cleaned(content: dict[str, Any], departments: Sequence[str]) -> bytes:
    """The notebook without outputs, ready for papermill."""
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    metadata: dict[str, Any] = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"
        },
        "language_info": {"name": "python"},
    }  # fmt: skip
    if departments:
        metadata["beatbook"] = {"departments": list(departments)}
    content["metadata"] = metadata
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _try(name: str, home: Home, departments: Sequence[str]) -> None:
    for slug in departments:
        weeks = Store(slug, home).partitions("compstat")
        if weeks:
            home.reports.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".trial-", dir=home.reports) as folder:
                write_report(name, slug, weeks[-1], home, Path(folder))
            return


def _parsed(cell: dict[str, Any]) -> ast.Module | None:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    try:
        return ast.parse(_MAGIC.sub("", text))
    except SyntaxError:
        return None


def _assigned(cell: dict[str, Any]) -> set[str]:
    tree = _parsed(cell)
    nodes = tree.body if tree else []
    targets = [t for node in nodes if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _saves_book(tree: ast.Module) -> bool:
    """Whether something is saved to ``book_file``, as it is or in a Path."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
        and any(
            isinstance(part, ast.Name) and part.id == "book_file"
            for argument in node.args
            for part in ast.walk(argument)
        )
        for node in ast.walk(tree)
    )


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
