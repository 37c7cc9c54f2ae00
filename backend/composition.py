"""From settings and what is open to the services: which part gets which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from aiohttp import ClientSession

from backend.cache import Cache, MemoryCache
from backend.config.settings import Settings
from backend.ingestion.asking import Asked
from backend.ingestion.budget import Budget, ProcessBudget
from backend.ingestion.ingest_runner import IngestRunner
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import all_profiles, build_dumps, build_listeners, build_sources, in_use
from backend.ingestion.source import Source, SourceProfile
from backend.ingestion.transport import Transport
from backend.metrics import Metrics
from backend.models.diagnosis import Finding
from backend.models.tastes import HeardFrom
from backend.repositories.aggregates import Aggregates
from backend.repositories.album_moments import AlbumMoments
from backend.repositories.album_reader import AlbumReader
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.album_store import AlbumRepository
from backend.repositories.api_keys import ApiKeys
from backend.repositories.artist_reader import ArtistReader
from backend.repositories.budget_states import Budgets
from backend.repositories.budgets import SharedBudget
from backend.repositories.catalogue_signal import CatalogueSignal
from backend.repositories.catalogue_state import CatalogueState
from backend.repositories.database import Database
from backend.repositories.deeds import Deeds
from backend.repositories.due import DueRepository
from backend.repositories.dumping import Dumps
from backend.repositories.embedded import standing
from backend.repositories.facets import Facets
from backend.repositories.feature_models import FeatureModels
from backend.repositories.heard import HistoryReader
from backend.repositories.histories import Histories
from backend.repositories.import_targets import ImportTargets
from backend.repositories.ingest_statistics import IngestStatistics
from backend.repositories.job_albums import JobAlbums
from backend.repositories.job_control import JobControl
from backend.repositories.job_progress import JobProgressRepository
from backend.repositories.jobs import JobRepository
from backend.repositories.listens import ListenRepository
from backend.repositories.map_figures import MapFigures
from backend.repositories.measured_tracks import MeasuredTracks
from backend.repositories.playlist_tracks import PlaylistTracks
from backend.repositories.provenances import Provenances
from backend.repositories.receptions import Receptions
from backend.repositories.record_changes import RecordChanges
from backend.repositories.remerging import Remerging
from backend.repositories.retries import RetryRepository
from backend.repositories.sittings import Sittings
from backend.repositories.source_memory import SourceMemory
from backend.repositories.steps import StepRepository
from backend.repositories.storage import Storage
from backend.repositories.stored_names import StoredNames
from backend.repositories.table_store import TableStore
from backend.repositories.tag_targets import TagTargets
from backend.repositories.tastes import Tastes
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_reader import TrackReader
from backend.repositories.track_search import TrackSearch
from backend.repositories.track_snapshots import TrackSnapshots
from backend.repositories.unmatched import UnmatchedRepository
from backend.repositories.wanted import Wanted
from backend.repositories.work_state import WorkState
from backend.routes.dependencies import Services
from backend.routes.rate_limit import Pace
from backend.services.access_service import AccessService
from backend.services.album_service import AlbumService
from backend.services.analytics_service import AnalyticsService
from backend.services.artist_service import ArtistService
from backend.services.asking_service import AskingService
from backend.services.backup_service import BackupService
from backend.services.checks.configuration import check_keys, check_safety, check_traces
from backend.services.checks.machine import check_cache, check_disk, check_folder, check_memory
from backend.services.checks.reach import check_reach
from backend.services.checks.storage import check_database
from backend.services.checks.work import check_budgets, check_queue, check_rights
from backend.services.dataset_comparison import DataSetComparison
from backend.services.dataset_folders import DataSetFolders
from backend.services.dataset_preview import DataSetPreview
from backend.services.dataset_service import DataSetService
from backend.services.dataset_work import DataSetWork
from backend.services.deed_log import DeedLog
from backend.services.demo_service import DemoService
from backend.services.discovery_service import DiscoveryService
from backend.services.doctor import Check, Doctor
from backend.services.dump_import import DumpImport
from backend.services.estimates import Estimates
from backend.services.export_service import ExportService
from backend.services.feature_service import FeatureService
from backend.services.heard_by import HeardBy, HeardInHistory, HeardInPublic
from backend.services.index_keeper import IndexKeeper
from backend.services.ingest_plan import IngestPlan
from backend.services.ingest_worker import IngestWorker
from backend.services.ingestion_service import IngestionService
from backend.services.job_following import JobFollowing
from backend.services.job_report import JobReport
from backend.services.job_service import JobService
from backend.services.knowledge import Knowledge
from backend.services.listening_service import ListeningService
from backend.services.map_columns import MapColumns
from backend.services.map_keeper import MapKeeper
from backend.services.map_service import MapService
from backend.services.match_service import MatchService
from backend.services.ml_service import MlService
from backend.services.page_import import PageImport
from backend.services.provenance_service import ProvenanceService
from backend.services.quality_service import QualityService
from backend.services.refresh_service import RefreshService
from backend.services.search_service import SearchService
from backend.services.step_watch import WatchedQueue
from backend.services.system_service import SystemService
from backend.services.table_import import TableImport
from backend.services.tag_import import TagImport
from backend.services.taste_engine import MeanOfSeeds
from backend.services.taste_reading import TasteReader
from backend.services.taste_service import TasteService
from backend.services.training_service import TrainingService
from backend.services.upkeep_service import UpkeepService
from backend.services.user_service import UserService
from backend.services.work_service import WorkService
from backend.services.worker_threads import WorkerThreads


def build_cache(settings: Settings, metrics: Metrics) -> Cache:
    """The cache of the settings: Redis when it has an address, else memory."""
    url = settings.cache.redis_url
    if url is None:
        return MemoryCache(metrics.cache)
    from backend.cache.redis_cache import RedisCache  # late: only who has a server needs its library

    return RedisCache(url.get_secret_value(), metrics.cache)


def build_pace(settings: Settings) -> Pace | None:
    """The rate limit of the settings; None when it is switched off."""
    url = settings.cache.redis_url
    policy = settings.api.rate_limit.strip()
    if policy.lower() == "off":
        return None
    return Pace(policy, redis_url=None if url is None else url.get_secret_value())


def build_services(
    settings: Settings,
    *,
    database: Database,
    cache: Cache,
    metrics: Metrics,
    pace: Pace | None,
    session: ClientSession,
    threads: WorkerThreads,
    changes: CatalogueSignal,
) -> Services:
    """Every service, made from what `open_container` has opened."""
    sources = build_sources()
    used = in_use(sources, settings.ingestion)
    transports = {
        s.profile.name: _transport(
            s, session=session, metrics=metrics, database=database, seconds=settings.ingestion.ingestion_request_seconds
        )
        for s in sources
    }
    jobs, aggregates, unmatched = JobRepository(database), Aggregates(database), UnmatchedRepository(database)

    home = settings.app.tensoe_home
    tracks = TrackReader(database)
    keeper = IndexKeeper(
        tracks, AlbumMoments(database), threads=threads, folder=home / "indexes", heard=Sittings(database)
    )

    async def forgotten() -> None:
        await keeper.renew()
        await changes.announce()

    async def stored() -> None:
        await cache.clear("catalogue")
        keeper.moved()
        await changes.announce()

    store, profiles = AlbumRepository(database), all_profiles(sources)
    policy = MergePolicy.of(settings.ingestion, profiles)
    models = FeatureModels(database)
    estimates = Estimates(models, policy)
    merging = Merging(profiles=profiles, policy=policy, estimate=estimates, prepare=estimates.prepare)
    upkeep = UpkeepService(
        Remerging(database),
        Storage(database),
        CatalogueState(database),
        FeatureModels(database),
        merging=merging,
        stored=stored,
    )
    asked = [Asked(s, transports[s.profile.name], full=upkeep.full) for s in used]
    runner = IngestRunner(asked, store, merging=merging, stored=stored)
    worker = IngestWorker(
        StepRepository(database),
        WatchedQueue(database, jobs.trace_of),
        Budgets(database),
        asked=asked,
        store=store,
        merging=merging,
        stored=stored,
        unmatched=unmatched,
        settings=settings.ingestion,
        metrics=metrics,
    )
    ingestion = IngestionService(
        runner,
        jobs,
        worker=worker,
        unmatched=unmatched,
        sources=sources,
        used=frozenset(s.profile.name for s in used),
        settings=settings.ingestion,
        metrics=metrics,
        max_batch=settings.api.max_batch_albums,
    )
    pages = PageImport(store, ImportTargets(database), merging=merging, stored=stored)
    work = WorkService(WorkState(database), metrics)
    refreshing = RefreshService(DueRepository(database), Budgets(database), ingestion, settings.ingestion)
    ml = MlService(tracks, settings.ml, threads=threads)
    discovery = DiscoveryService(keeper, tracks, threads=threads)
    users = UserService(build_listeners(sources, transports), cache=cache, ttl=settings.cache.cache_user_ttl)
    known_by: dict[HeardFrom, HeardBy] = {
        HeardFrom.HISTORY: HeardInHistory(HistoryReader(database)),
        HeardFrom.LASTFM: HeardInPublic(users, HeardFrom.LASTFM),
        HeardFrom.LISTENBRAINZ: HeardInPublic(users, HeardFrom.LISTENBRAINZ),
    }
    folders = DataSetFolders(home / "datasets")
    knowledge = Knowledge(TrackSnapshots(database), merging=merging, estimates=estimates)
    datasets = DataSetService(
        knowledge,
        folders,
        exports=home / "dataset-exports",
        profiles=profiles,
    )
    albums, artists = AlbumReader(database), ArtistReader(database)
    analytics = AnalyticsService(
        aggregates, IngestStatistics(database), Facets(database), cache=cache, ttl=settings.cache.cache_default_ttl
    )
    return Services(
        access=AccessService(
            ApiKeys(database), from_settings=settings.api.keys, anonymous_reading=settings.api.anonymous_reading
        ),
        deeds=DeedLog(Deeds(database)),
        backups=BackupService(Dumps(database), home, changed=forgotten),
        settings=settings,
        metrics=metrics,
        pace=pace,
        ingestion=ingestion,
        jobs=JobService(
            JobControl(database),
            jobs,
            retries=RetryRepository(database),
            hints={s.profile.name: s.profile.hint for s in used if s.profile.hint and s.profile.defines},
            nudge=worker.nudge,
        ),
        reports=JobReport(jobs, JobAlbums(database), profiles),
        planning=IngestPlan(
            StoredNames(database),
            Budgets(database),
            JobProgressRepository(database),
            sources=used,
            fresh_days=ingestion.fresh_days,
        ),
        following=JobFollowing(
            JobProgressRepository(database),
            Budgets(database),
            [s.profile for s in used if s.unconfigured() is None],
        ),
        matching=MatchService(unmatched, ingestion),
        refreshing=refreshing,
        demo=DemoService(store, AlbumRemoval(database), merging, stored=stored),
        imports=pages,
        albums=AlbumService(albums, cache=cache, ttl=settings.cache.cache_album_ttl, stored=stored),
        artists=ArtistService(artists),
        search=SearchService(TrackSearch(database), albums, artists, cache=cache, ttl=settings.cache.cache_default_ttl),
        analytics=analytics,
        users=users,
        tastes=TasteService(
            TasteReader(known_by, Tastes(database)),
            Tastes(database),
            engine=MeanOfSeeds(discovery, threads=threads),
            cache=cache,
            ttl=settings.cache.cache_default_ttl,
            threads=threads,
        ),
        system=SystemService(
            settings,
            database=database,
            cache=cache,
            ingestion=ingestion,
            analytics=analytics,
            aggregates=aggregates,
            upkeep=upkeep,
            work=work,
        ),
        work=work,
        ml=ml,
        discovery=discovery,
        map=MapService(
            MapKeeper(keeper, home / "maps"),
            MapColumns(MapFigures(database)),
            tracks,
            PlaylistTracks(database),
            threads=threads,
        ),
        asking=AskingService(discovery, PlaylistTracks(database), Receptions(database), threads=threads),
        training=TrainingService(ml, TrackPages(database)),
        upkeep=upkeep,
        tables=TableImport(
            store,
            TableStore(database),
            Remerging(database),
            pages=pages,
            tags=TagImport(TagTargets(database), Remerging(database), merging=merging),
            merging=merging,
            stored=stored,
        ),
        dumps=DumpImport(build_dumps(), Wanted(database), Remerging(database), merging=merging, stored=stored),
        features=FeatureService(MeasuredTracks(database), models, estimates, rebuild=upkeep.rebuild),
        provenance=ProvenanceService(Histories(database), merging=merging),
        datasets=datasets,
        dataset_comparison=DataSetComparison(folders, RecordChanges(database), profiles=profiles),
        dataset_work=DataSetWork(datasets),
        dataset_preview=DataSetPreview(TrackPages(database), tracks),
        quality=QualityService(
            knowledge, TrackPages(database), folders, cache=cache, ttl=settings.cache.cache_default_ttl
        ),
        listening=ListeningService(ListenRepository(database), gone=forgotten),
        doctor=build_doctor(settings, sources=sources, database=database, cache=cache, metrics=metrics),
        exports=ExportService(
            ml, settings.app.tensoe_home / "exports", provenances=Provenances(database), profiles=profiles
        ),
    )


def build_doctor(
    settings: Settings, *, sources: Sequence[Source], database: Database | None, cache: Cache, metrics: Metrics
) -> Doctor:
    """Who looks everything over.

    Args:
        settings: all groups.
        sources: every registered one.
        database: with tables of ours; None where there is none to be asked.
        cache: in memory or Redis.
        metrics: where requests to sources are counted.
    """
    used = in_use(sources, settings.ingestion)
    names = frozenset(s.profile.name for s in used)
    home = settings.app.tensoe_home

    def budget(source: Source) -> Budget:
        profile = source.profile
        return ProcessBudget(profile.name, profile.limits) if database is None else _budget(profile, database)

    async def configuration() -> list[Finding]:
        return [*check_safety(settings), *check_keys(sources, names), *check_traces()]

    async def machine() -> list[Finding]:
        data = [] if settings.database.database_url is not None else [standing(home) or home]
        return [*check_disk([home, *data]), *check_memory(), *check_folder(home), *await check_cache(cache)]

    checks: dict[str, Check] = {"settings": configuration}
    if database is not None:
        checks |= {
            "database": partial(check_database, database),
            "budgets": partial(check_budgets, Budgets(database)),
            "queue": partial(check_queue, database),
            "rights": partial(check_rights, Storage(database), all_profiles(sources), names),
        }
    reach = partial(check_reach, used, budget=budget, observe=metrics.source_request)
    return Doctor({**checks, "machine": machine}, reach=reach)


def _transport(
    source: Source, *, session: ClientSession, metrics: Metrics, database: Database, seconds: float | None
) -> Transport:
    profile = source.profile
    return Transport(
        profile.name,
        limits=profile.limits if seconds is None else replace(profile.limits, timeout=seconds),
        session=session,
        observe=metrics.source_request,
        memory=SourceMemory(database, profile.name),
        budget=_budget(profile, database),
    )


def _budget(profile: SourceProfile, database: Database) -> SharedBudget:
    return SharedBudget(database, profile.name, rate=profile.limits.rate, concurrent=profile.limits.concurrent)
