"""What is dear to make and only read: made once a test run, whichever worker needs it first."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` of the whole test run, filled by ``make``; read, never change it."""
    base = factory.getbasetemp()
    # With pytest-xdist each worker has a folder below the run's own, where they can share.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = shared / name, shared / f"{name}.made"
    with FileLock(shared / f"{name}.lock"):
        if not made.is_file():
            folder.mkdir()
            make(folder)
            # Written last: its presence tells the other workers that all is there.
            made.touch()
    return folder
