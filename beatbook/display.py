"""Tables shown well in a notebook: sorted, searched and paged in the page, with no network."""

from typing import Any

import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.tables import TABLES

PLAIN_ROWS = 20
_MOST_BYTES = "512KB"
"""Of a table's content in the notebook; itables says so below a table that it cuts."""

_loaded_by: list[str] = []


def show(frame: pd.DataFrame, caption: str | None = None, *, rows: int = 10) -> None:
    """Show a table that can be sorted, searched and paged.

    Parameters
    ----------
    frame
        Any frame. Columns that the declaration of its table knows get their unit in the header,
        ``x (m)``; the frame's own columns keep their names.
    caption
        Printed with it. By default, for a frame of :func:`beatbook.load_table` that still has
        its columns: the table, the department, and what one row is.
    rows
        Rows a page.

    Returns
    -------
    None
        In JupyterLab the table appears below the cell, by itables with its script inside the
        notebook: nothing is fetched. The script (1 MB) comes with the first table; a cell that
        is run again brings it again. Outside a notebook the first ``PLAIN_ROWS`` rows are
        printed.

    Raises
    ------
    InvalidInput
        If it is no frame.
    """
    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(f"show takes a DataFrame; got {type(frame).__name__}.")
    caption = caption if caption is not None else _caption(frame)
    shown = frame.rename(columns=_units(frame))
    kernel = _kernel()
    if kernel is None:
        more = len(frame) - PLAIN_ROWS
        lines = [caption] if caption else []
        lines.append(shown.head(PLAIN_ROWS).to_string())
        if more > 0:
            lines.append(f"and {more:,} rows more")
        print("\n".join(lines))
        return
    import itables
    from IPython.display import HTML, display

    # Row numbers left by a filter say nothing; a named index does, and becomes a column.
    if any(name is not None for name in frame.index.names):
        shown = shown.reset_index()
    _load_script(kernel)
    # What is not declared here is left as itables has it.
    options: Any = {
        "connected": False,
        "display_logo_when_loading": False,
        "maxBytes": _MOST_BYTES,
        "pageLength": rows,
        "showIndex": False,
        "classes": "display compact",
        "style": "table-layout:auto;width:auto;margin:0;caption-side:top",
        "columnDefs": [{"className": "dt-left", "targets": _words(shown)}],
    }
    display(HTML(itables.to_html_datatable(shown, caption, **options)))


def _load_script(kernel: Any) -> None:
    """Put the script into the notebook once, and again where the cell that holds it is run again.

    Running a cell again throws its output away, and the script with it.
    """
    import itables

    cell = str(kernel.get_parent().get("metadata", {}).get("cellId", ""))
    if not _loaded_by or (cell and cell in _loaded_by):
        itables.init_notebook_mode(all_interactive=False, connected=False)
        _loaded_by[:] = [cell]


def _kernel() -> Any:
    """The notebook's kernel; None in a plain Python or a terminal."""
    import sys

    # IPython is not imported to find out: where it runs, it is there already.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if shell is not None and hasattr(shell, "kernel") else None


def _words(frame: pd.DataFrame) -> list[int]:
    """The positions of the columns that hold words, which read from the left."""
    return [
        place for place, kind in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(kind)
    ]


def _units(frame: pd.DataFrame) -> dict[str, str]:
    declared = TABLES.get(str(frame.attrs.get("table")))
    if declared is None:
        return {}
    return {
        column.name: f"{column.name} ({column.unit})" for column in declared.columns if column.unit
    }


def _caption(frame: pd.DataFrame) -> str | None:
    declared = TABLES.get(str(frame.attrs.get("table")))
    if declared is None or not set(frame.columns) <= set(declared.column_names):
        return None
    return f"{frame.attrs['department']}/{declared.name}: {declared.grain}"
