"""Faults of single records, a few of each: warnings, and the good rows are published."""

from tests.quality_faults.city import City
from tests.quality_faults.fault import Fault, on
from tests.quality_faults.ordinary_feed import LATEST, SOUTH, WEST, Row

# Of its own: an arson on a day and in a precinct without another.
ALONE = {"Code": "080000", "Words": "ARSON", "Count": "-1", "Date": "12/24/2023 03:33", "Ended": ""}


def swapped_in_june(city: City) -> None:
    """An older file comes again; one record's date has its day and month exchanged."""
    rows = city.rows("2023-06")
    row = next(r for r in rows if "06/08/2023" <= r["Date"][:10] <= "06/12/2023")
    row.update(Case="F-12", Ended="", Date=f"{row['Date'][3:5]}/06{row['Date'][5:]}")
    city.put("2023-06", rows)


def _record(name, case, check, sees, severity="warning", refused=0, **changes: str) -> Fault:
    return Fault(name, "records", check, severity, f"case {case}", sees, rows=on(case, **changes),
                 refused=refused)  # fmt: skip


def _moved(rows: list[Row]) -> None:
    on("F-30", District="1", Area="10", X=str(WEST + 800), Y=str(SOUTH + 300))(rows)


def map_moved(city: City) -> None:
    """The map's precincts are drawn anew, 300 m to the west."""
    path = city.folder / "boundaries" / "precincts.geojson"
    text = path.read_text(encoding="utf-8")
    for west in (WEST, WEST + 1000, WEST + 2000):
        text = text.replace(f"[{west}, ", f"[{west - 300}, ")
    path.write_text(text, encoding="utf-8")


RECORD_FAULTS = [
    _record("Wrong type in a date", "F-01", "refused_rows_are_known", "yesterday evening",
            refused=1, Date="yesterday evening"),
    _record("A day that no month has", "F-02", "refused_rows_are_known", "11/31/2023 10:00",
            refused=1, Date="11/31/2023 10:00"),
    _record("Day and month swapped, the day above 12", "F-03", "refused_rows_are_known",
            "25/12/2023 10:00", refused=1, Date="25/12/2023 10:00"),
    _record("Wrong type in a count", "F-04", "refused_rows_are_known", "one", refused=1,
            Count="one"),
    _record("No offense code", "F-05", "refused_rows_are_known", "missing", refused=1, Code=""),
    _record("An unreadable coded month", "F-06", "refused_rows_are_known", "December", refused=1,
            Month="December"),
    Fault("Rows refused in a file", "records", "no_rows_are_refused", "warning", f"{LATEST}.csv",
          "6"),
    _record("Wrong type in an optional time", "F-07", "optional_times_are_readable", "occurred_to",
            Ended="late at night"),
    _record("A code on no list", "F-08", "offense_is_known", "999999", Code="999999"),
    Fault("A new code", "records", "new_codes_are_noted", "info",
          f"{LATEST}|offense_code|999999", "offense code 999999: 1 record"),
    _record("Known before it happened", "F-09", "occurred_before_known",
            "2024-01-15 10:00, 2023-12-31", Date="01/15/2024 10:00", Ended=""),
    _record("Year 1900", "F-10", "occurred_since_1990", "1900-12-04 10:00",
            Date="12/04/1900 10:00"),
    _record("Known decades after it happened", "F-11", "age_is_plausible",
            "1995-12-04 10:00, 2023-12-31", severity="info", Date="12/04/1995 10:00"),
    Fault("Day and month swapped, the day up to 12", "records", "occurred_before_known", "warning",
          "case F-12", "2023-09-06 10:00, 2023-06-30", files=swapped_in_june),
    _record("End before start", "F-13", "ends_after_it_starts",
            "2023-12-09 22:00, 2023-12-09 04:00", Date="12/09/2023 22:00",
            Ended="12/09/2023 04:00"),
    _record("An unlisted precinct, and no point", "F-14", "precinct_is_listed", "9", District="9",
            X="", Y=""),
    _record("x and y exchanged", "F-15", "axes_are_not_swapped", "x and y in each other's place",
            X=str(SOUTH + 400), Y=str(WEST + 400)),
    _record("A point outside the city", "F-16", "point_is_in_the_city", "outside",
            severity="info", X=str(WEST + 9_000)),
    _record("-1 without its +1", "F-17", "cancellations_cancel_something",
            "-1 for Arson on 2023-12-24, case F-17", **ALONE),
    Fault("A description that contradicts its code", "records", "code_means_what_it_is_called",
          "warning", "051000|LARCENY-FROM VEHICLE",
          "code 051000 described as LARCENY-FROM VEHICLE: 1 record",
          rows=on("F-18", Code="051000")),
    Fault("A code under new words", "records", "code_is_called_as_before", "warning",
          "071000|SCOOTER THEFT", "code 071000 described as SCOOTER THEFT: 1 record",
          rows=on("F-19", Code="071000", Words="SCOOTER THEFT")),
    _record("Coded in a month that lies ahead", "F-20", "known_on_is_not_ahead",
            "2031-01-31", Month="2031-01"),
    Fault("The map's precincts drawn anew", "habits", "precinct_agrees_with_the_map", "warning",
          "case F-30", "1", rows=_moved, files=map_moved),
]  # fmt: skip
