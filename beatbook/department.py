"""A department's settings: what ``department.yaml`` may say, and what each key means.

Everything that differs from one department to the next is a key here and a value there.
No other module names a department.
"""

import codecs
import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from beatbook.errors import SettingsError, UnknownDepartment
from beatbook.home import Home, find_home

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

AREA_KINDS = ("precinct", "beat", "neighborhood")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
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


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Layout(_Settings):
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


class Feed(_Settings):
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
        _crs(value)
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


class OffenseCodes(_Settings):
    """How a published offense code is brought to the form that offenses.csv uses."""

    pad_to: int = Field(default=0, ge=0)


class Outline(_Settings):
    """The city's outline."""

    file: str
    tolerance_m: float = Field(default=50.0, ge=0)


class Area(_Settings):
    """A kind of area that records are counted by: what it is called, its codes, its map."""

    label: str
    file: str | None = None
    code: str | None = None
    name_column: str | None = None
    unknown: list[str] = []
    aliases: dict[str, str] = {}
    strip: str = ""
    codes: dict[dt.date, list[str]] = {}

    @model_validator(mode="after")
    def _map_is_whole(self) -> "Area":
        if (self.file is None) != (self.code is None):
            raise ValueError(
                "file and code go together: the outlines, and the column of their code"
            )
        for start, codes in self.codes.items():
            if len(set(codes)) < len(codes):
                raise ValueError(f"codes: the list from {start} names a code twice")
        return self


class Areas(_Settings):
    """The city and what it is divided into."""

    city: Outline
    precinct: Area
    beat: Area = Area(label="Beat")
    neighborhood: Area = Area(label="Neighborhood")

    def kind(self, name: str) -> Area:
        """The settings of ``precinct``, ``beat`` or ``neighborhood``."""
        area: Area = getattr(self, name)
        return area


class GridSettings(_Settings):
    """The department's fixed grid: the same cells every week, so that maps compare."""

    size_m: float = Field(default=250.0, ge=50, le=5000)
    shape: Literal["square", "hexagonal"] = "square"
    origin: tuple[float, float] = (0.0, 0.0)


class LateCoding(_Settings):
    """How complete the last weeks are when a book is made."""

    weeks: list[Annotated[float, Field(gt=0, le=1)]]
    source: str


class BookSettings(_Settings):
    """What a department's books show."""

    map_area: Literal["precinct", "beat", "neighborhood"] = "neighborhood"
    late_coding: LateCoding | None = None
    paper: Literal["us-letter", "a4"] = "us-letter"


class OfficialCounts(_Settings):
    """Annual figures published elsewhere, that the book is reconciled with."""

    title: str
    file: str
    year: str
    counted_by: Literal["known_on", "occurred_from", "reported_at"]
    offenses: dict[str, str]


def _crs(value: str) -> Any:
    # pyproj is imported here, not above: load_table does not need it.
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(value)
    except CRSError:
        raise ValueError(f"no coordinate reference system {value!r}") from None


def _a_date(value: Any) -> Any:
    return value.date() if isinstance(value, dt.datetime) else value


class Department(_Settings):
    """One department: its settings, and the folder they came from."""

    slug: str
    folder: Path
    name: str
    city: str
    state: str
    timezone: str
    crs: str
    week_start: Weekday = "monday"
    count_by: Literal["occurrence", "report"] = "occurrence"
    year_ago: Literal["same_dates", "same_weekdays"] = "same_dates"
    leap_day: Literal["include", "exclude"] = "include"
    feed: Feed
    offense_codes: OffenseCodes = OffenseCodes()
    areas: Areas
    grid: GridSettings = GridSettings()
    small_cell_limit: int = Field(default=3, ge=1)
    redistrictings: list[Annotated[dt.date, BeforeValidator(_a_date)]] = []
    book: BookSettings = BookSettings()
    official_counts: OfficialCounts | None = None
    attribution: str

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(
                f"no time zone {value!r}; give an IANA name such as America/Chicago"
            ) from None
        return value

    @field_validator("crs")
    @classmethod
    def _a_metric_crs(cls, value: str) -> str:
        crs = _crs(value)
        if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
            raise ValueError(
                f"{value} is not projected in meters; distances need such a system, "
                "for example the state plane zone in meters (EPSG)"
            )
        return value

    @model_validator(mode="after")
    def _areas_and_book_agree(self) -> "Department":
        if self.feed.repeats == "reject" and self.feed.record_key == "all":
            raise ValueError("feed.repeats: reject needs feed.record_key to name the key's fields")
        if not (self.areas.precinct.codes or self.areas.precinct.file):
            raise ValueError("areas.precinct needs codes, or the file of its outlines")
        if self.areas.kind(self.book.map_area).file is None:
            raise ValueError(f"book.map_area is {self.book.map_area}, which has no outlines (file)")
        return self

    @property
    def redistricted_on(self) -> list[dt.date]:
        """The days from which another division into precincts holds than the day before.

        The first list of codes begins nothing: a record from before it is held against it.
        """
        return sorted(set(sorted(self.areas.precinct.codes)[1:]) | set(self.redistrictings))


def list_departments(home: Home | None = None) -> list[str]:
    """The departments that have a folder with settings, by name."""
    home = home or find_home()
    return sorted(path.parent.name for path in home.departments.glob("*/department.yaml"))


def load_department(slug: str, home: Home | None = None) -> Department:
    """Read one department's settings.

    Parameters
    ----------
    slug
        The name of the department's folder under ``departments/``.
    home
        The checkout; found by :func:`beatbook.home.find_home` if not given.

    Raises
    ------
    UnknownDepartment
        If there is no such folder; the message lists those that exist.
    SettingsError
        If a key is unknown, missing or has an impossible value; the message names the
        file, the key and what was expected.
    """
    home = home or find_home()
    if slug not in list_departments(home):
        known = ", ".join(list_departments(home)) or "none yet"
        raise UnknownDepartment(f"No department {slug!r}. Departments here: {known}.")
    folder = home.departments / slug
    path = folder / "department.yaml"
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{slug}/department.yaml is not valid YAML: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{slug}/department.yaml is not UTF-8; save it as UTF-8.") from None
    if not isinstance(settings, dict):
        raise SettingsError(f"{slug}/department.yaml holds no settings.")
    for key in ("slug", "folder"):
        if key in settings:
            raise SettingsError(
                f"{slug}/department.yaml:\n  {key}: no such setting; the folder's name says it."
            )
    try:
        return Department.model_validate({"slug": slug, "folder": folder, **settings})
    except ValidationError as error:
        lines = [f"{slug}/department.yaml:"]
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"]) or "the settings"
            if problem["type"] == "extra_forbidden":
                lines.append(f"  {key}: no such setting. Check its spelling and indentation.")
            elif problem["type"] == "missing":
                lines.append(f"  {key}: missing.")
            else:
                said = problem["msg"].removeprefix("Value error, ")
                # A whole block of settings would hide what is wrong with it.
                whole = isinstance(problem["input"], (dict, Department))
                found = "" if whole else f" (found: {problem['input']!r:.80})"
                lines.append(f"  {key}: {said}{found}")
        raise SettingsError("\n".join(lines)) from None
