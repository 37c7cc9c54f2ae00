"""Exports: data written into one folder under a safe name, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from backend.ingestion.source import SourceProfile
from backend.models.results import TrackFilter
from backend.services import export_files as files
from backend.services.forms import MEDIA_TYPES, Form
from backend.services.ml_service import DEFAULT_TARGET, MlService
from backend.services.rights_report import RightsReport, provenances_of_file, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file in the export folder.

    Attributes:
        name: the file's.
        bytes: its size.
        modified_at: when it was written (UTC).
        download: the path to get it from, on this server.
    """

    name: str
    bytes: int
    modified_at: datetime
    download: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExport(Export):
    """One just written: also its rows, the SHA-256 of its bytes (hexadecimal), and what it is made of.

    The report of rights stands beside the file as well, under its name with `.rights.json` behind it.
    """

    rows: int
    sha256: str
    rights: RightsReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(Export):
    """One to be read: its media type, and its bytes in chunks."""

    media_type: str
    chunks: AsyncIterator[bytes]


class CountsProvenances(Protocol):
    """Who counts rows by who gave their values; `repositories.provenances` does."""

    async def count(self, track_filter: TrackFilter, *, limit: int) -> dict[str, int]:
        """Provenance as JSON text, and how many of the first tracks that fit have it."""
        ...


class ExportService:
    """Writes and lists exports.

    Args:
        ml: makes what is written.
        provenances: counts rows by who gave their values.
        profiles: every registered source's, for the reports of rights.
        folder: where it is written; made when it is needed.
        path: what downloads are found under, on this server.
    """

    def __init__(
        self,
        ml: MlService,
        folder: Path,
        *,
        provenances: CountsProvenances,
        profiles: Mapping[str, SourceProfile],
        path: str = "/ml/exports",
    ) -> None:
        self._ml = ml
        self._provenances = provenances
        self._profiles = profiles
        self._folder = folder
        self._path = path

    async def training_data(self, name: str, *, limit: int, track_filter: TrackFilter | None = None) -> NewExport:
        """Write training data; a file of the same name is replaced.

        Raises:
            InvalidInputError: the name or the limit is not allowed.
        """
        form = files.form_of_name(name)
        chosen = track_filter or TrackFilter()
        _, chunks = await self._ml.training_data(chosen, limit=limit, form=form)

        def counted(path: Path) -> RightsReport:
            return report(provenances_of_file(path, form), self._profiles, rights=chosen.rights)

        return await self._write(name, chunks, form=form, counted=counted)

    async def feature_matrix(
        self, name: str, *, limit: int, target: str = DEFAULT_TARGET, track_filter: TrackFilter | None = None
    ) -> NewExport:
        """Write a feature matrix with y; a file of the same name is replaced.

        Raises:
            InvalidInputError: the name, the limit or the target is not allowed.
        """
        form = files.form_of_name(name)
        chosen = track_filter or TrackFilter()
        made: list[Mapping[str, int]] = []
        _, chunks = await self._ml.feature_matrix(chosen, limit=limit, target=target, form=form, told=made.append)

        def counted(_: Path) -> RightsReport:
            from backend.features.matrix import READS  # late: start-up does not need Arrow

            return report(made[0], self._profiles, rights=chosen.rights, columns=READS)

        return await self._write(name, chunks, form=form, counted=counted)

    async def rights(self, track_filter: TrackFilter, *, limit: int) -> RightsReport:
        """What training data of these tracks would be made of, without writing them."""
        found = await self._provenances.count(track_filter, limit=limit)
        return report(found, self._profiles, rights=track_filter.rights)

    async def list(self) -> Sequence[Export]:
        """All finished exports, by name."""
        return await asyncio.to_thread(self._list)

    async def open(self, name: str) -> Download:
        """An export to be downloaded.

        Raises:
            InvalidInputError: the name is not one of an export.
            NotFoundError: there is none of this name.
        """
        form = files.form_of_name(name)
        file = await asyncio.to_thread(files.opened, self._folder, name)
        export = self._export(name, os.fstat(file.fileno()))
        return Download(**asdict(export), media_type=MEDIA_TYPES[form], chunks=files.read(file))

    async def report(self, name: str) -> bytes:
        """What an export is made of, as JSON, as it was when it was written.

        Raises:
            InvalidInputError: the name is not one of an export.
            NotFoundError: there is none of this name.
        """
        files.form_of_name(name)
        file = await asyncio.to_thread(files.opened, self._folder, files.beside(name))
        return b"".join([chunk async for chunk in files.read(file)])

    def _list(self) -> Sequence[Export]:
        return [self._export(name, state) for name, state in files.exports(self._folder)]

    def _export(self, name: str, state: os.stat_result) -> Export:
        modified = datetime.fromtimestamp(state.st_mtime, UTC)
        return Export(name=name, bytes=state.st_size, modified_at=modified, download=f"{self._path}/{name}")

    async def _write(
        self, name: str, chunks: AsyncIterator[bytes], *, form: Form, counted: Callable[[Path], RightsReport]
    ) -> NewExport:
        digest = hashlib.sha256()
        unfinished = await asyncio.to_thread(files.prepared, self._folder, name)
        try:
            with await asyncio.to_thread(unfinished.open, "xb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(files.to_disk, file)
            rows = await asyncio.to_thread(files.count_rows, unfinished, form)
            rights = await asyncio.to_thread(counted, unfinished)
            written = self._export(name, unfinished.lstat())
            await asyncio.to_thread(files.put_beside, self._folder / name, msgspec.json.encode(rights))
            await asyncio.to_thread(files.put_in_place, unfinished, self._folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
        return NewExport(**asdict(written), rows=rows, sha256=digest.hexdigest(), rights=rights)
