"""A checkout of its own for each pipeline test: real departments, real jobs, nothing shared."""

import csv
import email
import email.policy
import io
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from beatbook.home import HOME_VARIABLE, Home

ROOT = Path(__file__).resolve().parents[2]
DC = "washington_dc"
CSV_FILE = "Crime_Incidents_in_2024.csv"


class Workshop:
    """A temporary checkout, and the few things that tests do in it."""

    def __init__(self, root: Path, department: str) -> None:
        self.home = Home(root)
        self.slug = department
        self.folder = root / "departments" / department

    def settings(self, change: Callable[[str], str]) -> None:
        """Edit department.yaml as a person would."""
        path = self.folder / "department.yaml"
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def edit_csv(self, change: Callable[[list[dict[str, str]]], None]) -> None:
        """Edit the rows of the yearly CSV in place."""
        path = self.folder / "feed" / CSV_FILE
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        change(rows)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(out.getvalue(), encoding="utf-8")

    def report(self, week: str | None = "2024-03-10", as_of: str | None = None) -> list[Path]:
        """Run the real jobs, as the command line does."""
        import datetime as dt

        from pipelines.launch import report

        return report(
            self.home,
            self.slug,
            dt.date.fromisoformat(week) if week else None,
            dt.date.fromisoformat(as_of) if as_of else None,
        )

    def refresh(self) -> None:
        """Run the refresh job only."""
        import dagster as dg

        from pipelines.definitions import build_definitions
        from pipelines.launch import prepare_dagster_home, run_job

        prepare_dagster_home(self.home)
        definitions = build_definitions(str(self.home.root))
        with dg.DagsterInstance.get() as instance:
            run_job(definitions, "refresh", instance, self.slug)

    def figures(self, week: str, as_of: str | None = None) -> bytes:
        """Refresh and make a week's CompStat table only; give it as the book's CSV."""
        import dagster as dg

        from assets.partitions import WEEK_ENDING, book_partition
        from assets.rendering import write_csv
        from pipelines.definitions import build_definitions

        self.refresh()
        with dg.DagsterInstance.get() as instance:
            job = build_definitions(str(self.home.root)).resolve_job_def("make_book")
            instance.add_dynamic_partitions(WEEK_ENDING, [week])
            job.execute_in_process(
                instance=instance,
                partition_key=book_partition(self.slug, week),
                asset_selection=[dg.AssetKey("compstat")],
                run_config={"ops": {"compstat": {"config": {"as_of": as_of or "all"}}}},
            )
        path = self.home.root / "figures.csv"
        write_csv(self.table("compstat", week_ending=week), path)
        return path.read_bytes()

    def table(self, name: str, **options: str) -> pd.DataFrame:
        """A published table of this checkout."""
        from beatbook import load_table

        return load_table(name, self.slug, home=self.home, **options)


@pytest.fixture
def one_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the packet of precinct 1 only: the fixture ``book`` has a whole week's."""
    import assets.packets as packets

    every = packets.packet_tasks
    monkeypatch.setattr(packets, "packet_tasks", lambda *week: every(*week, precincts=["1"]))


@pytest.fixture
def workshop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_packet: None
) -> Callable[..., Workshop]:
    """Make a checkout with one real department; by default Washington, which is small."""

    def make(department: str = DC) -> Workshop:
        return _checkout(tmp_path, department, monkeypatch)

    return make


@pytest.fixture(scope="session")
def published_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose tables have been published once, to be copied by the tests."""
    root = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        _checkout(root, DC, patch).refresh()
    return root


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of Washington's book for the week ending 2024-03-10, made once a test run."""
    base = tmp_path_factory.getbasetemp()
    # With pytest-xdist each worker has a folder below the run's own, where they can share.
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book"
    listing = root / "made.json"
    with FileLock(root.with_suffix(".lock")):
        if not listing.is_file():
            root.mkdir(exist_ok=True)
            with pytest.MonkeyPatch.context() as patch:
                made = _checkout(root, DC, patch).report("2024-03-10")
            listing.write_text(json.dumps([str(path) for path in made]), encoding="utf-8")
    return [Path(path) for path in json.loads(listing.read_text(encoding="utf-8"))]


@pytest.fixture
def shop(
    published_checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_packet: None
) -> Workshop:
    """A checkout with published tables, so that a later failure could harm them."""
    shutil.copytree(published_checkout, tmp_path, dirs_exist_ok=True)
    return _at(tmp_path, DC, monkeypatch)


def _checkout(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    shutil.copytree(
        ROOT / "departments" / department,
        root / "departments" / department,
        ignore=shutil.ignore_patterns("census_*", "tracts.geojson"),
    )
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "workspace.yaml").write_text("")
    return _at(root, department, patch)


def _at(root: Path, department: str, patch: pytest.MonkeyPatch) -> Workshop:
    patch.setenv(HOME_VARIABLE, str(root))
    patch.setenv("DAGSTER_HOME", str(root / ".dagster"))
    return Workshop(root, department)


class PostOffice:
    """A mail server on the loopback address, and what it was given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.unknown: set[str] = set()
        self.port = 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.unknown:
            return "550 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        self.receivers.append(list(envelope.rcpt_tos))
        return "250 taken"

    def settings(self, **changes: Any) -> dict[str, Any]:
        """The settings ``mail`` of a department that uses it."""
        usual = {"host": "127.0.0.1", "port": self.port, "security": "none",
                 "sender": "beatbook@police.example"}  # fmt: skip
        return {**usual, **changes}


@pytest.fixture
def open_post_office() -> Iterator[Callable[..., PostOffice]]:
    """Open mail servers; options are those of aiosmtpd's Controller."""
    from aiosmtpd.controller import Controller

    opened = []

    def start(**options: Any) -> PostOffice:
        office = PostOffice()
        office.port = free_port()
        controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
        controller.start()
        opened.append(controller)
        return office

    yield start
    for controller in opened:
        controller.stop()


@pytest.fixture
def post_office(open_post_office: Callable[..., PostOffice]) -> PostOffice:
    """A mail server that takes everything in the clear."""
    return open_post_office()


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def dead_port() -> int:
    """A port that nothing listens on."""
    return free_port()


class Webhook:
    """A chat service on the loopback address, and what was posted to it."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.answer = 200
        self.address = ""


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A web server that takes JSON; ``answer`` is the status it gives."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posted.append(json.loads(body))
            self.send_response(hook.answer)
            if hook.answer == 302:
                self.send_header("Location", hook.address)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing on the test's own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.address = f"http://127.0.0.1:{server.server_port}/hooks/secret-token"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield hook
    server.shutdown()
    server.server_close()
    thread.join()
