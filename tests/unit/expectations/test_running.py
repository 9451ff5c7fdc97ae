"""Rules on frames: the failing records come out by name, and a rule that cannot run has failed."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from expectations.checking import check_staged, check_table, findings, result_rows
from expectations.runner import Frame, run_rules
from expectations.suite import Rule

ROOT = Path(__file__).resolve().parents[3]


def rule(expect="expect_column_values_to_be_between", arguments=None, **more):
    settings = {"id": "r", "severity": "warning", "why": "It matters.", **more}
    return Rule(expect=expect, arguments=arguments or {"column": "n", "max_value": 3}, **settings)


TIMES = pd.to_datetime(["2024-01-01", "2024-01-02 03:04", None, "2024-01-04"], format="ISO8601")
FRAME = pd.DataFrame(
    {"name": ["a", "b", "c", "d"], "kind": ["x", "x", "y", "y"], "n": [1, 5, 3, 9],
     "when": TIMES, "source_file": ["f", "f", None, "g"], "source_row": [1, 2, None, 4]}
)  # fmt: skip


def run(*rules, frame=FRAME):
    return run_rules(rules, Frame(frame, ("name",)), "tables")


def test_all_failing_records_come_out_with_what_was_seen_and_expected():
    (result,) = run(rule(expected="at most {max_value}"))
    assert not result.passed and (result.checked, result.failing) == (4, 2)
    found = findings([result])
    assert list(found.columns) == [
        "table", "check", "severity", "why", "queue", "record_key", "field", "observed",
        "expected", "source_file", "source_row",
    ]  # fmt: skip
    assert found.to_dict("records")[0] == {
        "table": "tables", "check": "r", "severity": "warning", "why": "It matters.",
        "queue": "each", "record_key": "b", "field": "n", "observed": "5",
        "expected": "at most 3", "source_file": "f", "source_row": 2,
    }  # fmt: skip
    assert found["source_row"].dtype == "Int64" and found["observed"].dtype == "str"


def test_a_rule_that_allows_a_few_names_none_while_it_is_met():
    met, broken = run(
        rule(arguments={"column": "n", "max_value": 3, "mostly": 0.5}),
        rule(id="s", arguments={"column": "n", "max_value": 3, "mostly": 0.6}),
    )
    assert met.passed and met.failing == 2 and met.findings.empty
    assert not broken.passed and len(broken.findings) == 2


def test_only_some_rows_are_looked_at_and_named_rightly():
    (result,) = run(rule(only={"kind": "y"}))
    assert result.checked == 2 and list(result.findings["record_key"]) == ["d"]


def test_a_withheld_value_is_nowhere():
    (result,) = run(rule(withhold=True))
    assert set(result.findings["observed"]) == {"withheld"}
    assert all("5" not in str(row["observed"]) for row in result.records)


def test_what_is_shown_may_be_other_columns():
    (result,) = run(rule(shows=["when", "kind"], field="date"))
    assert list(result.findings["observed"]) == ["2024-01-02 03:04, x", "2024-01-04, y"]
    assert list(result.findings["field"]) == ["date", "date"]


def test_a_rule_on_the_whole_table_is_one_finding():
    (result,) = run(
        rule("expect_table_row_count_to_be_between", {"min_value": 9}, severity="critical")
    )
    assert result.findings["record_key"].tolist() == ["tables"]
    assert result.findings["observed"].tolist() == ["4"]


@pytest.mark.parametrize(
    ("expect", "arguments", "said"),
    [
        ("expect_column_values_to_be_between", {"column": "m", "max_value": 1}, "no column m"),
        ("expect_column_values_to_be_jolly", {"column": "n"}, "failed to run"),
        ("expect_column_values_to_be_between", {"column": "name", "max_value": 1}, "failed to run"),
        ("expect_column_values_to_be_between", {"column": "n", "maximum": 1}, "failed to run"),
    ],
)
def test_a_rule_that_cannot_run_has_failed_and_says_so(expect, arguments, said):
    good, bad = run(rule(), rule(expect, arguments, id="bad"))
    assert not bad.passed and said in bad.observed and bad.findings.empty
    assert good.failing == 2


def test_without_rows_nothing_fails_that_is_said_of_rows():
    none = FRAME.iloc[:0].astype("object")
    rows, table = run(
        rule(), rule("expect_table_row_count_to_be_between", {"min_value": 1}, id="t"), frame=none
    )
    assert rows.passed and not table.passed


def test_results_are_one_row_a_rule():
    rows = result_rows(run(rule()), "abc")
    assert rows.iloc[0].to_dict() == {
        "table": "tables", "check": "r", "severity": "warning", "why": "It matters.",
        "checked": 4, "failing": 2, "passed": False, "observed": None, "feed_sha256": "abc",
    }  # fmt: skip


def test_great_expectations_is_not_loaded_until_rules_run():
    code = (
        "import sys\nimport expectations.checking, expectations.listing\n"
        "print([n for n in ('great_expectations', 'geopandas', 'scipy.stats') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_the_hidden_module_is_there_again():
    run(rule())
    assert sys.modules.get("rfc3987_syntax", "absent") is not None


def test_staged_records_fail_by_record_id_with_their_row(small_department):
    rows = [small_department.row(Case=f"{i}") for i in range(40)]
    rows[3]["Date"] = "03/02/2024 10:00"
    rows[5]["Code"] = "999999"
    rows[7]["Date"] = "01/02/1985 10:00"
    rows[9]["Date"] = "soon"
    tables = small_department.clean(rows)
    results = check_staged(tables.cleaned.incidents.parent, small_department.load())
    found = findings(results).set_index("check")
    assert found.loc["occurred_before_known", "source_row"] == 4
    assert found.loc["occurred_before_known", "observed"] == "2024-03-02 10:00, 2024-01-31"
    assert found.loc["offense_is_known", "observed"] == "999999"
    assert found.loc["offense_is_known", "source_row"] == 6
    assert found.loc["occurred_since_1990", "expected"] == "from 1990 on"
    key = found.loc["occurred_since_1990", "record_key"]
    assert key == tables.incidents.set_index("source_row").loc[8, "record_id"]
    assert found.loc["refused_rows_are_known", "observed"] == "soon"
    failed = {result.rule.id for result in results if not result.passed}
    assert not {r.rule.id for r in results if "failed to run" in r.observed}
    assert failed >= {"occurred_before_known", "offense_is_known", "refused_rows_are_known"}


def test_a_sound_small_feed_meets_every_rule(small_department):
    rows = [
        small_department.row(Case=f"{i}", Date=f"01/{1 + i % 28:02d}/2024 {i % 24:02d}:{i:02d}")
        for i in range(60)
    ]
    tables = small_department.clean(rows)
    results = check_staged(tables.cleaned.incidents.parent, small_department.load())
    assert [r.rule.id for r in results if not r.passed] == []


def test_a_departments_own_rule_holds(small_department):
    (small_department.folder / "expectations.yaml").write_text(
        "compstat:\n  add:\n    - {id: few_robberies, expect: expect_column_values_to_be_between, "
        "with: {column: current, max_value: 2}, severity: critical, why: There never were more.}\n"
    )
    from beatbook.compstat.table import compstat_table

    department = small_department.load()
    tables = small_department.clean([small_department.row(Case=f"{i}") for i in range(5)])
    import datetime as dt

    table = compstat_table(tables.incidents, department, dt.date(2024, 1, 7), dt.date(2024, 1, 31))
    broken = [r for r in check_table("compstat", table, department) if not r.passed]
    assert [r.rule.id for r in broken] == ["few_robberies"]
    assert broken[0].findings["record_key"].str.startswith("city|Example City|Robbery").any()


def test_tables_of_a_book_that_contradict_themselves_are_told(small_department):
    zones = pd.DataFrame(
        {"offense": ["Burglary"], "x": [700_001.0], "y": [4_270_000.0], "inner_m": [100.0],
         "outer_m": [50.0], "opens": pd.to_datetime(["2024-01-02"]),
         "closes": pd.to_datetime(["2024-01-01"]), "ratio": [0.5], "q": [0.2]}
    )  # fmt: skip
    broken = {
        r.rule.id for r in check_table("near_repeat_zones", zones, small_department.load())
        if not r.passed
    }  # fmt: skip
    assert broken == {
        "zones_are_ordered", "zones_close_after_they_open", "zones_are_of_raised_risk",
        "zones_are_tested", "centers_are_rounded",
    }  # fmt: skip
