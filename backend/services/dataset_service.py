"""Data sets as people use them: built from a recipe, listed, compared, checked, removed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from backend import __version__
from backend.ingestion.source import SourceProfile
from backend.models.datasets import Manifest, Recipe
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_snapshots import Snapshot
from backend.services.dataset_folders import DataSetFolders
from backend.services.knowledge import Knowledge
from backend.utils.errors import NotFoundError

if TYPE_CHECKING:
    from backend.services.feature_serving import ServedPipeline

Progress: TypeAlias = Callable[[int, int], None]
Step: TypeAlias = Callable[[str], None]
STEPS: Final = ("reading tracks", "dealing and learning", "writing files")
"""What a build does, one after the other."""
_MOST_PIPELINES: Final = 20  # kept ready to serve


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Features of tracks.

    Attributes:
        fingerprint: of the data set whose pipeline computed them.
        names: of the columns.
        rows: one list of float32 values per track, in the order of the tracks.
    """

    fingerprint: str
    names: list[str]
    rows: list[list[float]]


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def _unheard(_step: str) -> None:
    """Tell nobody."""


class DataSetService:
    """Builds and keeps data sets.

    Args:
        knowledge: what they are made of.
        folders: where they are kept.
        exports: the folder that exports are written into.
        profiles: every registered source's, for the reports of rights.
    """

    def __init__(
        self, knowledge: Knowledge, folders: DataSetFolders, *, exports: Path, profiles: Mapping[str, SourceProfile]
    ) -> None:
        self._knowledge = knowledge
        self._folders = folders
        self._profiles = profiles
        self._exports = exports
        self._pipelines: dict[str, ServedPipeline] = {}
        self._building = asyncio.Semaphore(1)  # one at a time: each takes memory for all of its rows

    async def build(self, asked: Recipe, *, step: Step = _unheard) -> BuiltDataSet:
        """Build a data set; the same recipe over the same knowledge gives the same bytes, which are kept once.

        Args:
            asked: the recipe.
            step: told each of `STEPS` when it begins, in any thread.

        Raises:
            InvalidInputError: the recipe cannot be followed, or its moment is to come or before all that is kept.
        """
        async with self._building:
            step(STEPS[0])
            known = await self._knowledge.tracks(asked.filter, as_of=asked.as_of, columns=FLAT_COLUMNS)
            return await asyncio.to_thread(self._build, asked, known, step)

    async def all(self) -> list[Manifest]:
        """All data sets, by name, the newest knowledge first."""
        return await asyncio.to_thread(self._folders.all)

    async def find(self, named: str) -> Manifest:
        """The data set of a fingerprint (its first digits do), or the newest one of a name.

        Raises:
            NotFoundError: there is none.
        """
        return await asyncio.to_thread(self._folders.find, named)

    async def file(self, named: str, path: str) -> Path:
        """Where a file of a data set stands.

        Raises:
            NotFoundError: there is no such data set, or it has no such file.
        """
        return await asyncio.to_thread(lambda: self._folders.file(self._folders.find(named), path))

    async def export(self, named: str, *, form: str, into: Path | None = None, progress: Progress = _silent) -> Path:
        """Write a data set in another form; answers the file, or the folder that it is.

        Args:
            named: see `find`.
            form: one of `forms()`.
            into: the folder for it; the exports' own when None, where a folder is packed as one ZIP file.
            progress: told rows written and rows in all.

        Raises:
            NotFoundError: there is no such data set.
            InvalidInputError: no such form, or the data set is damaged.
        """

        def work() -> Path:
            from backend.services.dataset_exports import export, packed  # late: they load Arrow and DuckDB

            found = self._folders.path(self._folders.find(named))
            made = export(found, form=form, into=into or self._exports, progress=progress)
            if into is not None or not made.is_dir():
                return made
            archive = packed(made)
            shutil.rmtree(made)
            return archive

        async with self._building:
            return await asyncio.to_thread(work)

    async def exported(self, name: str) -> Path:
        """Where an exported file stands.

        Raises:
            NotFoundError: there is none of this name.
        """
        path: Path = self._exports / name
        if Path(name).name != name or name.startswith(".") or not await asyncio.to_thread(path.is_file):
            raise NotFoundError(f"No export of a data set is called {name[:200]!r}")
        return path

    async def features(self, named: str, tracks: Sequence[Mapping[str, Any]]) -> Served:
        """The features of tracks that need not be stored, by what a data set's pipeline has learnt: as in training.

        Args:
            named: see `find`.
            tracks: fields of tracks by name; what one does not name is unknown.

        Raises:
            NotFoundError: there is no such data set.
            InvalidInputError: a field is not known, or its value cannot be.
        """
        return await asyncio.to_thread(self._serve, named, tracks)

    def _serve(self, named: str, tracks: Sequence[Mapping[str, Any]]) -> Served:
        from backend.services.feature_serving import ServedPipeline  # late: it loads Arrow

        found = self._folders.find(named)
        pipeline = self._pipelines.get(found.fingerprint)
        if pipeline is None:
            text = self._folders.file(found, "pipeline.json").read_bytes()
            pipeline = ServedPipeline(msgspec.json.decode(text))
            self._pipelines[found.fingerprint] = pipeline
            while len(self._pipelines) > _MOST_PIPELINES:
                del self._pipelines[next(iter(self._pipelines))]
        return Served(fingerprint=found.fingerprint, names=pipeline.names, rows=pipeline.rows(tracks))

    async def holding(self, source: str) -> list[Manifest]:
        """The data sets in which a source's values stand, by their reports, or may stand, where one is damaged."""

        def work() -> list[Manifest]:
            return [m for m in self._folders.all() if source in self._sources(m, otherwise=source)]

        return await asyncio.to_thread(work)

    def _sources(self, manifest: Manifest, *, otherwise: str) -> set[str]:
        try:
            rights, quality = (
                msgspec.json.decode(self._folders.file(manifest, name).read_bytes())
                for name in ("rights.json", "quality.json")
            )
            # A value that another source's was preferred to stands in the report of quality alone.
            differ = {s for c in quality["contradictions"] or () for a, b, _ in c["pairs"] for s in (a, b)}
            return {share["source"] for share in rights["sources"]} | differ
        except (OSError, msgspec.DecodeError, KeyError):
            return {otherwise}

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

    def _build(self, asked: Recipe, known: Snapshot, step: Step) -> BuiltDataSet:
        from backend.features.data_set import build  # late: start-up does not wait for Arrow and scikit-learn
        from backend.services.dataset_writing import write

        step(STEPS[1])
        built = build(known.tracks, asked, day=known.moment.date())
        step(STEPS[2])
        with self._folders.unfinished() as folder:
            manifest = write(built, asked, folder, known=known, code=__version__, profiles=self._profiles)
            kept, is_new = self._folders.keep(folder, manifest)
            return BuiltDataSet(manifest=self._folders.find(manifest.fingerprint), folder=kept, is_new=is_new)
