"""When it runs: each department's tables early on the day after its week, then its book."""

import datetime as dt
from collections.abc import Callable

import dagster as dg

from assets.partitions import WEEK_ENDING, book_partition
from beatbook.compstat.windows import week_ending_on_or_before
from beatbook.department import Department, list_departments, load_department
from pipelines.jobs import make_book, refresh

WEEK_TAG = "beatbook/week_ending"
CRON_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def monday_books() -> list[dg.ScheduleDefinition]:
    """One schedule a department: 06:00 local on the first day of the new week.

    It refreshes the tables; the book of the week that ended the day before follows when they are
    published (:data:`book_follows_tables`).
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
    request_job=make_book,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the book that a scheduled refresh was for.",
)
def book_follows_tables(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for the book of the week that a scheduled refresh names; leave other runs alone."""
    week = context.dagster_run.tags.get(WEEK_TAG)
    slug = context.dagster_run.tags.get("dagster/partition")
    if not week or not slug:
        return dg.SkipReason("This refresh was not for a book.")
    context.instance.add_dynamic_partitions(WEEK_ENDING, [week])
    return dg.RunRequest(run_key=f"{slug}|{week}", partition_key=book_partition(slug, week))
