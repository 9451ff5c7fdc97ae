"""What is forecast for a department, and what it must be told that no record says."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from beatbook.department.settings import Settings
from beatbook.errors import InvalidInput
from beatbook.forecasts.place_events import refuse_enforcement_driven

SeriesModel = Literal[
    "seasonal_naive",
    "recent_mean",
    "exponential_smoothing",
    "count_regression",
    "pooled_level",
    "prophet",
]


def _a_date(value: Any) -> Any:
    return value.date() if isinstance(value, dt.datetime) else value


Day = Annotated[dt.date, BeforeValidator(_a_date)]


class KnownShock(Settings):
    """A break in the counts that has a cause outside of them: a strike, a change of the law."""

    kind: Literal["ignore", "level_shift"]
    first_day: Day
    last_day: Day | None = None
    offenses: list[str] = []
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _span_is_whole(self) -> "KnownShock":
        if self.kind == "ignore" and self.last_day is None:
            raise ValueError("ignore needs last_day: the weeks from first_day to it are left out")
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day lies before first_day")
        return self


class PlacesLayer(Settings):
    """Places that draw or hold offenses (licenses to sell liquor, say), for place forecasts."""

    file: str
    bandwidths_m: list[Annotated[float, Field(gt=0)]] = [125.0, 250.0]


class ForecastSettings(Settings):
    """What is forecast, for how large an area, and with what reasons."""

    horizon_weeks: int = Field(default=4, ge=1, le=13)
    models: list[SeriesModel] = [
        "recent_mean",
        "exponential_smoothing",
        "count_regression",
        "pooled_level",
    ]
    place_offenses: list[str] = ["Burglary", "Motor Vehicle Theft", "Robbery"]
    place_share: float | None = Field(default=0.02, gt=0, le=0.25)
    place_cells: int | None = Field(default=None, ge=1)
    places: list[PlacesLayer] = []
    allow: dict[str, str] = {}
    shocks: list[KnownShock] = []

    @model_validator(mode="before")
    @classmethod
    def _one_area(cls, values: Any) -> Any:
        if isinstance(values, dict) and "place_cells" in values:
            if "place_share" in values:
                raise ValueError("give the forecast area once: place_share or place_cells")
            return {**values, "place_share": None}
        return values

    @model_validator(mode="after")
    def _only_what_citizens_report(self) -> "ForecastSettings":
        try:
            refuse_enforcement_driven(self.place_offenses, self.allow)
        except InvalidInput as error:
            raise ValueError(f"place_offenses: {error}") from None
        return self
