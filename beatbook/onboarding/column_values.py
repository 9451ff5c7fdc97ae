"""What the values of a column look like, and the choice of a column for a field."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from beatbook.onboarding.dates import date_formats_of, is_month
from beatbook.onboarding.offense_guesses import names_an_offense

_STREET = re.compile(
    r"\b(ST|STREET|AVE?|AVENUE|RD|ROAD|BLVD|DR|DRIVE|LN|LANE|PL|PLACE|CT|COURT|WAY|PKWY|TER|HWY|CIR"
    r"|BLK|BLOCK|PIKE|ALY|PLAZA|LOOP|TRL)\b|\w \s*[/&@]\s* \w",
    re.IGNORECASE,
)
UNKNOWN_WORDS = ("none", "unknown", "unk", "n/a", "na", "null", "-", "other", "ooj", "0", "99")
"""Values that stand for no code at all, in lower case."""


@dataclass(frozen=True)
class Column:
    """What the sampled values of one column look like; shares are of the filled ones."""

    name: str
    filled: float
    values: pd.Series
    distinct: int
    dates: float
    months: float
    numbers: float
    decimals: float
    offenses: float
    streets: float
    letters: float

    @property
    def few(self) -> bool:
        """Whether it holds codes: few distinct values for its rows."""
        return 1 < self.distinct <= 2000 and self.distinct <= 0.5 * len(self.values)

    @property
    def is_date(self) -> bool:
        """Whether its values are days."""
        return self.dates >= 0.6

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.numbers >= 0.9


@dataclass(frozen=True)
class Choice:
    """A column (or two that join) for a field, with the reason; unsure where a person must look."""

    column: str | list[str]
    evidence: str
    sure: bool = True


@dataclass
class Mapping:
    """The proposed columns of one layout, and what could not be settled."""

    choices: dict[str, Choice] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def taken(self) -> set[str]:
        """The columns that are spoken for."""
        used: set[str] = set()
        for choice in self.choices.values():
            used.update([choice.column] if isinstance(choice.column, str) else choice.column)
        return used


def look_at(values: pd.DataFrame) -> dict[str, Column]:
    """Work out what each column's values look like; columns without any value are left out."""
    columns = {}
    for name in values.columns:
        filled = values[name].dropna()
        if filled.empty:
            continue
        # What repeats is looked at once; a free text is looked at in part.
        counts = filled.value_counts()
        weights = counts.head(3000)
        texts = weights.index.to_series().astype(str)

        def share(hit: pd.Series, weights: pd.Series = weights) -> float:
            return float(weights[hit.to_numpy(bool)].sum() / weights.sum())

        number = texts.str.fullmatch(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
        columns[str(name)] = Column(
            name=str(name),
            filled=len(filled) / len(values),
            values=filled,
            distinct=len(counts),
            dates=_share_of_common(weights, lambda text: bool(date_formats_of(text))),
            months=_share_of_common(weights, is_month),
            numbers=share(number),
            decimals=share(texts.str.fullmatch(r"[-+]?\d+\.\d{2,}")),
            offenses=_share_of_common(weights, names_an_offense),
            streets=_share_of_common(weights, lambda text: bool(_STREET.search(text))),
            letters=share(texts.str.contains(r"[A-Za-z]")),
        )
    return columns


def _share_of_common(weights: "pd.Series[int]", holds: Callable[[str], bool]) -> float:
    """The share of the rows with the 300 most frequent values for which something holds."""
    common = weights.head(300)
    hits = np.array([holds(str(text)) for text in common.index])
    return float(common.to_numpy()[hits].sum() / common.sum())
