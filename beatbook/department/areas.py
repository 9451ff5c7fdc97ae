"""The city and what it is divided into."""

import datetime as dt

from pydantic import Field, model_validator

from beatbook.department.settings import Settings

AREA_KINDS = ("precinct", "beat", "neighborhood")


class Outline(Settings):
    """The city's outline."""

    file: str
    tolerance_m: float = Field(default=50.0, ge=0)


class Area(Settings):
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


class Areas(Settings):
    """The city and what it is divided into."""

    city: Outline
    precinct: Area
    beat: Area = Area(label="Beat")
    neighborhood: Area = Area(label="Neighborhood")

    def kind(self, name: str) -> Area:
        """The settings of ``precinct``, ``beat`` or ``neighborhood``."""
        area: Area = getattr(self, name)
        return area
