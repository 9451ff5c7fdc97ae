"""Run a notebook's cells in this process: as they stand, without the seconds a kernel costs."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beatbook.home import HOME_VARIABLE, Home

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def run_cells(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, dict]]]:
    """Execute a notebook's code cells in a home, with parameters set after their cell.

    Gives what was printed and the names that the cells left. Magics are left out, and figures
    are drawn but not kept.
    """
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    def run(name: str, home: Home, **parameters: Any) -> tuple[str, dict]:
        monkeypatch.setenv(HOME_VARIABLE, str(home.root))
        # Drawing is part of the cells; to show is the kernel's part.
        monkeypatch.setattr(
            plt, "show", lambda: [f.canvas.draw() for f in map(plt.figure, plt.get_fignums())]
        )
        notebook = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
        names: dict[str, Any] = {"__name__": "__main__"}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            for cell in notebook["cells"]:
                if cell["cell_type"] != "code":
                    continue
                code = re.sub(r"^%.*$", "", "".join(cell["source"]), flags=re.MULTILINE)
                exec(compile(code, f"{name} {cell['id']}", "exec"), names)
                if "parameters" in cell["metadata"].get("tags", []):
                    unknown = set(parameters) - set(names)
                    assert not unknown, f"{name} has no parameter {unknown}"
                    names.update(parameters)
                plt.close("all")
        return said.getvalue(), names

    yield run
    plt.close("all")
