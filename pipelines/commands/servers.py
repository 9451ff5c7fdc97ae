"""``beatbook ui`` and ``beatbook lab``: Dagster's UI and JupyterLab, on this machine only."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from beatbook.home import Home

START_PAGE = "start.ipynb"
LAB_SETTINGS = Path(__file__).parents[1] / "jupyter"
"""Turns off the part of JupyterLab that asks whether to fetch news, on a closed network too."""


def add(commands: Any) -> None:
    """Add the commands that start a server on the loopback address."""
    ui = commands.add_parser("ui", help="start Dagster's UI, with the schedules")
    ui.add_argument("--port", default="3000")
    ui.set_defaults(run=_ui)

    lab = commands.add_parser("lab", help="start JupyterLab on its start page")
    lab.add_argument("--port", default="8888", help="the next free one if it is taken")
    lab.add_argument(
        "--no-browser", action="store_true", help="print the address instead of opening it"
    )
    lab.set_defaults(run=_lab)


def _ui(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import prepare_dagster_home

    prepare_dagster_home(home)
    command = [sys.executable, "-m", "dagster", "dev", "--workspace", "workspace.yaml"]
    return subprocess.call([*command, "--host", "127.0.0.1", "--port", chosen.port], cwd=home.root)


def lab_command(home: Home, port: str, browser: bool) -> list[str]:
    """The command that starts JupyterLab on the start page, on the loopback address only.

    The whole checkout is its root, so that links from a notebook to ``docs/`` and ``reports/``
    open; it asks no server outside for news or newer versions.
    """
    page = home.notebooks / START_PAGE
    opened = page.relative_to(home.root).as_posix() if page.is_file() else "notebooks"
    return [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={home.root}",
        f"--LabApp.default_url=/lab/tree/{opened}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *([] if browser else ["--no-browser"]),
    ]


def lab_environment() -> dict[str, str]:
    """The environment of JupyterLab: this one, with our settings before the user's own."""
    own = os.environ.get("JUPYTER_CONFIG_PATH")
    paths = [str(LAB_SETTINGS), *([own] if own else [])]
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def _lab(chosen: argparse.Namespace, home: Home) -> int:
    return subprocess.call(
        lab_command(home, chosen.port, not chosen.no_browser),
        cwd=home.notebooks,
        env=lab_environment(),
    )
