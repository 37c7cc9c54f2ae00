"""What the doctor finds: against a real PostgreSQL, and folders and figures of the machine as they may be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.cache import MemoryCache
from backend.config.settings import ApiSettings, DatabaseSettings, Settings
from backend.ingestion.budget import ProcessBudget
from backend.ingestion.reccobeats_fetcher import ReccoBeatsSettings, ReccoBeatsSource
from backend.ingestion.registry import all_profiles, build_sources
from backend.ingestion.source import Source
from backend.models.diagnosis import Diagnosis, Finding, Grade, ok, problem, warning
from backend.repositories.album_store import AlbumRepository
from backend.repositories.budget_states import Budgets
from backend.repositories.budgets import SharedBudget
from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.step_queue import Message, StepQueue, put
from backend.repositories.storage import Storage
from backend.repositories.vitals import read_vitals
from backend.services.checks import machine
from backend.services.checks.configuration import check_file, check_keys, check_safety, check_traces, variables
from backend.services.checks.reach import check_reach, clock
from backend.services.checks.storage import check_database, read_findings
from backend.services.checks.work import check_budgets, check_queue, check_rights
from backend.services.doctor import Doctor
from backend.utils.errors import DatabaseUnreachableError
from backend.utils.redaction import remember_secrets
from tests.fakes.reccobeats import FakeReccoBeats
from tests.fakes.server import says, too_many
from tests.fixtures.api import environment
from tests.fixtures.postgres import with_database
from tests.integration.repositories.samples import album, record
from tests.integration.working import albums
from tests.levels import whole

_NOBODY = 65534


def by_check(found: Sequence[Finding]) -> dict[str, Finding]:
    return {f.check: f for f in found}


# -- the database ------------------------------------------------------------------------------------------


async def test_a_database_in_order(database: Database) -> None:
    found = await check_database(database)
    assert {f.grade for f in found} == {Grade.OK}
    assert "the newest" in by_check(found)["tables"].said
    assert "agrees" in by_check(found)["clock: database"].said


async def test_tables_that_are_not_there_or_not_the_newest(database: Database, postgres_dsn: str) -> None:
    async with database.connection() as connection:
        newest = await connection.fetchval("SELECT version_num FROM alembic_version")
        await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        tables = by_check(await check_database(database))["tables"]
    finally:
        async with database.connection() as connection:
            await connection.execute("UPDATE alembic_version SET version_num = $1", newest)
    assert (tables.grade, tables.said) == (Grade.WARNING, f"revision 0001 instead of {newest}")
    assert "alembic upgrade head" in tables.remedy
    settings = DatabaseSettings(database_url=SecretStr(with_database(postgres_dsn, "postgres")))
    bare = await Database.open(settings, home=Path("/nowhere"))
    try:
        found = by_check(await check_database(bare))
    finally:
        await bare.close()
    assert found["tables"].grade is Grade.WARNING
    assert "extensions" not in found  # the migrations install them


async def test_an_extension_that_is_missing(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
        async with connection.transaction():
            await connection.execute("UPDATE pg_extension SET extname = 'hidden' WHERE extname = 'pg_trgm'")
    try:
        found = by_check(await check_database(database))["extensions"]
    finally:
        async with database.connection() as connection:
            await connection.execute("UPDATE pg_extension SET extname = 'pg_trgm' WHERE extname = 'hidden'")
    assert found.grade is Grade.PROBLEM
    assert "CREATE EXTENSION pg_trgm" in found.remedy


async def test_a_database_that_is_read_only(database: Database) -> None:
    async with database.connection() as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    fresh = await Database.open(DatabaseSettings(database_url=SecretStr(database.dsn)), home=Path("/nowhere"))
    try:
        found = by_check(await check_database(fresh))["database"]
        async with database.connection() as connection:
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    finally:
        await fresh.close()
    assert found.grade is Grade.PROBLEM
    assert "can only be read" in found.said


async def test_an_idle_transaction_and_connections_that_run_out(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.fetchval("SELECT 1")
        await asyncio.sleep(0.1)
        vitals = await read_vitals(database)
    assert vitals.idle_seconds is not None
    assert 0.1 <= vitals.idle_seconds < 100
    assert 2 <= vitals.connections < vitals.most
    worse = replace(vitals, idle_seconds=301.0, connections=80, most=97)
    found = by_check(read_findings(worse, name="PostgreSQL"))
    assert found["transactions"].grade is Grade.WARNING
    assert "pg_stat_activity" in found["transactions"].remedy
    assert found["connections"].grade is Grade.WARNING
    assert "max_connections" in found["connections"].remedy


def test_clocks() -> None:
    assert clock("c", 4.9, "theirs").grade is Grade.OK
    behind = clock("c", 3600.0, "theirs")
    assert (behind.grade, behind.said) == (Grade.WARNING, "this machine's clock is 3,600 s behind theirs")
    assert "ahead of theirs" in clock("c", -6.0, "theirs").said


# -- work ------------------------------------------------------------------------------------------


async def test_budgets_that_are_parked_used_up_or_slowed(database: Database) -> None:
    (quiet,) = await check_budgets(Budgets(database))
    assert quiet.grade is Grade.OK
    for name in ("parked", "full", "slow", "fine"):
        async with SharedBudget(database, name, rate=1000.0, concurrent=1).turn(None):
            pass
    until = datetime.now(UTC) + timedelta(hours=14)
    await SharedBudget(database, "parked", rate=1000.0, concurrent=1).park(until, reason="asks us to wait")
    async with database.connection() as connection:
        await connection.execute("UPDATE source_budgets SET quota = 100, quota_at = now() WHERE key = 'full'")
        await connection.execute("UPDATE source_calls SET calls = 95 WHERE key = 'full'")
        await connection.execute("UPDATE source_budgets SET rate = 400 WHERE key = 'slow'")
    found = by_check(await check_budgets(Budgets(database)))
    assert found.keys() == {"budget: parked", "budget: full", "budget: slow"}
    assert {f.grade for f in found.values()} == {Grade.WARNING}
    assert f"parked until {until:%Y-%m-%d %H:%M:%S} UTC: asks us to wait" in found["budget: parked"].said
    assert "95 of the 100" in found["budget: full"].said
    assert "400.00 of 1000.00" in found["budget: slow"].said


async def test_work_that_nobody_does(database: Database) -> None:
    assert (await check_queue(database))[0].grade is Grade.OK
    await JobRepository(database).create(albums(2))
    (workers,) = await check_queue(database)
    assert workers.grade is Grade.PROBLEM
    assert "tensoe worker" in workers.remedy or "worker" in workers.remedy


async def test_a_worker_is_seen_while_it_works(database: Database) -> None:
    await JobRepository(database).create(albums(1))
    queue = StepQueue(database)

    async def nothing(_: Message) -> None:
        """No step comes."""

    task = asyncio.create_task(queue.run(nothing, sources=["one"], at_once=1))
    try:
        async with asyncio.timeout(30):
            while "1 at work" not in (workers := (await check_queue(database))[0]).said:
                await asyncio.sleep(0.05)
        assert workers.grade is Grade.OK
    finally:
        queue.stop()
        await task


async def test_steps_overdue_lost_and_jobs_that_stand_still(database: Database) -> None:
    job_id = await JobRepository(database).create(albums(3))
    async with database.transaction() as connection:
        await put(connection, [Message(job_id, n, "one", 0) for n in (1, 2)])
        await connection.execute(
            "UPDATE tensoe_pgqueuer SET status = 'picked', heartbeat = now() - interval '10 minutes' WHERE id = "
            "(SELECT min(id) FROM tensoe_pgqueuer)"
        )
        await connection.execute("UPDATE ingest_jobs SET created_at = now() - interval '3 hours'")
        await connection.execute("UPDATE ingest_items SET changed_at = now() - interval '2 hours'")
        await connection.execute(
            "UPDATE ingest_items SET state = 'done', result = 'failed', finished_at = now() WHERE position = 3"
        )
        await connection.execute(
            "UPDATE tensoe_pgqueuer SET created = now() - interval '2 hours', execute_after = now() - interval '2 hours' "
            "WHERE status = 'queued'"
        )
    found = by_check(await check_queue(database))
    assert found["workers"].grade is Grade.PROBLEM
    assert "start a worker" in found["dead workers"].remedy
    async with database.connection() as kept:
        await kept.execute("SET application_name = 'tensoe worker'")  # as a worker does
        found = by_check(await check_queue(database))
        await kept.execute("RESET application_name")
    assert found["workers"].grade is Grade.OK
    assert "due for 120 minutes" in found["queue"].said
    assert found["dead workers"].grade is Grade.WARNING
    assert "silent for up to 10 minutes" in found["dead workers"].said
    assert found["jobs"].grade is Grade.WARNING
    assert job_id in found["jobs"].said
    assert "1 albums failed" in found["dead letters"].said
    async with database.connection() as connection:
        await connection.execute("UPDATE ingest_items SET retried_by = 'another' WHERE position = 3")
    assert "dead letters" not in by_check(await check_queue(database))
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO ingest_steps (job_id, position, source, state, not_before, at) "
            "VALUES ($1, 1, 'one', 'parked', now() + interval '14 hours', now() - interval '2 hours')",
            job_id,
        )
    assert "jobs" not in by_check(await check_queue(database))  # it waits for a source, as it should


async def test_rights_and_caps(database: Database) -> None:
    profiles = all_profiles(build_sources())
    found = by_check(await check_rights(Storage(database), profiles, frozenset({"spotify", "aoty", "lastfm"})))
    assert found["rights"].grade is Grade.WARNING
    assert found["rights"].said.startswith("the terms of spotify bar machine learning")
    assert "aoty do not say" in found["rights"].said
    assert found["storage: lastfm"].grade is Grade.OK
    found = by_check(await check_rights(Storage(database), profiles, frozenset({"musicbrainz"})))
    assert found["rights"].grade is Grade.OK
    await AlbumRepository(database).save_many([(whole(album()), [record("lastfm")])])
    kept = (await Storage(database).bytes_by_source())["lastfm"]
    for cap, grade in ((kept * 2, Grade.OK), (kept + 1, Grade.WARNING), (kept, Grade.PROBLEM)):
        capped = {"lastfm": replace(profiles["lastfm"], storage_cap=cap)}
        assert (await check_rights(Storage(database), capped, frozenset()))[-1].grade is grade


# -- settings ------------------------------------------------------------------------------------------


def test_a_file_of_settings(tmp_path: Path) -> None:
    file, known = tmp_path / ".env", ["spotify_client_id", "lastfm_api_key"]
    assert check_file(None, known)[0].grade is Grade.OK
    assert check_file(file, known)[0].grade is Grade.OK
    file.write_text("SPOTIFY_CLIENT_ID=0123456789\nHTTP_PROXY=x\n")
    file.chmod(0o600)
    assert [f.grade for f in check_file(file, known)] == [Grade.OK]
    file.write_text("SPOTIFY_CLIENT_IDD=0123456789\n")
    (unknown,) = check_file(file, known)
    assert unknown.grade is Grade.WARNING
    assert "SPOTIFY_CLIENT_ID is meant" in unknown.remedy
    assert "0123456789" not in str(unknown)
    file.write_text("LASTFM_API_KEY=0123456789\n")
    file.chmod(0o644)
    (open_,) = check_file(file, known)
    assert (open_.grade, open_.remedy) == (Grade.WARNING, f"chmod 600 {file}")
    file.write_bytes(b"LASTFM_API_KEY=\xff\xfe\n")
    assert "no UTF-8 (byte 16)" in check_file(file, known)[0].said
    file.unlink()
    file.mkdir()
    assert check_file(file, known)[0].grade is Grade.PROBLEM


@contextlib.contextmanager
def a_user(folder: Path) -> Iterator[Path]:
    """A folder that an ordinary user can reach, and we as one: root may read and write everything."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / folder
        path.parent.chmod(0o755)
        path.mkdir()
        if os.geteuid() != 0:
            yield path
            return
        os.chown(path, _NOBODY, -1)
        os.setresuid(_NOBODY, _NOBODY, 0)
        try:
            yield path
        finally:
            os.setresuid(0, 0, 0)


def test_what_may_not_be_read_or_written() -> None:
    with a_user(Path("home")) as home:
        file = home / ".env"
        file.write_text("A=1\n")
        file.chmod(0)
        unread = check_file(file, [])
        home.chmod(0o500)
        unwritten, unmade = machine.check_folder(home), machine.check_folder(home / "deeper")
        home.chmod(0)
        closed, room = machine.check_folder(home / "deeper" / "still"), machine.check_disk([home / "deeper"])
        home.chmod(0o700)
    assert [f.grade for f in (*unread, *unwritten, *unmade, *closed)] == [Grade.PROBLEM] * 4
    assert "cannot be read" in unread[0].said
    assert "cannot be written" in unwritten[0].said
    assert "cannot be made" in unmade[0].said
    assert "cannot be entered" in closed[0].said
    assert room[0].check == "disk"


def test_keys_that_are_missing_say_where_to_get_them() -> None:
    sources = build_sources()
    found = by_check(check_keys(sources, frozenset(s.profile.name for s in sources)))
    assert found["key: spotify"].grade is Grade.WARNING
    assert "SPOTIFY_CLIENT_ID" in found["key: spotify"].said
    assert "https://developer.spotify.com/dashboard" in found["key: spotify"].remedy
    assert found["key: musicbrainz"].grade is Grade.OK  # switched off by who runs it
    assert "key: demo" not in found
    assert check_keys(sources, frozenset()) == []


def test_traces_that_cannot_be_sent() -> None:
    assert check_traces() == []
    with environment(OTEL_TRACES_EXPORTER="zipkin"):
        (found,) = check_traces()
    assert (found.grade, found.said) == (Grade.WARNING, "nothing is traced")
    assert "zipkin is not known" in found.remedy


def test_strangers_may_not_write_unnoticed() -> None:
    with environment(API_HOST="0.0.0.0", TENSOE_CONTACT=""):
        found = by_check(check_safety(Settings()))
    assert found["API keys"].grade is Grade.WARNING
    assert found["contact"].grade is Grade.WARNING
    with environment(API_HOST="127.0.0.1", TENSOE_CONTACT="me@example.org"):
        assert [f.grade for f in check_safety(Settings())] == [Grade.OK]
    with environment(API_KEYS="planted-key-0001", TENSOE_CONTACT="me@example.org"):
        (found_,) = check_safety(Settings())
    assert found_.grade is Grade.OK
    assert "planted" not in found_.said
    assert variables([ApiSettings]) >= {"API_KEYS", "API_HOST"}


# -- the machine ------------------------------------------------------------------------------------------


def test_disk() -> None:
    home = Path("/home")
    grades = [machine.disk(home, n * 10**8).grade for n in (9, 11, 49, 51)]
    assert grades == [Grade.PROBLEM, Grade.WARNING, Grade.WARNING, Grade.OK]
    assert [f.check for f in machine.check_disk([Path("/no such/folder"), Path("/another")])] == ["disk"]


def test_memory(tmp_path: Path) -> None:
    memory, group = tmp_path / "meminfo", tmp_path / "group"
    assert machine.check_memory(memory=memory, group=group) == []
    memory.write_text("MemTotal:  16000000 kB\nMemAvailable:  8000000 kB\n")
    assert machine.check_memory(memory=memory, group=group)[0].grade is Grade.OK
    group.mkdir()
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("900000000\n")
    assert machine.check_memory(memory=memory, group=group)[0].grade is Grade.OK
    (group / "memory.max").write_text("1500000000\n")
    assert machine.check_memory(memory=memory, group=group)[0].said == "0.6 GB available"
    (group / "memory.max").write_text("1000000000\n")
    assert machine.check_memory(memory=memory, group=group)[0].grade is Grade.PROBLEM


def test_folders(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert machine.check_folder(home)[0].grade is Grade.OK
    assert not home.exists()
    home.mkdir()
    assert machine.check_folder(home)[0].grade is Grade.OK
    home.chmod(0o777)
    assert machine.check_folder(home)[0].remedy == f"chmod o-w {home}"
    file = tmp_path / "file"
    file.write_text("")
    assert "no folder" in machine.check_folder(file)[0].said


async def test_cache() -> None:
    assert (await machine.check_cache(MemoryCache(lambda _: None)))[0].grade is Grade.OK
    from backend.cache.redis_cache import RedisCache

    away = RedisCache("redis://:planted-password@127.0.0.1:1/0", lambda _: None)
    (found,) = await machine.check_cache(away)
    await away.close()
    assert found.grade is Grade.WARNING
    assert "REDIS_URL" in found.remedy
    assert "planted" not in str(found)


# -- reach, and the whole ------------------------------------------------------------------------------------------


async def test_what_sources_say_becomes_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    def budget(source: Source) -> ProcessBudget:
        return ProcessBudget(source.profile.name, source.profile.limits)

    def at(address: str) -> Source:
        return ReccoBeatsSource(ReccoBeatsSettings(reccobeats_enabled=True, reccobeats_api_url=address))

    fake = FakeReccoBeats()
    async with fake.running() as base:
        fake.plan(says("{}"), too_many("3600"))
        good = await check_reach([at(base)], budget=budget, observe=lambda *_: None)
        throttled = await check_reach([at(base)], budget=budget, observe=lambda *_: None)
    assert [(f.check, f.grade) for f in good] == [("reach: reccobeats", Grade.OK), ("clock: sources", Grade.OK)]
    assert throttled[0].grade is Grade.WARNING
    assert throttled[0].said.startswith("throttled until 2")
    nowhere = at("http://no-such-host.invalid")
    (offline,) = await check_reach([nowhere], budget=budget, observe=lambda *_: None)
    assert offline.grade is Grade.PROBLEM
    assert offline.check == "reach"
    assert "this machine is offline" in offline.said
    off = ReccoBeatsSource(ReccoBeatsSettings(reccobeats_enabled=False))
    assert await check_reach([off], budget=budget, observe=lambda *_: None) == []


async def test_a_check_that_breaks_is_a_finding_and_the_others_are_made() -> None:
    remember_secrets(["planted-secret-7"])

    async def breaks() -> list[Finding]:
        raise KeyError("x")

    async def unreachable() -> list[Finding]:
        raise DatabaseUnreachableError("nobody\nanswers with planted-secret-7")

    async def fine() -> list[Finding]:
        return [ok("fine", "fine"), warning("so", "so so", remedy="do")]

    found = await Doctor({"a": breaks, "b": unreachable, "c": fine}, reach=None).examine()
    shown = by_check(found.findings)
    assert (found.grade, found.problems, found.warnings) == (Grade.PROBLEM, 2, 1)
    assert "KeyError" in shown["a"].said
    assert shown["b"].said == "nobody answers with ********"
    assert [shown["fine"].grade, shown["so"].grade] == [Grade.OK, Grade.WARNING]


async def test_sources_are_asked_once_a_minute_at_most_and_not_at_all_offline() -> None:
    asked = 0

    async def reached() -> list[Finding]:
        nonlocal asked
        asked += 1
        return [problem("reach", "no", remedy="x")]

    doctor = Doctor({}, reach=reached)
    assert (await doctor.examine(offline=True)).findings == ()
    first, second = await asyncio.gather(doctor.examine(), doctor.examine())
    assert first == second == Diagnosis.of([problem("reach", "no", remedy="x")])
    assert asked == 1
