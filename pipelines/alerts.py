"""Tell people that a run failed, a check held the tables, or a warning is new.

One function composes the message from a run's events, so that the command line and Dagster's
sensors say the same. A message names checks and counts, never a record: mail and chat are kept
in places where records must not be.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from assets.partitions import DEPARTMENT, WEEK_ENDING
from beatbook.department import Department, list_departments, load_department
from beatbook.errors import BeatbookError
from beatbook.home import Home
from pipelines import mail

PARTITION_TAG = "dagster/partition"
WEEK_TAG = "beatbook/week_ending"
"""The week that a run of a department's tables is for."""

WEBHOOK_TIMEOUT_S = 15.0
"""How long a chat service is waited for; they answer within a second or two."""

_LOOK_BACK = 200
"""How many earlier evaluations of a check are looked through for the department's last one."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class FailedCheck:
    """One check that a run did not pass, without the records."""

    name: str
    table: str
    failing: int | None
    blocking: bool

    def __str__(self) -> str:
        records = "" if self.failing is None else f": {self.failing:,} records"
        return f"{self.name}{records}"


@dataclass(frozen=True)
class Alert:
    """What is told of one run, as a mail's subject and text and as a webhook's fields."""

    subject: str
    text: str
    payload: Mapping[str, Any]


def run_department(run: dg.DagsterRun) -> str:
    """The department that a run worked for; empty if for none."""
    named = run.tags.get(f"{PARTITION_TAG}/{DEPARTMENT}") or run.tags.get(PARTITION_TAG, "")
    return named.partition("|")[0]


def run_week(run: dg.DagsterRun) -> str:
    """The week (its last day) that a run was for; empty if for none."""
    return run.tags.get(f"{PARTITION_TAG}/{WEEK_ENDING}") or run.tags.get(WEEK_TAG, "")


def failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[FailedCheck]:
    """The checks that a run did not pass, blocking ones first; those that only inform left out."""
    found = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        assert entry.dagster_event is not None
        seen = entry.dagster_event.asset_check_evaluation_data
        if seen.passed or _value(seen.metadata.get("severity")) == "info":
            continue
        failing = _value(seen.metadata.get("failing"))
        found.append(
            FailedCheck(
                seen.check_name,
                seen.asset_key.to_user_string(),
                failing if isinstance(failing, int) else None,
                bool(seen.blocking) and seen.severity == dg.AssetCheckSeverity.ERROR,
            )
        )
    return sorted(found, key=lambda check: (not check.blocking, check.name))


def newly_failing(
    instance: dg.DagsterInstance, run: dg.DagsterRun, checks: Iterable[FailedCheck]
) -> list[FailedCheck]:
    """Those of a run's failed checks that the department's run before had passed, or not had.

    A warning that stays is told once, not each week again.
    """
    department = run_department(run)
    return [
        check for check in checks if not _failed_before(instance, run.run_id, department, check)
    ]


def _failed_before(
    instance: dg.DagsterInstance, run_id: str, department: str, check: FailedCheck
) -> bool:
    key = dg.AssetCheckKey(dg.AssetKey.from_user_string(check.table), check.name)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=_LOOK_BACK)
    seen_this_run = False
    for record in history:
        if record.run_id == run_id:
            seen_this_run = True
            continue
        evaluated = record.status.value in ("SUCCEEDED", "FAILED")
        if not (seen_this_run and evaluated):
            continue
        earlier = instance.get_run_by_id(record.run_id)
        if earlier is not None and run_department(earlier) == department:
            return record.status.value == "FAILED"
    return False


def compose_alert(
    instance: dg.DagsterInstance, run: dg.DagsterRun, home: Home, *, failed: bool | None = None
) -> Alert | None:
    """Put together what people should be told of a finished run, from its events.

    Parameters
    ----------
    instance
        Dagster's instance, whose log holds the run.
    run
        The run.
    home
        The checkout, for the department's full name.
    failed
        Whether the run failed; read from its status if not given.

    Returns
    -------
    Alert or None
        None if there is nothing to tell: the run succeeded and no warning is new. The text holds
        the department, the week, the run, the steps that broke, the checks with their counts
        and what to do next; nothing of any record, nor what an error said, which may quote one.
    """
    if failed is None:
        failed = run.status == dg.DagsterRunStatus.FAILURE
    checks = failed_checks(instance, run.run_id)
    held = [check for check in checks if check.blocking] if failed else []
    new = newly_failing(instance, run, (check for check in checks if not check.blocking))
    if not failed and not new:
        return None

    slug, week = run_department(run), run_week(run)
    who = slug or "all departments"
    page = f"reports/{slug}/quality/index.html"
    if held:
        kind = "held"
        what = f"nothing was published, {_count(held)} failed"
    elif failed:
        kind = "failed"
        what = f"the run {run.job_name} failed"
    else:
        kind = "warning"
        what = f"{_count(new)} newly failed as a warning"

    lines = [_full_name(slug, home) if slug else "All departments"]
    if week:
        lines.append(f"Week ending {week}")
    lines.append("")
    if held:
        lines.append(f"Nothing was published: {_count(held)} that guard the tables failed.")
        lines += [f"- {check}" for check in held]
        lines += ["", "The last good tables and the last good book stay where they are."]
    elif failed:
        steps = _broken_steps(instance, run.run_id)
        at = f" at: {', '.join(steps)}" if steps else ""
        lines.append(f"The run {run.job_name} failed{at}.")
        lines.append("What was published before stays where it is.")
    if new:
        lines += [""] if failed else []
        lines.append("Warnings that the run before did not give; nothing is held for them:")
        lines += [f"- {check}" for check in new]
    lines += ["", "What to do next:", *_next_steps(kind, slug, week, page)]
    lines += ["", f"Run {run.run_id} (job {run.job_name})"]
    text = "\n".join(lines) + "\n"
    subject = f"Beatbook: {who}: {what}"
    payload = {
        "text": f"{subject}\n{text}",
        "kind": kind,
        "department": slug,
        "week_ending": week,
        "job": run.job_name,
        "run_id": run.run_id,
        "held_by": [_fields(check) for check in held],
        "new_warnings": [_fields(check) for check in new],
        "quality_page": page if slug else "",
    }
    return Alert(subject, text, payload)


def _count(checks: Sequence[FailedCheck]) -> str:
    return f"{len(checks)} check" if len(checks) == 1 else f"{len(checks)} checks"


def _fields(check: FailedCheck) -> dict[str, Any]:
    return {"check": check.name, "table": check.table, "failing": check.failing}


def _full_name(slug: str, home: Home) -> str:
    try:
        return f"{load_department(slug, home).name} ({slug})"
    except BeatbookError:
        return slug


def _broken_steps(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return sorted({str(entry.step_key) for entry in entries})


def _next_steps(kind: str, slug: str, week: str, page: str) -> list[str]:
    again = f"beatbook report --department {slug}" + (f" --week-ending {week}" if week else "")
    if kind == "held":
        return [
            f"1. Open {page}: it lists the records behind each check.",
            "2. Have the feed corrected, or decide there what is to become of them.",
            f"3. Run: {again}",
        ]
    if kind == "warning":
        return [f"Open {page}: it lists the records behind each check."]
    steps = ["1. See what the run said: beatbook ui, then Runs."]
    return [*steps, f"2. Once mended, run: {again}"] if slug else steps


def _value(value: Any) -> Any:
    return getattr(value, "value", value)


def tell(alert: Alert, department: Department) -> list[str]:
    """Send an alert by mail and webhook to where the department's settings name.

    Returns
    -------
    list of str
        A sentence for each way that did not work; empty if all did, or none is named. Never
        raises: a dead mail server must not fail a run, nor hide why one failed.
    """
    problems = []
    if department.alerts.mail:
        problems += _tried(lambda: _by_mail(alert, department), "by mail")
    if department.alerts.webhook is not None:
        address = department.alerts.webhook
        problems += _tried(lambda: post(address, alert.payload), "to the webhook")
    return problems


def _tried(way: Callable[[], None], how: str) -> list[str]:
    try:
        way()
    except BeatbookError as error:
        return [f"An alert did not go out {how}: {error}"]
    except Exception as error:
        # Whatever it is, it must not take the place of what the alert is about.
        return [f"An alert did not go out {how}, for a fault of Beatbook's: {error!r}"]
    return []


def _by_mail(alert: Alert, department: Department) -> None:
    if department.mail is None:
        raise BeatbookError(
            f"{department.slug}/department.yaml names alerts.mail but no mail server; add mail."
        )
    message = mail.compose(department.mail, department.alerts.mail, alert.subject, alert.text)
    refused = mail.send(message, department.mail)
    if refused:
        told = "; ".join(f"{who}: {said}" for who, said in refused.items())
        raise mail.MailError(f"the mail server refused some addresses: {told}.")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST arrives as a GET without its content: better told than lost."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(address: str, payload: Mapping[str, Any], *, timeout: float = WEBHOOK_TIMEOUT_S) -> None:
    """Post fields as JSON to a webhook.

    Parameters
    ----------
    address
        ``https://`` or ``http://``; its path and query are a secret and never told again.
    payload
        ``text`` is what chat services show; the other fields are for programs.
    timeout
        Seconds (default 15).

    Raises
    ------
    BeatbookError
        If it is not answered with success; the message names the host and the answer.
    """
    host = urlsplit(address).hostname
    request = urllib.request.Request(
        address,
        data=json.dumps(payload, ensure_ascii=False).encode("utf-8"),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "beatbook"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout):
            return
    except urllib.error.HTTPError as error:
        raise BeatbookError(
            f"{host} answered {error.code} {error.reason}. Check alerts.webhook."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = "no answer in time" if isinstance(reason, TimeoutError) else str(reason)
        raise BeatbookError(
            f"{host} could not be reached: {why}. Check alerts.webhook and the network."
        ) from None


def alert_of_run(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    home: Home,
    say: Say,
    *,
    failed: bool | None = None,
) -> Alert | None:
    """Compose the alert of a finished run and send it to whom it concerns.

    A run without a department (the shelf of all) concerns every department. Departments that name
    nobody cost nothing: the run's log is not even read.

    Returns
    -------
    Alert or None
        What was told, or tried to be; None if there was nothing to tell or nobody to be told.
    """
    concerned = []
    slug = run_department(run)
    for name in [slug] if slug else list_departments(home):
        try:
            department = load_department(name, home)
        except BeatbookError as error:
            say(f"No alert can go out for {name}: {error}")
            continue
        if department.alerts.mail or department.alerts.webhook:
            concerned.append(department)
    if not concerned:
        return None
    alert = compose_alert(instance, run, home, failed=failed)
    if alert is None:
        return None
    for department in concerned:
        for problem in tell(alert, department):
            say(problem)
    return alert
