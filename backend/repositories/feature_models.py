"""The models that estimate audio features, one per level of rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model as it was stored, without its bytes."""

    rights: RightsLevel
    digest: str
    report: dict[str, Any]
    fitted_at: datetime


@dataclass(frozen=True, slots=True)
class PastModel:
    """A model that was in use once: its bytes, None where they were purged, and whether it still is."""

    digest: str
    model: bytes | None
    current: bool


class FeatureModels:
    """Reads and writes `feature_models`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def digests(self) -> dict[RightsLevel, str]:
        """Which models there are, cheaply: for telling whether one is new."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT rights, digest FROM feature_models WHERE replaced_at IS NULL")
        return {RightsLevel(row["rights"]): row["digest"] for row in rows}

    async def load(self, level: RightsLevel) -> bytes | None:
        """A model's bytes; None when none was fitted."""
        async with self._database.connection() as connection:
            found: bytes | None = await connection.fetchval(
                "SELECT model FROM feature_models WHERE rights = $1 AND replaced_at IS NULL", level.value
            )
        return found

    async def at(self, moment: datetime) -> dict[RightsLevel, PastModel]:
        """The models that were in use at a moment."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT rights, digest, model, replaced_at IS NULL AS current FROM feature_models "
                "WHERE fitted_at <= $1 AND (replaced_at IS NULL OR replaced_at > $1)",
                moment,
            )
        return {RightsLevel(row["rights"]): PastModel(row["digest"], row["model"], row["current"]) for row in rows}

    async def list(self) -> list[FittedModel]:
        """All models, with the reports of how good they are."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT rights, digest, report::text AS report, fitted_at FROM feature_models "
                "WHERE replaced_at IS NULL ORDER BY rights"
            )
        return [
            FittedModel(RightsLevel(r["rights"]), r["digest"], orjson.loads(r["report"]), r["fitted_at"]) for r in rows
        ]

    async def save(self, level: RightsLevel, *, digest: str, model: bytes, report: Mapping[str, Any]) -> None:
        """Use a model instead of the one before, which is kept as the past's."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tensoe models', 0))")
            moment = await connection.fetchval("SELECT clock_timestamp()")
            await connection.execute(
                "UPDATE feature_models SET replaced_at = $2 WHERE rights = $1 AND replaced_at IS NULL",
                level.value,
                moment,
            )
            await connection.execute(
                "INSERT INTO feature_models (rights, digest, model, report, fitted_at) VALUES ($1, $2, $3, $4::text::jsonb, $5)",
                level.value,
                digest,
                model,
                orjson.dumps(report).decode(),
                moment,
            )

    async def remove(self, level: RightsLevel) -> bool:
        """Use a model no longer; whether there was one. It is kept as the past's."""
        async with self._database.connection() as connection:
            done = await connection.execute(
                "UPDATE feature_models SET replaced_at = clock_timestamp() WHERE rights = $1 AND replaced_at IS NULL",
                level.value,
            )
        return str(done) != "UPDATE 0"

    async def purge(self, level: RightsLevel) -> bool:
        """Take out all models of a level, the past's too, for they hold what they were learnt from; whether one was in use."""
        in_use = await self.remove(level)
        async with self._database.connection() as connection:
            await connection.execute("UPDATE feature_models SET model = NULL WHERE rights = $1", level.value)
        return in_use
