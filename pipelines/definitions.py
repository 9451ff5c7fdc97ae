"""Everything that Dagster runs, in one place: start reading here.

Assets and checks come from ``assets/``; jobs, schedules, sensors and policies from this folder.
``build_definitions`` is what tests use too, with a checkout of their own.
"""

import dagster as dg

import assets.books
import assets.checks
import assets.forecasts
import assets.hotspots
import assets.incidents
import assets.layer_files
import assets.packets
import assets.reports
import assets.shelf
from assets.house import House
from pipelines.automation import automation, with_policies
from pipelines.console import console
from pipelines.jobs import make_book, make_city_book, refresh
from pipelines.schedules import book_follows_tables, monday_books
from pipelines.watching import failures_are_told, warnings_are_told


def build_definitions(root: str = "") -> dg.Definitions:
    """Put the definitions together.

    Parameters
    ----------
    root
        The checkout to work in; found from the current folder when empty.
    """
    modules = [
        assets.incidents,
        assets.hotspots,
        assets.forecasts,
        assets.books,
        assets.layer_files,
        assets.packets,
        assets.reports,
        assets.shelf,
    ]
    return dg.Definitions(
        assets=with_policies(dg.load_assets_from_modules(modules)),
        asset_checks=dg.load_asset_checks_from_modules([assets.checks]),
        jobs=[refresh, make_book, make_city_book],
        schedules=monday_books(),
        sensors=[book_follows_tables, automation, failures_are_told, warnings_are_told],
        loggers={"console": console},
        resources={"house": House(root=root)},
        # Steps take seconds and share one machine: a process for each would cost more than it.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
