"""When it runs: each department's tables early on the day after its week, then its book."""

import datetime as dt
from collections.abc import Callable

import dagster as dg

from assets.house import House
from assets.partitions import WEEK_ENDING, book_partition
from beatbook.compstat.coverage import coverage, covered_weeks
from beatbook.compstat.windows import week_ending_on_or_before
from beatbook.department import Department, list_departments, load_department
from beatbook.home import Home
from beatbook.store import load_table
from pipelines.alerts import WEEK_TAG, run_department
from pipelines.jobs import make_city_book, refresh

CRON_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def monday_books() -> list[dg.ScheduleDefinition]:
    """One schedule a department: 06:00 local on the first day of the new week.

    It refreshes the tables; the book of the week that ended the day before follows when they are
    published (:data:`book_follows_tables`), and packets and shelf follow the book
    (:mod:`pipelines.automation`).
    """
    return [_schedule(load_department(slug)) for slug in list_departments()]


def _schedule(department: Department) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"weekly_book_{department.slug}",
        job=refresh,
        cron_schedule=f"0 6 * * {CRON_DAYS.index(department.week_start)}",
        execution_timezone=department.timezone,
        execution_fn=_request(department.slug, department.week_start),
        description=f"Tables and book of {department.name}, for the week that ended yesterday.",
    )


def _request(slug: str, week_start: str) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest]:
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        yesterday = context.scheduled_execution_time.date() - dt.timedelta(days=1)
        week = week_ending_on_or_before(yesterday, week_start).isoformat()
        return dg.RunRequest(run_key=f"{slug}|{week}", partition_key=slug, tags={WEEK_TAG: week})

    return request


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[refresh],
    request_job=make_city_book,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the book that a scheduled refresh was for.",
)
def book_follows_tables(
    context: dg.RunStatusSensorContext, house: House
) -> dg.RunRequest | dg.SkipReason:
    """Ask for the book of the week that a scheduled refresh names; leave other runs alone.

    A department that publishes by the month has the book of the last week that it covers, once:
    the week that ended yesterday is not coded yet. A feed of days that does not cover yesterday
    has stopped: its book is asked for, fails, and people are told.
    """
    asked = context.dagster_run.tags.get(WEEK_TAG)
    slug = run_department(context.dagster_run)
    if not asked or not slug:
        return dg.SkipReason("This refresh was not for a book.")
    week = _week_to_make(slug, asked, house.home())
    context.instance.add_dynamic_partitions(WEEK_ENDING, [week])
    return dg.RunRequest(run_key=f"{slug}|{week}", partition_key=book_partition(slug, week))


def _week_to_make(slug: str, asked: str, home: Home) -> str:
    department = load_department(slug, home)
    if department.feed.publishes != "monthly":
        return asked
    known_on = load_table("incidents", slug, columns=["known_on"], home=home)["known_on"]
    covered = (end.isoformat() for end in covered_weeks(coverage(known_on, department), department))
    return max((end for end in covered if end <= asked), default=asked)
