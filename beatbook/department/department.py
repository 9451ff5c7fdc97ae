"""A department: all of its settings together.

Everything that differs from one department to the next is a key here and a value there.
No other module names a department.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from beatbook.department.areas import Areas
from beatbook.department.book import BookSettings, GridSettings, OfficialCounts
from beatbook.department.feed import Feed, OffenseCodes
from beatbook.department.forecasts import ForecastSettings
from beatbook.department.messages import AlertSettings, MailSettings
from beatbook.department.settings import Settings, checked_crs

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _a_date(value: Any) -> Any:
    return value.date() if isinstance(value, dt.datetime) else value


class Department(Settings):
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
    forecasts: ForecastSettings = ForecastSettings()
    official_counts: OfficialCounts | None = None
    mail: MailSettings | None = None
    alerts: AlertSettings = AlertSettings()
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
        crs = checked_crs(value)
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
