"""Time the hotspot methods beside the library a Python user would otherwise take.

Run by hand from the repository's root:  python benchmarks/hotspots.py [--quick] [--only weekly]

Data are St. Louis incidents from the shared data folder beside the repository; without it, places
drawn at random in a city of that size (said in the output). Each figure is the best of a few
warm runs; the first call is listed apart where it waits for a compiler. Peers are optional
(scikit-learn, esda, numba, pointpats): one that is absent is reported as "peer not installed".
"""

import argparse
import importlib
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from beatbook import hotspots as hs

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "st_louis"
METERS_PER_FOOT = 1200 / 3937
CRS = "EPSG:26996"  # NAD83 / Missouri East, meters
CRS_FEET = "ESRI:102696"


def best(call: Callable[[], Any], runs: int = 3) -> tuple[float, Any]:
    """Shortest of a few runs in seconds, and the last answer."""
    times, answer = [], None
    for _ in range(runs):
        start = time.perf_counter()
        answer = call()
        times.append(time.perf_counter() - start)
    return min(times), answer


def peer(name: str) -> Any:
    """Import a peer, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def line(
    what: str, ours: float, other: float | None = None, name: str = "", note: str = ""
) -> None:
    """Print one measured line."""
    text = f"{what:<58} {ours:9.4f} s"
    if other is not None:
        text += f" | {name} {other:9.3f} s | {other / ours:7.1f} x"
    elif name:
        text += f" | {name}: peer not installed"
    print(text + (f"  ({note})" if note else ""), flush=True)


def city() -> gpd.GeoSeries:
    """Outline of St. Louis, or a rectangle of its size."""
    file = DATA / "boundaries" / "city_limit.geojson"
    if file.exists():
        return gpd.read_file(file).to_crs(CRS).geometry
    return gpd.GeoSeries([shapely.box(268_000, 295_000, 281_000, 318_000)], crs=CRS)


def incidents(outline: gpd.GeoSeries) -> pd.DataFrame:
    """Located incidents of 2014-2019: x, y (meters), day, code."""
    files = sorted(DATA.glob("incidents/201[4-9]/*.csv.xz"))
    if not files:
        print("shared data not found: simulated incidents")
        rng = np.random.default_rng(0)
        left, low, right, high = outline.total_bounds
        n = 120_000
        centers = rng.uniform([left, low], [right, high], (400, 2))
        xy = centers[rng.integers(0, 400, n)] + rng.normal(0, 600, (n, 2))
        day = rng.integers(0, 2190, n)
        return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "day": day, "code": "05"})
    frames = []
    for file in files:
        frame = pd.read_csv(file, encoding="cp1252", dtype=str)
        if "Crime" in frame and "XCoord" in frame:
            frames.append(frame[["Crime", "DateOccur", "XCoord", "YCoord"]])
    raw = pd.concat(frames, ignore_index=True)
    x, y = (pd.to_numeric(raw[c], errors="coerce") for c in ("XCoord", "YCoord"))
    day = pd.to_datetime(raw["DateOccur"], format="mixed", errors="coerce")
    ok = (x > 1) & (y > 1) & day.between("2014-01-01", "2019-12-31")
    points = gpd.GeoSeries(gpd.points_from_xy(x[ok], y[ok]), crs=CRS_FEET).to_crs(CRS)
    out = pd.DataFrame(
        {
            "x": points.x.to_numpy(),
            "y": points.y.to_numpy(),
            "day": (day[ok] - pd.Timestamp("2014-01-01")).dt.days.to_numpy(),
            "code": raw["Crime"][ok].str.strip().str.zfill(6).str[:2].to_numpy(),
        }
    )
    inside = shapely.contains_xy(outline.union_all(), out["x"], out["y"])
    return out[inside].reset_index(drop=True)


def density(points: pd.DataFrame, grid: hs.Grid) -> None:
    """Kernel density of 100,000 incidents on the grid."""
    x, y = points["x"].to_numpy()[:100_000], points["y"].to_numpy()[:100_000]
    print(f"\nDensity: {x.size:,} points on {len(grid):,} cells of 250 m")
    sklearn, scipy_stats = peer("sklearn.neighbors"), peer("scipy.stats")
    at = np.column_stack([grid.x, grid.y])
    for bandwidth in (300.0, 500.0):
        ours, answer = best(
            lambda b=bandwidth: hs.kernel_density(x, y, grid.x, grid.y, b, kernel="gaussian"), 7
        )
        label = f"Gaussian, {bandwidth:g} m"
        if sklearn:
            model = sklearn.KernelDensity(bandwidth=bandwidth, kernel="gaussian")
            points_xy = np.column_stack([x, y])
            other, log = best(lambda m=model, p=points_xy: m.fit(p).score_samples(at), 2)
            gap = np.abs(np.exp(log) * x.size / np.maximum(answer, 1e-300) - 1)
            near = answer > answer.max() * 1e-6
            line(label, ours, other, "scikit-learn", f"largest difference {gap[near].max():.1e}")
        else:
            line(label, ours, None, "scikit-learn")
    kde = scipy_stats.gaussian_kde(np.vstack([x, y]))
    other, _ = best(lambda: kde(at.T), 1)
    line("Gaussian, 500 m (scipy picks its own bandwidth)", ours, other, "scipy")
    ours, _ = best(lambda: hs.kernel_density(x, y, grid.x, grid.y, 500.0), 5)
    if sklearn:
        model = sklearn.KernelDensity(bandwidth=500.0, kernel="epanechnikov")
        other, _ = best(lambda: model.fit(points_xy).score_samples(at), 2)
        line("Quartic, 500 m", ours, other, "scikit-learn", "its nearest kernel, Epanechnikov")
    else:
        line("Quartic, 500 m", ours, None, "scikit-learn")


def local_statistics(points: pd.DataFrame, grid: hs.Grid) -> None:
    """Gi* and local Moran with 999 permutations on the full grid."""
    counts = hs.count_by_cell(grid, points["x"], points["y"])
    neighbors = grid.neighbors()
    print(f"\nGi* and local Moran: {len(grid):,} cells, queen, 999 permutations")
    first, _ = best(lambda: hs.getis_ord(counts, neighbors, permutations=999), 1)
    ours, answer = best(lambda: hs.getis_ord(counts, neighbors, permutations=999), 5)
    moran, moran_answer = best(lambda: hs.local_moran(counts, neighbors, permutations=999), 5)
    esda, libpysal = peer("esda"), peer("libpysal")
    if not (esda and libpysal):
        line("Gi*", ours, None, "esda", f"first call {first:.3f} s")
        line("local Moran", moran, None, "esda")
        return
    if not peer("numba"):
        print("numba is not installed: esda runs uncompiled below")
    start = neighbors.indptr
    weights = libpysal.weights.W(
        {i: neighbors.indices[start[i] : start[i + 1]].tolist() for i in range(len(grid))},
        silence_warnings=True,
    )
    call = lambda: esda.G_Local(  # noqa: E731
        counts, weights, transform="B", star=True, permutations=999, n_jobs=1, seed=1
    )
    cold, _ = best(call, 1)
    other, theirs = best(call, 3)
    gap = float(np.abs(theirs.Zs - answer["z"]).max())
    line("Gi*, warm", ours, other, "esda", f"largest difference of z {gap:.1e}")
    line("Gi*, first call", first, cold, "esda")
    both, _ = best(
        lambda: esda.G_Local(
            counts, weights, transform="B", star=True, permutations=999, n_jobs=2, seed=1
        ),
        2,
    )
    line("Gi*, warm, esda on 2 processes", ours, both, "esda")
    weights.transform = "R"
    run = lambda: esda.Moran_Local(counts, weights, permutations=999, seed=1)  # noqa: E731
    run()
    other, theirs = best(run, 3)
    gap = float(np.abs(theirs.Is - moran_answer["local_i"]).max())
    line("local Moran, warm", moran, other, "esda", f"largest difference of I {gap:.1e}")


def knox(points: pd.DataFrame, quick: bool) -> None:
    """Knox with 999 permutations on 10,000 burglaries."""
    events = points[points["code"] == "05"].tail(10_000)
    x, y, day = (events[c].to_numpy(dtype=float) for c in ("x", "y", "day"))
    print(f"\nKnox: {x.size:,} burglaries over {int(np.ptp(day)):,} days, 999 permutations")
    spacetime = peer("pointpats.spacetime")
    for reach, days in ((200.0, 14.0), (400.0, 14.0)):
        ours, answer = best(
            lambda r=reach, d=days: hs.knox(
                x, y, day, (0, r), (0, d), closed="right", metric="euclidean"
            )
        )
        from beatbook.hotspots.pairs import pairs_within

        close = len(pairs_within(x, y, reach).first)
        label = f"one band, {reach:g} m and {days:g} days ({close:,} close pairs)"
        if spacetime is None:
            line(label, ours, None, "pointpats")
            continue
        space, when = np.column_stack([x, y]), day[:, None].copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other, theirs = best(
                lambda s=space, w=when, r=reach, d=days: spacetime.knox(s, w.copy(), r, d, 999), 1
            )
        same = int(theirs["stat"]) == int(answer.observed[0, 0])
        line(label, ours, other, "pointpats.knox", f"same statistic: {same}")
        if not quick:
            space = space.copy()
            base, _ = best(
                lambda s=space, w=when, r=reach, d=days: spacetime.Knox(s, w, r, d, 0), 1
            )
            few, _ = best(lambda s=space, w=when, r=reach, d=days: spacetime.Knox(s, w, r, d, 5), 1)
            scaled = base + max(few - base, 0) / 5 * 999
            line(label, ours, scaled, "pointpats.Knox", "5 permutations, scaled to 999")
    ours, _ = best(lambda: hs.knox(x, y, day))
    line("default table, 5 x 4 bands to 400 m and 28 days", ours)
    ours, _ = best(lambda: hs.knox(x, y, day, threads=1))
    line("the same on one thread", ours)


def point_in_polygon() -> None:
    """A million points into 88 neighborhoods."""
    file = DATA / "boundaries" / "neighborhoods.geojson"
    if not file.exists():
        return
    areas = gpd.read_file(file).to_crs(CRS)
    rng = np.random.default_rng(0)
    left, low, right, high = areas.total_bounds
    x, y = rng.uniform(left, right, 1_000_000), rng.uniform(low, high, 1_000_000)
    build, index = best(lambda: hs.PolygonIndex(areas))
    ours, answer = best(lambda: index.locate(x, y))

    def join() -> Any:
        frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=areas.crs)
        return gpd.sjoin(frame, areas[["geometry"]], how="left", predicate="intersects")

    other, joined = best(join, 1)
    theirs = joined["index_right"].groupby(level=0).min().fillna(-1).to_numpy()
    print(f"\nPoint in polygon: 1,000,000 points, {len(areas)} neighborhoods")
    line("locate", ours, other, "geopandas.sjoin", f"same answer: {bool((theirs == answer).all())}")
    line("build the index", build)


def weekly_layers(points: pd.DataFrame, outline: gpd.GeoSeries) -> None:
    """The layers of one week: each Part I offense and their total, 28 and 365 days."""
    print("\nWeekly layers: 6 offenses and their total (rape left out), 28 and 365 days")
    today = int(points["day"].max())
    begin = time.perf_counter()
    grid = hs.make_grid(outline, 250)
    neighbors = grid.neighbors()
    total = time.perf_counter() - begin
    line("grid and neighbors", total)
    spent: dict[str, float] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        answer = call()
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - start
        return answer

    part_one = ("01", "03", "04", "05", "06", "07")
    for code in (*part_one, "all"):
        chosen = points[points["code"].isin(part_one if code == "all" else (code,))]
        for days in (28, 365):
            now = chosen[chosen["day"] > today - days]
            before = chosen[chosen["day"].between(today - 2 * days + 1, today - days)]
            x, y = now["x"].to_numpy(), now["y"].to_numpy()
            c = timed("counts", lambda x=x, y=y: hs.count_by_cell(grid, x, y))
            b = timed("counts", lambda q=before: hs.count_by_cell(grid, q["x"], q["y"]))
            timed("density", lambda x=x, y=y: hs.kernel_density(x, y, grid.x, grid.y, 500.0))
            timed("Gi*", lambda c=c: hs.getis_ord(c, neighbors, permutations=999))
            timed("local Moran", lambda c=c: hs.local_moran(c, neighbors, permutations=999))
            if c.sum() and b.sum():
                timed("similarity", lambda b=b, c=c: hs.pattern_change(b, c))
            labels = timed("clusters", lambda x=x, y=y: hs.density_clusters(x, y, 200.0, 10))
            timed("clusters", lambda x=x, y=y, n=labels: hs.cluster_polygons(x, y, n, 200.0))
        year = chosen[chosen["day"] > today - 365]
        x, y, day = year["x"].to_numpy(), year["y"].to_numpy(), year["day"].to_numpy()
        cell = grid.locate(x, y)
        piece = np.minimum((today - day) // 28, 12)
        held = (cell >= 0) & (piece < 12)
        cube = np.zeros((len(grid), 12))
        np.add.at(cube, (cell[held], 11 - piece[held]), 1)
        timed("emerging", lambda q=cube: hs.emerging_hotspots(q, neighbors))
        if code != "all":
            timed("Knox", lambda x=x, y=y, d=day: hs.knox(x, y, d))
            timed(
                "scan",
                lambda x=x, y=y, d=day: hs.prospective_scan(
                    x, y, d, today, permutations=99, centers=(grid.x, grid.y)
                ),
            )
    for name, seconds in spent.items():
        line(f"  {name}", seconds)
    line("all of them, one process", time.perf_counter() - begin)


def main() -> None:
    """Run every benchmark, or the ones named."""
    names = ("density", "local", "knox", "polygons", "weekly")
    parser = argparse.ArgumentParser(description="Time the hotspot methods beside their peers.")
    parser.add_argument("--quick", action="store_true", help="leave out the slowest peer")
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    chosen = parser.parse_args()
    outline = city()
    points = incidents(outline)
    grid = hs.make_grid(outline, 250)
    print(f"{len(points):,} located incidents; grid {len(grid):,} cells")
    runs: dict[str, Callable[[], None]] = {
        "density": lambda: density(points, grid),
        "local": lambda: local_statistics(points, grid),
        "knox": lambda: knox(points, chosen.quick),
        "polygons": point_in_polygon,
        "weekly": lambda: weekly_layers(points, outline),
    }
    for name in chosen.only:
        runs[name]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"\nPeak memory of the whole run, peers included: {peak:.2f} GB")


if __name__ == "__main__":
    main()
