"""What a department may change, and what is told it may not."""

import pytest

from beatbook.errors import SettingsError
from expectations.department_rules import suite_for


def told(department, text, table="incidents"):
    (department.folder / "expectations.yaml").write_text(text, encoding="utf-8")
    return {rule.id: rule for rule in suite_for(table, department.load()).rules}


def test_without_a_file_the_suite_is_everybodys(small_department):
    assert suite_for("incidents", small_department.load()) == suite_for("incidents")


def test_thresholds_and_severity_are_changed_and_the_reason_is_shown(small_department):
    rules = told(
        small_department,
        """
incidents:
  change:
    age_is_plausible: {with: {max_value: 365}, severity: warning, queue: once, reason: We audit.}
    new_codes_are_noted: {drop: true, reason: Our codes change weekly.}
""",
    )
    rule = rules["age_is_plausible"]
    assert rule.arguments == {"column": "age_days", "max_value": 365}
    assert rule.severity == "warning" and rule.queued == "once"
    assert rule.why.endswith("(This department: We audit.)")
    assert "new_codes_are_noted" not in rules


def test_a_rule_is_added(small_department):
    rules = told(
        small_department,
        """
weekly_counts:
  add:
    - id: no_week_above_a_thousand
      expect: expect_column_values_to_be_between
      with: {column: incidents, max_value: 1000}
      severity: info
      why: It has never happened.
""",
        "weekly_counts",
    )
    assert rules["no_week_above_a_thousand"].severity == "info"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("incident: {}", "no table 'incident' is checked. Tables: "),
        ("incidents: {chnage: {}}", "incidents.chnage: no such key"),
        (
            "incidents: {change: {record_id_is_uniq: {reason: r}}}",
            "record_id_is_uniq: no such rule",
        ),
        ("incidents: {change: {count_is_one: {severity: info}}}", "count_is_one.reason: missing"),
        (
            "incidents: {change: {count_is_one: {severity: mild, reason: r}}}",
            "count_is_one.severity: .*mild",
        ),
        (
            "incidents: {change: {age_is_plausible: {with: {max: 3}, reason: r}}}",
            "no argument max; it has column, max_value",
        ),
        (
            "incidents: {change: {sex_offenses_have_no_point: {drop: true, reason: r}}}",
            "guards privacy and cannot be changed",
        ),
        (
            "incidents: {change: {no_house_numbers: {severity: info, reason: r}}}",
            "guards privacy and cannot be changed",
        ),
        (
            "incidents: {add: [{id: count_is_one, expect: expect_a, severity: info, why: w}]}",
            "names the rule count_is_one twice",
        ),
        ("- a list", "write a table's name"),
        ("incidents: [", "not valid YAML"),
    ],
)
def test_a_mistake_is_named(small_department, text, said):
    with pytest.raises(SettingsError, match=said) as raised:
        told(small_department, text)
    assert "example/expectations.yaml" in str(raised.value)
