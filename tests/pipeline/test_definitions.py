"""What Dagster is told: assets, checks, jobs, schedules; ticked with Dagster's own test tools."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml

from assets.checks import RULES
from beatbook.department import list_departments, load_department
from beatbook.home import Home
from pipelines.definitions import defs
from pipelines.schedules import WEEK_TAG, book_follows_tables, monday_books

ROOT = Path(__file__).resolve().parents[2]


def test_the_lineage_runs_from_the_feed_to_the_book():
    graph = defs.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert names == {
        "feed", "incidents_staged", "incidents", "rejected_incidents", "feed_files",
        "weekly_counts", "compstat", "hotspots", "near_repeats", "near_repeat_zones",
        "repeat_places", "place_concentration", "space_time_clusters", "compstat_book",
    }  # fmt: skip
    book = graph.get(dg.AssetKey("compstat_book"))
    assert {key.to_user_string() for key in book.parent_keys} == {
        "compstat", "hotspots", "near_repeats", "near_repeat_zones", "repeat_places",
        "place_concentration", "space_time_clusters",
    }  # fmt: skip
    staged = graph.get(dg.AssetKey("incidents"))
    assert {key.to_user_string() for key in staged.parent_keys} == {"incidents_staged"}


def test_every_rule_is_a_check_and_the_critical_ones_block():
    keys = {
        key.name: defs.resolve_asset_graph().get(key).blocking
        for key in defs.resolve_asset_graph().asset_check_keys
    }
    assert keys == {rule.id: rule.severity == "critical" for rule in RULES}


@pytest.mark.parametrize("schedule", monday_books(), ids=lambda schedule: schedule.name)
def test_each_department_has_its_monday_six_oclock(schedule):
    slug = schedule.name.removeprefix("weekly_book_")
    department = load_department(slug, Home(ROOT))
    assert schedule.cron_schedule == "0 6 * * 1"
    assert schedule.execution_timezone == department.timezone
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=dt.datetime(
                2024, 3, 11, 6, tzinfo=ZoneInfo(department.timezone)
            ),
            repository_def=defs.get_repository_def(),
        )
        ticked = schedule.evaluate_tick(context)
    (request,) = ticked.run_requests
    assert request.partition_key == slug
    assert request.tags[WEEK_TAG] == "2024-03-10"


def test_all_departments_are_scheduled():
    assert {schedule.name for schedule in monday_books()} == {
        f"weekly_book_{slug}" for slug in list_departments(Home(ROOT))
    }


@pytest.mark.parametrize("week", ["2024-03-10", None])
def test_the_book_follows_a_scheduled_refresh_only(week):
    tags = {"dagster/partition": "washington_dc"} | ({WEEK_TAG: week} if week else {})
    with dg.instance_for_test() as instance:
        run = dg.DagsterRun(job_name="refresh", run_id="11111111", tags=tags)
        event = dg.DagsterEvent(event_type_value="PIPELINE_SUCCESS", job_name="refresh")
        context = dg.build_run_status_sensor_context(
            sensor_name="book_follows_tables",
            dagster_instance=instance,
            dagster_run=run,
            dagster_event=event,
        )
        asked = book_follows_tables(context)
    if week is None:
        assert isinstance(asked, dg.SkipReason)
    else:
        assert asked.partition_key == "washington_dc|2024-03-10"


def test_workspace_and_project_name_one_code_location():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    module = workspace["load_from"][0]["python_module"]
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert module["module_name"] == project["code_location_target_module"]
    assert module["location_name"] == project["code_location_name"]
