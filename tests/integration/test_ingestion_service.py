"""Jobs worked off on a real PostgreSQL: what breaks, what is throttled, what stops, what is given back, who comes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Outcome
from backend.models.results import IngestResult
from backend.repositories.database import Database
from backend.repositories.step_queue import Message
from backend.repositories.steps import StepRepository
from backend.services.ingestion_service import IngestionService
from backend.utils.errors import (
    BlockedError,
    BusyError,
    HintError,
    InvalidInputError,
    RecordNotFoundError,
    ServerFaultError,
    ThrottledError,
)
from tests.integration.working import Told, albums, ingesting, record_of, until

Started = list[IngestionService]


@pytest.fixture
async def started() -> AsyncIterator[Started]:
    """Services that the test starts; they are stopped after it."""
    running: Started = []
    yield running
    for each in running:
        await each.stop()


def start(service: IngestionService, started: Started) -> IngestionService:
    started.append(service)
    service.start()
    return service


async def a_while(query: AlbumQuery) -> AlbumRecord:
    await asyncio.sleep(0.05)
    return record_of(query)


async def test_a_list_is_worked_off_so_many_of_a_source_at_a_time(database: Database, started: Started) -> None:
    one, other = Told("one", a_while), Told("other", a_while, stage="enrichment")
    ours = start(ingesting(database, [one, other]), started)
    status = await until(ours, await ours.submit(albums(12)))
    assert status.counts["complete"] == 12, status.items[0]
    assert (len(one.asked), len(other.asked)) == (12, 12)
    assert one.most == 3
    assert {i.album_id is not None for i in status.items} == {True}
    assert [o.source for o in status.items[0].sources] == ["one", "other"]


async def test_later_stages_know_what_earlier_ones_found(database: Database, started: Started) -> None:
    async def label(query: AlbumQuery) -> AlbumRecord:
        return record_of(query, label="Small Boats")

    first, later = Told("first", label), Told("later", stage="completion")
    ours = start(ingesting(database, [first, later]), started)
    await until(ours, await ours.submit(albums(1)))
    assert first.asked[0].known is None
    assert later.asked[0].known is not None
    assert later.asked[0].known.label == "Small Boats"


async def test_what_breaks_is_reported_and_the_rest_goes_on(database: Database, started: Started) -> None:
    async def breaks(query: AlbumQuery) -> AlbumRecord:
        if query.album == "Album 3":
            raise ZeroDivisionError
        return record_of(query)

    ours = start(ingesting(database, [Told("one", breaks)]), started)
    status = await until(ours, await ours.submit(albums(6)))
    assert (status.counts["complete"], status.counts["failed"]) == (5, 1)
    broken = next(i for i in status.items if i.album == "Album 3")
    assert "internal error (ZeroDivisionError)" in (broken.detail or "")


async def test_a_fault_that_may_pass_is_tried_again_and_then_has_failed(database: Database, started: Started) -> None:
    async def faulty(query: AlbumQuery) -> AlbumRecord:
        tries = sum(q.album == query.album for q in source.asked)
        if query.album == "Album 0" or tries < 3:
            raise ServerFaultError("answered 500")
        return record_of(query)

    source = Told("one", faulty)
    ours = start(ingesting(database, [source]), started)
    status = await until(ours, await ours.submit(albums(2)))
    assert (status.counts["complete"], status.counts["failed"]) == (1, 1)
    assert len(source.asked) == 6
    assert "answered 500" in (status.items[0].detail or "")


async def test_a_throttled_source_holds_nobody_back_and_is_asked_again_when_it_may(
    database: Database, started: Started
) -> None:
    until_when = datetime.now(UTC) + timedelta(seconds=5)

    async def throttled(query: AlbumQuery) -> AlbumRecord:
        if datetime.now(UTC) < until_when:
            raise ThrottledError("come later", until=until_when)
        return record_of(query, ids={"early": "e1"})

    async def needs_the_id(query: AlbumQuery) -> AlbumRecord:
        if query.known is None or "early" not in query.known.ids:
            raise RecordNotFoundError("asked by an id that nobody knows")
        return record_of(query)

    early, second = Told("early", throttled), Told("second", stage="catalogue")
    late = Told("late", needs_the_id, stage="enrichment")
    ours = start(ingesting(database, [early, second, late]), started)
    job_id = await ours.submit(albums(4))
    status = await until(ours, job_id, waiting=4)
    assert datetime.now(UTC) < until_when + timedelta(seconds=20)
    assert {i.result for i in status.items} == {IngestResult.PARTIAL}
    assert all(i.album_id for i in status.items)  # stored as far as it is known
    outcomes = {o.source: o for o in status.items[0].sources}
    assert (outcomes["early"].outcome, outcomes["late"].outcome) == (Outcome.THROTTLED, Outcome.NOT_FOUND)
    assert outcomes["early"].retry_at == until_when
    status = await until(ours, job_id)
    assert status.counts["complete"] == 4
    assert {o.source: o.outcome for o in status.items[0].sources} == dict.fromkeys(
        ("early", "late", "second"), Outcome.OK
    )
    assert len(second.asked) == 4  # who had answered is not asked again


async def test_what_nobody_could_say_is_told_apart(database: Database, started: Started) -> None:
    async def says(query: AlbumQuery) -> AlbumRecord:
        match query.album:
            case "Album 0":
                raise BlockedError("a challenge")
            case "Album 1":
                raise ThrottledError("tomorrow", until=datetime(2100, 1, 1, tzinfo=UTC))
            case "Album 2":
                raise RecordNotFoundError("unknown")
            case _:
                return record_of(query)

    ours = start(ingesting(database, [Told("one", says)]), started)
    job_id = await ours.submit(albums(4))
    status = await until(ours, job_id, blocked=1, not_found=1, complete=1, waiting=1)
    assert [i.result for i in status.items] == ["blocked", "throttled", "not_found", "complete"]
    assert status.finished_at is None  # a throttled album is not done with


async def test_a_page_given_wrongly_closes_its_album_alone(database: Database, started: Started) -> None:
    async def says(query: AlbumQuery) -> AlbumRecord:
        if query.hints:
            raise HintError("aoty_html: this is no album page")
        return record_of(query)

    ours = start(ingesting(database, [Told("one", says), Told("two", stage="completion")]), started)
    bad = AlbumQuery(album="x", artist="y", hints={"aoty_html": "<p>"})
    status = await until(ours, await ours.submit([bad, *albums(2)]))
    assert (status.counts["complete"], status.counts["failed"]) == (2, 1)
    assert status.items[0].detail == "aoty_html: this is no album page"
    assert (status.items[0].album_id, status.items[0].sources) == (None, ())


async def test_a_source_without_its_key_is_named_and_not_asked(database: Database, started: Started) -> None:
    keyless = Told("keyless", unconfigured="A_KEY not set")
    ours = start(ingesting(database, [Told("one"), keyless]), started)
    status = await until(ours, await ours.submit(albums(1)))
    assert status.counts["complete"] == 1
    assert keyless.asked == []
    assert {o.source: o.detail for o in status.items[0].sources}["keyless"] == "A_KEY not set"


async def test_no_source_at_all_is_said(database: Database, started: Started) -> None:
    ours = start(ingesting(database, [Told("keyless", unconfigured="A_KEY not set")]), started)
    status = await until(ours, await ours.submit(albums(1)))
    assert status.counts["failed"] == 1
    assert "no source is configured" in (status.items[0].detail or "")


async def test_a_step_whose_workers_die_each_time_is_given_up(database: Database, started: Started) -> None:
    source = Told("one")
    ours = ingesting(database, [source])
    job_id = await ours.submit(albums(1))
    steps = StepRepository(database)
    assert await steps.feed(ours._worker._following, window=10, most=10) == 1
    for _ in range(10):  # begun, and never heard of again
        assert await steps.begin(Message(job_id, 1, "one", 0)) is not None
    status = await until(start(ours, started), job_id)
    assert (status.counts["failed"], source.asked) == (1, [])
    assert "given up after 10 tries" in (status.items[0].detail or "")


async def test_stopping_gives_back_what_is_in_work(database: Database, started: Started) -> None:
    async def forever(_: AlbumQuery) -> AlbumRecord:
        await asyncio.sleep(600)
        raise AssertionError

    stuck = Told("one", forever)
    first = ingesting(database, [stuck], lost_after=60.0)
    first.start()
    job_id = await first.submit(albums(12))
    async with asyncio.timeout(30):
        while stuck.now < 3:
            await asyncio.sleep(0.02)
    async with asyncio.timeout(8):
        await first.stop()
    second = start(ingesting(database, [Told("one")], lost_after=60.0), started)
    assert (await until(second, job_id)).counts["complete"] == 12


async def test_two_workers_share_a_list_and_each_album_is_asked_for_once(database: Database, started: Started) -> None:
    sources = [Told("one", a_while), Told("one", a_while)]
    services = [ingesting(database, [source]) for source in sources]
    job_id = await services[0].submit(albums(40))
    for each in services:
        start(each, started)
    assert (await until(services[0], job_id)).counts["complete"] == 40
    assert sum(len(s.asked) for s in sources) == 40
    assert all(s.asked for s in sources)


async def test_a_small_job_is_not_stuck_behind_a_huge_one(database: Database, started: Started) -> None:
    source = Told("one", a_while)
    ours = start(ingesting(database, [source], ingestion_window=60), started)
    huge = await ours.submit(albums(400, artist="Huge"))
    await until(ours, huge, complete=20)
    small = await ours.submit(albums(30, artist="Small"))
    status = await until(ours, small)
    assert status.counts["complete"] == 30
    asked = [q.artist for q in source.asked]
    assert asked.index("Small") < 90
    # Taking turns, and not one after the other.
    assert "Huge" in asked[asked.index("Small") : len(asked) - asked[::-1].index("Small")]
    assert (await ours.status(huge)).counts["queued"] > 200


async def test_the_more_urgent_job_goes_first(database: Database, started: Started) -> None:
    source = Told("one", a_while)
    ours = ingesting(database, [source])
    later = await ours.submit(albums(20, artist="Later"))
    urgent = await ours.submit(albums(10, artist="Urgent"), priority=10)
    start(ours, started)
    await until(ours, later)
    asked = [q.artist for q in source.asked]
    # Three are on their way at once, so that the last of them may be asked for beside the first of the others.
    assert set(asked[:7]) == {"Urgent"}
    assert "Urgent" not in asked[13:]
    assert (await ours.status(urgent)).counts["complete"] == 10


async def test_a_message_that_is_lost_is_put_again(database: Database, started: Started) -> None:
    ours = ingesting(database, [Told("one")])
    job_id = await ours.submit(albums(3))
    steps = StepRepository(database)
    await steps.feed(ours._worker._following, window=10, most=10)
    async with database.connection() as connection:
        await connection.execute("TRUNCATE tensoe_pgqueuer")
    assert await steps.mend(older_than=0.0) == 3
    assert (await until(start(ours, started), job_id)).counts["complete"] == 3


async def test_an_end_that_comes_twice_counts_once(database: Database) -> None:
    from backend.models.ingestion_models import SourceOutcome
    from backend.models.steps import StepEnd

    ours = ingesting(database, [Told("one")])
    job_id = await ours.submit(albums(1))
    steps, following = StepRepository(database), ours._worker._following
    await steps.feed(following, window=10, most=10)
    message = Message(job_id, 1, "one", 0)
    first, second = await steps.begin(message), await steps.begin(message)
    assert first is not None
    assert second is not None
    end = StepEnd(outcome=SourceOutcome(source="one", outcome=Outcome.OK, detail="\0odd \ud800"))
    assert await steps.end(first, end, following)
    assert not await steps.end(second, end, following)
    store = Message(job_id, 1, "", 1)
    gathered = await steps.gather(store)
    assert gathered is not None
    assert gathered.outcomes[0].detail == "odd ?"


async def test_too_many_at_once_by_hand_are_told_to_come_again(database: Database) -> None:
    gate = asyncio.Event()

    async def work(query: AlbumQuery) -> AlbumRecord:
        await gate.wait()
        return record_of(query)

    ours = ingesting(database, [Told("one", work)], ingestion_max_concurrent=1)
    asked = albums(12)
    waiting = [asyncio.create_task(ours.ingest(query)) for query in asked[:10]]
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="send a batch"):
        await ours.ingest(asked[11])
    gate.set()
    reports = await asyncio.gather(*waiting)
    assert {r.result for r in reports} == {IngestResult.COMPLETE}
    assert len(await ours.jobs(limit=50)) == 10


async def test_by_hand_too_who_was_throttled_is_asked_again_later(database: Database, started: Started) -> None:
    until_when = datetime.now(UTC) + timedelta(seconds=1)

    async def throttled(query: AlbumQuery) -> AlbumRecord:
        if datetime.now(UTC) < until_when:
            raise ThrottledError("come later", until=until_when)
        assert query.known is not None
        return record_of(query, label="At Last")

    ours = ingesting(database, [Told("one"), Told("two", throttled, stage="completion")])
    report = await ours.ingest(albums(1)[0])
    assert report.result is IngestResult.PARTIAL
    (job,) = await ours.jobs()
    assert job.finished_at is None
    status = await until(start(ours, started), job.id)
    assert status.counts["complete"] == 1
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT label FROM albums") == "At Last"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "is empty"),
        ([AlbumQuery(album="x", artist="y")] * 21, "20 are the most"),
        (
            [AlbumQuery(album="x", artist="y"), AlbumQuery(album=" \t", artist="y")],
            "album 2 of the list: album_name is empty",
        ),
        ([AlbumQuery(album="x", artist="\ud800")], "artist_name holds half a character"),
    ],
)
async def test_a_list_that_does_not_fit_is_refused_whole(
    database: Database, asked: list[AlbumQuery], said: str
) -> None:
    ours = ingesting(database, [Told("one")], max_batch=20)
    with pytest.raises(InvalidInputError, match=said):
        await ours.accept(asked)
    assert await ours.jobs() == []


async def test_a_list_from_a_file_may_be_of_any_length(database: Database) -> None:
    ours = ingesting(database, [Told("one")], max_batch=20)
    job_id = await ours.submit([AlbumQuery(album=f"x{n}", artist="y") for n in range(12_000)])
    found = await ours.status(job_id, offset=11_999)
    assert (found.total, [i.album for i in found.items]) == (12_000, ["x11999"])


async def test_hints_of_any_text_wait_with_their_album(database: Database, started: Started) -> None:
    source = Told("one")
    ours = ingesting(database, [source])
    hinted = AlbumQuery(album="x", artist="y", hints={"aoty_url": "http://a\0b", "aoty_html": "<p>\x01 é"})
    job_id = await ours.submit([hinted])
    await until(start(ours, started), job_id)
    assert source.asked[0].hints == {"aoty_url": "http://ab", "aoty_html": "<p>\x01 é"}
    with pytest.raises(InvalidInputError, match="aoty_html holds half a character"):
        await ours.submit([AlbumQuery(album="x", artist="y", hints={"aoty_html": "\udfff"})])
