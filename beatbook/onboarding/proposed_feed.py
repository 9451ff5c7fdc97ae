"""The proposed ``feed`` settings: layouts, date formats, coordinates, and what is not certain."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.department import FIELDS
from beatbook.errors import FeedError
from beatbook.onboarding.area_maps import column_of_map, locate_in
from beatbook.onboarding.column_values import Choice, Column, Mapping, look_at
from beatbook.onboarding.columns import propose_columns
from beatbook.onboarding.coordinates import Coordinates, settle, to_degrees
from beatbook.onboarding.dates import DateReading, parsed, quiet_hour, read_dates, read_months
from beatbook.onboarding.samples import Shape
from beatbook.onboarding.settings_text import Remarks

if TYPE_CHECKING:
    import geopandas as gpd
    import shapely

UNDECIDED = "?"
"""Stands where a setting must be given and nothing could be proposed."""

DATES = ("occurred_from", "occurred_to", "reported_at", "known_on")


@dataclass
class Reading:
    """One shape of file, and how it is read."""

    shape: Shape
    columns: dict[str, Column]
    mapping: Mapping
    dates: DateReading
    degrees: npt.NDArray[np.float64]
    """Longitude and latitude of each sampled row; not a number where there is none."""

    def column(self, field: str) -> str | None:
        """The column of a field, where one column holds it."""
        choice = self.mapping.choices.get(field)
        return choice.column if choice and isinstance(choice.column, str) else None

    def values(self, field: str) -> pd.Series:
        """The sampled values of a field; empty if no column holds it."""
        column = self.column(field)
        if column is None or column not in self.shape.values:
            return pd.Series([], dtype="str")
        return self.shape.values[column].dropna()

    def located_in(self, outlines: "gpd.GeoDataFrame") -> pd.Series:
        """The outline that each sampled row's point lies in, by place; -1 for none."""
        at = locate_in(self.degrees[:, 0], self.degrees[:, 1], outlines)
        return pd.Series(at.tolist(), index=self.shape.values.index, dtype="int64")

    def days(self, field: str) -> pd.Series:
        """The sampled dates of a field, read."""
        return parsed(self.values(field), self.dates.formats).dropna()


def read_shapes(
    shapes: Sequence[Shape],
    outline: "shapely.Geometry | None",
    maps: dict[str, "gpd.GeoDataFrame"],
) -> tuple[list[Reading], Coordinates]:
    """Propose what each shape's columns hold.

    Parameters
    ----------
    shapes
        The files by header.
    outline
        The city in degrees, or None.
    maps
        Outlines in degrees of ``precinct``, ``beat`` or ``neighborhood``, those there are.

    Raises
    ------
    FeedError
        If no file holds a date or an offense: these are no incident files.
    """
    columns = [look_at(shape.values) for shape in shapes]
    points = settle(columns, outline)
    readings = []
    for shape, looks, pair in zip(shapes, columns, points.pairs, strict=True):
        degrees = np.full((len(shape.values), 2), np.nan)
        numbers = {} if pair is None else {pair.x, pair.y}
        if pair is not None and points.crs is not None:
            xy = shape.values[[pair.x, pair.y]].apply(pd.to_numeric, errors="coerce")
            known = xy.notna().all(axis=1) & (xy != 0).any(axis=1)
            degrees[known] = to_degrees(xy[known].to_numpy(float), points.crs)
        mapping = propose_columns({k: v for k, v in looks.items() if k not in numbers})
        if pair is not None:
            mapping.choices["x"] = Choice(pair.x, points.evidence, points.sure)
            mapping.choices["y"] = Choice(pair.y, "", True)
        reading = Reading(shape, looks, mapping, DateReading((), 0.0), degrees)
        _areas_by_map(reading, maps)
        readings.append(reading)
    if not any({"offense_code", "occurred_from"} & set(r.mapping.choices) for r in readings):
        names = ", ".join(shape.first.name for shape in shapes)
        raise FeedError(
            f"{names}: no column holds offenses, and none the dates of crimes. Give the "
            "publisher's files of incidents."
        )
    monthly = all(_by_month(reading) for reading in readings)
    for reading in readings:
        if not monthly and _by_month(reading):
            month = reading.mapping.choices.pop("known_on")
            reading.mapping.notes.append(f"{month.column} holds months, other files have none")
        reading.dates = read_dates(_date_texts(reading))
    _one_order(readings)
    return readings, points


def feed_settings(
    readings: Sequence[Reading], points: Coordinates, remarks: Remarks
) -> dict[str, Any]:
    """Put the proposed ``feed`` together; remarks receives the evidence and the decisions."""
    samples = [sample for reading in readings for sample in reading.shape.samples]
    feed: dict[str, Any] = {"files": "feed/*", "encoding": "utf-8", "crs": points.crs or UNDECIDED}
    _encoding(feed, samples, remarks)
    remarks.because(("feed", "crs"), points.evidence)
    if not points.sure:
        question = (
            "which system are the coordinates in? Ask the publisher."
            if points.crs is None
            else "look at the coordinates and their system again: few points lie in the city."
        )
        remarks.decide(("feed", "crs"), question)
    _times(feed, readings, remarks)
    months = [_by_month(reading) for reading in readings]
    feed["publishes"] = "monthly" if all(months) else "daily"
    if all(months):
        texts = pd.concat([reading.values("known_on") for reading in readings])
        feed["month_formats"] = list(read_months(texts).formats)
        remarks.because(("feed", "publishes"), "each record carries the month it was coded in")
    else:
        remarks.because(("feed", "publishes"), "a record counts as known on its day of report")
    feed["record_key"] = "all"
    feed["repeats"] = "keep"
    feed["unknown_coordinates"] = [list(point) for point in points.unknown]
    feed["location_precision"] = _precision(readings, remarks)
    if not all(sample.ends_with_newline for sample in samples):
        feed["final_newline"] = False
        remarks.because(("feed", "final_newline"), "a file ends without a line end")
    feed["layouts"] = _layouts(readings, remarks)
    return feed


def _areas_by_map(reading: Reading, maps: dict[str, "gpd.GeoDataFrame"]) -> None:
    for kind, outlines in maps.items():
        if kind in reading.mapping.choices:
            continue
        at = reading.located_in(outlines)
        free = set(reading.columns) - reading.mapping.taken()
        found = column_of_map(reading.columns, at, outlines, free)
        if found:
            column, match = found
            reading.mapping.choices[kind] = Choice(
                column,
                f"no name says so; {match.agrees:.0%} of its located records lie in the area of "
                "their code",
                False,
            )


def _by_month(reading: Reading) -> bool:
    known = reading.column("known_on")
    return known is not None and reading.columns[known].months >= 0.9


def _date_texts(reading: Reading) -> pd.Series:
    fields = [f for f in DATES if not (f == "known_on" and _by_month(reading))]
    return pd.concat([reading.values(field) for field in fields])


def _one_order(readings: Sequence[Reading]) -> None:
    """Where a layout leaves the order of day and month open, take that of the others."""
    settled = {_order(r.dates.formats) for r in readings if not r.dates.ambiguous} - {None}
    if len(settled) != 1:
        return
    for reading in readings:
        dates = reading.dates
        if dates.ambiguous:
            formats = dates.formats
            if _order(formats) not in settled:
                formats = dates.ambiguous
            reading.dates = DateReading(
                formats, dates.read, dates.unread, (), dates.utc, dates.offsets
            )


def _order(formats: Sequence[str]) -> str | None:
    found = [m[1] for text in formats if (m := re.match(r"%([md])[-/.]%[md]", text))]
    return found[0] if found else None


def _encoding(feed: dict[str, Any], samples: Sequence[Any], remarks: Remarks) -> None:
    found = {sample.encoding for sample in samples} - {"ascii"}
    key = ("feed", "encoding")
    if "utf-16" in found:
        feed["encoding"] = "utf-16"
    elif "cp1252" in found:
        feed["encoding"] = "cp1252"
        remarks.because(key, "not UTF-8; taken for what Windows writes in the Americas")
    else:
        remarks.because(key, "every file reads as UTF-8")
    if len(found) > 1:
        remarks.decide(
            key,
            f"the files are in several encodings ({', '.join(sorted(found))}) and one is declared "
            "for all: save them alike.",
        )


def _times(feed: dict[str, Any], readings: Sequence[Reading], remarks: Remarks) -> None:
    key = ("feed", "times")
    with_dates = [reading for reading in readings if reading.dates.formats]
    utc = [reading.dates.utc for reading in with_dates]
    feed["times"] = "utc" if utc and all(utc) else "local"
    if any(utc) and not all(utc):
        remarks.decide(key, "some files write times with an offset of zero (UTC), others without.")
        return
    if any(utc):
        said = ", ".join(dict.fromkeys(o for r in with_dates for o in r.dates.offsets))
        remarks.because(key, f"the texts carry an offset of zero ({said})")
        return
    offsets = [offset for reading in with_dates for offset in reading.dates.offsets]
    if offsets:
        remarks.because(key, f"written with the local offset ({', '.join(sorted(set(offsets)))})")
        return
    quiet = None
    if with_dates:
        quiet = quiet_hour(pd.concat([reading.days("occurred_from") for reading in with_dates]))
    if quiet is None:
        remarks.because(key, "no offset is written; too few times to tell by the quietest hour")
    elif 3 <= quiet <= 7:
        remarks.because(key, f"no offset is written; the quietest hour is {quiet}, as local times")
    else:
        remarks.decide(
            key,
            f"local or UTC? No offset is written, and the quietest hour is {quiet}, where local "
            "times have theirs near 5.",
        )


def _precision(readings: Sequence[Reading], remarks: Remarks) -> str:
    key = ("feed", "location_precision")
    addresses = []
    for reading in readings:
        choice = reading.mapping.choices.get("block_address")
        if choice:
            column = choice.column if isinstance(choice.column, str) else choice.column[0]
            addresses.append(reading.shape.values[column].dropna())
    if not addresses:
        remarks.because(key, "no address column to tell by")
        return "block"
    texts = pd.concat(addresses)
    numbers = texts.str.extract(r"^#?(\d+)\b")[0].dropna()
    houses = numbers[~numbers.str.endswith("0")]
    blocks = texts.str.contains(r"\bBL(?:OC)?K\b", case=False).mean() > 0.5
    if len(numbers) >= 20 and len(houses) >= 0.3 * len(numbers) and not blocks:
        remarks.because(key, "addresses carry house numbers; Beatbook publishes the block only")
        remarks.decide(key, "are the points those of the house (exact) or of the block?")
        return "exact"
    remarks.because(key, "addresses are hundred blocks")
    return "block"


def _layouts(readings: Sequence[Reading], remarks: Remarks) -> list[dict[str, Any]]:
    layouts: list[dict[str, Any]] = []
    for reading in readings:
        layout = _layout(reading)
        same = [known for known in layouts if all(
            known.get(k) == layout.get(k) for k in ("columns", "format", "delimiter",
            "date_formats"))]  # fmt: skip
        place = layouts.index(same[0]) if same else len(layouts)
        path = ("feed", "layouts", place)
        files = len(reading.shape.samples)
        said = f"{files} file{'s' * (files > 1)}, {reading.shape.rows:,} rows"
        if same:
            remarks.because((*path, "name"), f"{remarks.evidence[(*path, 'name')]}; and {said}")
            continue
        while layout["name"] in [known["name"] for known in layouts]:
            layout["name"] += f" ({layout['format']})"
        layouts.append(layout)
        remarks.because((*path, "name"), said)
        _remarks_on(reading, layout, path, remarks)
    return layouts


def _layout(reading: Reading) -> dict[str, Any]:
    columns: dict[str, Any] = {
        field: choice.column for field, choice in reading.mapping.choices.items()
    }
    for needed in ("offense_code", "occurred_from"):
        columns.setdefault(needed, UNDECIDED)
    if not {"known_on", "reported_at"} & set(columns):
        columns["reported_at"] = UNDECIDED
    layout: dict[str, Any] = {"name": reading.shape.name, "format": reading.shape.first.format}
    if reading.shape.first.delimiter != ",":
        layout["delimiter"] = reading.shape.first.delimiter
    layout["date_formats"] = list(reading.dates.formats) or ["%Y-%m-%d"]
    layout["columns"] = {field: columns[field] for field in FIELDS if field in columns}
    return layout


def _remarks_on(
    reading: Reading, layout: dict[str, Any], path: tuple[str | int, ...], remarks: Remarks
) -> None:
    dates = reading.dates
    formats = (*path, "date_formats")
    remarks.because(formats, f"read {dates.read:.1%} of the sampled dates")
    if dates.ambiguous:
        remarks.decide(
            formats,
            "day or month first? No sampled date tells: "
            f"{', '.join(dates.ambiguous)} reads as many.",
        )
    if dates.unread:
        remarks.decide(formats, f"no format reads these dates: {', '.join(dates.unread)}.")
    for field, column in layout["columns"].items():
        choice = reading.mapping.choices.get(field)
        key = (*path, "columns", field)
        if choice is None:
            free = [c for c in reading.columns if c not in reading.mapping.taken()]
            remarks.decide(
                key, f"which column holds {field}? None could be told. Free are {', '.join(free)}."
            )
        elif not choice.sure and field not in ("x", "y"):
            remarks.decide(key, f"is {field} in {column}? {choice.evidence}.")
        elif choice.evidence and field not in ("x", "y"):
            remarks.because(key, choice.evidence)
    for note in reading.mapping.notes:
        remarks.decide((*path, "columns"), f"{note}.")
