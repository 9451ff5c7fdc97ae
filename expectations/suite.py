"""Suites as files: which rules a table must meet, how grave a breach is, and why it matters."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from beatbook.errors import SettingsError

FOLDER = Path(__file__).parent

Severity = Literal["critical", "warning", "info"]


class Rule(BaseModel):
    """One rule: an expectation, how grave its breach is, and why, in plain English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    expect: str = Field(pattern=r"^expect_[a-z_A-Z]+$")
    arguments: dict[str, Any] = Field(alias="with", default_factory=dict)
    severity: Severity
    why: str

    @property
    def blocks(self) -> bool:
        """Whether a breach keeps the table from being published."""
        return self.severity == "critical"


class Suite(BaseModel):
    """All rules of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    rules: list[Rule] = Field(min_length=1)


def load_suite(name: str, folder: Path = FOLDER) -> Suite:
    """Read a suite, for example ``incidents_staged``.

    Raises
    ------
    SettingsError
        If the file says something that a suite cannot say, or names a rule twice.
    """
    path = folder / f"{name}.yaml"
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"expectations/{path.name} cannot be read: {error}") from None
    ids = [rule.id for rule in suite.rules]
    twice = sorted({rule for rule in ids if ids.count(rule) > 1})
    if twice:
        raise SettingsError(f"expectations/{path.name} names the rule {', '.join(twice)} twice.")
    return suite
