"""What HTTP takes and answers of ingestion: albums asked for, outcomes, jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from backend.models.ingestion_models import AlbumQuery, Outcome
from backend.models.results import IngestResult
from backend.routes.schemas import Name, Schema, Track

Address = Annotated[str, Field(max_length=2_000, pattern=r"^https?://\S+$")]


class AlbumRequest(Schema):
    """An album to ingest."""

    album_name: Name = Field(examples=["Abbey Road"])
    artist_name: Name = Field(examples=["The Beatles"])
    aoty_url: Address | None = Field(default=None)
    """The album's page on Album of the Year, when you know it: its search is barred by its robots.txt."""
    aoty_html: str | None = Field(default=None, max_length=1_900_000)
    """That page as your browser saved it, when the site keeps the server out."""

    def query(self) -> AlbumQuery:
        """What services take."""
        hints = {"aoty_url": self.aoty_url, "aoty_html": self.aoty_html}
        return AlbumQuery(album=self.album_name, artist=self.artist_name, hints={k: v for k, v in hints.items() if v})


Priority = Annotated[int, Field(ge=-100, le=100)]


def _form(value: Any) -> str:
    return "pair" if isinstance(value, list | tuple) else "object"


BatchAlbum = Annotated[
    Annotated[tuple[Name, Name], Tag("pair")] | Annotated[AlbumRequest, Tag("object")], Discriminator(_form)
]
"""`["Abbey Road", "The Beatles"]` (album first), or an object as for one album."""


class BatchRequest(Schema):
    """Albums to ingest in the background."""

    albums: list[BatchAlbum] = Field(
        min_length=1, examples=[[["Abbey Road", "The Beatles"], ["Kind of Blue", "Miles Davis"]]]
    )
    """Album first, artist second, or objects as for one album; at most MAX_BATCH_ALBUMS."""
    priority: Priority = 0
    """Jobs of a higher one go first, those of the same take turns."""

    def queries(self) -> list[AlbumQuery]:
        """What services take."""
        return [a.query() if isinstance(a, AlbumRequest) else AlbumQuery(album=a[0], artist=a[1]) for a in self.albums]


class AlbumListAnswer(Schema):
    """A list as it was read, in the form that a batch and a plan take."""

    albums: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        examples=[[["Abbey Road", "The Beatles"]]]
    )
    """Album first, artist second."""
    repeated: int
    """Lines left out because they name an album again."""


class SourceOutcome(Schema):
    """How one source answered."""

    source: str = Field(examples=["spotify"])
    outcome: Outcome
    detail: str = ""
    """Why, when it is not ok."""
    retry_at: datetime | None = None
    """When throttled: from when asking is allowed again (UTC)."""
    tracks: int = 0
    seconds: float = 0.0


class IngestAnswer(Schema):
    """An ingested album: what is stored of it now, and how each source answered."""

    result: IngestResult
    """complete, or partial: stored, but a source could not be asked; ingest it again later."""
    detail: str = ""
    album_id: str | None
    album: str
    artist: str
    sources: list[SourceOutcome]
    tracks: list[Track]


class JobAccepted(Schema):
    """A list that was taken; the work goes on in the background and survives restarts."""

    job_id: str
    total: int
    status_url: str = Field(examples=["/ml/jobs/4a1c…"])


class JobItem(Schema):
    """One album of a job."""

    position: int
    album: str
    artist: str
    state: str = Field(examples=["queued", "running", "waiting", "done"])
    """waiting: stored as far as it is known; a source is asked again later."""
    result: IngestResult | None = None
    detail: str | None = None
    album_id: str | None = None
    sources: list[SourceOutcome] = Field(default_factory=list)


class JobSummary(Schema):
    """A job as it stands."""

    id: str
    kind: str = Field(examples=["ingest", "retry", "refresh"])
    state: str = Field(examples=["open", "paused", "cancelled", "finished"])
    priority: int = 0
    """-100..100; the highest goes first."""
    created_at: datetime
    finished_at: datetime | None = None
    total: int
    counts: dict[str, int] = Field(examples=[{"queued": 12, "running": 3, "complete": 85}])
    """Albums by state and, for those done, by result."""


class Job(JobSummary):
    """A job with a page of its albums."""

    items: list[JobItem]
    next_offset: int | None = None
    """Give it as `offset` to get the next albums; null at the end."""


class JobList(Schema):
    """The latest jobs, newest first."""

    data: list[JobSummary]


class JobChange(Schema):
    """What may be changed of a job."""

    priority: Priority


class RetryRequest(Schema):
    """Which albums of a job to take up again."""

    only: list[IngestResult] = Field(default_factory=list, max_length=10, examples=[["failed", "blocked"]])
    """Those that ended so; when empty: partial, blocked, throttled, failed and cancelled."""
    priority: Priority = 0


class SourceFailure(Schema):
    """Why a source gave nothing."""

    source: str
    outcome: Outcome
    detail: str
    attempts: int


class DeadLetter(Schema):
    """An album that failed and that no retry has taken up."""

    job_id: str
    position: int
    album: str
    artist: str
    detail: str
    finished_at: datetime
    sources: list[SourceFailure]


class DeadLetters(Schema):
    """Albums that failed, the latest first."""

    data: list[DeadLetter]
    next_cursor: str | None = None
