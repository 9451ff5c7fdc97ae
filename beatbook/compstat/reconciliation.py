"""The book's own figures beside annual figures published elsewhere."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from beatbook.department import Department
from beatbook.errors import SettingsError


def reconcile(
    incidents: pd.DataFrame, department: Department, years: Sequence[int] | None = None
) -> pd.DataFrame:
    """Compare net counts by year with the published annual figures.

    Parameters
    ----------
    incidents
        Columns ``offense, count`` and the date that ``official_counts.counted_by`` names.
    department
        Its ``official_counts`` say which file, and which column is which offense.
    years
        Only these; by default all years that both sides have.

    Returns
    -------
    DataFrame
        ``year, offense, counted, official, difference`` (counted minus official), one row a
        year and offense, in the order of the settings; empty if the department names no
        official figures.

    Raises
    ------
    SettingsError
        If the file or one of its columns is not there.
    """
    columns = ["year", "offense", "counted", "official", "difference"]
    settings = department.official_counts
    if settings is None:
        return pd.DataFrame(columns=columns)
    path = department.folder / settings.file
    if not path.is_file():
        raise SettingsError(
            f"{department.slug}: official_counts.file: there is no {settings.file}."
        )
    official = pd.read_csv(path)
    lacking = {settings.year, *settings.offenses.values()} - set(official.columns)
    if lacking:
        raise SettingsError(
            f"{department.slug}/{settings.file} lacks the column {', '.join(sorted(lacking))}."
        )
    published: dict[Any, dict[Any, Any]] = official.set_index(settings.year).to_dict("index")
    year = incidents[settings.counted_by].dt.year
    sums = incidents.groupby([year, incidents["offense"]])["count"].sum()
    counted: dict[Any, int] = sums.to_dict()
    held = sorted(set(published) & {when for when, _ in counted})
    rows = [
        {
            "year": when,
            "offense": offense,
            "counted": int(counted.get((when, offense), 0)),
            "official": int(published[when][column]),
        }
        for when in held
        if years is None or when in years
        for offense, column in settings.offenses.items()
        if pd.notna(published[when][column])
    ]
    table = pd.DataFrame(rows, columns=columns[:-1])
    return table.assign(difference=table["counted"] - table["official"])
