"""What a person must decide: kept, shown, decided by the API; and what goes once it is settled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from backend.models.ingestion_models import AlbumQuery, MatchCandidate, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult
from backend.repositories.database import Database
from backend.repositories.unmatched import UnmatchedRepository
from backend.utils.errors import NotFoundError
from tests.fakes.music import ARTIST, SIXTY
from tests.fakes.spotify import FakeSpotify
from tests.fixtures.api import Open

QUERY = AlbumQuery(album="Sixty Songs", artist=ARTIST)
NEAR = MatchCandidate(
    source="spotify", hint="spotify_id", id=SIXTY.id, title=SIXTY.title, artist=ARTIST, year=1999, total_tracks=60,
    score=0.3, penalties={"title": 0.7},
)  # fmt: skip
FAR = MatchCandidate(
    source="spotify", hint="spotify_id", id="x", title="Y", artist="Z", penalties={"title": 0.5, "artist": 0.5}
)


def report(
    outcome: Outcome, *candidates: MatchCandidate, source: str = "spotify", query: AlbumQuery = QUERY
) -> IngestReport:
    said = SourceOutcome(source=source, outcome=outcome, detail="why", candidates=candidates)
    return IngestReport(album=query.album, artist=query.artist, result=IngestResult.NOT_FOUND, sources=(said,))


@pytest.fixture
def entries(database: Database) -> UnmatchedRepository:
    return UnmatchedRepository(database)


async def open_ids(entries: UnmatchedRepository) -> list[int]:
    return [row["id"] for row in (await entries.page(limit=100)).items]


async def test_what_is_offered_is_kept_until_it_is_settled(entries: UnmatchedRepository) -> None:
    await entries.keep(QUERY, report(Outcome.NOT_FOUND, NEAR, FAR))
    await entries.keep(QUERY, report(Outcome.AMBIGUOUS, NEAR, source="deezer"))
    (deezer, spotify) = await open_ids(entries)
    kept = await entries.get(spotify)
    assert (kept.album, kept.artist, kept.source, kept.outcome) == (*_names(), "spotify", Outcome.NOT_FOUND)
    assert kept.candidates == (NEAR,)  # one that shares nothing is no help
    await entries.keep(QUERY, report(Outcome.AMBIGUOUS, replace(NEAR, score=0.4)))
    assert await open_ids(entries) == [deezer, spotify]  # asked again: the same entry
    assert (await entries.get(spotify)).outcome is Outcome.AMBIGUOUS
    await entries.keep(QUERY, report(Outcome.OK))
    assert await open_ids(entries) == [deezer]


def _names() -> tuple[str, str]:
    return QUERY.album, QUERY.artist


@pytest.mark.parametrize(
    "nothing", [report(Outcome.NOT_FOUND), report(Outcome.NOT_FOUND, FAR), report(Outcome.FAILED, NEAR)]
)
async def test_what_nobody_can_decide_is_not_kept(entries: UnmatchedRepository, nothing: IngestReport) -> None:
    await entries.keep(QUERY, nothing)
    assert await open_ids(entries) == []


async def test_dismissed_stays_dismissed_while_the_same_is_offered(entries: UnmatchedRepository) -> None:
    await entries.keep(QUERY, report(Outcome.NOT_FOUND, NEAR))
    (entry,) = await open_ids(entries)
    await entries.dismiss(entry)
    await entries.dismiss(entry)
    await entries.keep(QUERY, report(Outcome.NOT_FOUND, replace(NEAR, score=0.2)))
    assert await open_ids(entries) == []
    await entries.keep(QUERY, report(Outcome.NOT_FOUND, NEAR, replace(NEAR, id="another")))
    assert await open_ids(entries) == [entry]
    with pytest.raises(NotFoundError, match="id 4711"):
        await entries.dismiss(4711)


async def test_pages_follow_one_another(entries: UnmatchedRepository) -> None:
    for n in range(5):
        query = replace(QUERY, album=f"Album {n}")
        await entries.keep(query, report(Outcome.NOT_FOUND, NEAR, query=query))
    first = await entries.page(limit=3)
    second = await entries.page(limit=3, cursor=first.next_cursor)
    assert [row["album"] for row in (*first.items, *second.items)] == [f"Album {n}" for n in (4, 3, 2, 1, 0)]
    assert (first.total, second.next_cursor) == (5, None)


# -- by the API ------------------------------------------------------------------------------------


@pytest.fixture
async def api_of_spotify(open_api: Open) -> AsyncIterator[httpx.AsyncClient]:
    fake = FakeSpotify()
    async with (
        fake.running() as base,
        open_api(**_elsewhere(base), **fake.environment(base), TENSOE_DEMO="off") as client,
    ):
        yield client


def _elsewhere(base: str) -> dict[str, str]:
    """Sources that need no key are asked too: at the same place, where they find nothing."""
    return {
        f"{name}_API_URL": base for name in ("MUSICBRAINZ", "DEEZER", "LISTENBRAINZ", "ACOUSTICBRAINZ", "RECCOBEATS")
    }


async def test_a_person_takes_a_candidate(api_of_spotify: httpx.AsyncClient) -> None:
    asked = await api_of_spotify.post("/ml/ingest/album", json={"album_name": QUERY.album, "artist_name": ARTIST})
    assert asked.status_code in {404, 502}
    listed = (await api_of_spotify.get("/albums/unmatched")).json()
    assert (listed["count"], listed["total"], listed["next_cursor"]) == (1, 1, None)
    (entry,) = listed["data"]
    near = entry["candidates"][0]
    assert (near["id"], near["source"], near["hint"]) == (SIXTY.id, "spotify", "spotify_id")
    assert sum(near["penalties"].values()) == pytest.approx(1 - near["score"])
    where = f"/albums/unmatched/{entry['id']}"
    wrong = await api_of_spotify.post(f"{where}/match", json={"source": "spotify", "id": "nobody"})
    assert wrong.status_code in {400, 422}
    assert SIXTY.id in wrong.text
    taken = await api_of_spotify.post(f"{where}/match", json={"source": "spotify", "id": near["id"]})
    assert taken.status_code == 200, taken.text
    album = (await api_of_spotify.get(f"/albums/{taken.json()['album_id']}")).json()
    assert album["title"] == SIXTY.title
    assert (await api_of_spotify.get("/albums/unmatched")).json()["data"] == []
    assert (await api_of_spotify.post(f"{where}/match", json={"source": "spotify", "id": "x"})).status_code == 404


async def test_a_person_dismisses_an_entry(api_of_spotify: httpx.AsyncClient) -> None:
    await api_of_spotify.post("/ml/ingest/album", json={"album_name": QUERY.album, "artist_name": ARTIST})
    (entry,) = (await api_of_spotify.get("/albums/unmatched?limit=1")).json()["data"]
    assert (await api_of_spotify.post(f"/albums/unmatched/{entry['id']}/dismiss")).status_code == 204
    assert (await api_of_spotify.get("/albums/unmatched")).json()["total"] == 0
    assert (await api_of_spotify.post("/albums/unmatched/4711/dismiss")).status_code == 404
    assert (await api_of_spotify.get("/albums/unmatched?cursor=abc")).status_code in {400, 422}


async def test_a_source_that_takes_no_hint_cannot_be_told(api: httpx.AsyncClient, entries: UnmatchedRepository) -> None:
    await entries.keep(QUERY, report(Outcome.NOT_FOUND, replace(NEAR, source="lastfm", hint="")))
    (entry,) = await open_ids(entries)
    answer = await api.post(f"/albums/unmatched/{entry}/match", json={"source": "lastfm", "id": NEAR.id})
    assert answer.status_code in {400, 422}
    assert "under the name it has there" in answer.text
