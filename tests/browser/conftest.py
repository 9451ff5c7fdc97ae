"""A real browser for the pages: Chromium without a screen and without any network.

Every test here runs wherever a Chromium is found and says so where it is skipped. The browser
belongs to one module, not to the session: Playwright keeps an event loop running in this thread
for as long as it is open, and a notebook that is executed meanwhile would fail on it. What makes
its pages by running notebooks is a fixture of the session, which comes before.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM_VARIABLE = "BEATBOOK_CHROMIUM"
"""Environment variable that names the Chromium to use, where none is on the path."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# The sandbox needs rights that containers lack. The browser's own calls home are switched off, so
# that a request which is seen is the page's. A sandboxed frame in a process of its own would ask
# unseen; the proxy that nobody serves keeps whatever is not seen from leaving the machine.
ARGUMENTS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-features=IsolateSandboxedIframes", "--proxy-server=127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)  # fmt: skip

HARMLESS = ("file:", "data:", "blob:", "about:")
GRAVE = ("serious", "critical")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the browser bears the marker, so that ``-m 'not browser'`` leaves it out."""
    for item in items:
        if "browser_page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    """The browser to use: what the environment names, else the first one on the path."""
    named = os.environ.get(CHROMIUM_VARIABLE)
    if named:
        return named if Path(named).is_file() else None
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; the tests that need one are skipped where there is none."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = find_chromium()
    if found is None:
        pytest.skip(
            f"no Chromium: none of {', '.join(NAMES)} is on the path; "
            f"install one, or let {CHROMIUM_VARIABLE} name it"
        )
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """The browser, started once a module; each test has a context of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


@pytest.fixture
def browser_page(browser: Any) -> Iterator[Any]:
    """A page of 1280 by 900 pixels; ``.problems`` lists what it must not do.

    A problem is a request to anything but a file, a file that is not there, an error on the
    console or a script that failed. A test whose page has problems at the end fails: one that
    provokes them on purpose looks at the list and clears it.
    """
    # Without motion: a page that is still scrolling has its parts elsewhere a moment later.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    problems: list[str] = []
    page.problems = problems

    def let_pass_or_block(route: Any) -> None:
        if route.request.url.startswith(HARMLESS):
            route.continue_()
        else:
            problems.append(f"asked for {route.request.url}")
            route.abort()

    def note_failed(request: Any) -> None:
        if request.url.startswith(HARMLESS):
            problems.append(f"could not load {request.url}")

    def note_console(message: Any) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text}")

    context.route("**/*", let_pass_or_block)
    page.on("requestfailed", note_failed)
    page.on("console", note_console)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    try:
        yield page
    finally:
        context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def axe_violations() -> Callable[..., list[str]]:
    """What axe finds wrong with a page, serious or critical: one line each, empty if clean.

    ``axe_violations(page)`` looks at the page as it stands now, frames included;
    ``axe_violations(page, impacts=(...))`` at other impacts as well.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def violations(page: Any, impacts: tuple[str, ...] = GRAVE) -> list[str]:
        lines = []
        # Each frame by itself: a sandboxed frame does not answer to the page around it.
        for frame in page.frames:
            frame.evaluate(axe.axe_script)
            found = frame.evaluate("axe.run({resultTypes: ['violations'], iframes: false})")
            lines += [
                f"{violation['id']} ({violation['impact']}): {node['target'][0]}: "
                f"{violation['help']}"
                for violation in found["violations"]
                if violation["impact"] in impacts
                for node in violation["nodes"]
            ]
        return lines

    return violations
