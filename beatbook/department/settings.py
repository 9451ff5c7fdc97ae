"""What every group of settings shares: no unknown keys, and checked once read."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def checked_crs(value: str) -> Any:
    # pyproj is imported here, not above: load_table does not need it.
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(value)
    except CRSError:
        raise ValueError(f"no coordinate reference system {value!r}") from None
