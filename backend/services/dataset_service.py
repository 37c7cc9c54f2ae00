"""Data sets as people use them: built from a recipe, listed, compared, checked, removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend import __version__
from backend.ingestion.source import SourceProfile
from backend.models.datasets import Manifest, Recipe
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.services.dataset_folders import DataSetFolders
from backend.services.tracks import TrackTables
from backend.utils.errors import InvalidInputError

_EVERYTHING = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltDataSet:
    """What a build came to.

    Attributes:
        manifest: of the data set.
        folder: where it stands.
        is_new: whether there was none of the same content.
    """

    manifest: Manifest
    folder: Path
    is_new: bool


class DataSetService:
    """Builds and keeps data sets.

    Args:
        tracks: reads what they are made of.
        folders: where they are kept.
        profiles: every registered source's, for the reports of rights.
    """

    def __init__(self, tracks: TrackTables, folders: DataSetFolders, *, profiles: Mapping[str, SourceProfile]) -> None:
        self._tracks = tracks
        self._folders = folders
        self._profiles = profiles
        self._building = asyncio.Semaphore(1)  # one at a time: each takes memory for all of its rows

    async def build(self, asked: Recipe) -> BuiltDataSet:
        """Build a data set; the same recipe over the same knowledge gives the same bytes, which are kept once.

        Raises:
            InvalidInputError: the recipe cannot be followed.
        """
        if asked.as_of is not None and asked.as_of > datetime.now(UTC):
            raise InvalidInputError(
                f"as_of={asked.as_of.isoformat()} is to come; give a past moment, or leave it out for now"
            )
        async with self._building:
            return await asyncio.to_thread(self._build, asked)

    async def all(self) -> list[Manifest]:
        """All data sets, by name, the newest knowledge first."""
        return await asyncio.to_thread(self._folders.all)

    async def find(self, named: str) -> Manifest:
        """The data set of a fingerprint (its first digits do), or the newest one of a name.

        Raises:
            NotFoundError: there is none.
        """
        return await asyncio.to_thread(self._folders.find, named)

    async def damaged(self, named: str) -> list[str]:
        """Files of a data set that are not what its manifest says."""
        return await asyncio.to_thread(lambda: self._folders.damaged(self._folders.find(named)))

    async def remove(self, named: str) -> Manifest:
        """Remove a data set; what was exported of it stays.

        Raises:
            NotFoundError: there is none.
        """

        def work() -> Manifest:
            found = self._folders.find(named)
            self._folders.remove(found)
            return found

        return await asyncio.to_thread(work)

    def _build(self, asked: Recipe) -> BuiltDataSet:
        from backend.features.data_set import build  # late: start-up does not wait for Arrow and scikit-learn
        from backend.services.dataset_writing import write

        watermark = datetime.now(UTC)
        tracks = self._tracks.arrow(asked.filter, limit=_EVERYTHING, columns=FLAT_COLUMNS)
        built = build(tracks, asked, day=watermark.date())
        with self._folders.unfinished() as folder:
            manifest = write(built, asked, folder, watermark=watermark, code=__version__, profiles=self._profiles)
            kept, is_new = self._folders.keep(folder, manifest)
            return BuiltDataSet(manifest=self._folders.find(manifest.fingerprint), folder=kept, is_new=is_new)
