"""Between two moments: which albums became known, and whose word on which album changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final

from backend.repositories.database import Database

if TYPE_CHECKING:
    import pyarrow as pa

_BETWEEN: Final = """
SELECT album_id, min(known_from) > $1 AS is_new, string_agg(DISTINCT source, '+') FILTER (
    WHERE (known_from > $1 AND known_from <= $2) OR (known_to > $1 AND known_to <= $2)) AS moved
FROM source_records WHERE $3 = '' OR source = ANY(string_to_array($3, '+')) GROUP BY album_id
"""


class RecordChanges:
    """Reads `source_records`; blocking.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, one: datetime, other: datetime, *, sources: Collection[str] = ()) -> pa.Table:
        """Each album that is stored, and what became of it between two moments.

        Args:
            one: a moment.
            other: another, before it or after it.
            sources: whose word counts; empty: everybody's.

        Returns:
            `album_id`; `is_new`: nothing was known of it at the earlier moment; `moved`: the sources, joined by "+", whose record
            changed in between, null for none.
        """
        with self._database.columnar() as connection, connection.cursor() as cursor:
            cursor.execute(_BETWEEN, (min(one, other), max(one, other), "+".join(sorted(sources))))
            return cursor.fetch_arrow_table()
