"""Faults of tables that Beatbook itself made: none may reach a reader."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tests.quality_faults.fault import Fault, on, then
from tests.quality_faults.ordinary_feed import LATEST, Row

WEEK = "2023-11-26"


def staged(name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]):
    """Change a staged table."""

    def harm(staging: Path) -> None:
        path = staging / f"{name}.parquet"
        frame = pd.read_parquet(path)
        changed = change(frame)
        (frame if changed is None else changed).to_parquet(path, index=False)

    return harm


def incident(case: str, column: str, value: object):
    """Change one value of one staged record."""

    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["incident_number"] == case, column] = value

    return staged("incidents", change)


def same_identity(frame: pd.DataFrame) -> None:
    number = frame["incident_number"]
    other = frame.loc[number == "F-71", "record_id"].item()
    frame.loc[number == "F-70", "record_id"] = other


def a_rape(rows: list[Row]) -> None:
    next(row for row in rows if row["Code"] == "020000").update(Case="F-76")


def first_again(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(1)], ignore_index=True)


def arson_week_again(frame: pd.DataFrame) -> pd.DataFrame:
    mine = (frame["offense"] == "Arson") & (frame["week"] == "2023-10-30")
    return pd.concat([frame, frame[mine & (frame["precinct"] == "Unknown")]], ignore_index=True)


def one_more_larceny(frame: pd.DataFrame) -> None:
    frame.loc[frame["offense"] == "Larceny", "incidents"] += [1] + [0] * (
        int((frame["offense"] == "Larceny").sum()) - 1
    )


def reason_unknown(frame: pd.DataFrame) -> None:
    frame["reason"] = "lost"


_RUN = "dates"


def _broken(name, case, check, column, value, sees, rows=None) -> Fault:
    return Fault(name, _RUN, check, "critical", f"case {case}", sees, rows=rows or on(case),
                 staged=incident(case, column, value))  # fmt: skip


STAGED_FAULTS = [
    Fault("Two records under one identity", _RUN, "record_id_is_unique", "critical",
          "case F-70", "79a98b61bf54d53b", rows=then(on("F-70"), on("F-71")),
          staged=staged("incidents", same_identity)),
    _broken("A count of 2", "F-72", "count_is_one", "count", 2, "2"),
    _broken("No known day", "F-73", "known_on_is_given", "known_on", None, "missing"),
    _broken("No date of occurrence", "F-74", "occurred_from_is_given", "occurred_from", None,
            "missing"),
    Fault("A required field lost", _RUN, "required_fields_are_given", "critical",
          "case F-73", ", missing"),
    _broken("A kind of location that no map knows", "F-75", "location_quality_is_known",
            "location_quality", "guessed", "guessed"),
    _broken("A sex offense with a point", "F-76", "sex_offenses_have_no_point", "x", 700_500.0,
            "withheld", rows=a_rape),
    _broken("A house number in an address", "F-77", "no_house_numbers", "block_address",
            "1517 N OAK ST", "withheld"),
    _broken("A house number called a block", "F-78", "no_house_numbers", "block_address",
            "1519 block of N OAK ST", "withheld"),
    Fault("A week counted twice", _RUN, "weeks_are_known_by_place_and_offense", "critical",
          "Unknown|Arson|2023-10-30", "Unknown, Arson, 2023-10-30",
          staged=staged("weekly_counts", arson_week_again)),
    Fault("Weekly counts that do not add up", _RUN, "weekly_counts_add_up_to_the_records",
          "critical", "offense|Larceny", "3,331 in its parts",
          staged=staged("weekly_counts", one_more_larceny)),
    Fault("A row refused twice", _RUN, "refused_rows_are_known_by_file_and_row",
          "critical", "case F-79", f"{LATEST}.csv, ", rows=on("F-79", Date="none"), refused=1,
          staged=staged("rejected_incidents", first_again)),
    Fault("A row refused for no known reason", _RUN, "refused_rows_have_a_reason",
          "critical", "case F-79", "lost", staged=staged("rejected_incidents", reason_unknown)),
]  # fmt: skip


def cell(column: str, value: object, **where: str):
    """Change one figure of a table."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = pd.Series(True, index=frame.index)
        for name, wanted in where.items():
            mine &= frame[name] == wanted
        assert mine.sum() == 1, f"{mine.sum()} rows"
        return frame.assign(**{column: frame[column].mask(mine, value)})

    return change


def _place(geography: str, offense: str) -> dict[str, str]:
    return {"geography": geography, "offense": offense, "window": "28_days",
            "comparison": "prior_year"}  # fmt: skip


def _figure(name, check, sees, column, value, offense, key="", severity="critical") -> Fault:
    record = f"precinct|1|{offense}|28_days|prior_year"
    return Fault(name, "figures", check, severity, key or record, sees, table="compstat",
                 frame=cell(column, value, **_place("1", offense)))  # fmt: skip


def _forecast(name, check, sees, column, value, series, key="") -> Fault:
    at = {"unique_id": series, "model": "seasonal_naive", "weeks_ahead": 1}
    return Fault(name, "forecasts", check, "critical",
                 key or f"{series}|2023-11-27|seasonal_naive", sees,
                 table="forecasts", frame=cell(column, value, **at))  # fmt: skip


TABLE_FAULTS = [
    _figure("Precincts that do not add up to the city", "parts_add_up_to_the_city",
            "1,092 in its parts", "current",
            999, "Larceny", key="precincts|28_days|prior_year|Larceny"),
    _figure("A window that ends before it starts", "windows_are_ordered",
            "2023-01-01, 2023-10-30", "current_end", pd.Timestamp("2023-01-01"), "Burglary"),
    _figure("A change against something later", "prior_lies_before_current",
            "2023-10-30, 2023-11-25", "prior_start", pd.Timestamp("2023-11-25"), "Robbery"),
    _figure("A probability above 1", "p_values_are_shares", "1.2", "p_value", 1.2, "Burglary"),
    _figure("A note that no page knows", "notes_are_known", "see below", "note", "see below",
            "Arson"),
    _figure("A count below zero", "counts_are_not_negative", "-1", "current", -1, "Arson",
            severity="warning"),
    Fault("A figure that stands twice", "figure twice",
          "figures_are_known_by_place_offense_and_window", "critical",
          "city|Example City|Homicide|week|prior_period",
          "city, Example City, Homicide, week, prior_period", table="compstat", frame=first_again),
    _forecast("The ends of an interval exchanged", "intervals_of_80_are_ordered", "1, 30",
              "hi_80", 1.0, "City/Larceny"),
    _forecast("A median outside its interval", "median_is_below_the_top", "19, 999",
              "median", 999.0, "City/Burglary"),
    _forecast("A forecast below zero", "forecasts_are_not_negative", "-3", "y_hat", -3.0,
              "City/Burglary"),
    _forecast("Two forecasts shown for one week", "one_is_published", "2 published", "published",
              True, "City/Larceny", key="City/Larceny|2023-11-27"),
    _forecast("A forecast of a week that it has seen", "forecasts_look_ahead",
              "2023-11-27, 2023-11-27", "cutoff", pd.Timestamp("2023-11-27"), "City/Larceny"),
]  # fmt: skip


def ordinary_forecasts() -> pd.DataFrame:
    """Forecasts of two series, two weeks and two models: as the table is declared."""
    cutoff = pd.Timestamp("2023-11-20")
    rows = []
    for offense, mean in (("Larceny", 35.0), ("Burglary", 10.0)):
        for week in (1, 2):
            for model in ("negative_binomial", "seasonal_naive"):
                rows.append(
                    {
                        "unique_id": f"City/{offense}", "geography_type": "city",
                        "geography": "Example City", "offense": offense,
                        "ds": cutoff + pd.Timedelta(weeks=week), "weeks_ahead": week,
                        "model": model, "y_hat": mean, "median": mean, "lo_80": mean - 5,
                        "hi_80": mean + 5, "lo_95": mean - 9, "hi_95": mean + 9, "size": 50.0,
                        "cutoff": cutoff, "as_of": pd.Timestamp("2023-11-30"),
                        "published": model == "negative_binomial", "withdrawn": False,
                        "reason": "lowest score in the back-test",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
