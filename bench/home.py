"""A database of its own in a temporary home, gone at the end."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database
from backend.repositories.embedded.layout import plan

_PATIENCE = 30.0  # seconds for the embedded server to stop after its last user


@contextlib.contextmanager
def temporary_home():  # type: ignore[no-untyped-def]  # contextlib infers it
    """A TENSOE_HOME that is removed at the end, its server with it."""
    home = Path(tempfile.mkdtemp(prefix="tensoe-bench-"))
    home.chmod(0o755)  # as root the server runs under another user
    try:
        yield home
    finally:
        wait_for_rest(home)
        shutil.rmtree(plan(home).state, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def wait_for_rest(home: Path) -> None:
    """Wait until the home's server has stopped."""
    running = plan(home).data / "postmaster.pid"
    until = time.monotonic() + _PATIENCE
    while running.exists() and time.monotonic() < until:
        time.sleep(0.1)


@contextlib.asynccontextmanager
async def own_database(home: Path) -> AsyncIterator[Database]:
    """A migrated, empty database of the home."""
    database = await Database.open(DatabaseSettings(database_url=None), home=home)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()
