"""People are told when a run fails, a check holds the tables, or a warning is new; once."""

import dagster as dg
import pytest
import yaml

from assets.house import House
from beatbook.errors import BeatbookError
from pipelines import alerts, watching

DEPARTMENT = "washington_dc"
SECRET = "1515 MAIN ST"
"""Stands for what a record holds."""


def settings(shop, **changes):
    """Give the department's settings a mail server, and whom to alert."""

    def change(text):
        return yaml.safe_dump({**yaml.safe_load(text), **changes})

    shop.settings(change)


PARTITIONS = dg.StaticPartitionsDefinition([DEPARTMENT, "elsewhere"])


def small_definitions(failing, *, blocking=False, severity="warning"):
    """A job with one table and one check, of which ``failing()`` says how many records fail."""

    @dg.asset(partitions_def=PARTITIONS)
    def staged():
        return None

    @dg.asset_check(asset="staged", name="dates_are_in_order", blocking=blocking)
    def dates_are_in_order():
        count = failing()
        return dg.AssetCheckResult(
            passed=count == 0,
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
            metadata={
                "failing": count,
                "severity": severity,
                "first failing records": SECRET,
            },
        )

    @dg.asset(partitions_def=PARTITIONS, deps=["staged"])
    def published():
        if failing() < 0:
            raise dg.Failure(f"cannot read {SECRET}")

    return dg.Definitions(
        assets=[staged, published],
        asset_checks=[dates_are_in_order],
        jobs=[dg.define_asset_job("refresh")],
    )


class Runs:
    """Runs of the small job on an instance of its own."""

    def __init__(self, instance, **check):
        self.instance, self.count = instance, 0
        definitions = small_definitions(lambda: self.count, **check)
        self.job = definitions.resolve_job_def("refresh")

    def run(self, count, department=DEPARTMENT):
        self.count = count
        return self.job.execute_in_process(
            instance=self.instance, partition_key=department, raise_on_error=False
        )

    def alert(self, home, count, department=DEPARTMENT):
        result = self.run(count, department)
        return alerts.compose_alert(
            self.instance, result.dagster_run, home, failed=not result.success
        )


@pytest.fixture
def instance():
    with dg.instance_for_test() as made:
        yield made


def test_a_new_warning_is_told_once_and_again_only_after_it_had_gone(workshop, instance):
    home = workshop().home
    runs = Runs(instance)

    assert runs.alert(home, 0) is None
    told = runs.alert(home, 1_312)
    assert told.payload["kind"] == "warning"
    assert told.payload["new_warnings"] == [
        {"check": "dates_are_in_order", "table": "staged", "failing": 1_312}
    ]
    assert "- dates_are_in_order: 1,312 records" in told.text
    # Another department's run between changes nothing for this one.
    assert runs.alert(home, 0, "elsewhere") is None
    assert runs.alert(home, 1_400) is None
    assert runs.alert(home, 0) is None
    assert runs.alert(home, 3) is not None


def test_a_held_run_names_checks_counts_and_page_and_no_record(workshop, instance):
    home = workshop().home
    told = Runs(instance, blocking=True).alert(home, 4)

    assert told.subject == "Beatbook: washington_dc: nothing was published, 1 check failed"
    assert told.payload["held_by"] == [
        {"check": "dates_are_in_order", "table": "staged", "failing": 4}
    ]
    for said in (
        "Metropolitan Police Department of the District of Columbia (washington_dc)",
        "- dates_are_in_order: 4 records",
        "The last good tables and the last good book stay",
        "reports/washington_dc/quality/index.html",
        "beatbook report --department washington_dc",
    ):
        assert said in told.text
    assert SECRET not in str(told)


def test_a_run_that_broke_names_its_step_and_not_what_the_error_quoted(workshop, instance):
    runs = Runs(instance)
    result = runs.run(-1)
    told = alerts.compose_alert(instance, result.dagster_run, workshop().home, failed=True)

    assert told.payload["kind"] == "failed"
    assert "The run refresh failed at: published." in told.text
    assert result.run_id in told.text
    assert SECRET not in str(told)


def test_a_check_that_only_informs_alerts_nobody(workshop, instance):
    assert Runs(instance, severity="info").alert(workshop().home, 9) is None


@pytest.fixture
def sensor(instance, workshop):
    """Tick a sensor's function for a finished run, as the daemon does."""

    def tick(function, result, shop, event="PIPELINE_FAILURE"):
        context = dg.build_run_status_sensor_context(
            sensor_name=function.name,
            dagster_instance=instance,
            dagster_run=instance.get_run_by_id(result.run_id),
            dagster_event=dg.DagsterEvent(event_type_value=event, job_name="refresh"),
            resources={"house": House(root=str(shop.home.root))},
        )
        if event == "PIPELINE_FAILURE":
            context = context.for_run_failure()
        return function(context)

    return tick


def test_the_daemon_tells_a_failure_by_mail_and_webhook(
    workshop, instance, sensor, post_office, webhook
):
    shop = workshop()
    settings(
        shop,
        mail=post_office.settings(),
        alerts={"mail": ["duty@police.example"], "webhook": webhook.address},
    )
    sensor(watching.failures_are_told, Runs(instance, blocking=True).run(2), shop)

    (mailed,), (posted,) = post_office.messages, webhook.posted
    assert post_office.receivers == [["duty@police.example"]]
    assert mailed["Subject"] == "Beatbook: washington_dc: nothing was published, 1 check failed"
    assert posted["kind"] == "held" and posted["department"] == DEPARTMENT
    assert posted["text"].split() == f"{mailed['Subject']} {mailed.get_content()}".split()


def test_the_daemon_tells_a_new_warning_of_a_run_that_succeeded(
    workshop, instance, sensor, webhook
):
    shop = workshop()
    settings(shop, alerts={"webhook": webhook.address})
    runs = Runs(instance)
    sensor(watching.warnings_are_told, runs.run(0), shop, "PIPELINE_SUCCESS")
    assert webhook.posted == []
    sensor(watching.warnings_are_told, runs.run(5), shop, "PIPELINE_SUCCESS")
    sensor(watching.warnings_are_told, runs.run(5), shop, "PIPELINE_SUCCESS")
    (posted,) = webhook.posted
    assert posted["kind"] == "warning"


def test_the_sensors_run_without_being_turned_on_and_watch_every_job():
    from pipelines.definitions import defs

    for name in ("failures_are_told", "warnings_are_told", "book_follows_tables"):
        sensor = defs.get_sensor_def(name)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    for sensor in (watching.failures_are_told, watching.warnings_are_told):
        assert sensor.targets == []  # they start nothing


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_a_webhook_that_does_not_take_it_is_told_without_its_secret(webhook, answer):
    webhook.answer = answer
    with pytest.raises(BeatbookError, match=rf"127.0.0.1 answered {answer}") as told:
        alerts.post(webhook.address, {"text": "x"})
    assert "secret" not in str(told.value)
    assert len(webhook.posted) == 1


def test_a_webhook_that_is_not_there_is_told_without_its_secret(dead_port, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(BeatbookError, match=r"127.0.0.1 could not be reached") as told:
        alerts.post(f"http://127.0.0.1:{dead_port}/hooks/secret-token", {"text": "x"})
    assert "secret" not in str(told.value)


def test_dead_servers_fail_nothing_and_are_named(workshop, instance, dead_port, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    shop = workshop()
    settings(
        shop,
        mail={"host": "127.0.0.1", "port": dead_port, "security": "none", "sender": "b@p.example"},
        alerts={"mail": ["a@p.example"], "webhook": f"http://127.0.0.1:{dead_port}/x"},
    )
    result = Runs(instance).run(-1)
    said = []
    told = alerts.alert_of_run(instance, result.dagster_run, shop.home, said.append, failed=True)
    assert told is not None
    by_mail, to_webhook = said
    assert by_mail.startswith("An alert did not go out by mail: The mail server 127.0.0.1:")
    assert to_webhook.startswith("An alert did not go out to the webhook: 127.0.0.1 could not")


def test_settings_that_name_a_list_but_no_server_are_told(workshop, instance):
    shop = workshop()
    settings(shop, alerts={"mail": ["a@p.example"]})
    said = []
    result = Runs(instance).run(-1)
    alerts.alert_of_run(instance, result.dagster_run, shop.home, said.append, failed=True)
    assert "names alerts.mail but no mail server" in said[0]


def test_settings_that_cannot_be_read_are_told_and_fail_nothing(workshop, instance):
    shop = workshop()
    shop.settings(lambda text: text.replace("timezone:", "time_zone:"))
    said = []
    result = Runs(instance).run(-1)
    alerts.alert_of_run(instance, result.dagster_run, shop.home, said.append, failed=True)
    assert said[0].startswith("No alert can go out for washington_dc") and "time_zone" in said[0]


def test_a_department_that_names_nobody_is_told_nothing(workshop, instance, monkeypatch):
    monkeypatch.setattr(alerts, "compose_alert", None)  # not even composed
    result = Runs(instance).run(-1)
    said = []
    home = workshop().home
    alerts.alert_of_run(instance, result.dagster_run, home, said.append, failed=True)
    assert said == []


def test_the_shelf_is_written_again_after_a_failure_and_its_own_fault_hides_nothing(
    workshop, monkeypatch
):
    import sys
    import types

    written = []
    shelf = types.ModuleType("beatbook.book.shelf")
    shelf.write_shelf = written.append
    monkeypatch.setitem(sys.modules, "beatbook.book.shelf", shelf)
    home = workshop().home
    said = []
    watching.rewrite_shelf(home, said.append)
    assert written == [home] and said == []

    def broken(_home):
        raise OSError("disk full")

    shelf.write_shelf = broken
    watching.rewrite_shelf(home, said.append)
    assert said == ["The shelf (reports/index.html) could not be written again: disk full"]


def test_a_held_refresh_on_the_command_line_alerts_and_keeps_the_tables(
    shop, post_office, webhook, capsys
):
    settings(
        shop,
        mail=post_office.settings(),
        alerts={"mail": ["duty@police.example"], "webhook": webhook.address},
    )
    before = shop.table("incidents")

    def change(rows):
        for row in rows:
            row["OFFENSE"] = f"NEW {row['OFFENSE']}"

    shop.edit_csv(change)
    with pytest.raises(BeatbookError, match="Nothing was published"):
        shop.refresh()

    (posted,) = webhook.posted
    assert posted["kind"] == "held"
    assert "most_offenses_are_known" in {check["check"] for check in posted["held_by"]}
    assert all(check["failing"] > 0 for check in posted["held_by"])
    assert len(post_office.messages) == 1
    assert "NEW " not in post_office.messages[0].get_content()
    assert len(shop.table("incidents")) == len(before)
    assert "did not go out" not in capsys.readouterr().err
