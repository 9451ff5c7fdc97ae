"""``beatbook ui`` and ``beatbook lab``: Dagster's UI and JupyterLab, on this machine only."""

import argparse
import subprocess
import sys
from typing import Any

from beatbook.home import Home


def add(commands: Any) -> None:
    """Add the commands that start a server on the loopback address."""
    ui = commands.add_parser("ui", help="start Dagster's UI, with the schedules")
    ui.add_argument("--port", default="3000")
    ui.set_defaults(run=_ui)

    lab = commands.add_parser("lab", help="start JupyterLab in the notebooks folder")
    lab.set_defaults(run=_lab)


def _ui(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import prepare_dagster_home

    prepare_dagster_home(home)
    command = [sys.executable, "-m", "dagster", "dev", "--workspace", "workspace.yaml"]
    return subprocess.call([*command, "--host", "127.0.0.1", "--port", chosen.port], cwd=home.root)


def _lab(_chosen: argparse.Namespace, home: Home) -> int:
    command = [sys.executable, "-m", "jupyter", "lab", "--ip", "127.0.0.1"]
    return subprocess.call(command, cwd=home.notebooks)
