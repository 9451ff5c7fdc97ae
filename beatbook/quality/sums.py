"""Parts that must add up to the whole, in the tables of a book and against the records."""

import pandas as pd
from pandas.api.typing import SeriesGroupBy

from beatbook.compstat.coverage import covered_weeks
from beatbook.offenses import TOTALS
from beatbook.quality.staged import Staged

_COLUMNS = ["record_key", "field", "observed", "expected", "parts", "whole"]
NO_SUMS = pd.DataFrame(columns=_COLUMNS)
"""Where there are no parts to add up."""


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(
        observed=[f"{n:,} in its parts" for n in table["parts"]],
        expected=[f"{n:,}, as the whole" for n in table["whole"]],
    )
    return table[_COLUMNS].reset_index(drop=True)


def _whole(figures: SeriesGroupBy) -> pd.Series:
    # Summed, because a figure that stands twice is for another rule to name; none stays missing.
    return figures.sum(min_count=1)


def compstat_sums(compstat: pd.DataFrame) -> pd.DataFrame:
    """Sums of a CompStat table's parts beside its wholes.

    Parameters
    ----------
    compstat
        A ``compstat`` table.

    Returns
    -------
    DataFrame
        ``record_key, field`` (``current`` or ``prior``), ``observed, expected, parts, whole``:
        one row an offense, window and comparison for the precincts (with Unknown) against the
        city; and one row a geography, window and comparison for each total against its offenses.
        Sums with a missing part, as across a redistricting, are not compared.
    """
    found = []
    where = ["window", "comparison"]
    for field in ("current", "prior"):
        held = compstat[[*where, "geography_type", "geography", "offense", field]]
        parts = held[held["geography_type"] == "precinct"].groupby([*where, "offense"])[field]
        city = held[held["geography_type"] == "city"].groupby([*where, "offense"])[field]
        table = pd.DataFrame({"parts": parts.sum(), "whole": _whole(city)})
        table["missing"] = parts.apply(lambda part: part.isna().any())
        table = table[~table["missing"].fillna(True).astype(bool) & table["whole"].notna()]
        keys = ["|".join(map(str, key)) for key in table.index]
        found.append(table.assign(record_key=[f"precincts|{key}" for key in keys], field=field))
        for total, offenses in TOTALS.items():
            within = [*where, "geography_type", "geography"]
            chosen = held[held["offense"].isin(offenses)].groupby(within)[field]
            whole = held[held["offense"] == total].groupby(within)[field]
            table = pd.DataFrame({"parts": chosen.sum(), "whole": _whole(whole)})
            table["missing"] = chosen.apply(lambda part: part.isna().any())
            table = table[~table["missing"].fillna(True).astype(bool) & table["whole"].notna()]
            keys = ["|".join(map(str, key)) for key in table.index]
            found.append(table.assign(record_key=[f"{total}|{key}" for key in keys], field=field))
    if not any(len(table) for table in found):
        return NO_SUMS.copy()
    table = pd.concat([part for part in found if len(part)], ignore_index=True)
    return _rows(table.astype({"parts": "int64", "whole": "int64"}))


def weekly_sums(staged: Staged, weekly_counts: pd.DataFrame) -> pd.DataFrame:
    """Weekly counts against the records that they were counted from.

    Parameters
    ----------
    staged
        The records.
    weekly_counts
        The ``weekly_counts`` table.

    Returns
    -------
    DataFrame
        ``record_key, field, observed, expected, parts`` (sum of the table), ``whole`` (sum of
        ``count`` over the records), one row a covered week and one row an offense.
    """
    ends = covered_weeks(staged.spans, staged.department)
    weeks = pd.DataFrame(
        {"week": pd.to_datetime([end for end in ends]) - pd.Timedelta(days=6)}
    ).astype({"week": "datetime64[us]"})
    staged.connection.register("covered", weeks)
    day = (
        "occurred_from"
        if staged.department.count_by == "occurrence"
        else "coalesce(reported_at, known_on)"
    )
    first = weeks["week"].iloc[0] if len(weeks) else pd.Timestamp("1800-01-01")
    counted = staged.ask(
        f"SELECT TIMESTAMP '{first}' + to_days((7 * floor(date_diff('day', TIMESTAMP '{first}', "
        f"{day}) / 7))::INT) AS week, offense, sum(count)::BIGINT AS whole FROM incidents "
        f"WHERE {day} >= TIMESTAMP '{first}' GROUP BY ALL"
    )
    counted["week"] = counted["week"].astype("datetime64[us]")
    counted = counted[counted["week"].isin(weeks["week"])]
    found = []
    for field in ("week", "offense"):
        table = pd.DataFrame(
            {
                "parts": weekly_counts.groupby(field)["incidents"].sum(),
                "whole": counted.groupby(field)["whole"].sum(),
            }
        )
        table = table.fillna(0).astype("int64")
        keys = [
            str(key.date()) if isinstance(key, pd.Timestamp) else str(key) for key in table.index
        ]
        found.append(table.assign(record_key=[f"{field}|{key}" for key in keys], field=field))
    return _rows(pd.concat(found, ignore_index=True))
