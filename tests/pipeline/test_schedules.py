"""What follows what, by itself and exactly once: ticked with Dagster's own test tools."""

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from assets.house import House
from assets.partitions import WEEK_ENDING, book_partition, by_department, by_department_and_week
from pipelines.automation import AUTOMATION, TABLES_ARE_FRESH, automation, with_policies
from pipelines.definitions import defs
from pipelines.jobs import make_book, make_city_book
from pipelines.schedules import WEEK_TAG, book_follows_tables

ROOT = Path(__file__).resolve().parents[2]
WEEK = "2024-03-10"


class Week:
    """The week's assets in small, with the real conditions, jobs and partitions."""

    def __init__(self, instance):
        self.instance, self.cursor = instance, None
        self.broken: set[str] = set()
        instance.add_dynamic_partitions(WEEK_ENDING, [WEEK, "2024-03-03"])
        by_week = {"partitions_def": by_department_and_week}

        def asset(name, **options):
            @dg.asset(name=name, **options)
            def made() -> None:
                if name in self.broken:
                    raise dg.Failure(name)

            return made

        assets = [
            asset("incidents", partitions_def=by_department, group_name="incidents"),
            asset("compstat", group_name="books", deps=["incidents"], **by_week),
            asset("hotspots", group_name="books", deps=["incidents", "compstat"], **by_week),
            asset("compstat_book", group_name="books", deps=["compstat", "hotspots"], **by_week),
            asset("precinct_packets", group_name="books",
                  deps=["incidents", "compstat", "hotspots"], **by_week),
            asset("promoted_reports", group_name="books", deps=["compstat", "hotspots"], **by_week),
            asset("layer_files", group_name="books", deps=["hotspots"], **by_week),
            asset("shelf", group_name="books",
                  deps=["compstat_book", "layer_files", "precinct_packets", "promoted_reports"],
                  **by_week),
        ]  # fmt: skip
        self.definitions = dg.Definitions(
            assets=with_policies(assets), jobs=[make_book, make_city_book]
        )

    def run(self, job, department="washington_dc", week=WEEK):
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=book_partition(department, week),
            raise_on_error=False,
        )

    def refresh(self, department):
        dg.materialize(
            list(self.definitions.assets), instance=self.instance, partition_key=department,
            selection=["incidents"],
        )  # fmt: skip

    def tick(self):
        """What the sensor asks for now; it is made at once, as the daemon would."""
        found = dg.evaluate_automation_conditions(
            self.definitions, self.instance, cursor=self.cursor
        )
        self.cursor = found.cursor
        asked = {}
        for name in AUTOMATION:
            if found.get_num_requested(dg.AssetKey(name)):
                keys = found.get_requested_partitions(dg.AssetKey(name))
                asked[name] = {str(key) for key in keys}
        for key in sorted(set().union(*asked.values())):
            # As the daemon does: what is asked of one week is one run.
            dg.materialize(
                list(self.definitions.assets), instance=self.instance, partition_key=key,
                selection=[name for name in asked if key in asked[name]], raise_on_error=False,
            )  # fmt: skip
        return asked


@pytest.fixture
def week():
    made = Week(dg.DagsterInstance.ephemeral())
    for department in ("st_louis", "washington_dc"):
        made.refresh(department)
    # The sensor's first look asks for nothing: what was made before it stays as it is.
    assert made.tick() == {}
    return made


def settle(week):
    """Tick until nothing more is asked; what was asked in all."""
    asked = []
    while got := week.tick():
        asked.append(got)
        assert len(asked) < 5
    return asked


def test_packets_and_shelf_follow_the_city_book_exactly_once(week):
    assert week.run("make_city_book").success
    asked = settle(week)
    packets = [got["precinct_packets"] for got in asked if "precinct_packets" in got]
    assert packets == [{f"washington_dc|{WEEK}"}]
    assert asked[0]["shelf"] == {f"washington_dc|{WEEK}"}
    assert week.tick() == {}


def test_a_run_that_made_everything_asks_for_nothing_more(week):
    assert week.run("make_book").success
    assert settle(week) == []


def test_a_packet_that_failed_in_a_run_of_everything_is_not_tried_again_and_again(week):
    week.broken = {"precinct_packets"}
    assert not week.run("make_book").success
    assert not any("precinct_packets" in got for got in settle(week))


def test_a_packet_that_failed_by_itself_is_asked_for_once(week):
    week.broken = {"precinct_packets"}
    week.run("make_city_book")
    assert sum("precinct_packets" in got for got in settle(week)) == 1


def test_packets_wait_until_all_tables_of_the_week_are_there(week):
    week.broken = {"hotspots"}
    week.run("make_city_book")
    assert not any("precinct_packets" in got for got in settle(week))
    week.broken = set()
    week.run("make_city_book")
    assert [got["precinct_packets"] for got in settle(week) if "precinct_packets" in got] == [
        {f"washington_dc|{WEEK}"}
    ]


def test_a_refresh_alone_asks_for_no_packets_of_any_week(week):
    week.run("make_book")
    settle(week)
    week.refresh("washington_dc")
    assert settle(week) == []


def test_new_weeks_alone_ask_for_nothing(week):
    week.instance.add_dynamic_partitions(WEEK_ENDING, ["2024-03-17", "2024-03-24"])
    assert settle(week) == []


def test_two_departments_do_not_wait_for_each_other(week):
    week.run("make_city_book", "washington_dc")
    week.run("make_city_book", "st_louis")
    asked = set().union(*(got.get("precinct_packets", set()) for got in settle(week)))
    assert asked == {f"washington_dc|{WEEK}", f"st_louis|{WEEK}"}


def test_the_automation_is_on_and_makes_a_run_for_each_week():
    assert automation.default_status == dg.DefaultSensorStatus.RUNNING
    assert automation.name in {sensor.name for sensor in defs.sensors}
    assert not automation.emit_backfills


def test_the_job_of_the_sensor_leaves_packets_and_shelf_to_the_automation(week):
    def made(job):
        selected = week.definitions.resolve_job_def(job).asset_layer.executable_asset_keys
        return {key.to_user_string() for key in selected}

    assert made("make_city_book") == {"compstat", "hotspots", "compstat_book"}
    assert made("make_book") == made("make_city_book") | set(AUTOMATION)


def test_the_published_tables_are_to_be_fresh_each_week():
    graph = defs.resolve_asset_graph()

    def policy(name):
        return graph.get(dg.AssetKey(name)).freshness_policy

    for name in ("incidents", "weekly_counts", "rejected_incidents", "feed_files"):
        assert policy(name) == TABLES_ARE_FRESH, name
    assert policy("incidents_staged") is None and policy("compstat") is None
    assert TABLES_ARE_FRESH.warn_window.to_timedelta() > dt.timedelta(days=7)


def follow(instance, slug, week, home):
    run = dg.DagsterRun(
        job_name="refresh", run_id="11111111", tags={"dagster/partition": slug, WEEK_TAG: week}
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="book_follows_tables",
        dagster_instance=instance,
        dagster_run=run,
        dagster_event=dg.DagsterEvent(event_type_value="PIPELINE_SUCCESS", job_name="refresh"),
        resources={"house": House(root=str(home.root))},
    )
    return book_follows_tables(context)


def test_a_feed_of_days_is_asked_for_the_week_that_ended_yesterday(shop):
    with dg.instance_for_test() as instance:
        asked = follow(instance, shop.slug, "2024-03-24", shop.home)
        assert asked.partition_key == "washington_dc|2024-03-24"
        assert instance.has_dynamic_partition(WEEK_ENDING, "2024-03-24")


def test_a_feed_of_months_is_asked_for_the_last_week_that_it_covers(shop):
    """Its last week is coded weeks later: Monday's book would fail each time."""

    def monthly(text):
        text = text.replace("publishes: daily", "publishes: monthly")
        return text.replace("reported_at:", "known_on:")

    shop.settings(monthly)
    with dg.instance_for_test() as instance:
        first = follow(instance, shop.slug, "2024-04-28", shop.home)
        later = follow(instance, shop.slug, "2024-05-05", shop.home)
    last = shop.table("incidents")["known_on"].max()
    assert first.partition_key == later.partition_key
    assert first.run_key == later.run_key  # Dagster makes it once
    week = first.partition_key.split("|")[1]
    assert 0 <= (last - dt.datetime.fromisoformat(week)).days < 7


def test_a_backfill_of_the_job_makes_each_week_as_of_its_own_time(shop):
    """What Dagster's UI starts: no configuration, and the tag of a backfill."""
    with dg.instance_for_test() as instance:
        from pipelines.definitions import build_definitions

        instance.add_dynamic_partitions(WEEK_ENDING, ["2024-03-03"])
        job = build_definitions(str(shop.home.root)).resolve_job_def("make_city_book")

        def as_of(**options):
            result = job.execute_in_process(
                instance=instance,
                partition_key=book_partition(shop.slug, "2024-03-03"),
                asset_selection=[dg.AssetKey("compstat")],
                **options,
            )
            assert result.success
            return str(shop.table("compstat", week_ending="2024-03-03")["as_of"].iloc[0].date())

        told = {"run_config": {"ops": {"compstat": {"config": {"as_of": "all"}}}}}
        tag = {"tags": {"dagster/backfill": "abcdefgh"}}
        assert as_of() == "2024-03-17"
        assert as_of(**tag) == "2024-03-03"
        assert as_of(**tag, **told) == "2024-03-17"
