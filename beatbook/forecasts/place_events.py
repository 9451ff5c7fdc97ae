"""Which events a place forecast may learn from: citizen-reported, with a usable point."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from beatbook.errors import InvalidInput

ENFORCEMENT_WORDS = (
    "drug", "narcotic", "marijuana", "cannabis", "prostitution", "solicit", "vice", "liquor",
    "alcohol", "drunk", "disorderly", "vagran", "loiter", "panhandl", "begging", "curfew",
    "gambling", "dui", "dwi", "driving under", "driving while", "traffic", "weapon law",
    "weapons offense", "carrying", "concealed", "trespass", "warrant", "resisting", "parole",
    "probation", "peace disturb", "disturbing the peace", "society",
)  # fmt: skip
"""Offenses are recorded where officers look for these; a forecast of them forecasts patrols."""

USABLE = ("exact", "block")


def enforcement_driven(offense: str) -> bool:
    """Say whether an offense's name is one whose recording follows enforcement."""
    name = offense.casefold()
    return any(re.search(rf"\b{re.escape(word)}", name) for word in ENFORCEMENT_WORDS)


def refuse_enforcement_driven(
    offenses: Sequence[str], allow: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Refuse offenses whose recording follows enforcement, unless a reason is given.

    Parameters
    ----------
    offenses
        Names as the department's offense map writes them.
    allow
        Offense -> reason, from the settings; the reason is printed with the forecast.

    Returns
    -------
    The allowed ones with their reasons.

    Raises
    ------
    InvalidInput
        Naming the offense and what to do.
    """
    given = {k: v.strip() for k, v in (allow or {}).items()}
    used = {}
    for offense in offenses:
        if not enforcement_driven(offense):
            continue
        if not given.get(offense):
            raise InvalidInput(
                f"{offense} is recorded where officers look for it, so a map of it shows patrols, "
                "not need, and sends patrols back to the same places. It is not forecast. To do "
                "so all the same, give it a reason in the settings; the page prints the reason."
            )
        used[offense] = given[offense]
    return used


def place_events(
    incidents: pd.DataFrame, offenses: Sequence[str], *, allow: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Keep the incidents that place forecasts learn from.

    Parameters
    ----------
    incidents
        ``offense, count, occurred_from, x, y, location_quality, origin``; add ``known_on`` and
        filter by it beforehand for what was known at a cutoff.
    offenses
        Offenses to forecast and those used as context; enforcement-driven ones are refused.
    allow
        Offense -> reason, see `refuse_enforcement_driven`.

    Returns
    -------
    ``date, x, y, offense`` (and ``known_on``, if given), sorted, of records with count +1 (a
    cancellation has no place of its own), a point of quality exact or block (piled-up points left
    out), and an origin other than an officer or an alarm. Rows of other offenses change nothing.

    Raises
    ------
    InvalidInput
        For a refused offense, a missing column, or an offense without any point (sex offenses
        have none by rule).
    """
    needed = {"offense", "count", "occurred_from", "x", "y", "location_quality", "origin"}
    lacking = sorted(needed - set(incidents.columns))
    if lacking:
        raise InvalidInput(f"The incidents lack {', '.join(lacking)}.")
    refuse_enforcement_driven(offenses, allow)
    out = usable_events(incidents, offenses)
    for offense in offenses:
        if not (out["offense"] == offense).any():
            raise InvalidInput(
                f"{offense} has no usable points, so its places cannot be forecast. (Sex offenses "
                "have none by rule; others need records of quality exact or block.)"
            )
    return out


def usable_events(incidents: pd.DataFrame, offenses: Sequence[str]) -> pd.DataFrame:
    """Keep what `place_events` keeps, without refusing anything; possibly no row at all."""
    rows = incidents[
        incidents["offense"].isin(list(offenses))
        & (incidents["count"] == 1)
        & incidents["location_quality"].isin(USABLE)
        & ~incidents["origin"].isin(["officer", "alarm"])
        & incidents["occurred_from"].notna()
    ]
    rows = rows[np.isfinite(rows["x"].to_numpy(float)) & np.isfinite(rows["y"].to_numpy(float))]
    out = pd.DataFrame({"date": rows["occurred_from"].dt.normalize(), "x": rows["x"].astype(float),
                        "y": rows["y"].astype(float), "offense": rows["offense"]})  # fmt: skip
    keys = ["date", "x", "y", "offense"]
    if "known_on" in rows:
        out["known_on"] = rows["known_on"]
        keys.append("known_on")
    return out.sort_values(keys, kind="stable").reset_index(drop=True)
