"""What Dagster is told: assets, checks, jobs, schedules; ticked with Dagster's own test tools."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml

from assets.house import House
from assets.incidents import incidents_staged
from assets.publishing import OTHER_RULES
from beatbook.department import list_departments, load_department
from beatbook.home import Home
from expectations.checking import STAGED
from expectations.suite import list_suites, load_suite
from pipelines.definitions import defs
from pipelines.schedules import WEEK_TAG, book_follows_tables, monday_books

ROOT = Path(__file__).resolve().parents[2]


def test_the_lineage_runs_from_the_feed_to_the_book():
    graph = defs.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert names == {
        "feed", "incidents_staged", "incidents", "rejected_incidents", "feed_files",
        "weekly_counts", "compstat", "hotspots", "near_repeats", "near_repeat_zones",
        "repeat_places", "place_concentration", "space_time_clusters", "corrections", "forecasts",
        "nowcasts", "place_forecasts", "place_calibration", "forecast_scorecard",
        "forecast_scores", "compstat_book", "layer_files", "precinct_packets", "promoted_reports",
        "shelf",
    }  # fmt: skip
    book = graph.get(dg.AssetKey("compstat_book"))
    assert {key.to_user_string() for key in book.parent_keys} == {
        "compstat", "hotspots", "near_repeats", "near_repeat_zones", "repeat_places",
        "place_concentration", "space_time_clusters", "forecasts", "nowcasts", "place_forecasts",
        "place_calibration", "forecast_scorecard", "forecast_scores",
    }  # fmt: skip
    shelf = graph.get(dg.AssetKey("shelf"))
    assert {key.to_user_string() for key in shelf.parent_keys} == {
        "compstat_book", "layer_files", "precinct_packets", "promoted_reports",
    }  # fmt: skip
    staged = graph.get(dg.AssetKey("incidents"))
    assert {key.to_user_string() for key in staged.parent_keys} == {"incidents_staged"}


def test_every_rule_is_a_check_and_the_critical_ones_block():
    graph = defs.resolve_asset_graph()
    keys = {
        (key.asset_key.to_user_string(), key.name): graph.get(key).blocking
        for key in graph.asset_check_keys
    }
    staged = incidents_staged.key.to_user_string()
    built = {key.to_user_string() for key in graph.get_all_asset_keys()}
    expected = {}
    for table in list_suites():
        asset = staged if table in STAGED else table
        if asset in built:
            for rule in load_suite(table).rules:
                expected[asset, rule.id] = rule.severity == "critical"
            expected[asset, OTHER_RULES] = True
    assert {asset for asset, _ in keys} >= {staged, "compstat", "hotspots"}
    assert keys == {key: expected[key] for key in keys}
    assert {key for key in expected if key[0] in {staged, "compstat", "hotspots"}} <= set(keys)


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
            resources={"house": House(root=str(ROOT))},
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
