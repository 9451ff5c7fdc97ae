"""What a check says of a department: counts and examples, and nothing that singles out a home."""

import re
from pathlib import Path

import pytest
import yaml

from beatbook.errors import UnknownDepartment
from beatbook.onboarding import findings
from beatbook.onboarding.checking import check_department

EXPECTATIONS = Path(__file__).resolve().parents[3] / "expectations"


def days(department, number=60, **changes):
    """Records on all days of January 2024, in the middle of the city."""
    return [
        department.row(
            Case=f"24-{i:06d}",
            Date=f"01/{1 + i % 31:02d}/2024 10:00",
            Reported=f"01/{1 + i % 31:02d}/2024 11:00",
            **changes,
        )
        for i in range(number)
    ]


def checked(department, rows):
    department.write("2024-01.csv", rows)
    return check_department(department.home, department.slug)


def lines(check, heading):
    return next(found for title, found in check.sections if title.startswith(heading))


def test_a_sound_department_is_ready(small_department):
    path = small_department.folder / "department.yaml"
    path.write_text("# DECIDE: is this so?\n" + path.read_text())
    check = checked(small_department, days(small_department))
    assert check.ready and check.latest_week == "2024-01-28"
    assert "beatbook report --department example" in check.text()
    assert "60 rows: 60 accepted, 0 refused" in lines(check, "Records")
    assert check.advice[0] == "Decide (department.yaml, line 1): is this so?"
    # Nothing is published.
    assert not small_department.home.data.exists()


def test_what_is_not_mapped_comes_with_counts_and_examples(small_department):
    rows = days(small_department, 100)
    rows += days(small_department, 5, Code="991234") + days(small_department, 4, District="77")
    for i in range(2):
        rows[i]["Ended"] = "2024.01.05"
    rows[3]["Date"] = "soon"
    rows = [{**row, "Weather": "rain"} for row in rows]
    check = checked(small_department, rows)
    assert check.ready
    assert "Unmapped: 991234  5 records" in lines(check, "Offenses")
    assert any("unmapped code" in step for step in check.advice)
    assert lines(check, "District codes on no list") == ["77: 4 rows"]
    told = lines(check, "Dates that no format reads")
    assert told == ["occurred_from: 1 row like 'soon'", "occurred_to: 2 rows like '2024.01.05'"]
    assert any("unreadable_occurred_from: 1 row" in line for line in lines(check, "Records"))
    assert "layout 'monthly': 1 file, 109 rows" in lines(check, "Files")
    assert any("not used: Weather" in line for line in lines(check, "Files"))


def test_what_would_not_be_published_is_in_the_way(small_department):
    rows = days(small_department, 50) + days(small_department, 50, Code="991234")
    for row in rows[:20]:
        row["Date"] = "soon"
    check = checked(small_department, rows)
    assert not check.ready
    assert any("62% of the records have an offense code" in step for step in check.blocking)
    assert any("2024-01.csv: 20%" in step for step in check.blocking)


def test_points_elsewhere_are_in_the_way(small_department):
    check = checked(small_department, days(small_department, X="1000", Y="1000"))
    assert any("outside the city" in step for step in check.blocking)


def test_no_home_is_singled_out(small_department):
    """House numbers and coordinates of records, and all places of sex offenses, stay out."""
    rows = days(small_department, 40, Number="1517", Street="MAIN ST")
    rows += days(small_department, 10, Code="021000", Number="2200", Street="HIDDEN LN")
    text = checked(small_department, rows).text()
    assert "1500 block of MAIN ST" in text
    assert "1517" not in text and "HIDDEN" not in text
    assert not re.search(r"70040\d|427030\d", text)


def test_what_fails_is_said_and_the_rest_still_looked_at(small_department):
    (small_department.folder / "boundaries" / "city.geojson").unlink()
    small_department.write_offenses("code\n1\n")
    check = checked(small_department, days(small_department))
    assert not check.ready
    assert any("there is no boundaries/city.geojson" in step for step in check.blocking)
    assert any("offenses.csv lacks" in step for step in check.blocking)
    assert lines(check, "Fields")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"timezon": "x"}, "timezon: no such setting"), ({"feed": {"crs": "?"}}, "feed.crs")],
)
def test_settings_that_are_wrong(small_department, changes, said):
    small_department.set(**changes)
    check = check_department(small_department.home, small_department.slug)
    assert not check.ready and said in check.text()


def test_an_empty_feed_and_another_header(small_department):
    check = check_department(small_department.home, small_department.slug)
    assert any("no file matches" in step for step in check.blocking)
    rows = [{("Kode" if k == "Code" else k): v for k, v in row.items()}
            for row in days(small_department)]  # fmt: skip
    check = checked(small_department, rows)
    assert any("also expects: Code" in step for step in check.blocking)


def test_a_field_not_decided_is_named(small_department):
    layout = dict(small_department.settings["feed"]["layouts"][0])
    layout["columns"] = {**layout["columns"], "offense_code": "?"}
    small_department.set(feed={"layouts": [layout]})
    check = checked(small_department, days(small_department))
    assert lines(check, "Not mapped") == ["layout 'monthly': offense_code"]


def test_an_unknown_department(small_department):
    with pytest.raises(UnknownDepartment):
        check_department(small_department.home, "elsewhere")


def test_the_limits_are_those_of_the_checks_that_every_run_makes():
    rules = {
        rule["id"]: rule
        for path in EXPECTATIONS.glob("*.yaml")
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    }
    limits = {condition.split()[0]: limit for condition, limit, _ in findings.OBSTACLES[:3]}
    for column, name in (
        ("offense", "most_offenses_are_known"),
        ("precinct_source", "most_precincts_are_listed"),
        ("location_quality", "most_points_are_in_the_city"),
    ):
        assert limits[column] == pytest.approx(1 - rules[name]["with"]["mostly"])
    refused = rules["few_rows_of_a_file_are_refused"]["with"]["max_value"]
    assert refused == findings.REFUSED_OF_A_FILE
