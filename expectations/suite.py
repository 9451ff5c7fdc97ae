"""Suites as files: which rules a table must meet, how grave a breach is, and why it matters."""

import functools
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from beatbook.errors import SettingsError

FOLDER = Path(__file__).parent

Severity = Literal["critical", "warning", "info"]
Queue = Literal["each", "once", "none"]


class Rule(BaseModel):
    """One rule: an expectation, how grave its breach is, and why, in plain English.

    Attributes
    ----------
    id, expect, arguments, severity, why
        Its name, Great Expectations' name for what it tests, that test's arguments (``with``),
        ``critical`` (keeps the table from being published), ``warning`` or ``info``, and the
        reason.
    evidence
        The frame it looks at; the suite's table if empty. Else one of
        :data:`beatbook.quality.evidence.EVIDENCE`.
    only
        Only the rows with these values: column to a value or a list of them.
    queue
        Whether each failing record becomes an item for the steward, all of them one, or none; by
        default each for critical and warning, none for info.
    field
        The field in question, for a person; the tested column if empty.
    shows
        The columns whose values are shown as observed; the tested ones if empty.
    expected
        What was expected, in words; ``{min_value}`` and the like stand for the arguments.
    withhold
        The observed value is never shown: a place of a sex offense, a house number.
    locked
        No department may change the rule: it guards privacy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    expect: str = Field(pattern=r"^expect_[a-z_A-Z]+$")
    arguments: dict[str, Any] = Field(alias="with", default_factory=dict)
    severity: Severity
    why: str = Field(min_length=1)
    evidence: str = ""
    only: dict[str, str | list[str]] = {}
    queue: Queue | None = None
    field: str = ""
    shows: list[str] = []
    expected: str = ""
    withhold: bool = False
    locked: bool = False

    @property
    def blocks(self) -> bool:
        """Whether a breach keeps the table from being published."""
        return self.severity == "critical"

    @property
    def queued(self) -> Queue:
        """What becomes of its findings in the steward's queue."""
        return self.queue or ("none" if self.severity == "info" else "each")

    @property
    def columns(self) -> list[str]:
        """The columns that the expectation tests."""
        names = ("column", "column_A", "column_B")
        single = [self.arguments[name] for name in names if name in self.arguments]
        return [*single, *self.arguments.get("column_list", [])]


class Suite(BaseModel):
    """All rules of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    rules: list[Rule] = Field(min_length=1)


# The loader in C, where PyYAML was built with it, is ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def load_suite(name: str, folder: Path = FOLDER) -> Suite:
    """Read a suite by the name of its table, for example ``incidents``.

    Raises
    ------
    SettingsError
        If there is none, the file says something that a suite cannot say, or names a rule twice.
    """
    path = folder / f"{name}.yaml"
    try:
        suite = Suite.model_validate(yaml.load(path.read_text(encoding="utf-8"), _LOADER))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"expectations/{path.name} cannot be read: {error}") from None
    refuse_repeated(suite.rules, f"expectations/{path.name}")
    return suite


def refuse_repeated(rules: list[Rule], where: str) -> None:
    """Refuse two rules of one name: their histories would be one."""
    ids = [rule.id for rule in rules]
    twice = sorted({rule for rule in ids if ids.count(rule) > 1})
    if twice:
        raise SettingsError(f"{where} names the rule {', '.join(twice)} twice.")


def list_suites(folder: Path = FOLDER) -> list[str]:
    """The tables that have a suite, by name."""
    return sorted(path.stem for path in folder.glob("*.yaml"))
