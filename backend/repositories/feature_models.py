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


class FeatureModels:
    """Reads and writes `feature_models`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def digests(self) -> dict[RightsLevel, str]:
        """Which models there are, cheaply: for telling whether one is new."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT rights, digest FROM feature_models")
        return {RightsLevel(row["rights"]): row["digest"] for row in rows}

    async def load(self, level: RightsLevel) -> bytes | None:
        """A model's bytes; None when none was fitted."""
        async with self._database.connection() as connection:
            found: bytes | None = await connection.fetchval(
                "SELECT model FROM feature_models WHERE rights = $1", level.value
            )
        return found

    async def list(self) -> list[FittedModel]:
        """All models, with the reports of how good they are."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT rights, digest, report::text AS report, fitted_at FROM feature_models ORDER BY rights"
            )
        return [
            FittedModel(RightsLevel(r["rights"]), r["digest"], orjson.loads(r["report"]), r["fitted_at"]) for r in rows
        ]

    async def save(self, level: RightsLevel, *, digest: str, model: bytes, report: Mapping[str, Any]) -> None:
        """Keep a model instead of the one before."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO feature_models (rights, digest, model, report) VALUES ($1, $2, $3, $4::text::jsonb) "
                "ON CONFLICT (rights) DO UPDATE SET digest = excluded.digest, model = excluded.model, "
                "report = excluded.report, fitted_at = now()",
                level.value,
                digest,
                model,
                orjson.dumps(report).decode(),
            )

    async def remove(self, level: RightsLevel) -> bool:
        """Forget a model; whether there was one."""
        async with self._database.connection() as connection:
            done = await connection.execute("DELETE FROM feature_models WHERE rights = $1", level.value)
        return str(done) != "DELETE 0"
