"""Declared tables as Dagster shows them: their columns, and the assets of a week's tables."""

from collections.abc import Iterable

import dagster as dg

from assets.partitions import by_department_and_week
from beatbook.tables import Table


def table_metadata(table: Table) -> dict[str, dg.MetadataValue]:
    """The declared columns, for Dagster's UI."""
    columns = [
        dg.TableColumn(
            column.name,
            column.dtype,
            description=column.meaning + (f" ({column.unit})" if column.unit else ""),
            constraints=dg.TableColumnConstraints(nullable=not column.required),
        )
        for column in table.columns
    ]
    return {"dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns))}


def week_tables(tables: Iterable[Table]) -> list[dg.AssetSpec]:
    """Tables of one department and week that follow from its incidents, an asset each.

    They come after the CompStat table, which settles the day that the week is as of.
    """
    return [
        dg.AssetSpec(
            table.name,
            group_name="books",
            description=f"One row: {table.grain}.",
            metadata=table_metadata(table),
            kinds={"parquet"},
            deps=["incidents", "compstat"],
            partitions_def=by_department_and_week,
        )
        for table in tables
    ]
