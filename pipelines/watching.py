"""What Dagster's daemon watches for: runs that fail, and warnings that are new.

The command line tells its own runs (:func:`pipelines.launch.run_job`): they have no code
location, so these sensors pass them over and nothing is told twice.
"""

import dagster as dg

from assets.house import House
from beatbook.home import Home
from pipelines.alerts import Say, alert_of_run


def rewrite_shelf(home: Home, say: Say) -> None:
    """Write the shelf again after a failed run, so that it shows HOLD over the last good book.

    Never raises: the failure that led here is what people must hear of.
    """
    try:
        from beatbook.book.shelf import write_shelf

        write_shelf(home)
    except Exception as error:
        say(f"The shelf (reports/index.html) could not be written again: {error}")


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells people by mail and webhook that a run failed or a check held the tables.",
)
def failures_are_told(context: dg.RunFailureSensorContext, house: House) -> None:
    """Alert whom the department's settings name, and let the shelf show HOLD."""
    home = house.home()
    rewrite_shelf(home, context.log.warning)
    alert_of_run(context.instance, context.dagster_run, home, context.log.error, failed=True)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells people of warnings that the department's run before did not give.",
)
def warnings_are_told(context: dg.RunStatusSensorContext, house: House) -> None:
    """Alert whom the department's settings name, of a warning's first week only."""
    alert_of_run(
        context.instance, context.dagster_run, house.home(), context.log.error, failed=False
    )
