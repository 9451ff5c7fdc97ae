"""What one department changes or adds: ``departments/<slug>/expectations.yaml``.

Thresholds that suit one city do not suit the next. A change says why, so that the page can tell
a reader that this department is held to something else.
"""

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from beatbook.department import Department
from beatbook.errors import SettingsError
from expectations.suite import (
    Queue,
    Rule,
    Severity,
    Suite,
    list_suites,
    load_suite,
    refuse_repeated,
)

FILE = "expectations.yaml"


class Change(BaseModel):
    """Another severity, queue or threshold of a rule; or ``drop``, which leaves it out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(min_length=1)
    severity: Severity | None = None
    queue: Queue | None = None
    arguments: dict[str, Any] = Field(alias="with", default_factory=dict)
    drop: bool = False


class TableRules(BaseModel):
    """The changes and additions to one table's suite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: dict[str, Change] = {}
    add: list[Rule] = []


def load_department_rules(department: Department) -> dict[str, TableRules]:
    """Read a department's own rules; none if it has no such file.

    Raises
    ------
    SettingsError
        If a key is misspelt, a table has no suite, a rule to change does not exist or is locked,
        or an added one has the name of one that exists. The message names the file and the key.
    """
    path = department.folder / FILE
    where = f"{department.slug}/{FILE}"
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} is not valid YAML in UTF-8: {error}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{where}: write a table's name, and under it change and add.")
    rules: dict[str, TableRules] = {}
    for table, told in content.items():
        if table not in list_suites():
            raise SettingsError(
                f"{where}: no table {table!r} is checked. Tables: {', '.join(list_suites())}."
            )
        try:
            rules[table] = TableRules.model_validate(told or {})
        except ValidationError as error:
            raise SettingsError(f"{where}:\n" + "\n".join(_problems(table, error))) from None
    return rules


def _problems(table: str, error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in (table, *problem["loc"]))
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {key}: no such key. Check its spelling and indentation.")
        elif problem["type"] == "missing":
            lines.append(f"  {key}: missing.")
        else:
            lines.append(f"  {key}: {problem['msg']} (found: {problem['input']!r:.80})")
    return lines


def suite_for(table: str, department: Department | None = None) -> Suite:
    """A table's suite as it holds for a department.

    Raises
    ------
    SettingsError
        As :func:`load_department_rules`.
    """
    suite = load_suite(table)
    if department is None:
        return suite
    told = load_department_rules(department).get(table)
    if told is None:
        return suite
    where = f"{department.slug}/{FILE}"
    known = {rule.id: rule for rule in suite.rules}
    for name, change in told.change.items():
        if name not in known:
            raise SettingsError(
                f"{where}: {table}.change.{name}: no such rule. Rules: {', '.join(known)}."
            )
        if known[name].locked:
            raise SettingsError(
                f"{where}: {table}.change.{name}: this rule guards privacy and cannot be changed."
            )
        unknown = sorted(set(change.arguments) - set(known[name].arguments))
        if unknown:
            raise SettingsError(
                f"{where}: {table}.change.{name}.with: the rule has no argument "
                f"{', '.join(unknown)}; it has {', '.join(known[name].arguments) or 'none'}."
            )
    rules = [
        _changed(rule, told.change[rule.id]) if rule.id in told.change else rule
        for rule in suite.rules
        if not (rule.id in told.change and told.change[rule.id].drop)
    ]
    rules += told.add
    refuse_repeated(rules, where)
    return Suite(table=table, rules=rules)


def _changed(rule: Rule, change: Change) -> Rule:
    return rule.model_copy(
        update={
            "severity": change.severity or rule.severity,
            "queue": change.queue or rule.queue,
            "arguments": {**rule.arguments, **change.arguments},
            "why": f"{rule.why} (This department: {change.reason})",
        }
    )
