"""Series and events for the forecast tests, made by rule: no department's data."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

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


WEST, SOUTH = 700_000, 4_270_000
PER_WEEK = {"Burglary": 9.0, "Robbery": 6.0, "Motor Vehicle Theft": 8.0, "Larceny": 20.0}
WEEK_ENDING, AS_OF = dt.date(2023, 10, 29), dt.date(2023, 10, 31)


def made_incidents(
    first: str = "2021-01-01", last: str = "2023-12-31", seed: int = 1, **changes: Any
) -> pd.DataFrame:
    """Poisson incidents, a third of them at four corners; one in seven is known a month late."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(first, last)
    frames = []
    for offense, rate in PER_WEEK.items():
        count = rng.poisson(rate / 7, len(days))
        day = np.repeat(days.to_numpy(), count)
        n = len(day)
        x, y = rng.uniform(10, 1990, n), rng.uniform(10, 1990, n)
        hot = rng.random(n) < 0.33
        corner = rng.integers(0, 4, n)
        x[hot] = np.array([300, 1700, 300, 1700])[corner[hot]] + rng.normal(0, 60, hot.sum())
        y[hot] = np.array([300, 300, 1700, 1700])[corner[hot]] + rng.normal(0, 60, hot.sum())
        late = np.where(rng.random(n) < 1 / 7, 25, 0)
        known = pd.Series(day + late.astype("timedelta64[D]")) + pd.offsets.MonthEnd(0)
        frames.append(
            pd.DataFrame(
                {
                    "offense": offense,
                    "count": 1,
                    "occurred_from": pd.Series(day) + pd.Timedelta(hours=12),
                    "reported_at": pd.NaT,
                    "known_on": known,
                    "precinct": (1 + (x > 1000) + 2 * (y > 1000)).astype(int).astype(str),
                    "x": WEST + x,
                    "y": SOUTH + y,
                    "location_quality": "block",
                    "origin": "citizen",
                }
            )
        )
    out = pd.concat(frames, ignore_index=True).assign(**changes)
    return out.astype({c: "datetime64[us]" for c in ("occurred_from", "reported_at", "known_on")})


def one_incident(**changes: Any) -> dict[str, Any]:
    """One incident: a burglary in precinct 1 on 2023-10-25, known at the month's end."""
    usual = {
        "offense": "Burglary",
        "count": 1,
        "occurred_from": pd.Timestamp("2023-10-25 10:00"),
        "reported_at": pd.NaT,
        "known_on": pd.Timestamp("2023-10-31"),
        "precinct": "1",
        "x": WEST + 400.0,
        "y": SOUTH + 300.0,
        "location_quality": "block",
        "origin": "citizen",
    }
    return {**usual, **changes}


def made_rows(*given: dict[str, Any]) -> pd.DataFrame:
    """Incidents given one by one."""
    out = pd.DataFrame([one_incident(**g) for g in given])
    return out.astype({c: "datetime64[us]" for c in ("occurred_from", "reported_at", "known_on")})


@pytest.fixture(scope="session")
def city() -> SimpleNamespace:
    """The made-up city of the weekly forecasts: its incidents at large, or given one by one."""
    return SimpleNamespace(
        incidents=made_incidents, rows=made_rows, week_ending=WEEK_ENDING, as_of=AS_OF
    )


@pytest.fixture(scope="session")
def series() -> pd.DataFrame:
    return weekly()


@pytest.fixture(scope="session")
def events() -> pd.DataFrame:
    return burglaries()
