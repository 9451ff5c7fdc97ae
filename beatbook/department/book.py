"""What a department's books show, and on which grid its maps lie."""

from typing import Annotated, Literal

from pydantic import Field

from beatbook.department.settings import Settings


class GridSettings(Settings):
    """The department's fixed grid: the same cells every week, so that maps compare."""

    size_m: float = Field(default=250.0, ge=50, le=5000)
    shape: Literal["square", "hexagonal"] = "square"
    origin: tuple[float, float] = (0.0, 0.0)


class LateCoding(Settings):
    """How complete the last weeks are when a book is made."""

    weeks: list[Annotated[float, Field(gt=0, le=1)]]
    source: str


class BookSettings(Settings):
    """What a department's books show."""

    map_area: Literal["precinct", "beat", "neighborhood"] = "neighborhood"
    late_coding: LateCoding | None = None
    paper: Literal["us-letter", "a4"] = "us-letter"


class OfficialCounts(Settings):
    """Annual figures published elsewhere, that the book is reconciled with."""

    title: str
    file: str
    year: str
    counted_by: Literal["known_on", "occurred_from", "reported_at"]
    offenses: dict[str, str]
