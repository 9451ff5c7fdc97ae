"""The jobs: refresh a department's tables, and make one week's book from them.

They are apart because one Dagster job cannot mix partitions: tables are cut by department, books
by department and week.
"""

import dagster as dg

from assets.books import GROUP as BOOKS
from assets.incidents import GROUP as INCIDENTS
from pipelines.automation import FOLLOWING, WHOLE_TAG

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.groups(INCIDENTS),
    description="Feed to published tables, with the checks between.",
)

make_book = dg.define_asset_job(
    "make_book",
    selection=dg.AssetSelection.groups(BOOKS) | FOLLOWING,
    run_tags={WHOLE_TAG: "everything"},
    description="Everything of one department's week in one run: tables, book, packets, shelf. "
    "A backfill of it makes each week as of its own time.",
)

make_city_book = dg.define_asset_job(
    "make_city_book",
    selection=dg.AssetSelection.groups(BOOKS) - FOLLOWING,
    description="The tables and the city book of one department's week; packets and shelf follow "
    "by themselves.",
)
