"""What a table is: its columns with type, unit and meaning, its grain and its key."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from beatbook.errors import InvalidInput

DType = Literal["string", "int64", "Int64", "float64", "bool", "boolean", "datetime64[us]"]

PARQUET_TYPES: dict[str, str] = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "Int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "boolean": "BOOLEAN",
    "datetime64[us]": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, its type, what it means, and its unit where it has one."""

    name: str
    dtype: DType
    meaning: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what makes it unique, and its columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: str = ""

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Bring a frame to the declared columns and types.

        Raises
        ------
        InvalidInput
            If a column is missing, one is not declared, a required value is missing, or the
            key is not unique: a table is as declared or it is not written.
        """
        lacking = [name for name in self.column_names if name not in frame.columns]
        surplus = [name for name in frame.columns if name not in self.column_names]
        if lacking or surplus:
            raise InvalidInput(
                f"The table {self.name} is declared otherwise: lacking {lacking}, "
                f"surplus {surplus}."
            )
        # Looked at before casting, which makes a missing bool True.
        for column in self.columns:
            if column.required and frame[column.name].isna().any():
                raise InvalidInput(f"{self.name}.{column.name} is required and has missing values.")
        # Column by column: to cast one in a frame copies all of them.
        cast = {}
        for column in self.columns:
            values = frame[column.name]
            try:
                if column.dtype == "int64":
                    # Refuses 1.5, which a cast straight to int64 cuts to 1.
                    values = values.astype("Int64")
                cast[column.name] = values.astype(column.dtype)
            except (TypeError, ValueError) as error:
                raise InvalidInput(
                    f"{self.name}.{column.name} cannot be held as {column.dtype}: {error}"
                ) from None
        out = pd.DataFrame(cast, index=frame.index)
        out.attrs = dict(frame.attrs)
        if self.key and out.duplicated(list(self.key)).any():
            raise InvalidInput(f"The key of {self.name} ({', '.join(self.key)}) is not unique.")
        return out
