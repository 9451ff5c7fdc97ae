"""What the rules on wholes look at: one small frame a question, by name.

Each frame has one row a thing checked, with ``record_key``, ``field``, ``observed`` and
``expected`` in words, and the statistic or flag that a rule tests. They are pure functions of the
staged tables; the rules and their thresholds are in ``expectations/``.
"""

from collections.abc import Callable

import pandas as pd

from beatbook.quality.cancellations import unmatched_cancellations
from beatbook.quality.codes import code_drift, descriptions
from beatbook.quality.feed_drift import (
    files_against_published,
    layout_changes,
    missing_days,
    shared_records,
)
from beatbook.quality.locations import block_addresses, piled_points, swapped_points
from beatbook.quality.shares import shares
from beatbook.quality.staged import Staged
from beatbook.quality.volumes import period_volume, weekly_volume

EVIDENCE: dict[str, Callable[[Staged], pd.DataFrame]] = {
    "block_addresses": block_addresses,
    "cancellations": unmatched_cancellations,
    "code_drift": code_drift,
    "descriptions": descriptions,
    "files_against_published": files_against_published,
    "layout_changes": layout_changes,
    "missing_days": missing_days,
    "period_volume": period_volume,
    "piled_points": piled_points,
    "shared_records": shared_records,
    "shares": shares,
    "swapped_points": swapped_points,
    "weekly_volume": weekly_volume,
}
"""Evidence by the name that a rule's ``evidence`` gives."""
