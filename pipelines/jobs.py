"""The two jobs: refresh a department's tables, and make one week's book from them.

They are two because one Dagster job cannot mix partitions: tables are cut by department, books
by department and week.
"""

import dagster as dg

from assets.books import GROUP as BOOKS
from assets.incidents import GROUP as INCIDENTS

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.groups(INCIDENTS),
    description="Feed to published tables, with the checks between.",
)

make_book = dg.define_asset_job(
    "make_book",
    selection=dg.AssetSelection.groups(BOOKS),
    description="One department's CompStat table and book of one week.",
)
