"""What PostgreSQL keeps of listens that were deleted: samples of their values for its planner, and the dead rows themselves."""

from __future__ import annotations

from typing import Final

from backend.repositories.database import Database

# For the planner PostgreSQL keeps the most frequent values of each column, and those of deleted rows until it looks again. Of an
# empty table it keeps them for good: hence a row that says nothing, which nobody else ever sees.
_SAMPLES_ANEW: Final = (
    "INSERT INTO listener_consents (listener) VALUES ('')",
    """INSERT INTO listens (listener, source, listened_at, track, artist, track_key, artist_key)
       VALUES ('', '', 'epoch', '', '', '', '')""",
    "ANALYZE listens",
    "ANALYZE listener_consents",
    "DELETE FROM listener_consents WHERE listener = ''",
)
_TABLES: Final = ("listens", "listener_consents")


async def unlearn(database: Database) -> None:
    """Have the samples made anew from the listens that are left, and what is dead swept out of the tables and their indexes."""
    async with database.transaction() as connection:
        for statement in _SAMPLES_ANEW:
            await connection.execute(statement)
    async with database.connection() as connection:
        for table in _TABLES:
            await connection.execute(f"VACUUM {table}")
