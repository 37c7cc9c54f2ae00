"""What became of each album of a job: for programs as JSON, for people as CSV; streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from backend.ingestion.results import UNFINISHED
from backend.ingestion.source import SourceProfile
from backend.models.job_report import ReportAlbum, ReportSource
from backend.models.results import IngestResult, JobStatus
from backend.repositories.job_albums import JobAlbums
from backend.repositories.jobs import JobRepository
from backend.services.csv_cells import csv_rows
from backend.services.forms import MEDIA_TYPES, Form, form_of

FORMS: Final = (Form.JSON, Form.CSV)

_FRONT: Final = ("album", "artist", "result", "detail", "album_id")
_BACK: Final = ("parked_until", "missing")


class JobReport:
    """Reports on jobs.

    Args:
        jobs: reads jobs.
        albums: reads their albums.
        profiles: of all sources, for what each might have given.
    """

    def __init__(self, jobs: JobRepository, albums: JobAlbums, profiles: Mapping[str, SourceProfile]) -> None:
        self._jobs = jobs
        self._albums = albums
        self._profiles = profiles

    async def stream(self, job_id: str, *, form: str) -> tuple[str, AsyncIterator[bytes]]:
        """The media type of a report and its bytes, which are made as they are read.

        Args:
            job_id: which job.
            form: json or csv.

        Raises:
            InvalidInputError: the form is none of these.
            NotFoundError: no job has this id.
        """
        chosen = form_of(form, FORMS)
        status = await self._jobs.status(job_id, limit=0)
        if chosen is Form.JSON:
            return MEDIA_TYPES[chosen], self._json(status)
        return MEDIA_TYPES[chosen], self._csv(job_id, await self._albums.sources(job_id))

    async def albums(
        self, job_id: str, *, results: Sequence[IngestResult] | None = None
    ) -> AsyncIterator[list[ReportAlbum]]:
        """A job's albums in their order, some hundred at a time.

        Args:
            job_id: whose.
            results: only those that ended so; None for all.
        """
        async for page in self._albums.pages(job_id, results=results):
            partial = [a.album_id for a in page if a.result is IngestResult.PARTIAL and a.album_id is not None]
            missing = await self._albums.missing(partial)
            yield [self._explained(a, missing.get(a.album_id or "", frozenset())) for a in page]

    def _explained(self, album: ReportAlbum, missing: frozenset[str]) -> ReportAlbum:
        if not missing:
            return album
        return replace(album, sources=tuple(self._lacking(s, missing) for s in album.sources))

    def _lacking(self, said: ReportSource, missing: frozenset[str]) -> ReportSource:
        profile = self._profiles.get(said.source)
        if profile is None or said.outcome not in UNFINISHED:
            return said
        return replace(said, missing=tuple(name for name in profile.gives if name in missing))

    async def _json(self, status: JobStatus) -> AsyncIterator[bytes]:
        head = {
            "id": status.id, "kind": status.kind, "state": status.state, "created_at": status.created_at,
            "finished_at": status.finished_at, "total": status.total, "counts": status.counts,
        }  # fmt: skip
        yield orjson.dumps(head)[:-1] + b',"albums":['
        between = b""
        async for page in self.albums(status.id):
            yield between + b",".join(orjson.dumps(album) for album in page)
            between = b","
        yield b"]}"

    async def _csv(self, job_id: str, sources: Sequence[str]) -> AsyncIterator[bytes]:
        yield csv_rows([(*_FRONT, *sources, *_BACK)])
        async for page in self.albums(job_id):
            yield csv_rows(_row(album, sources) for album in page)


def _row(album: ReportAlbum, sources: Sequence[str]) -> tuple[str, ...]:
    said = {s.source: s for s in album.sources}
    missing = sorted({name for s in album.sources for name in s.missing})
    return (
        album.album,
        album.artist,
        album.result or album.state,
        album.detail,
        album.album_id or "",
        *(said[s].outcome if s in said else "" for s in sources),
        _instant(album.parked_until),
        " ".join(missing),
    )


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")
