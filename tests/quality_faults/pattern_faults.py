"""Faults that no single record shows: they stand out against the city's own past."""

import datetime as dt

from tests.quality_faults.city import City
from tests.quality_faults.fault import Fault, on, setting, some, then
from tests.quality_faults.ordinary_feed import LATEST, MONTHS, SOUTH, WEST, Row

STATION = (WEST + 1213, SOUTH + 777)


def at(time: str):
    return lambda row: row.update(Date=f"{row['Date'][:10]} {time}", Ended="")


def twice_as_late(rows: list[Row]) -> None:
    end = dt.date(2023, 12, 31)
    for row in rows:
        if row["Count"] == "1":
            day = dt.datetime.strptime(row["Date"], "%m/%d/%Y %H:%M")
            row.update(Date=f"{day - (end - day.date()):%m/%d/%Y %H:%M}", Ended="")


def repeated_number(rows: list[Row]) -> None:
    on("F-40")(rows)
    rows.append(next(dict(row) for row in rows if row["Case"] == "F-40"))


def unique_numbers(city: City) -> None:
    """The department says that a case number comes once, and once more to cancel it."""
    city.set(feed={"record_key": ["incident_number", "count"], "repeats": "reject"})


def at_the_station(rows: list[Row]) -> None:
    """Seventy records of all kinds, from all streets, on one point."""
    some(70, setting(X=str(STATION[0]), Y=str(STATION[1])))(rows)


def fewer(keep: int, codes: str, **where: str):
    def drop(rows: list[Row]) -> None:
        mine = [r for r in rows if r["Code"].startswith(codes) and where.items() <= r.items()]
        gone = [id(row) for row in mine[keep:]]
        rows[:] = [row for row in rows if id(row) not in gone]

    return drop


def thrice(codes: str, **where: str):
    def add(rows: list[Row]) -> None:
        mine = [r for r in rows if r["Code"].startswith(codes) and where.items() <= r.items()]
        rows.extend({**row, "Case": f"{row['Case']}-{n}"} for row in mine for n in (2, 3))

    return add


def renamed(column: str, old: str, new: str, **more: str):
    def change(rows: list[Row]) -> None:
        for row in rows:
            if row[column] == old:
                row.update({column: new}, **more)

    return change


def without_last_week(rows: list[Row]) -> None:
    rows[:] = [row for row in rows if row["Date"][:5] < "12/25" or row["Date"][6:10] < "2023"]


def canceled_with_cause(rows: list[Row]) -> None:
    held = [row for row in rows if row["Count"] == "1"][:45]
    rows.extend({**row, "Count": "-1"} for row in held)


def canceled_without_cause(rows: list[Row]) -> None:
    """Arsons of eight weeks taken back that were never on the books."""
    for week in range(8):
        day = dt.date(2023, 10, 2) + dt.timedelta(days=7 * week)
        on(f"F-5{week}", Code="080000", Words="ARSON", Count="-1", Ended="", District="4",
           Area="40", Date=f"{day:%m/%d/%Y} 03:33")(rows)  # fmt: skip


def repeated_in_full(rows: list[Row]) -> None:
    rows.extend([dict(row) for row in rows if row["Count"] == "1"][50:85])


def without_streets(rows: list[Row]) -> None:
    for row in rows:
        row.update(Number="", Street="")


def a_century_ago(row: Row) -> None:
    row["Date"] = row["Date"].replace("/2023", "/1923")


def new_codes(rows: list[Row]) -> None:
    for row in rows:
        row["Code"] = f"9{row['Code'][1:]}"


def in_all_months(change):
    """Write every earlier month's file anew, as a publisher that changes its export does."""

    def write(city: City) -> None:
        for month in MONTHS[:-1]:
            rows = city.rows(month)
            change(rows)
            city.put(month, rows)

    return write


def own_rule(city: City) -> None:
    """The department holds that each record names its precinct."""
    rule = """
incidents:
  add:
    - id: precincts_are_recorded
      expect: expect_column_values_to_be_in_set
      with: {column: precinct_source, value_set: [record]}
      severity: critical
      why: This department's officers write the precinct on every report.
"""
    (city.folder / "expectations.yaml").write_text(rule, encoding="utf-8")


def other_columns(rows: list[Row]) -> None:
    for row in rows:
        if row["Ended"]:
            row["Date"], row["Ended"] = row["Ended"], row["Date"]
        row["X"], row["Y"] = row["Y"], row["X"]
        row["District"] = f"D{row['District']}"


def pile(name: str, measure: str, check: str, run: str, sees: str, rows=None) -> Fault:
    return Fault(name, run, check, "warning", f"{LATEST}|{measure}", sees, rows=rows)


PATTERN_FAULTS = [
    pile("Times heaped at midnight", "midnight", "heaping_is_as_usual", "times",
         "79 of 362 times at 00:00 (21.8%)",
         some(70, at("00:00"))),
    pile("Times heaped at 00:01", "one_past_midnight", "heaping_is_as_usual", "times",
         "57 of 362 times at 00:01 (15.7%)",
         some(50, at("00:01"))),
    pile("Times heaped at noon", "noon", "heaping_is_as_usual", "times",
         "54 of 362 times at 12:00 (14.9%)",
         some(50, at("12:00"))),
    Fault("One time in six at midnight", "times", "times_are_not_heaped", "info",
          f"{LATEST}|midnight", "79 of 362 times at 00:00 (21.8%)"),
    pile("Records coded twice as late", "late", "coding_lag_is_as_usual", "times",
         "107 of 362 records of crimes more than 45 days old (29.6%)",
         twice_as_late),
    Fault("A station that holds what happened elsewhere", "places", "points_are_no_pile_ups",
          "warning", f"{STATION[0]} {STATION[1]}",
          "71 records on one point, 46 beyond the commonest offense", rows=at_the_station),
    Fault("A record repeated where its number is its key", "places", "refused_rows_are_known",
          "warning", "case F-40", "F-40", rows=repeated_number, files=unique_numbers, refused=1),
    pile("Coordinates missing", "no_place", "missing_places_are_as_usual", "places",
         "59 of 361 records without a point (16.3%)",
         some(60, setting(X="", Y=""))),
    pile("Points outside the city", "outside", "missing_places_are_as_usual", "places",
         "40 of 361 points outside the city (11.1%)",
         some(40, setting(X=str(WEST + 9_000)))),
    pile("A precinct moved: the record against the map", "precinct_off_the_map",
         "precincts_are_recorded_as_usual", "places",
         "50 of 361 records whose precinct is not the map's (13.9%)",
         some(50, setting(District="2"), District="1")),
    Fault("A new precinct code", "areas and codes", "precincts_came_before", "warning",
          f"{LATEST}|precinct_recorded|5", "precinct 5: 26 records",
          rows=some(40, setting(District="5"), District="1")),
    Fault("A precinct that vanished", "areas and codes", "precincts_still_come", "warning",
          f"{LATEST}|precinct_recorded|4", "no record with the precinct 4",
          rows=renamed("District", "4", "3")),
    Fault("A neighborhood that vanished", "areas and codes", "areas_still_come", "warning",
          f"{LATEST}|neighborhood|20",
          "no record with the neighborhood 20", rows=renamed("Area", "20", "10")),
    Fault("A new code in numbers", "areas and codes", "codes_came_before", "warning",
          f"{LATEST}|offense_code|064000", "offense code 064000: 36 records",
          rows=some(40, setting(Code="064000", Words="LARCENY-OTHER"), Code="061000")),
    Fault("A code that vanished", "areas and codes", "codes_still_come", "warning",
          f"{LATEST}|offense_code|052000",
          "no record with the offense code 052000",
          rows=renamed("Code", "052000", "051000", Words="BURGLARY-RESIDENCE")),
    pile("Many codes on no list", "unmapped", "unknown_codes_are_as_usual", "areas and codes",
         "14 of 276 records with an unknown offense code (5.1%)",
         some(15, setting(Code="970000", Words="OTHER"), Code="141000")),
    Fault("One offense all but gone in one precinct", "times", "volume_is_as_usual", "warning",
          f"{LATEST}|3|Larceny", "1 record", rows=fewer(1, "06", District="3")),
    Fault("One offense tripled in one precinct", "times", "volume_is_as_usual", "warning",
          f"{LATEST}|2|Burglary", "51 records", rows=thrice("05", District="2")),
    Fault("The last week cut off", "areas and codes", "last_weeks_are_as_usual", "warning",
          f"{LATEST} week 1|City|All offenses", "0 crimes", rows=without_last_week),
    pile("Many cancellations", "canceled", "cancellations_are_as_usual", "habits",
         "57 of 441 records that cancel an earlier one (12.9%)",
         canceled_with_cause),
    Fault("Weeks counted below zero", "habits", "weekly_counts_are_seldom_negative", "warning",
          "4|Arson|2023-10-16", "-1", rows=canceled_without_cause),
    pile("Rows repeated in full", "repeated", "repeats_are_as_usual", "habits",
         "35 of 441 records that repeat an earlier one in full (7.9%)",
         repeated_in_full),
    pile("A field no longer filled", "filled_block_address", "fields_are_filled_as_usual",
         "habits", "0 of 441 records with a value in block_address (0.0%)", without_streets),
    Fault("The new month's codes all on no list", "short month", "latest_offenses_are_known",
          "critical", f"{LATEST}|unmapped",
          "120 of 120 records with an unknown offense code (100.0%)", rows=new_codes),
    Fault("Most codes on no list", "all codes", "most_offenses_are_known", "critical",
          "case F-60", "963000", rows=then(on("F-60"), new_codes),
          files=in_all_months(new_codes)),
    Fault("Precinct codes renamed in all files", "other columns", "most_precincts_are_listed",
          "critical", "case F-61", "D1", rows=on("F-61", District="1")),
    Fault("Start and end exchanged in all files", "other columns", "most_end_after_they_start",
          "critical", "case F-62", "2023-12-09 12:00, 2023-12-09 10:00",
          rows=on("F-62", Date="12/09/2023 10:00", Ended="12/09/2023 12:00")),
    Fault("x and y exchanged in all files", "other columns", "most_points_are_in_the_city",
          "critical", "case F-63", "outside",
          rows=then(on("F-63", X=str(WEST + 500), Y=str(SOUTH + 500)), other_columns),
          files=in_all_months(other_columns)),
    Fault("A century lost in many dates", "dates", "most_occurred_since_1990", "critical",
          "case F-64", "1923-12-05 10:00",
          rows=then(on("F-64", Date="12/05/1923 10:00"),
                    some(100, a_century_ago))),
    Fault("Many records known before they happened", "dates", "most_occurred_before_known",
          "critical", "case F-65", "2024-06-01 10:00, 2023-12-31",
          rows=then(on("F-65", Date="06/01/2024 10:00", Ended=""),
                    some(100, setting(Date="06/01/2024 10:00", Ended="")))),
    Fault("Many records of months that lie ahead", "dates", "few_are_known_ahead", "critical",
          "case F-66", "2031-01-31",
          rows=then(on("F-66", Month="2031-01"), some(20, setting(Month="2031-01")))),
    Fault("A rule of the department's own broken", "dates", "precincts_are_recorded",
          "critical", "case F-67", "boundary", rows=on("F-67", District=""), files=own_rule),
]  # fmt: skip
