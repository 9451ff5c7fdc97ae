"""How a department's files are read: layouts, dates, coordinates, record keys."""

import codecs
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from beatbook.department.settings import Settings, checked_crs

FIELDS = (
    "incident_number",
    "offense_code",
    "offense_description",
    "count",
    "occurred_from",
    "occurred_to",
    "reported_at",
    "known_on",
    "precinct",
    "beat",
    "neighborhood",
    "block_address",
    "origin",
    "x",
    "y",
)
"""What a layout may map: Beatbook's own names for a feed's columns."""

Format = Literal["csv", "geojson"]


_DIRECTIVES = set("aAbBcdfgGHIjmMnpSuUVwWxXyY%") | {f"-{letter}" for letter in "dHIjmMSy"}
"""What a date format may hold: what DuckDB's strptime reads, without an offset or zone. Those
would bypass the settings ``feed.times`` and ``timezone``."""


def _readable_format(text: str) -> str:
    for directive in re.findall(r"%(-?.?)", text):
        if directive in ("z", "Z"):
            raise ValueError(
                f"{text!r} reads an offset or zone; write it as it stands in the feed (+00) and "
                "say feed.times: utc"
            )
        if directive not in _DIRECTIVES:
            raise ValueError(f"{text!r} holds %{directive}, which is no part of a date")
    if not re.search(r"%-?[YycxG]", text):
        raise ValueError(f"{text!r} reads no year (%Y)")
    return text


DateFormat = Annotated[str, AfterValidator(_readable_format)]


class Layout(Settings):
    """One shape in which the feed's files have come: which column holds what."""

    name: str
    columns: dict[str, str | list[str]]
    format: Format = "csv"
    date_formats: list[DateFormat] = []
    delimiter: str = ","

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        unknown = sorted(set(columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"no such field: {', '.join(unknown)}; fields are {', '.join(FIELDS)}")
        for needed in ("offense_code", "occurred_from"):
            if needed not in columns:
                raise ValueError(f"the field {needed} must be mapped to a column")
        if not {"known_on", "reported_at"} & set(columns):
            raise ValueError(
                "map known_on or reported_at: without either no book can be rebuilt as of a day"
            )
        listed = [f for f, c in columns.items() if isinstance(c, list) and f != "block_address"]
        if listed:
            raise ValueError(f"only block_address may join columns, not {', '.join(listed)}")
        return columns

    @property
    def source_columns(self) -> list[str]:
        """The feed's own column names that this layout reads."""
        found: list[str] = []
        for column in self.columns.values():
            found.extend([column] if isinstance(column, str) else column)
        return found


class Feed(Settings):
    """How the department's files are read."""

    files: str
    layouts: list[Layout] = Field(min_length=1)
    encoding: str = "utf-8"
    format: Format = "csv"
    crs: str
    times: Literal["local", "utc"] = "local"
    date_formats: list[DateFormat] = []
    month_formats: list[DateFormat] = ["%Y-%m"]
    publishes: Literal["monthly", "daily"] = "daily"
    coverage_gap_days: int = Field(default=7, ge=1)
    record_key: Literal["all"] | list[str] = "all"
    repeats: Literal["keep", "reject"] = "keep"
    unknown_coordinates: list[tuple[float, float]] = [(0.0, 0.0)]
    location_precision: Literal["exact", "block"] = "block"
    final_newline: bool = True

    @field_validator("encoding")
    @classmethod
    def _an_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(f"no encoding {value!r}; often cp1252 or utf-8") from None
        return value

    @field_validator("crs")
    @classmethod
    def _a_crs(cls, value: str) -> str:
        checked_crs(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> "Feed":
        for layout in self.layouts:
            if self.publishes == "monthly" and "known_on" not in layout.columns:
                raise ValueError(
                    f"publishes is monthly, but layout {layout.name!r} maps no known_on: the "
                    "month in which a record was coded"
                )
            if not (layout.date_formats or self.date_formats):
                raise ValueError(f"layout {layout.name!r} has no date_formats, nor has feed")
        if isinstance(self.record_key, list):
            unknown = sorted(set(self.record_key) - set(FIELDS))
            if unknown:
                raise ValueError(f"record_key names no field of Beatbook: {', '.join(unknown)}")
        return self


class OffenseCodes(Settings):
    """How a published offense code is brought to the form that offenses.csv uses."""

    pad_to: int = Field(default=0, ge=0)
