"""Run a suite on a frame with Great Expectations.

Great Expectations is imported when a suite runs, not before: it takes seconds, and neither
``beatbook --help`` nor ``load_table`` should pay for it.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from expectations.suite import Rule, Suite

FIRST_RECORDS = 20
"""How many failing records a result names; the rest are counted."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    Attributes
    ----------
    rule
        The rule.
    passed
        Whether the table meets it.
    checked, failing
        How many records it looked at, and how many breach it.
    records
        The first failing records: the key columns and the observed values.
    observed
        For a rule on the whole table, what was found.
    """

    rule: Rule
    passed: bool
    checked: int
    failing: int
    records: list[dict[str, Any]] = field(default_factory=list)
    observed: str = ""


def staged_frame(incidents: pd.DataFrame) -> pd.DataFrame:
    """Add what the rules on staged incidents compare with.

    ``end_of_known_day`` is the last moment of ``known_on``; ``occurred_year`` the year of
    occurrence as a number (Great Expectations compares times one by one in Python, numbers at
    once); ``sex_offense_place`` the easting of a sex offense (UCR 02 and 17): none may have one.
    """
    sex_offense = incidents["ucr_code"].isin(["02", "17"])
    return incidents.assign(
        end_of_known_day=incidents["known_on"] + pd.Timedelta(days=1) - pd.Timedelta("1us"),
        occurred_year=incidents["occurred_from"].dt.year,
        sex_offense_place=incidents["x"].where(sex_offense),
    )


def files_frame(feed_files: pd.DataFrame) -> pd.DataFrame:
    """Add to the feed's manifest the share of each file that was refused."""
    return feed_files.assign(rejected_share=feed_files["rejected"] / feed_files["rows"])


def run_suite(suite: Suite, frame: pd.DataFrame, key: list[str]) -> list[RuleResult]:
    """Check a frame against a suite.

    Parameters
    ----------
    suite
        From :func:`expectations.suite.load_suite`.
    frame
        Holds every column that the rules name.
    key
        Columns that name a failing record to a person.

    Returns
    -------
    list of RuleResult
        One a rule, in the order of the suite.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    numbered = frame.reset_index(drop=True)
    # Only what the rules look at: Great Expectations copies the frame once a rule.
    needed = list(dict.fromkeys(_columns(suite)))
    batch = (
        context.data_sources.add_pandas("frame")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": numbered[needed]})
    )
    expectations = [
        getattr(gxe, _class_name(rule.expect))(**rule.arguments, meta={"id": rule.id})
        for rule in suite.rules
    ]
    outcome = batch.validate(
        gx.ExpectationSuite(name=suite.table, expectations=expectations),
        result_format={"result_format": "COMPLETE", "include_unexpected_rows": False},
    )
    by_id = {found.expectation_config.meta["id"]: found for found in outcome.results}
    return [_result(rule, by_id[rule.id], numbered, key) for rule in suite.rules]


def _columns(suite: Suite) -> list[str]:
    names = ("column", "column_A", "column_B")
    return [rule.arguments[n] for rule in suite.rules for n in names if n in rule.arguments]


def _class_name(expect: str) -> str:
    """expect_column_values_to_be_unique -> ExpectColumnValuesToBeUnique."""
    return "".join(part[0].upper() + part[1:] for part in expect.split("_"))


def _result(rule: Rule, found: Any, frame: pd.DataFrame, key: list[str]) -> RuleResult:
    trouble = found.exception_info or {}
    raised = trouble.get("raised_exception") or any(
        isinstance(part, dict) and part.get("raised_exception") for part in trouble.values()
    )
    if raised:
        # A rule that cannot be run has not been met: say so rather than let it pass.
        return RuleResult(rule, False, len(frame), 0, observed=f"the rule failed to run: {trouble}")
    result = found.result
    rows = result.get("unexpected_index_list") or []
    places = [row if isinstance(row, int) else next(iter(row.values())) for row in rows]
    shown = [c for c in dict.fromkeys([*key, *_columns_of(rule)]) if c in frame.columns]
    records = frame.loc[places[:FIRST_RECORDS], shown].astype(str).to_dict("records")
    return RuleResult(
        rule=rule,
        passed=bool(found.success),
        checked=int(result.get("element_count") or len(frame)),
        failing=int(result.get("unexpected_count") or 0),
        records=[{str(k): v for k, v in record.items()} for record in records],
        observed=str(result.get("observed_value", "")),
    )


def _columns_of(rule: Rule) -> list[str]:
    return [rule.arguments[n] for n in ("column", "column_A", "column_B") if n in rule.arguments]
