"""The proposed ``areas`` settings: what the department calls its areas, their codes and maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from beatbook.department import AREA_KINDS
from beatbook.onboarding.area_maps import AreaMatch, common_prefix, match_codes, unknown_codes
from beatbook.onboarding.header_words import as_label, names_field
from beatbook.onboarding.proposed_feed import UNDECIDED, Reading
from beatbook.onboarding.settings_text import Remarks

if TYPE_CHECKING:
    import geopandas as gpd

RARE = 0.002
"""A code on fewer records than this share is taken for a slip of the pen."""


def area_settings(
    readings: Sequence[Reading],
    maps: dict[str, "gpd.GeoDataFrame"],
    files: dict[str, str],
    remarks: Remarks,
) -> dict[str, Any]:
    """Put the proposed ``areas`` together; remarks receives the evidence and the decisions.

    Parameters
    ----------
    readings
        The layouts.
    maps
        Outlines in degrees by kind.
    files
        The maps' files within the department's folder, by kind, ``city`` among them.
    """
    areas: dict[str, Any] = {"city": {"file": files.get("city", "boundaries/city_limit.geojson")}}
    if "city" not in files:
        whole = next((files[kind] for kind in AREA_KINDS if kind in files), None)
        key = ("areas", "city", "file")
        if whole:
            areas["city"]["file"] = whole
            remarks.because(key, "no outline of the city was given; the areas together are taken")
        else:
            remarks.decide(key, "put the city's outline there: no book can be made without it.")
    for kind in AREA_KINDS:
        column = next((c for r in readings if (c := r.column(kind))), None)
        if column is None and kind not in files and kind != "precinct":
            continue
        # A name that says nothing of an area is no word to print on every page.
        word = column if column and names_field(column, kind) else None
        area: dict[str, Any] = {"label": as_label(word, kind) if word else kind.title()}
        remarks.because(("areas", kind, "label"), "what the department calls them, on every page")
        if kind in files:
            _with_map(area, kind, readings, maps[kind], files[kind], remarks)
        else:
            _without_map(area, kind, readings, remarks)
        areas[kind] = area
    if not set(AREA_KINDS) & set(files):
        neighborhood = areas.setdefault("neighborhood", {"label": "Neighborhood"})
        neighborhood["file"] = "boundaries/neighborhoods.geojson"
        neighborhood["code"] = UNDECIDED
        remarks.decide(
            ("areas", "neighborhood", "file"),
            "the book's map needs outlines of precincts, beats or neighborhoods: put the file "
            "there, and name the column of its codes below.",
        )
    return areas


def map_area(files: dict[str, str]) -> str:
    """Which areas the book's map shows: the smallest ones that there are outlines of."""
    return next((k for k in ("neighborhood", "beat", "precinct") if k in files), "neighborhood")


def copied_name(kind: str, path: Path) -> str:
    """Where a map goes within the department's folder."""
    plain = {"city": "city_limit", "precinct": "precincts", "beat": "beats"}
    return f"boundaries/{plain.get(kind, 'neighborhoods')}.geojson"


def _with_map(
    area: dict[str, Any], kind: str, readings: Sequence[Reading], outlines: "gpd.GeoDataFrame",
    file: str, remarks: Remarks,
) -> None:  # fmt: skip
    values, at, column = [], [], ""
    for reading in readings:
        found = reading.values(kind)
        if not found.empty:
            column = reading.column(kind) or column
            values.append(found)
            at.append(reading.located_in(outlines)[found.index])
    codes = pd.concat(values, ignore_index=True) if values else pd.Series([], dtype="str")
    places = pd.concat(at).to_numpy(np.int64) if at else np.array([], dtype=np.int64)
    match = match_codes(codes, places, outlines, column)
    area["file"] = file
    if match is None:
        held = ", ".join(c for c in outlines.columns if c != "geometry")
        area["code"] = UNDECIDED
        remarks.decide(
            ("areas", kind, "code"), f"which column of the map holds the codes? It has {held}."
        )
        return
    area["code"] = match.code
    if match.name_column:
        area["name_column"] = match.name_column
    for key in ("strip", "aliases", "unknown"):
        if getattr(match, key):
            area[key] = getattr(match, key)
    if not column:
        remarks.because(("areas", kind, "code"), "no column of the feed; taken from the map")
        return
    agrees = "" if match.agrees is None else f"; {match.agrees:.0%} of the points lie in theirs"
    remarks.because(
        ("areas", kind, "code"), f"{match.listed:.1%} of the records' codes are on the map{agrees}"
    )
    _unlisted(kind, match, remarks)


def _unlisted(kind: str, match: AreaMatch, remarks: Remarks) -> None:
    if match.unlisted:
        shown = [f"{code} ({n})" for code, n in list(match.unlisted.items())[:6]]
        more = f" and {len(match.unlisted) - 6} more" if len(match.unlisted) > 6 else ""
        remarks.decide(
            ("areas", kind, "code"),
            f"on no outline are the codes {', '.join(shown)}{more}: another spelling (aliases), "
            "not known (unknown), or a newer map?",
        )
    if match.agrees is not None and match.agrees < 0.7:
        remarks.decide(
            ("areas", kind, "code"),
            f"only {match.agrees:.0%} of the points lie in the area of their code: another column "
            "of the map, or another map?",
        )


def _without_map(
    area: dict[str, Any], kind: str, readings: Sequence[Reading], remarks: Remarks
) -> None:
    found = [reading.values(kind) for reading in readings]
    values = pd.concat(found)
    strips = [strip for part in found if not part.empty and (strip := common_prefix(part))]
    if strips:
        area["strip"] = strips[0]
        values = values.str.replace(strips[0], "", regex=False).str.strip()
    unknown = unknown_codes(values) if not values.empty else []
    if unknown:
        area["unknown"] = unknown
    if kind != "precinct":
        return
    start = _first_day(readings)
    key = ("areas", kind, "codes")
    if values.empty:
        area["codes"] = {start: ["1"]}
        remarks.decide(key, "no precincts were found; give their column, or their outlines.")
        return
    counts = values[~values.isin(unknown)].value_counts()
    often = counts[counts >= max(1, RARE * counts.sum())]
    area["codes"] = {start: sorted(often.index, key=lambda code: (len(code), code))}
    remarks.because(key, f"the {len(often)} codes on the records, in force from the first day")
    rare = counts.index.difference(often.index)
    left = f" Left out as rare: {', '.join(rare[:6])}." if len(rare) else ""
    remarks.decide(
        key,
        "are these the precincts, over the whole feed? A redistricting begins a new list, from "
        f"its day.{_vanished(kind, readings, list(often.index))}{left}",
    )


def _first_day(readings: Sequence[Reading]) -> Any:
    days = [reading.days(field) for reading in readings for field in ("reported_at", "known_on")]
    known = pd.concat([*days, *(reading.days("occurred_from") for reading in readings)])
    if known.empty:
        return pd.Timestamp("2000-01-01").date()
    # The first hundredth is left to mistyped and long-past dates.
    return known.quantile(0.01).to_period("M").to_timestamp().date()


def _vanished(kind: str, readings: Sequence[Reading], codes: list[str]) -> str:
    """Name codes that no record carries in the last months of the sampled feed."""
    last: dict[str, pd.Timestamp] = {}
    for reading in readings:
        days, values = reading.days("occurred_from"), reading.values(kind)
        both = pd.DataFrame({"day": days, "code": values}).dropna()
        for code, day in both.groupby("code")["day"].quantile(0.98).items():
            last[str(code)] = max(day, last.get(str(code), day))
    if not last:
        return ""
    gone = [c for c in codes if c in last and last[c] < max(last.values()) - pd.Timedelta(days=120)]
    if not gone:
        return ""
    until = max(last[code] for code in gone)
    return f" {', '.join(sorted(gone))} end about {until:%Y-%m}."
