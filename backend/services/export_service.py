"""Exports: data written into one folder under a safe name, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.models.results import TrackFilter
from backend.services import export_files as files
from backend.services.forms import MEDIA_TYPES, Form
from backend.services.ml_service import DEFAULT_TARGET, MlService


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
    """One just written: also its rows and the SHA-256 of its bytes (hexadecimal)."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(Export):
    """One to be read: its media type, and its bytes in chunks."""

    media_type: str
    chunks: AsyncIterator[bytes]


class ExportService:
    """Writes and lists exports.

    Args:
        ml: makes what is written.
        folder: where it is written; made when it is needed.
        path: what downloads are found under, on this server.
    """

    def __init__(self, ml: MlService, folder: Path, *, path: str = "/ml/exports") -> None:
        self._ml = ml
        self._folder = folder
        self._path = path

    async def training_data(self, name: str, *, limit: int, track_filter: TrackFilter | None = None) -> NewExport:
        """Write training data; a file of the same name is replaced.

        Raises:
            InvalidInputError: the name or the limit is not allowed.
        """
        form = files.form_of_name(name)
        _, chunks = await self._ml.training_data(track_filter or TrackFilter(), limit=limit, form=form)
        return await self._write(name, chunks, form=form)

    async def feature_matrix(
        self, name: str, *, limit: int, target: str = DEFAULT_TARGET, track_filter: TrackFilter | None = None
    ) -> NewExport:
        """Write a feature matrix with y; a file of the same name is replaced.

        Raises:
            InvalidInputError: the name, the limit or the target is not allowed.
        """
        form = files.form_of_name(name)
        chosen = track_filter or TrackFilter()
        _, chunks = await self._ml.feature_matrix(chosen, limit=limit, target=target, form=form)
        return await self._write(name, chunks, form=form)

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

    def _list(self) -> Sequence[Export]:
        return [self._export(name, state) for name, state in files.exports(self._folder)]

    def _export(self, name: str, state: os.stat_result) -> Export:
        modified = datetime.fromtimestamp(state.st_mtime, UTC)
        return Export(name=name, bytes=state.st_size, modified_at=modified, download=f"{self._path}/{name}")

    async def _write(self, name: str, chunks: AsyncIterator[bytes], *, form: Form) -> NewExport:
        digest = hashlib.sha256()
        unfinished = await asyncio.to_thread(files.prepared, self._folder, name)
        try:
            with await asyncio.to_thread(unfinished.open, "xb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(files.to_disk, file)
            rows = await asyncio.to_thread(files.count_rows, unfinished, form)
            written = self._export(name, unfinished.lstat())
            await asyncio.to_thread(files.put_in_place, unfinished, self._folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
        return NewExport(**asdict(written), rows=rows, sha256=digest.hexdigest())
