"""The browser tests see what they are there to see: requests, errors, unreadable text."""

from pathlib import Path


def page_of(tmp_path: Path, body: str, head: str = "") -> str:
    path = tmp_path / "page.html"
    path.write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Made up</title>'
        f'<link rel="icon" href="data:,">{head}</head><body><main><h1>Made up</h1>{body}</main>'
        "</body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


def test_a_quiet_page_has_no_problems(browser_page, axe_violations, tmp_path):
    browser_page.goto(page_of(tmp_path, "<p>Nothing to see.</p>"))
    assert browser_page.problems == []
    assert axe_violations(browser_page) == []


MISBEHAVIOR = [
    ('<img alt="" src="http://example.invalid/a.png">', "asked for http://example.invalid/a.png"),
    ('<script src="https://example.invalid/a.js"></script>', "asked for https://example.invalid"),
    ("<script>fetch('http://127.0.0.1:9/x').catch(() => 0)</script>", "asked for http://127.0.0.1"),
    ('<img alt="" src="not-there.png">', "could not load file:"),
    ("<script>console.error('something broke')</script>", "console: something broke"),
    ("<script>nonsense()</script>", "script: nonsense is not defined"),
    (
        '<iframe title="map" sandbox="allow-scripts" '
        "srcdoc=\"<img src='http://example.invalid/tile.png'>\"></iframe>",
        "asked for http://example.invalid/tile.png",
    ),
]


def test_a_page_that_misbehaves_is_caught(browser_page, tmp_path):
    browser_page.goto(page_of(tmp_path, "".join(body for body, _ in MISBEHAVIOR)))
    browser_page.wait_for_load_state("networkidle")
    problems = list(browser_page.problems)
    browser_page.problems.clear()
    for _, said in MISBEHAVIOR:
        assert any(problem.startswith(said) for problem in problems), said


def test_axe_sees_the_page_and_its_frames(browser_page, axe_violations, tmp_path):
    frame = "<html lang='en'><title>f</title><main><p style='color:#ccc'>faint</p></main></html>"
    browser_page.goto(
        page_of(
            tmp_path,
            '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">'
            f'<iframe title="frame" sandbox="allow-scripts" srcdoc="{frame}"></iframe>',
        )
    )
    found = " ".join(axe_violations(browser_page))
    assert "image-alt (critical): img" in found
    assert "color-contrast (serious): p" in found
