"""Run rules on a frame with Great Expectations.

Great Expectations is imported when rules run, not before: it takes seconds, and neither
``beatbook --help`` nor ``load_table`` should pay for it. :func:`import_ahead` starts the import
in the background while the evidence is worked out.
"""

import functools
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from expectations.suite import Rule

FIRST_RECORDS = 20
"""How many failing records a result shows in Dagster's UI; the findings hold all."""

Describe = Callable[[list[int], list[str]], pd.DataFrame]
"""Rows of the frame, by place, with the asked columns as they stand in the table."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    Attributes
    ----------
    rule, table
        The rule, and the table that it speaks for.
    passed
        Whether the table meets it.
    checked, failing
        How many rows it looked at, and how many breach it.
    findings
        One row a failing record: ``record_key, field, observed, expected, source_file,
        source_row``. Empty where the rule is met, also if a few records breach a rule that allows
        a few.
    observed
        For a rule on the whole table, what was found; for one that could not run, why.
    """

    rule: Rule
    table: str
    passed: bool
    checked: int
    failing: int
    findings: pd.DataFrame = field(default_factory=lambda: no_findings())
    observed: str = ""

    @property
    def records(self) -> list[dict[str, str]]:
        """The first failing records, for a table in a page."""
        shown = self.findings.head(FIRST_RECORDS).astype("object")
        shown = shown.where(shown.notna(), "").astype("str")
        return [{str(k): v for k, v in row.items()} for row in shown.to_dict("records")]


FINDING = ("record_key", "field", "observed", "expected", "source_file", "source_row")


_NONE = pd.DataFrame(
    {name: pd.Series(dtype="Int64" if name == "source_row" else "str") for name in FINDING}
)


def no_findings() -> pd.DataFrame:
    """A frame of findings without rows."""
    return _NONE.copy()


@dataclass(frozen=True)
class Frame:
    """What rules look at.

    Attributes
    ----------
    data
        The columns that the rules name; its rows are known by their place.
    key
        Columns that name a row to a person, joined by ``|``.
    describe
        Gives failing rows with the columns to show; by default ``data`` itself.
    """

    data: pd.DataFrame
    key: tuple[str, ...]
    describe: Describe | None = None

    def rows(self, places: list[int], columns: list[str]) -> pd.DataFrame:
        """Some rows, for a person."""
        if self.describe is not None:
            return self.describe(places, columns)
        held = [name for name in dict.fromkeys(columns) if name in self.data.columns]
        return self.data[held].iloc[places]


_loading = threading.Lock()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let the garbage collector rest: two thousand modules are made, and none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def import_ahead() -> threading.Thread:
    """Start to import Great Expectations in the background."""
    thread = threading.Thread(target=_import, name="great_expectations", daemon=True)
    thread.start()
    return thread


def _import() -> Any:
    """Great Expectations, its telemetry off and without what only slows its import.

    jsonschema's optional check of internationalized addresses builds a grammar for seconds when
    it is imported; nothing here checks one.
    """
    with _loading:
        if "great_expectations" in sys.modules and "great_expectations.expectations" in sys.modules:
            return sys.modules["great_expectations"]
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        hidden = "rfc3987_syntax"
        hide = hidden not in sys.modules
        if hide:
            sys.modules[hidden] = None  # type: ignore[assignment]
        try:
            with _without_collection():
                import great_expectations
                import great_expectations.expectations
        finally:
            if hide:
                del sys.modules[hidden]
        return great_expectations


@functools.cache
def _any_frame(gx: Any) -> Any:
    """The definition of a batch that is a frame, one a process: it holds none, and is slow to make.

    Great Expectations writes its settings anew for each definition.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("all")


def run_rules(rules: Sequence[Rule], frame: Frame, table: str) -> list[RuleResult]:
    """Check a frame against rules.

    Parameters
    ----------
    rules
        All on this frame; a rule's ``only`` limits the rows it looks at.
    frame
        Holds every column that the rules name.
    table
        The table that the results speak for.

    Returns
    -------
    list of RuleResult
        One a rule, in their order. A rule that cannot be run has failed, and says why.
    """
    gx = _import()
    import great_expectations.expectations as gxe

    definition = _any_frame(gx)
    numbered = frame.data.reset_index(drop=True)
    results: dict[str, RuleResult] = {}
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(repr(sorted(rule.only.items())), []).append(rule)
    for name, group in groups.items():
        chosen = _chosen(numbered, group[0])
        runnable = []
        for rule in group:
            lacking = [column for column in rule.columns if column not in chosen.columns]
            if lacking:
                said = f"the rule failed to run: there is no column {', '.join(lacking)}"
                results[rule.id] = RuleResult(rule, table, False, len(chosen), 0, observed=said)
            else:
                runnable.append(rule)
        if chosen.empty:
            # Without rows nothing can fail that is said of rows; and a column has no type.
            for rule in [rule for rule in runnable if rule.columns]:
                runnable.remove(rule)
                checked = int(frame.data.attrs.get("checked", 0))
                results[rule.id] = RuleResult(rule, table, True, checked, 0)
        expectations = []
        for rule in list(runnable):
            try:
                kind = getattr(gxe, _class_name(rule.expect))
                # Nothing but the id: Great Expectations would make one up for each.
                expectations.append(kind(**rule.arguments, meta={"id": rule.id}))
            except Exception as error:
                runnable.remove(rule)
                said = f"the rule failed to run: {type(error).__name__}: {error}"
                results[rule.id] = RuleResult(rule, table, False, len(chosen), 0, observed=said)
        if not runnable:
            continue
        # Only what the rules look at: Great Expectations copies the frame.
        needed = list(dict.fromkeys(c for rule in runnable for c in rule.columns))
        batch = definition.get_batch({"dataframe": chosen[needed] if needed else chosen})
        outcome = batch.validate(
            gx.ExpectationSuite(name=f"{table} {name}", expectations=expectations),
            result_format={"result_format": "COMPLETE", "include_unexpected_rows": False},
        )
        by_id = {found.expectation_config.meta["id"]: found for found in outcome.results}
        for rule in runnable:
            results[rule.id] = _result(rule, table, by_id[rule.id], frame, chosen)
    return [results[rule.id] for rule in rules]


def _chosen(frame: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    for column, values in rule.only.items():
        frame = frame[frame[column].isin([values] if isinstance(values, str) else values)]
    return frame


def _class_name(expect: str) -> str:
    """expect_column_values_to_be_unique -> ExpectColumnValuesToBeUnique."""
    return "".join(part[0].upper() + part[1:] for part in expect.split("_"))


def _result(rule: Rule, table: str, found: Any, frame: Frame, chosen: pd.DataFrame) -> RuleResult:
    trouble = found.exception_info or {}
    raised = [
        part.get("exception_message", "")
        for part in (trouble, *trouble.values())
        if isinstance(part, dict) and part.get("raised_exception")
    ]
    if raised:
        # A rule that cannot be run has not been met: say so rather than let it pass.
        said = f"the rule failed to run: {raised[0]}"
        return RuleResult(rule, table, False, len(chosen), 0, observed=said)
    result = found.result
    rows = result.get("unexpected_index_list") or []
    places = [row if isinstance(row, int) else next(iter(row.values())) for row in rows]
    checked = int(frame.data.attrs.get("checked") or result.get("element_count") or len(chosen))
    passed = bool(found.success)
    observed = result.get("observed_value", "")
    findings = no_findings()
    if not passed:
        findings = _findings(rule, frame, places) if places else _whole(rule, table, str(observed))
    return RuleResult(
        rule=rule,
        table=table,
        passed=passed,
        checked=checked,
        failing=int(result.get("unexpected_count") or len(places)),
        findings=findings,
        observed=str(observed),
    )


def _findings(rule: Rule, frame: Frame, places: list[int]) -> pd.DataFrame:
    shown = rule.shows or rule.columns
    told = ["observed", "expected", "field", "source_file", "source_row", "record_key"]
    rows = frame.rows(places, [*frame.key, *told, *shown]).reset_index(drop=True)
    out = pd.DataFrame(index=rows.index)
    if "record_key" in rows:
        out["record_key"] = rows["record_key"].astype("str")
    else:
        out["record_key"] = _joined(rows, list(frame.key), "|")
    out["field"] = rule.field or (rows["field"] if "field" in rows else ", ".join(shown))
    if rule.withhold:
        out["observed"] = "withheld"
    elif "observed" in rows and not rule.shows:
        out["observed"] = rows["observed"].astype("str")
    else:
        out["observed"] = _joined(rows, [c for c in shown if c in rows], ", ")
    if not rule.expected and "expected" in rows:
        out["expected"] = rows["expected"].astype("str")
    else:
        out["expected"] = expected_words(rule)
    for column, dtype in (("source_file", "str"), ("source_row", "Int64")):
        held = rows[column] if column in rows else pd.Series(pd.NA, index=rows.index)
        out[column] = held.astype(dtype)
    return out[list(FINDING)].astype({"field": "str"})


def _joined(rows: pd.DataFrame, columns: list[str], by: str) -> pd.Series:
    if not columns:
        return pd.Series("", index=rows.index, dtype="str")
    texts = [_text(rows[column]) for column in columns]
    joined = texts[0]
    for text in texts[1:]:
        joined = joined + by + text
    return joined


def _text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("object")
    if pd.api.types.is_datetime64_any_dtype(values):
        times = values.dt.strftime("%Y-%m-%d %H:%M").str.removesuffix(" 00:00")
        return times.fillna("missing").astype("str")
    if pd.api.types.is_float_dtype(values):
        words = [f"{v:.6g}" if pd.notna(v) else "missing" for v in values]
        return pd.Series(words, index=values.index, dtype="str")
    return values.astype("object").where(values.notna(), "missing").astype("str")


def _whole(rule: Rule, table: str, observed: str) -> pd.DataFrame:
    row = {
        "record_key": table,
        "field": rule.field or ", ".join(rule.columns),
        "observed": observed,
        "expected": expected_words(rule),
        "source_file": None,
        "source_row": pd.NA,
    }
    return pd.DataFrame([row]).astype(no_findings().dtypes.to_dict())


def expected_words(rule: Rule) -> str:
    """What a rule expects, in words: its own, or those of its expectation and arguments."""
    if rule.expected:
        return rule.expected.format(**rule.arguments)
    told = {k: v for k, v in rule.arguments.items() if not k.startswith("column")}
    words = rule.expect.removeprefix("expect_").replace("_", " ")
    return words + (f" ({', '.join(f'{k} {v}' for k, v in told.items())})" if told else "")
