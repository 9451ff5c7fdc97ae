"""A checkout of its own for each pipeline test: real departments, real jobs, nothing shared."""

import email
import email.policy
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.once import made_once
from tests.workshop import DC, Workshop, checkout, only_packets, workshop_at


@pytest.fixture
def one_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the packet of precinct 1 only: the fixture ``book`` has several."""
    only_packets(["1"], monkeypatch)


@pytest.fixture
def events_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Dagster's events in memory: ``book`` is made with those on disk, once.

    A run writes hundreds of events to the disk, each by itself, which takes as long as the rest.
    """
    import dagster as dg

    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)


@pytest.fixture
def workshop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_packet: None, events_in_memory: None
) -> Callable[..., Workshop]:
    """Make a checkout with one real department; by default Washington, which is small."""

    def make(department: str = DC) -> Workshop:
        return checkout(tmp_path, department, monkeypatch)

    return make


@pytest.fixture(scope="session")
def published_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose tables have been published once, to be copied by the tests."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            checkout(root, DC, patch).refresh()

    return made_once(tmp_path_factory, "published", make)


@pytest.fixture
def shop(
    published_checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one_packet: None,
    events_in_memory: None,
) -> Workshop:
    """A checkout with published tables, so that a later failure could harm them."""
    shutil.copytree(published_checkout, tmp_path, dirs_exist_ok=True)
    return workshop_at(tmp_path, DC, monkeypatch)


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
