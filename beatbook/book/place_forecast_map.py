"""Where offenses are forecast: the cells of the forecast area, by offense and horizon."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Callout, Map
from beatbook.book.forecast_tables import model_words
from beatbook.book.hotspot_maps import _area_lines
from beatbook.book.hotspot_page import Legend, Pieces, hotspot_page
from beatbook.book.map_panels import MOST_PANELS, Panel, draw_panels
from beatbook.book.maps import TOLERANCE_M, _bounds
from beatbook.errors import InvalidInput
from beatbook.hotspots.grid import Grid
from beatbook.hotspots.weekly import SEX_OFFENSES

if TYPE_CHECKING:
    import geopandas as gpd

PLACE_COLUMNS = (
    "offense", "weeks", "cell", "area_m2", "expected", "rank", "chosen", "model", "naive_chosen",
    "withdrawn", "reason", "cutoff", "share_left_out",
)  # fmt: skip


def place_forecast_map(
    places: pd.DataFrame,
    grid: Grid,
    outline: "gpd.GeoDataFrame | None",
    areas: Mapping[str, "gpd.GeoDataFrame"],
    title: str,
    paper_weeks: int | None = None,
) -> Map | Callout:
    """Map the forecast area: a page with a layer an offense and horizon, a picture with a panel
    an offense.

    Parameters
    ----------
    places : DataFrame
        The ``place_forecasts`` table of the week, all cells: ``offense, weeks, cell, area_m2,
        expected, rank, chosen, model, naive_chosen, withdrawn, reason, cutoff`` (first day of the
        last week used), ``share_left_out``. ``expected`` is only summed, never printed for a cell:
        with a model that counts, it would give small counts away.
    grid : Grid
        The department's, the one the table was made on.
    outline : GeoDataFrame or None
        The city's limit; any CRS.
    areas : dict of str to GeoDataFrame
        Base areas by label, as for :func:`beatbook.book.hotspot_maps.hotspot_map`.
    title : str
        The map's caption.
    paper_weeks : int, optional
        The horizon on paper, the shortest by default. At most four offenses fit; the others are
        on the screen alone, and the words below say so.

    Returns
    -------
    Map or Callout
        Cells of the forecast area, and hatched those that only the simple count of the same area
        would pick. A note where nothing is forecast. A withdrawn forecast is marked in its layer
        and panel, with the reason.

    Raises
    ------
    InvalidInput
        Where a column is missing, a cell is not in the grid, a layer is of a sex offense, or the
        horizon is not in the table.
    """
    missing = [name for name in PLACE_COLUMNS if name not in places.columns]
    if missing and len(places):
        raise InvalidInput(f"Map {title!r}: the place forecasts lack {formatting.listed(missing)}")
    if places.empty:
        return Callout(
            "note", "No place forecast", ["Too little history is known to say where, or none is."]
        )
    for offense in set(places["offense"]) & set(SEX_OFFENSES):
        raise InvalidInput(
            f"Map {title!r}: {offense} is never shown below the neighborhood; leave it out"
        )
    horizons = sorted(int(weeks) for weeks in places["weeks"].unique())
    shortest = horizons[0] if paper_weeks is None else paper_weeks
    if shortest not in horizons:
        raise InvalidInput(f"Map {title!r}: no forecast for {shortest} weeks; there are {horizons}")
    parts = {
        (str(offense), weeks): places[(places["offense"] == offense) & (places["weeks"] == weeks)]
        for weeks in [shortest, *(h for h in horizons if h != shortest)]
        for offense in places["offense"].unique()
    }
    parts = {key: part for key, part in parts.items() if len(part)}
    drawn = {key: _cells(part, grid, title) for key, part in parts.items()}
    lines = {label: _area_lines(frame, label, title, grid.crs) for label, frame in areas.items()}
    limit = _limit(outline, grid.crs, title)
    html = _page(parts, drawn, limit, lines, title)
    printed = [key for key in parts if key[1] == shortest]
    panels = [_panel(key, parts[key], drawn[key]) for key in printed[:MOST_PANELS]]
    whole = next(iter(drawn.values())) if limit is None else limit
    only = any((panel.cells["class"] == "cold").any() for panel in panels)
    left_out = max(float(part["share_left_out"].max()) for part in parts.values())
    notes = [_without_point(left_out, "Up to ", "an offense's records") + "."]
    if len(printed) > MOST_PANELS or len(horizons) > 1:
        notes.append("Further offenses and horizons are on the screen.")
    return Map(
        html=html,
        svg=draw_panels(
            panels,
            _bounds(whole, None),
            limit,
            lines,
            "Forecast area",
            "Only by the simple count of all years" if only else "",
        ),
        alt=_alt(title, parts, printed),
        caption=title,
        note=" ".join(notes),
    )


def _cells(part: pd.DataFrame, grid: Grid, title: str) -> "gpd.GeoDataFrame":
    """The cells that are drawn: hot those of the forecast area, cold those of the count alone."""
    import geopandas as gpd

    chosen, naive = part["chosen"].astype(bool), part["naive_chosen"].astype(bool)
    kept = part[chosen | naive].sort_values("rank", kind="stable")
    shapes = pd.Series(grid.polygons().to_numpy(), index=grid.cell_id)
    strange = kept.loc[~kept["cell"].isin(shapes.index), "cell"]
    if len(strange):
        raise InvalidInput(
            f"Map {title!r}: cell {strange.iloc[0]!r} is not in the grid; forecast again with the "
            "department's present grid"
        )
    class_ = np.where(kept["chosen"].astype(bool), "hot", "cold")
    frame = kept.reset_index(drop=True).assign(**{"class": class_})
    return gpd.GeoDataFrame(frame, geometry=shapes.loc[frame["cell"]].to_numpy(), crs=grid.crs)


def _limit(outline: "gpd.GeoDataFrame | None", crs: Any, title: str) -> "gpd.GeoDataFrame | None":
    if outline is None:
        return None
    if outline.crs is None:
        raise InvalidInput(f"Map {title!r}: the outline has no CRS")
    limit = outline[["geometry"]].to_crs(crs)
    limit["geometry"] = limit.simplify(TOLERANCE_M)
    return limit


def _without_point(share: float, most: str, of: str) -> str:
    if share <= 0:
        return "No record is without a usable point"
    percent = f"{most}{100 * share:.1f}" if share >= 0.001 else "Under 0.1"
    return f"{percent} % of {of} have no usable point"


def _page(
    parts: Mapping[tuple[str, int], pd.DataFrame],
    drawn: Mapping[tuple[str, int], "gpd.GeoDataFrame"],
    limit: "gpd.GeoDataFrame | None",
    lines: Mapping[str, "gpd.GeoDataFrame"],
    title: str,
) -> str:
    named = {_name(key): key for key in parts}
    framed = next(iter(drawn.values())) if limit is None else limit
    west, south, east, north = (float(x) for x in framed.to_crs("EPSG:4326").total_bounds)
    return hotspot_page(
        Pieces(
            {name: drawn[key] for name, key in named.items()},
            {name: _phrases(drawn[key]) for name, key in named.items()},
            {name: _legend(key, parts[key], drawn[key]) for name, key in named.items()},
            (west, south, east, north),
            limit,
            lines,
            None,
        ),
        title,
    )


def _name(key: tuple[str, int]) -> str:
    offense, weeks = key
    return f"{offense}, next {'week' if weeks == 1 else f'{weeks} weeks'}"


def _phrases(cells: "gpd.GeoDataFrame") -> list[tuple[str, ...]]:
    size = int((cells["class"] == "hot").sum())
    said: list[tuple[str, ...]] = []
    for row in cells[["class", "rank", "naive_chosen"]].to_dict("records"):
        if row["class"] == "hot":
            also = "; the simple count picks it too" if row["naive_chosen"] else ""
            said.append((f"rank {int(row['rank'])} of {size} in the forecast area", also))
        else:
            said.append(("picked by the simple count of all years alone", ""))
    return said


def _legend(key: tuple[str, int], part: pd.DataFrame, cells: "gpd.GeoDataFrame") -> Legend:
    hot, cold = (int((cells["class"] == class_).sum()) for class_ in ("hot", "cold"))
    first = part.iloc[0]
    start = pd.Timestamp(first["cutoff"]) + pd.Timedelta(days=7)
    end = start + pd.Timedelta(days=7 * key[1] - 1)
    notes = [
        formatting.day_range(start, end),
        f"{_area_share(part)} of the city, {_held_share(part)} of what is expected",
        *_model_lines(first),
        _without_point(float(first["share_left_out"]), "", "the records"),
    ]
    return Legend(
        _name(key),
        f"Forecast area ({formatting.counted(hot, 'cell')})",
        f"Only by the simple count of all years ({formatting.counted(cold, 'cell')})",
        "",
        notes,
    )


def _model_lines(first: Mapping[str, Any] | pd.Series) -> list[str]:
    reason = "" if formatting.is_missing(first["reason"]) else str(first["reason"]).rstrip(".")
    if bool(first["withdrawn"]):
        why = f" Why: {reason}." if reason else ""
        return [f"Forecast withdrawn, the simple count shown.{why}"]
    return [f"By {model_words(str(first['model']))}"]


def _area_share(part: pd.DataFrame) -> str:
    chosen = part["chosen"].astype(bool)
    return f"{100 * part.loc[chosen, 'area_m2'].sum() / part['area_m2'].sum():.1f} %"


def _held_share(part: pd.DataFrame) -> str:
    chosen, total = part["chosen"].astype(bool), float(part["expected"].sum())
    if total <= 0:
        return formatting.UNDEFINED
    return f"{100 * float(part.loc[chosen, 'expected'].sum()) / total:.0f} %"


def _panel(key: tuple[str, int], part: pd.DataFrame, cells: "gpd.GeoDataFrame") -> Panel:
    first = part.iloc[0]
    words = f"{_held_share(part)} of those expected, on {_area_share(part)} of the city"
    if bool(first["withdrawn"]):
        words = f"withdrawn: simple count shown; {words}"
    return Panel(_name(key), words, cells)


def _alt(
    title: str,
    parts: Mapping[tuple[str, int], pd.DataFrame],
    printed: list[tuple[str, int]],
) -> str:
    words = [f"{title}."]
    for key in printed[:MOST_PANELS]:
        part = parts[key]
        cells = int(part["chosen"].astype(bool).sum())
        words.append(
            f"{_name(key)}: {formatting.counted(cells, 'cell')} ({_area_share(part)} of the city) "
            f"hold {_held_share(part)} of the offenses expected. {_model_lines(part.iloc[0])[0]}"
            f"{'' if bool(part['withdrawn'].iloc[0]) else '.'}"
        )
    more = len(parts) - min(len(printed), MOST_PANELS)
    if more:
        words.append(f"{formatting.counted(more, 'more layer')} on the screen.")
    return " ".join(words)
