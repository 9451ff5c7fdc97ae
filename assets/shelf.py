"""The shelf: the page that leads to every book, packet and report of the checkout."""

import os
from pathlib import Path

import dagster as dg

from assets.books import GROUP
from assets.house import House, told_plainly
from assets.packets import BOOK, PACKETS
from assets.partitions import by_department_and_week
from beatbook.book.shelf import write_shelf


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"html"},
    deps=[BOOK, PACKETS, "layer_files", "promoted_reports"],
)
@told_plainly
def shelf(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """The page of all departments' books and packets: reports/index.html."""
    home = house.home()
    page = write_shelf(home)
    name = Path(os.path.relpath(page, home.root)).as_posix()
    context.log.info(f"Made {name}")
    return dg.MaterializeResult(metadata={"file": name})
