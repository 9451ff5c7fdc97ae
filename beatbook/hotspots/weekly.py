"""The hotspot layers of one department and week: which incidents, which periods, which methods.

The methods themselves are in the other modules of this package and know no department.
"""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from beatbook.areas import load_outlines
from beatbook.compstat.counts import counted_day
from beatbook.compstat.coverage import coverage, known_by
from beatbook.department import Department
from beatbook.hotspots.counts import count_by_cell
from beatbook.hotspots.density import kernel_density
from beatbook.hotspots.emerging import emerging_hotspots
from beatbook.hotspots.getis_ord import getis_ord
from beatbook.hotspots.grid import Grid, make_grid
from beatbook.hotspots.knox import KnoxTable, knox
from beatbook.hotspots.near_repeat import open_zones
from beatbook.hotspots.repeat_places import concentration_curve, repeat_places
from beatbook.hotspots.scan import prospective_scan
from beatbook.offenses import PART_ONE, ROWS
from beatbook.tables import HOTSPOTS

TOTAL = "Total Part I"
SEX_OFFENSES = ("Rape",)
LAYER_OFFENSES = (*(row for row in ROWS if row not in SEX_OFFENSES), TOTAL)
"""Every CompStat row that may be shown below the neighborhood, and the total of those."""

PERIODS = {"28_days": 28, "365_days": 364}
"""28 days is the CompStat month; 364 are 13 of them, whole weeks nearest to a year."""

SLICE_DAYS = 28
NEAR_REPEAT_OFFENSES = ("Burglary", "Robbery", "Motor Vehicle Theft", "Aggravated Assault")
"""The offenses whose near repeats the literature describes; larceny mostly measures stores."""

USABLE = ("exact", "block")
BANDWIDTH_M = 500.0
FALSE_DISCOVERY_RATE = 0.05
PERMUTATIONS = 999
SCAN_WINDOWS = (1, 2, 3, 5, 7, 10, 14, 21, 28)
SCAN_PERMUTATIONS = 199
"""Enough for p down to 0.005; the scan is the slowest of the layers."""


class Layers(NamedTuple):
    """The tables of one week; each conforms to its declaration."""

    hotspots: pd.DataFrame
    near_repeats: pd.DataFrame
    near_repeat_zones: pd.DataFrame
    repeat_places: pd.DataFrame
    place_concentration: pd.DataFrame
    space_time_clusters: pd.DataFrame


class Period(NamedTuple):
    """Days from ``start`` to ``end``, both included, under a name."""

    name: str
    start: pd.Timestamp
    end: pd.Timestamp


def department_grid(department: Department) -> Grid:
    """The department's fixed grid: cell size, shape and origin from its settings.

    Cells outside the city's outline are out; a city of several parts keeps all of them.
    """
    settings = department.grid
    return make_grid(
        load_outlines(department, "city"),
        settings.size_m,
        shape=settings.shape,
        origin=settings.origin,
    )


def mappable(incidents: pd.DataFrame) -> pd.Series:
    """Which incidents a layer may use: a point that is neither missing, outside nor a default."""
    return incidents["location_quality"].isin(USABLE) & incidents["x"].notna()


def of_offense(incidents: pd.DataFrame, offense: str) -> pd.DataFrame:
    """The incidents of a CompStat row, or of the Part I total without sex offenses."""
    wanted = PART_ONE if offense == TOTAL else (offense,)
    return incidents[incidents["offense"].isin([row for row in wanted if row not in SEX_OFFENSES])]


def weekly_layers(
    incidents: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
    progress: Callable[[str], None] = lambda _message: None,
) -> Layers:
    """Work out all hotspot layers of a week.

    Parameters
    ----------
    incidents
        The ``incidents`` table; coordinates in meters of the department's CRS.
    department
        Its grid, small-cell limit and counting date.
    week_ending, as_of
        Of the book: periods end on the week's last day, and only what was known by ``as_of`` is
        used.
    progress
        Told in a few words how far the work is.

    Returns
    -------
    Layers
        Incidents without a usable point stay out of every layer; the share left out stands in
        each row of ``hotspots`` and ``near_repeats``. A period of ``hotspots`` that the feed does
        not cover whole has no rows; the other tables cover the days from their ``start``. Sex
        offenses are in none of them. Counts are net: a canceled record takes its incident away
        again where both have a point.
    """
    known = known_by(incidents, as_of)
    year = _year_covered(known, department, week_ending)
    day = counted_day(known, department)
    recent = known[(day >= year.start) & (day <= year.end)]
    recent = recent.assign(day=counted_day(recent, department))
    progress(f"hotspot layers of {len(recent):,} incidents")
    grid = department_grid(department)
    starts = {name: year.end - pd.Timedelta(days=days - 1) for name, days in PERIODS.items()}
    # A period that the feed covers in part has no layer: its cells would read as quiet.
    periods = [
        Period(name, start, year.end) for name, start in starts.items() if start >= year.start
    ]
    layers = [_layer(recent, o, period, grid) for period in periods for o in LAYER_OFFENSES]
    empty = pd.DataFrame(columns=HOTSPOTS.column_names)
    hotspots = pd.concat(layers, ignore_index=True) if layers else empty
    progress("near repeats")
    tables = {offense: _knox(recent, offense) for offense in NEAR_REPEAT_OFFENSES}
    progress("clusters alive today")
    clusters = [_clusters(recent, offense, grid, year) for offense in NEAR_REPEAT_OFFENSES]
    progress("repeat places")
    return Layers(
        hotspots=hotspots,
        near_repeats=pd.concat(
            [_knox_rows(recent, o, table) for o, table in tables.items()], ignore_index=True
        ).assign(start=year.start, end=year.end),
        near_repeat_zones=pd.concat(
            [_zones(recent, o, table, year.end) for o, table in tables.items()], ignore_index=True
        ),
        repeat_places=pd.concat(
            [_places(recent, o, department) for o in LAYER_OFFENSES], ignore_index=True
        ).assign(start=year.start, end=year.end),
        place_concentration=_concentration(recent, known).assign(start=year.start, end=year.end),
        space_time_clusters=pd.concat(clusters, ignore_index=True),
    )


def _year_covered(known: pd.DataFrame, department: Department, week_ending: dt.date) -> Period:
    """The 52 weeks up to the week, or as many days of them as the feed covers."""
    end = pd.Timestamp(week_ending)
    start = end - pd.Timedelta(days=max(PERIODS.values()) - 1)
    for span in coverage(known["known_on"], department):
        if span.start <= week_ending <= span.end:
            start = max(start, pd.Timestamp(span.start))
    return Period("year", start, end)


def _within(recent: pd.DataFrame, offense: str, period: Period) -> pd.DataFrame:
    chosen = of_offense(recent, offense)
    return chosen[(chosen["day"] >= period.start) & (chosen["day"] <= period.end)]


def _share_left_out(incidents: pd.DataFrame) -> float:
    return float((~mappable(incidents)).mean()) if len(incidents) else 0.0


def _layer(recent: pd.DataFrame, offense: str, period: Period, grid: Grid) -> pd.DataFrame:
    chosen = _within(recent, offense, period)
    placed = chosen[mappable(chosen)]
    counts = count_by_cell(grid, placed["x"], placed["y"], placed["count"])
    neighbors = grid.neighbors()
    # Where a neighborhood holds less than one incident on average, the normal z calls every lone
    # incident a hot spot; such a layer is decided by shuffling instead, and mostly has none.
    sparse = counts.sum() * (1 + neighbors.nnz / max(len(grid), 1)) < len(grid)
    scores = getis_ord(
        counts,
        neighbors,
        permutations=PERMUTATIONS if sparse else 0,
        decide_by="permutation" if sparse else "analytic",
        false_discovery_rate=FALSE_DISCOVERY_RATE,
    )
    density = kernel_density(
        placed["x"], placed["y"], grid.x, grid.y, BANDWIDTH_M, weights=placed["count"].to_numpy()
    )
    return pd.DataFrame(
        {
            "period": period.name,
            "offense": offense,
            "cell": grid.cell_id,
            "x": grid.x,
            "y": grid.y,
            "area_m2": grid.area,
            "start": period.start,
            "end": period.end,
            "incidents": counts.round().astype("int64"),
            "density_per_km2": density * 1e6,
            "around": scores["local"].to_numpy(),
            "expected_around": scores["expected"].to_numpy(),
            "z": scores["z"].to_numpy(),
            "p": scores["p_permutation" if sparse else "p"].to_numpy(),
            "p_from": "permutation" if sparse else "analytic",
            "q": scores["q"].to_numpy(),
            "class": scores["class"].to_numpy(),
            "pattern": _pattern(placed, period, grid),
            "cells_tested": int(scores["tested"].sum()),
            "share_left_out": _share_left_out(chosen),
        }
    )


def _pattern(placed: pd.DataFrame, period: Period, grid: Grid) -> object:
    """The emerging-hotspot class of each cell over 28-day slices; empty for a single slice."""
    length = (period.end - period.start).days + 1
    slices = length // SLICE_DAYS
    if slices < 3:
        return ""
    number = ((placed["day"] - period.start).dt.days // SLICE_DAYS).to_numpy()
    cube = np.column_stack(
        [
            count_by_cell(grid, part["x"], part["y"], part["count"])
            for part in (placed[number == k] for k in range(slices))
        ]
    )
    return emerging_hotspots(np.maximum(cube, 0), grid.neighbors())["class"].to_numpy()


def _crimes(recent: pd.DataFrame, offense: str) -> pd.DataFrame:
    """The mappable offenses that stand, one an event.

    A place and day whose records were canceled is out. Records of one moment and place are one
    event: assaults are published once a victim and vehicle thefts once a vehicle, and five
    victims of one shooting are no near repeats of each other.
    """
    chosen = of_offense(recent, offense)
    placed = chosen[mappable(chosen)]
    standing = placed.groupby(["day", "x", "y"])["count"].transform("sum") > 0
    events = placed[standing & (placed["count"] > 0)].sort_values(["day", "record_id"])
    return events.drop_duplicates(["occurred_from", "x", "y"])


def _knox(recent: pd.DataFrame, offense: str) -> KnoxTable:
    events = _crimes(recent, offense)
    return knox(events["x"].to_numpy(), events["y"].to_numpy(), events["day"], seed=0)


def _knox_rows(recent: pd.DataFrame, offense: str, table: KnoxTable) -> pd.DataFrame:
    rows = table.to_frame()
    rows.insert(0, "offense", offense)
    return rows.assign(
        ratio_mean=rows["ratio_mean"].astype("float64"),
        ratio_median=rows["ratio_median"].astype("float64"),
        incidents=table.events,
        permutations=table.permutations,
        metric=table.metric,
        share_left_out=_share_left_out(of_offense(recent, offense)),
    )


def _zones(
    recent: pd.DataFrame, offense: str, table: KnoxTable, week_ending: pd.Timestamp
) -> pd.DataFrame:
    events = _crimes(recent, offense)
    zones = open_zones(
        # To the hundred meters: a zone is for a patrol and must not point at one home.
        events["x"].round(-2).to_numpy(),
        events["y"].round(-2).to_numpy(),
        events["day"],
        week_ending,
        table,
    )
    # Two events a hundred meters apart open one zone twice; the surest and longest is kept.
    center = zones.geometry.centroid
    out = pd.DataFrame(
        {
            "offense": offense,
            "x": center.x.round(-2),
            "y": center.y.round(-2),
            "inner_m": zones["inner_distance"].astype("float64"),
            "outer_m": zones["outer_distance"].astype("float64"),
            "opens": pd.to_datetime(zones["opens"]),
            "closes": pd.to_datetime(zones["closes"]),
            "ratio": zones["ratio"].astype("float64"),
            "q": zones["q"].astype("float64"),
        }
    )
    out = out.sort_values(["closes", "ratio"], ascending=False, kind="stable")
    return out.drop_duplicates(["offense", "x", "y", "outer_m"]).reset_index(drop=True)


def _clusters(recent: pd.DataFrame, offense: str, grid: Grid, year: Period) -> pd.DataFrame:
    events = _crimes(recent, offense)
    history = (year.end - year.start).days + 1
    # What is now needs as many days before it to be compared with.
    windows = [length for length in SCAN_WINDOWS if 2 * length <= history]
    found = prospective_scan(
        events["x"].to_numpy(),
        events["y"].to_numpy(),
        events["day"],
        year.end,
        # The grid's cells, so that a circle's center points at no address.
        centers=(grid.x, grid.y),
        windows=windows or [1],
        history_days=max(history, 2),
        permutations=SCAN_PERMUTATIONS,
        seed=0,
    )
    return pd.DataFrame(
        {
            "offense": offense,
            "rank": np.arange(1, len(found) + 1),
            "x": found["x"].astype("float64"),
            "y": found["y"].astype("float64"),
            "radius_m": found["radius"].astype("float64"),
            "first_day": pd.to_datetime(found["first_day"]),
            "days": found["days"].astype("int64"),
            "observed": found["observed"].astype("int64"),
            "expected": found["expected"].astype("float64"),
            "ratio": found["ratio"].astype("float64"),
            "p": found["p"].astype("float64"),
            "recurrence_days": found["recurrence_days"].astype("float64"),
            "start": year.start,
            "end": year.end,
        }
    )


def _places(recent: pd.DataFrame, offense: str, department: Department) -> pd.DataFrame:
    # An address that could not be placed ("UNKNOWN") is no block.
    chosen = of_offense(recent, offense)
    chosen = chosen[mappable(chosen)]
    ranked = repeat_places(
        chosen["block_address"].reset_index(drop=True),
        chosen["count"].to_numpy(float),
        small_cell_limit=department.small_cell_limit,
    )
    ranked = ranked[ranked["place"].notna()]
    return pd.DataFrame(
        {
            "offense": offense,
            "block_address": ranked["place"].astype("str"),
            "rank": np.arange(1, len(ranked) + 1),
            "incidents": ranked["incidents"].round().astype("int64"),
            "share": ranked["share"].astype("float64"),
            "cumulative_share": ranked["cumulative_share"].astype("float64"),
        }
    )


def _concentration(recent: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """How few blocks hold half of the incidents, beside what chance gives so few events."""
    blocks = known.loc[mappable(known), "block_address"].nunique()
    parts = []
    for offense in LAYER_OFFENSES:
        chosen = of_offense(recent, offense)
        chosen = chosen[mappable(chosen)]
        net = chosen.groupby("block_address")["count"].sum().clip(lower=0)
        curve = concentration_curve(net.to_numpy(), max(blocks, 1), seed=0)
        curve.insert(0, "offense", offense)
        parts.append(curve.assign(blocks=blocks))
    return pd.concat(parts, ignore_index=True)
