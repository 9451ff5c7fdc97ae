"""Series and events for the forecast tests, made by rule: no department's data."""

import numpy as np
import pandas as pd
import pytest


def weekly(
    weeks: int = 200, offenses: tuple[str, ...] = ("Robbery", "Larceny"), seed: int = 3
) -> pd.DataFrame:
    """Poisson counts of three districts with a yearly wave."""
    rng = np.random.default_rng(seed)
    ds = pd.date_range("2015-01-05", periods=weeks, freq="7D")
    wave = np.exp(0.3 * np.cos(2 * np.pi * (ds.day_of_year.to_numpy() - 200) / 365.25))
    frames = []
    for i, offense in enumerate(offenses):
        for district in (1, 2, 3):
            y = rng.poisson((4 + 10 * i) * district * wave)
            frames.append(pd.DataFrame({"unique_id": f"{district}/{offense}", "ds": ds, "y": y}))
    return pd.concat(frames, ignore_index=True)


def burglaries(days: int = 900, seed: int = 5, per_day: float = 3.0) -> pd.DataFrame:
    """Events in a 5 km square, half of them in four clusters, with context events."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(per_day * days)
    centers = np.array([[1100.0, 1100], [3900, 1200], [2600, 3900], [1300, 3600]])
    near = centers[rng.integers(0, 4, n)] + rng.normal(0, 180, (n, 2))
    spread = rng.uniform(0, 5000, (n, 2))
    xy = np.where(rng.random((n, 1)) < 0.5, near, spread).clip(1, 4999)
    date = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, days, n), unit="D")
    kind = np.where(rng.random(n) < 0.7, "Burglary", "Larceny")
    return pd.DataFrame({"date": date, "x": xy[:, 0], "y": xy[:, 1], "offense": kind})


@pytest.fixture(scope="session")
def series() -> pd.DataFrame:
    return weekly()


@pytest.fixture(scope="session")
def events() -> pd.DataFrame:
    return burglaries()
