"""Event times as numbers of days, by one rule for every near-repeat method."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput


def whole_days(times: Any) -> npt.NDArray[np.float64]:
    """Return event times in days.

    Dates and timestamps (also as text) become whole calendar days since 1970-01-01, local time:
    a burglary at 23:50 and one at 00:10 are one day apart, as in the published near-repeat
    calculators. Numbers are taken as days as they stand, fractions included.

    Raises
    ------
    InvalidInput
        If a time is missing or cannot be read.
    """
    values = times.array if isinstance(times, pd.Series | pd.Index) else times
    column = pd.Series(values)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        days = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif column.empty:
        return np.empty(0)
    else:
        stamps = _timestamps(column)
        missing = stamps.isna().to_numpy()
        days = stamps.to_numpy().astype("datetime64[D]").astype(np.float64)
        days[missing] = np.nan
    bad = int((~np.isfinite(days)).sum())
    if bad:
        raise InvalidInput(
            f"{bad} of {days.size} events have no usable time. Leave them out first and print how "
            "many were left out."
        )
    return days


def _timestamps(column: pd.Series) -> pd.Series:
    try:
        stamps = pd.to_datetime(column)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            "Times must be dates, timestamps or numbers of days; one of them cannot be read. "
            f"The reader said: {error}"
        ) from error
    if stamps.dt.tz is not None:
        raise InvalidInput(
            "Times carry a time zone. Convert them to the department's local time and drop the "
            "zone first: column.dt.tz_convert(zone).dt.tz_localize(None)."
        )
    return stamps


def local_timestamps(times: Any) -> pd.Series:
    """Return times as local timestamps without a zone; missing ones stay missing (NaT)."""
    values = times.array if isinstance(times, pd.Series | pd.Index) else times
    column = pd.Series(values)
    if column.empty:
        return pd.Series([], dtype="datetime64[us]")
    return _timestamps(column)
