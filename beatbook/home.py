"""Where a Beatbook checkout keeps its things: departments, tables, reports.

One place decides this, so that nothing else handles a path by hand.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from beatbook.errors import SettingsError

HOME_VARIABLE = "BEATBOOK_HOME"


@dataclass(frozen=True)
class Home:
    """The folder a department's analysts work in.

    Attributes
    ----------
    root
        The checkout: the folder that holds ``departments/``.
    """

    root: Path

    @property
    def departments(self) -> Path:
        """One folder a department: settings, offense map, boundaries, feed."""
        return self.root / "departments"

    @property
    def data(self) -> Path:
        """Published tables and working files; safe to delete, rebuilt from the feeds."""
        return self.root / "data"

    @property
    def reports(self) -> Path:
        """Books, as people open them."""
        return self.root / "reports"

    @property
    def notebooks(self) -> Path:
        """The parameterized notebooks that write the books."""
        return self.root / "notebooks"


def find_home(start: Path | None = None) -> Home:
    """Find the home folder: ``BEATBOOK_HOME``, else the nearest folder above that is a checkout.

    Parameters
    ----------
    start
        Where to look from; the current folder by default, so that a notebook in
        ``notebooks/`` finds the checkout it lies in. The folder this package was
        installed from is tried last.

    Raises
    ------
    SettingsError
        If no folder with ``departments/`` is found.
    """
    named = os.environ.get(HOME_VARIABLE)
    if named:
        home = Home(Path(named).resolve())
        if not home.departments.is_dir():
            raise SettingsError(
                f"{HOME_VARIABLE} names {home.root}, which has no folder departments/. "
                "Set it to the folder that holds departments/."
            )
        return home
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parent.parent):
        if (folder / "departments").is_dir() and (folder / "workspace.yaml").is_file():
            return Home(folder)
    raise SettingsError(
        f"No Beatbook checkout was found at or above {here}. "
        f"Change into one, or set {HOME_VARIABLE} to the folder that holds departments/."
    )
