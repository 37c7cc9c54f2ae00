"""Alembic's entry: the tables of `backend.models.tables` against the database of the settings."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backend.config.settings import AppSettings, DatabaseSettings
from backend.models.tables import Base
from backend.repositories.database import Database


def ours(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether a table is of our making: the queue's library has its own."""
    return kind != "table" or not (name or "").startswith("tensoe_pgqueuer")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_server_default=True, include_object=ours
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    url = context.config.attributes.get("url")
    if url is None:
        database = await Database.open(DatabaseSettings.read(), home=AppSettings.read().tensoe_home)
        try:
            await migrate(database.sqlalchemy_url)
        finally:
            await database.close()
        return
    await migrate(url)


async def migrate(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(run_online())
