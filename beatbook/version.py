"""Which code made a table."""

import functools
import importlib.metadata
import subprocess
from pathlib import Path


@functools.cache
def code_version() -> str:
    """The package's version and, in a checkout, the commit: ``0.1.0 (1a2b3c4)``.

    A commit with changes that are not yet committed is marked ``+changes``.
    """
    try:
        release = importlib.metadata.version("beatbook")
    except importlib.metadata.PackageNotFoundError:
        release = "0"
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--abbrev=7", "--dirty=+changes", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return release
    return f"{release} ({commit})"
