"""Recent weeks: as reported, as expected in the end, and against a year ago like for like."""

import datetime as dt

import numpy as np
import pandas as pd

from beatbook.compstat.counts import UNKNOWN, comparable_precinct, precincts_in_force
from beatbook.compstat.coverage import coverage, covers, known_by
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.forecasts.book_days import DAY
from beatbook.forecasts.nowcast import nowcast
from beatbook.forecasts.week_history import LONGEST_WEEKS, offenses_of
from beatbook.offenses import TOTALS
from beatbook.tables import NOWCASTS

SPANS = {
    "week_1": (0, 7),
    "week_2": (7, 14),
    "week_3": (14, 21),
    "week_4": (21, 28),
    "28_days": (0, 28),
}
"""Ages in days, from the last day that the books speak for."""

_BY_REPORT = "counted by report: no late records to come"
_NO_HISTORY = "too little is known of late records"
_NO_PRIOR = "a year ago is not covered"
_REDRAWN = "a year ago in other precincts"
_KEY = ["geography_type", "geography", "offense"]
_ENDS = ["lo_80", "hi_80", "lo_95", "hi_95"]


def recent_weeks(
    incidents: pd.DataFrame, department: Department, week_ending: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Estimate what the last four weeks of the books will hold when late records have come.

    Parameters
    ----------
    incidents
        ``occurred_from, known_on, precinct, offense, count``.
    department
        Its offense map, precincts and counting date.
    week_ending
        Of the book; says which precincts are in force.
    as_of
        Of the book. The spans end with the last day that was covered by then.

    Returns
    -------
    DataFrame
        The ``nowcasts`` table: city and precincts, every CompStat row and total, each of the last
        four weeks and the 28 days. Levels are estimated each for itself (a total from its own
        records), so parts may miss their whole by a record or two. ``prior`` and ``change`` set
        the count as it stands beside the same days a year ago as they stood then. Where a
        department counts by report, or too little is known of late records, the expectation is
        missing and ``note`` says why.
    """
    known = known_by(incidents, as_of)
    spans = [s for s in coverage(known["known_on"], department) if s.start <= as_of]
    if not spans:
        return pd.DataFrame(columns=NOWCASTS.column_names)
    anchor = pd.Timestamp(min(spans[-1].end, as_of))
    offenses = offenses_of(department)
    oldest = anchor - LONGEST_WEEKS * 7 * DAY
    rows = known.loc[
        known["offense"].isin(offenses) & (known["occurred_from"] >= oldest),
        ["occurred_from", "known_on", "precinct", "offense", "count", "reported_at"],
    ]
    if department.count_by == "report":
        day = rows["reported_at"].fillna(rows["known_on"])
        rows = rows.assign(occurred_from=day)
    rows = rows.assign(
        occurred_from=rows["occurred_from"].dt.normalize(),
        precinct=comparable_precinct(rows, department, week_ending),
    )
    keys = ["occurred_from", "known_on", "precinct", "offense"]
    daily = rows.groupby(keys)["count"].sum().reset_index()
    daily = daily.astype({"precinct": "category", "offense": "category"})
    year_ago = _year_ago(anchor, department)
    before = [pd.Timestamp(day) for day in department.redistricted_on if day <= week_ending]
    places = [
        ("city", department.city, daily),
        *(("precinct", p, daily[daily["precinct"] == p])
          for p in [*precincts_in_force(department, week_ending), UNKNOWN]),
    ]  # fmt: skip
    # Precincts share their lags: a small one by itself says little of how late records come.
    lags = daily[daily["known_on"] >= before[-1]] if before else daily
    tables = [
        _counted(places, offenses, anchor, year_ago),
        _expected(daily, lags, offenses, anchor, department),
    ]
    out = tables[0].merge(tables[1], on=[*_KEY, "span"], how="left")
    out["as_of"] = pd.Timestamp(as_of)
    out["reported"] = out["reported"].astype("Int64")
    # More may have been canceled than came; what the week will hold in the end is not below zero.
    out[["expected_final", *_ENDS]] = out[["expected_final", *_ENDS]].clip(lower=0)
    return _noted(out, department, spans, before)[NOWCASTS.column_names]


def _year_ago(anchor: pd.Timestamp, department: Department) -> pd.Timestamp:
    """The day a year earlier of the same standing: a month's end for a month's end."""
    day = anchor - pd.DateOffset(years=1)
    monthly = department.feed.publishes == "monthly"
    return day + pd.offsets.MonthEnd(0) if monthly and anchor.is_month_end else day


def _rows_of(offenses: list[str]) -> dict[str, list[str]]:
    totals = {t: [o for o in parts if o in offenses] for t, parts in TOTALS.items()}
    return {o: [o] for o in offenses} | {t: parts for t, parts in totals.items() if parts}


def _counted(
    places: list[tuple[str, str, pd.DataFrame]],
    offenses: list[str],
    anchor: pd.Timestamp,
    year_ago: pd.Timestamp,
) -> pd.DataFrame:
    out = []
    held = _rows_of(offenses)
    for kind, name, rows in places:
        if name == UNKNOWN and rows.empty:
            continue
        near = [
            (rows["occurred_from"] > end - max(old for _, old in SPANS.values()) * DAY)
            & (rows["occurred_from"] <= end)
            for end in (anchor, year_ago)
        ]
        rows = rows[near[0] | near[1]]
        for span, (young, old) in SPANS.items():
            now = _net(rows, anchor, young, old)
            prior = _net(rows, year_ago, young, old)
            out.append(
                pd.DataFrame(
                    {
                        "geography_type": kind,
                        "geography": name,
                        "offense": list(held),
                        "span": span,
                        "first_day": anchor - (old - 1) * DAY,
                        "last_day": anchor - young * DAY,
                        "reported": [sum(now.get(o, 0) for o in parts) for parts in held.values()],
                        "prior": [sum(prior.get(o, 0) for o in parts) for parts in held.values()],
                    }
                )
            )
    return pd.concat(out, ignore_index=True)


def _net(rows: pd.DataFrame, end: pd.Timestamp, young: int, old: int) -> dict[str, int]:
    """Net count by offense of days of these ages, as it stood on ``end``."""
    day = rows["occurred_from"]
    inside = (day <= end - young * DAY) & (day > end - old * DAY) & (rows["known_on"] <= end)
    kept = rows[inside]
    sums = np.bincount(
        kept["offense"].cat.codes, kept["count"], len(kept["offense"].cat.categories)
    )
    return {o: round(n) for o, n in zip(kept["offense"].cat.categories, sums, strict=True)}


def _expected(
    daily: pd.DataFrame,
    lags: pd.DataFrame,
    offenses: list[str],
    anchor: pd.Timestamp,
    department: Department,
) -> pd.DataFrame:
    spans = list(SPANS.values())
    city, held = department.city, _rows_of(offenses)
    part_one = held.get("Total Part I", offenses)
    rest = [o for o in offenses if o not in part_one]
    parts = []
    if department.count_by != "report":
        # Each call: the records asked for, the columns to split them by, and what is then known.
        for names, by, lag, what in (
            (part_one, ["offense"], daily, {"geography": city}),
            *((held[t], [], daily, {"geography": city, "offense": t}) for t in TOTALS if t in held),
            # A rare offense learns its lags from all: by itself it would follow noise.
            *([(offenses, ["offense"], daily, {"geography": city})] if rest else []),
            (offenses, ["offense", "precinct"], lags, {}),
            *((held[t], ["precinct"], lags, {"offense": t}) for t in TOTALS if t in held),
        ):
            # Numbers for names: with them splitting takes a tenth of the time.
            rows = lag[lag["offense"].isin(names)]
            rows = rows.assign(**{c: rows[c].cat.codes.astype("int64") for c in by})
            try:
                made = nowcast(rows, anchor, spans=spans, by=by)
            except InvalidInput:
                # No record at all of these: there is nothing to learn lags from.
                continue
            for column in by:
                made[column] = made[column].map(dict(enumerate(lag[column].cat.categories)))
            if names is offenses and by == ["offense"]:
                made = made[made["offense"].isin(rest)]
            made = made.assign(**what).rename(columns={"precinct": "geography"})
            kind = "city" if "geography" in what else "precinct"
            parts.append(made.assign(geography_type=kind))
    columns = [*_KEY, "span", "expected_final", *_ENDS]
    if not parts:
        return pd.DataFrame(columns=columns).astype(
            {**dict.fromkeys([*_KEY, "span"], "str"),
             **dict.fromkeys(["expected_final", *_ENDS], "float64")}
        )  # fmt: skip
    out = pd.concat(parts, ignore_index=True)
    ages = {
        (anchor - (old - 1) * DAY, anchor - young * DAY): name
        for name, (young, old) in SPANS.items()
    }
    out["span"] = [ages[pair] for pair in zip(out["first_day"], out["last_day"], strict=True)]
    return out[columns]


def _noted(
    table: pd.DataFrame, department: Department, spans: list, before: list[pd.Timestamp]
) -> pd.DataFrame:
    """Leave out what cannot be said, and say why."""
    year_ago = table["first_day"] - pd.DateOffset(years=1)
    redrawn = [(table["geography_type"] == "precinct") & (year_ago < day) for day in before]
    other = pd.concat(redrawn, axis=1).any(axis=1) if redrawn else pd.Series(False, table.index)
    held = {
        (first, last): covers(
            spans,
            (first - pd.DateOffset(years=1)).date(),
            (last - pd.DateOffset(years=1)).date(),
        )
        for first, last in table[["first_day", "last_day"]]
        .drop_duplicates()
        .itertuples(index=False)
    }
    bare = ~pd.Series(
        [held[pair] for pair in zip(table["first_day"], table["last_day"], strict=True)],
        index=table.index,
    )
    lacking = table["expected_final"].isna()
    late = _BY_REPORT if department.count_by == "report" else _NO_HISTORY
    notes = [
        "; ".join(text for text, here in zip((late, _REDRAWN, _NO_PRIOR), row, strict=True) if here)
        for row in zip(lacking, other, bare & ~other, strict=True)
    ]
    prior = table["prior"].astype("Int64").mask(other | bare)
    base = prior.astype("Float64").mask((prior <= 0).fillna(False))
    change = (table["reported"].astype("Float64") / base - 1).astype("float64")
    return table.assign(prior=prior, change=change, note=notes)
