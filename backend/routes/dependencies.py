"""What routes reach services by, and the filters that several endpoints share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from pydantic import AfterValidator, Field

from backend.config.settings import Settings
from backend.metrics import Metrics
from backend.models.ingestion_models import RightsLevel
from backend.models.results import AlbumFilter, TrackFilter
from backend.routes.access import caller_of
from backend.routes.rate_limit import Pace
from backend.services.access_service import AccessService
from backend.services.album_service import AlbumService
from backend.services.analytics_service import AnalyticsService
from backend.services.artist_service import ArtistService
from backend.services.asking_service import AskingService
from backend.services.backup_service import BackupService
from backend.services.dataset_comparison import DataSetComparison
from backend.services.dataset_preview import DataSetPreview
from backend.services.dataset_service import DataSetService
from backend.services.dataset_work import DataSetWork
from backend.services.deed_log import DeedLog
from backend.services.demo_service import DemoService
from backend.services.discovery_service import DiscoveryService
from backend.services.doctor import Doctor
from backend.services.dump_import import DumpImport
from backend.services.export_service import ExportService
from backend.services.feature_service import FeatureService
from backend.services.ingest_plan import IngestPlan
from backend.services.ingestion_service import IngestionService
from backend.services.job_following import JobFollowing
from backend.services.job_report import JobReport
from backend.services.job_service import JobService
from backend.services.listening_service import ListeningService
from backend.services.map_service import MapService
from backend.services.match_service import MatchService
from backend.services.ml_service import MlService
from backend.services.page_import import PageImport
from backend.services.provenance_service import ProvenanceService
from backend.services.quality_service import QualityService
from backend.services.refresh_service import RefreshService
from backend.services.search_service import SearchService
from backend.services.system_service import SystemService
from backend.services.table_import import TableImport
from backend.services.taste_service import TasteService
from backend.services.training_service import TrainingService
from backend.services.upkeep_service import UpkeepService
from backend.services.user_service import UserService
from backend.services.work_service import WorkService
from backend.utils.errors import BusyError, ForbiddenError, InvalidInputError, NotFoundError, UnauthorizedError


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that routes call; `startup` builds it."""

    settings: Settings
    metrics: Metrics
    pace: Pace | None
    ingestion: IngestionService
    access: AccessService
    deeds: DeedLog
    backups: BackupService
    jobs: JobService
    following: JobFollowing
    planning: IngestPlan
    reports: JobReport
    matching: MatchService
    refreshing: RefreshService
    albums: AlbumService
    artists: ArtistService
    search: SearchService
    demo: DemoService
    imports: PageImport
    analytics: AnalyticsService
    users: UserService
    tastes: TasteService
    system: SystemService
    ml: MlService
    discovery: DiscoveryService
    asking: AskingService
    map: MapService
    training: TrainingService
    exports: ExportService
    upkeep: UpkeepService
    dumps: DumpImport
    tables: TableImport
    features: FeatureService
    provenance: ProvenanceService
    listening: ListeningService
    datasets: DataSetService
    dataset_comparison: DataSetComparison
    dataset_work: DataSetWork
    dataset_preview: DataSetPreview
    quality: QualityService
    doctor: Doctor
    work: WorkService


async def services(request: Request) -> Services:
    """The services of the app that answers.

    Raises:
        BusyError: the app has not finished starting.
    """
    found = getattr(request.app.state, "services", None)
    if not isinstance(found, Services):
        raise BusyError("The server is starting", retry_after=1)
    return found


With = Annotated[Services, Depends(services)]

_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="Needed to write once API_KEYS is set.")
_bearer = HTTPBearer(auto_error=False, description="The same key as `Authorization: Bearer`.")
# The keys are checked by `guards.ApiKeyGuard` before the body is read; this tells /docs.
WRITES = [Security(_key), Security(_bearer)]


async def own(request: Request) -> None:
    """Let only those in who may know what is kept of the listener in the path or the query.

    Raises:
        UnauthorizedError: the key is missing or not known.
        ForbiddenError: it is of another listener.
    """
    must_know(request, request.path_params.get("name") or request.query_params.get("listener"))


def must_know(request: Request, listener: str | None) -> None:
    """See `own`; None for what is kept of all listeners.

    Raises:
        UnauthorizedError: the key is missing or not known.
        ForbiddenError: it is of another listener.
    """
    caller = caller_of(request.scope)
    if caller.may_know(listener):
        return
    if not caller.scopes:
        raise UnauthorizedError(
            "Listening histories are personal; reading them needs an API key that this server knows: send it as the header "
            "X-API-Key or as a bearer token (`tensoe key make`, or API_KEYS)"
        )
    raise ForbiddenError(
        f"The key {caller.name!r} does not open this listener's data; one with the scope admin, or listener and that name, does"
    )


def _no_nul(value: str) -> str:
    # PostgreSQL's text takes no NUL; `pattern` keeps it out, this says it in words.
    if "\x00" in value:
        raise ValueError("holds a NUL character; leave it out")
    return value


# Titles of albums have some 300 characters at the longest. A cursor holds the artist and title of the last row, of any length.
Word = Annotated[str, Field(max_length=500), AfterValidator(_no_nul)]
Place = Annotated[str, Field(max_length=16_000), AfterValidator(_no_nul)]
Searched = Annotated[Word | None, Query()]
Year = Annotated[int | None, Query(ge=1000, le=3000)]
Tempo = Annotated[float | None, Query(ge=0, le=1_000, allow_inf_nan=False, description="BPM.")]
Score = Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)]
Cursor = Annotated[Place | None, Query(description="`next_cursor` of the answer before.")]

Level = Annotated[
    RightsLevel,
    Query(description="Whose values: any; noncommercial or open: what other sources say is replaced or left out."),
]


async def track_filter(
    request: Request,
    with_: With,
    genre: Annotated[list[Word] | None, Query(max_length=50, description="May be repeated: any of them.")] = None,
    mood: Annotated[list[Word] | None, Query(max_length=50, description="May be repeated: any of them.")] = None,
    artist: Annotated[Word | None, Query(description="Case, accents and a leading The do not matter.")] = None,
    year_from: Year = None,
    year_to: Year = None,
    min_popularity: Annotated[int | None, Query(ge=0, le=100)] = None,
    max_popularity: Annotated[int | None, Query(ge=0, le=100)] = None,
    tempo_from: Tempo = None,
    tempo_to: Tempo = None,
    min_user_score: Score = None,
    max_user_score: Score = None,
    min_critic_score: Score = None,
    max_critic_score: Score = None,
    explicit: Annotated[bool | None, Query(description="false: only tracks known to be clean.")] = None,
    seen: Annotated[
        list[Word] | None,
        Query(max_length=1_000, description="Ids that are left out, in every edition. May be repeated."),
    ] = None,
    seen_by: Annotated[Word | None, Query(description="A listener (`/listeners`) whose history is left out.")] = None,
    q: Annotated[Word | None, Query(description="Looked for in title, artist and album.")] = None,
    synthetic: Annotated[bool | None, Query(description="false: no row with made-up values; true: only them.")] = None,
    rights: Level = RightsLevel.ANY,
    estimates: Annotated[bool, Query(description="false: audio features that nobody measured are left out.")] = True,
    one_per_recording: Annotated[
        bool, Query(description="true: of a recording on several albums only the earliest appearance.")
    ] = False,
) -> TrackFilter:
    """Which tracks; every condition must hold.

    Raises:
        InvalidInputError: two bounds exclude each other.
        NotFoundError: nothing is stored of the listener.
        UnauthorizedError: a history is meant, and there is no key that is known.
    """
    _ordered("year", year_from, year_to)
    _ordered("tempo", tempo_from, tempo_to)
    _within("popularity", min_popularity, max_popularity)
    _within("user_score", min_user_score, max_user_score)
    _within("critic_score", min_critic_score, max_critic_score)
    if seen_by is not None:
        must_know(request, seen_by)
        try:
            await with_.listening.summary(seen_by)
        except NotFoundError as problem:  # nobody's history would leave nothing out, and nobody would notice
            raise InvalidInputError(f"seen_by={seen_by!r}: {problem}") from problem
    return TrackFilter(
        genres=tuple(genre or ()),
        moods=tuple(mood or ()),
        artist=artist,
        year_from=year_from,
        year_to=year_to,
        min_popularity=min_popularity,
        max_popularity=max_popularity,
        tempo_from=tempo_from,
        tempo_to=tempo_to,
        min_user_score=min_user_score,
        max_user_score=max_user_score,
        min_critic_score=min_critic_score,
        max_critic_score=max_critic_score,
        explicit=explicit,
        seen=tuple(seen or ()),
        seen_by=seen_by,
        q=q,
        synthetic=synthetic,
        rights=rights,
        estimates=estimates,
        one_per_recording=one_per_recording,
    )


def _ordered(what: str, first: float | None, last: float | None) -> None:
    if first is not None and last is not None and first > last:
        raise InvalidInputError(f"{what}_from={first:g} is after {what}_to={last:g}; no track can fit both")


def _within(what: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise InvalidInputError(f"min_{what}={least:g} is above max_{what}={most:g}; no track can fit both")


Filter = Annotated[TrackFilter, Depends(track_filter)]


async def album_filter(
    q: Annotated[Searched, Query(description="Looked for in title and artist; forgives misspelling.")] = None,
    artist: Annotated[Word | None, Query(description="Case, accents and a leading The do not matter.")] = None,
    genre: Searched = None,
    mood: Searched = None,
    label: Annotated[Word | None, Query(description="A part of the label's name.")] = None,
    year_from: Year = None,
    year_to: Year = None,
    min_user_score: Annotated[float | None, Query(ge=0, le=100)] = None,
    min_critic_score: Annotated[float | None, Query(ge=0, le=100)] = None,
    synthetic: Annotated[
        bool | None, Query(description="false: no album with made-up values; true: only them.")
    ] = None,
    rights: Level = RightsLevel.ANY,
) -> AlbumFilter:
    """Which albums; every condition must hold.

    Raises:
        InvalidInputError: the years exclude each other.
    """
    if year_from is not None and year_to is not None and year_from > year_to:
        raise InvalidInputError(f"year_from={year_from} is after year_to={year_to}; no album can fit both")
    return AlbumFilter(
        q=q,
        artist=artist,
        genre=genre,
        mood=mood,
        label=label,
        year_from=year_from,
        year_to=year_to,
        min_user_score=min_user_score,
        min_critic_score=min_critic_score,
        synthetic=synthetic,
        rights=rights,
    )


Albums = Annotated[AlbumFilter, Depends(album_filter)]


def bounded(limit: int, *, most: int, setting: str) -> int:
    """The limit, when it is allowed.

    Raises:
        InvalidInputError: it is above what the setting allows.
    """
    if limit > most:
        raise InvalidInputError(f"limit={limit:,} is above {most:,} ({setting}); page on with the cursor")
    return limit
