"""Learning to estimate audio features from what is stored, and how good the estimates are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog

from backend.models.ingestion_models import RightsLevel
from backend.repositories.feature_models import FeatureModels, FittedModel
from backend.repositories.measured_tracks import MeasuredTracks
from backend.repositories.remerging import Progress, Remerged
from backend.services.estimates import Estimates
from backend.utils.errors import InvalidInputError

log = structlog.get_logger(__name__)


class Rebuild(Protocol):
    """Makes all rows anew; see `UpkeepService.rebuild`."""

    async def __call__(self, *, progress: Progress) -> Remerged:
        """What became of the albums."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """A new model.

    Attributes:
        rights: the level whose values it was learnt from.
        digest: names it.
        report: how good it is, as `features.estimate.report.Report`.
    """

    rights: RightsLevel
    digest: str
    report: dict[str, Any]


class FeatureService:
    """Learns, estimates and shows models.

    Args:
        tracks: what is learnt from.
        models: where models are kept.
        estimates: puts them to use.
        rebuild: makes all rows anew with the models of now.
    """

    def __init__(
        self, tracks: MeasuredTracks, models: FeatureModels, estimates: Estimates, *, rebuild: Rebuild
    ) -> None:
        self._tracks = tracks
        self._models = models
        self._estimates = estimates
        self._rebuild = rebuild

    async def fit(self, level: RightsLevel, *, seed: int = 0, progress: Progress = lambda *_: None) -> Learnt:
        """`learn`, then `estimate`."""
        found = await self.learn(level, seed=seed)
        await self.estimate(progress=progress)
        return found

    async def learn(self, level: RightsLevel, *, seed: int = 0) -> Learnt:
        """Learn from the measured values of a level, and keep the model instead of the one before.

        Args:
            level: whose values may be learnt from; the estimates may be shown wherever these may.
            seed: decides what is random.

        Raises:
            InvalidInputError: too few tracks with measured features; the model before stays.
        """
        from backend.features.estimate import fit  # late: start-up does not wait for Arrow

        def work() -> tuple[Learnt, bytes]:
            try:
                found = fit(self._tracks.read(level), seed=seed)
            except InvalidInputError as problem:
                raise InvalidInputError(f"With rights={level.value} {problem}") from problem
            return Learnt(
                rights=level, digest=found.id, report=msgspec.json.decode(msgspec.json.encode(found.report))
            ), found.dumps()

        learnt, data = await asyncio.to_thread(work)
        await self._models.save(level, digest=learnt.digest, model=data, report=learnt.report)
        log.info("learnt to estimate audio features", rights=level.value, model=learnt.digest)
        return learnt

    async def estimate(self, *, progress: Progress = lambda *_: None) -> Remerged:
        """Make all rows anew, with what the models of now say of features that nobody measured."""
        await self._estimates.prepare(now=True)
        return await self._rebuild(progress=progress)

    async def models(self) -> list[FittedModel]:
        """The models there are, with their reports."""
        return await self._models.list()

    async def forget(self, level: RightsLevel, *, progress: Progress = lambda *_: None) -> Remerged | None:
        """Remove a level's model and its estimates; None when there was none."""
        return await self.estimate(progress=progress) if await self._models.remove(level) else None
