"""Bringing the tables to their newest form, from code, with the same files as the `alembic` command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from backend.utils.errors import ConfigurationError, DatabaseRightsError

if TYPE_CHECKING:
    from backend.repositories.database import Database

_ROOT: Final = Path(__file__).resolve().parents[2]
_LOCK: Final = 7_305_121  # any number, the same for all who migrate


async def upgrade(database: Database) -> None:
    """Run what is missing; whoever comes while another migrates waits and finds nothing left to do.

    Raises:
        ConfigurationError: the migrations are not there, or the database is of a newer Tensoe.
        DatabaseRightsError: the user may not change the tables.
    """
    config = _config(database.sqlalchemy_url)
    newest = ScriptDirectory.from_config(config).get_current_head()
    async with database.connection() as connection:
        if await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
            current = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
            if current == newest:
                return
            _refuse_newer(config, current)
        import asyncpg

        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            # In a thread: alembic's env.py runs an event loop of its own.
            await asyncio.to_thread(command.upgrade, config, "head")
        except asyncpg.InsufficientPrivilegeError as problem:
            raise DatabaseRightsError(f"The tables cannot be created or changed: {problem}") from problem
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


def is_known(revision: str) -> bool:
    """Whether tables of this revision can be brought to the newest form."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions()}


def newest_revision() -> str:
    """The revision that the tables have when all migrations were run.

    Raises:
        ConfigurationError: the migrations are not there.
    """
    head = ScriptDirectory.from_config(_config("")).get_current_head()
    if head is None:
        raise ConfigurationError(f"There is no migration in {_ROOT / 'alembic'}; install Tensoe from its repository.")
    return head


def _refuse_newer(config: Config, current: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise ConfigurationError(
            f"The database was migrated by a newer Tensoe (revision {current}); update Tensoe, or use another database."
        )


def _config(url: str) -> Config:
    folder = _ROOT / "alembic"
    if not (folder / "env.py").is_file():
        raise ConfigurationError(f"The migrations are missing: {folder}; install Tensoe from its repository.")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["url"] = url
    return config
