"""Indexes on nbgrader's tables, which have none on most columns that lead from row to row.

Without them nbgrader looks through the grades of the whole class for each submission: the table
of submissions that formgrader shows takes the square of the class. An index changes no answer;
each of nbgrader's commands gains from it.
"""

from __future__ import annotations

from nbgrader.api import Base
from sqlalchemy import Connection, UniqueConstraint, inspect, text
from sqlalchemy.exc import DBAPIError

PREFIX = "attention_course"


def add_indexes(connection: Connection) -> bool:
    """Add those that are missing; False where this role may not (the rest works without)."""
    found = inspect(connection)
    try:
        for table, column in _keys():
            names = {index["name"] for index in found.get_indexes(table)}
            if (name := f"{PREFIX}_{table}_{column}") not in names:
                with connection.begin_nested():
                    connection.execute(text(f'CREATE INDEX {name} ON "{table}" ({column})'))
    except DBAPIError:
        return False
    return True


def _keys() -> list[tuple[str, str]]:
    """Table and column of each reference to another table that no constraint's index leads to."""
    keys = []
    for table in Base.metadata.sorted_tables:
        led = {column.name for column in list(table.primary_key)[:1]}
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                led.add(next(iter(constraint.columns)).name)
        keys += [
            (table.name, c.name) for c in table.columns if c.foreign_keys and c.name not in led
        ]
    return keys
