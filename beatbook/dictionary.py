"""The data dictionary, written from the tables' declarations.

``python -m beatbook.dictionary`` writes ``docs/data_dictionary.md`` anew; a test sees that the
committed page is current.
"""

from collections.abc import Iterable
from pathlib import Path

from beatbook.tables import TABLES, Table

PAGE = Path("docs/data_dictionary.md")


def data_dictionary(tables: Iterable[Table] = tuple(TABLES.values())) -> str:
    """Write every table's grain, key and columns as Markdown."""
    lines = [
        "# Data dictionary",
        "",
        "Written from `beatbook/tables/` by `python -m beatbook.dictionary`, never by hand.",
        "Load a table by name: `load_table(table, department)`.",
    ]
    for table in tables:
        kept = f" Kept per `{table.partition}`." if table.partition else ""
        lines += [
            "",
            f"## {table.name}",
            "",
            f"One row: {table.grain}. Key: {', '.join(f'`{key}`' for key in table.key)}.{kept}",
            "",
            "| column | type | unit | meaning | may be missing |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| `{column.name}` | {column.dtype} | {column.unit} | {column.meaning} | "
            f"{'no' if column.required else 'yes'} |"
            for column in table.columns
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(data_dictionary(), encoding="utf-8")
