"""Real replies of the services, where some are kept beside the project: each parses or is refused by name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from backend.ingestion.aoty_page import LayoutChangedError, read_page, read_search
from backend.ingestion.lastfm_client import LastfmSettings, call
from backend.ingestion.lastfm_listener import Kind, LastfmListener
from backend.ingestion.lastfm_wire import read_album, read_tags
from backend.ingestion.spotify_client import SpotifyClient, SpotifySettings
from backend.ingestion.spotify_wire import read_album as read_spotify_album
from backend.ingestion.spotify_wire import read_candidates
from backend.ingestion.transport import Limits, Transport, open_session
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import MalformedReplyError, RateLimitedError, RecordNotFoundError, SourceError
from tests.fakes.server import Fake, says
from tests.fixtures.twin import SHARED

REAL = SHARED / "data" / "payloads"
LASTFM = sorted((REAL / "lastfm").rglob("*.json"))
SPOTIFY = sorted((REAL / "spotify").rglob("*.json"))
NO_TAGS: dict[str, Any] = {"toptags": {}}

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="real payloads are not beside the project")


def named(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=lambda f: f.stem)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


class Served:
    """One file as the answer to everything."""

    def __init__(self, transport: Transport, base: str) -> None:
        self.transport = transport
        self.lastfm = LastfmSettings(lastfm_api_key="any-key", lastfm_api_url=base)
        self.spotify = SpotifyClient(
            SpotifySettings(
                spotify_client_id="id", spotify_client_secret="secret", spotify_api_url=base, spotify_accounts_url=base
            )
        )

    async def method(self, method: str, *roots: str) -> dict[str, Any]:
        return await call(self.lastfm, self.transport, method, roots=roots, params={"artist": "x"})

    async def get(self, path: str, has: str) -> dict[str, Any]:
        return await self.spotify.get(path, self.transport, has=has)


@pytest.fixture
async def served(request: pytest.FixtureRequest, session: aiohttp.ClientSession) -> AsyncIterator[Served]:
    file: Path = request.node.callspec.params["file"]
    body, status = file.read_bytes(), 429 if file.stem == "rate_limit" else 200
    token = says('{"access_token": "token", "expires_in": 3600}')
    answer = says(body, status)
    fake = Fake(lambda r: token(r) if r.path == "/api/token" else answer(r))
    async with fake.running() as base:
        transport = Transport("real", limits=Limits(rate=1000.0, attempts=1), session=session)
        yield Served(transport, base)


@named(LASTFM)
async def test_lastfm(file: Path, served: Served) -> None:
    name = file.stem.rpartition("__")[2].lower()
    try:
        if "getinfo" in name and name.startswith("album"):
            record = read_album(
                {
                    "album": (await served.method("album.getInfo", "album"))["album"],
                    "album_tags": NO_TAGS,
                    "artist_tags": NO_TAGS,
                }
            )
            assert record.title
            assert record.artist
        elif "tags" in name:
            reply = await served.method("x.getTopTags", "toptags", "tags")
            assert bool(read_tags(reply, "artist")) == ("empty" not in name)
        elif kind := re.search(r"usergettop(artists|albums)", name):
            listener = LastfmListener(served.transport, served.lastfm)
            which: Kind = "artists" if kind[1] == "artists" else "albums"
            rows = await listener.top("x", which, period="overall", limit=50)
            assert bool(rows) == ("empty" not in name)
            assert all(row["name"] and row["plays"] > 0 for row in rows)
        else:
            assert await served.method("x.y", *re.findall(r'"(\w+)"\s*:', file.read_text("utf-8-sig"))[:1])
    except SourceError as problem:
        expected = "invalid" if file.stem == "ArtistApi__ArtistGetTagsEmpty" else "error"
        assert (expected == "invalid") or re.search(r"error|missing|rejected|bad", name), problem  # noqa: PT017 - which files may
        assert len(str(problem)) > 15  # noqa: PT017 - the same


@named([f for f in LASTFM if f.stem == "ArtistApi__ArtistGetTagsEmpty"])
async def test_what_is_no_json_is_refused_by_name(file: Path, served: Served) -> None:
    with pytest.raises(MalformedReplyError, match="no JSON"):
        await served.method("artist.getTopTags", "toptags", "tags")


@named([f for f in LASTFM if f.stem in {"AlbumApi__AlbumGetInfoMissing", "ArtistApi__ArtistGetInfoMissing"}])
async def test_an_error_with_status_200_is_not_found(file: Path, served: Served) -> None:
    with pytest.raises(RecordNotFoundError, match=r"not found|could not be found"):
        await served.method("album.getInfo", "album")


@named([f for f in LASTFM if f.stem == "AlbumApi__AlbumGetInfoSuccess"])
async def test_an_album_of_lastfm(file: Path, served: Served) -> None:
    album = (await served.method("album.getInfo", "album"))["album"]
    titles = [
        {"title": t["name"], "disc": 1, "number": n, "tags": NO_TAGS} for n, t in enumerate(album["tracks"]["track"], 1)
    ]
    record = read_album({"album": album, "album_tags": NO_TAGS, "artist_tags": NO_TAGS, "tracks": titles})
    assert (record.title, record.artist, record.listeners) == ("Ray of Light", "Madonna", 509271)
    assert record.tracks[0].duration_ms == 308_000


@named(SPOTIFY)
async def test_spotify(file: Path, served: Served) -> None:
    """Every reply read as a search and as an album: what is neither is refused by name."""
    if file.stem == "rate_limit":
        with pytest.raises(RateLimitedError):
            await served.get("search", "albums")
        return
    for has in ("albums", "tracks"):
        try:
            reply = await served.get("any", has)
            if has == "albums":
                assert all(c.id and c.title for c in read_candidates(reply))
            else:
                record = read_spotify_album({"album": reply})
                assert record.title
                assert record.ids["spotify"]
        except MalformedReplyError as problem:
            assert re.search(r"without|no JSON object|no track list|has no", str(problem))  # noqa: PT017 - of many files


@named([f for f in SPOTIFY if f.stem in {"GetAlbumRequest", "get_album"}])
async def test_an_album_of_spotify(file: Path, served: Served) -> None:
    album = await served.get("albums/x", "tracks")
    record = read_spotify_album({"album": album})
    assert isinstance(record, AlbumRecord)
    assert len(record.tracks) == len(album["tracks"]["items"]) > 0
    assert all(t.title and t.duration_ms and t.track_number and t.ids for t in record.tracks)
    assert record.release_date
    assert record.artist


@named([f for f in SPOTIFY if f.stem == "SearchAlbumsRequest"])
async def test_a_search_of_spotify(file: Path, served: Served) -> None:
    found = read_candidates(await served.get("search", "albums"))
    assert found
    assert all(c.artist for c in found)


@named([f for f in SPOTIFY if f.stem == "GetAudioFeaturesForSeveralTracksRequest"])
async def test_audio_features_of_spotify(file: Path, served: Served) -> None:
    features = (await served.get("audio-features", "audio_features"))["audio_features"]
    tracks = [{"id": f["id"], "name": "x"} for f in features if f]
    album = {"id": "a", "name": "b", "artists": [{"name": "c"}], "tracks": {"items": tracks}}
    record = read_spotify_album({"album": album, "audio_features": features})
    assert all(len(t.audio_features) == 12 for t in record.tracks)


def test_an_album_page_of_aoty() -> None:
    record = read_page((REAL / "albumoftheyear" / "album__slug.html").read_text("utf-8"))
    assert (record.title, record.artist, record.release_date, record.label) == (
        "Don't Be Dumb", "A$AP Rocky", "2026-01-16", "A$AP",
    )  # fmt: skip
    assert (record.critic_score, record.critic_count, record.user_score, record.user_count) == (
        70.3794,
        17,
        74.5,
        20489,
    )
    assert record.ids == {"aoty": "564912", "spotify": "4itKk52E9ZCdWUQcFAkud9"}
    weights = {t.name: t.weight for t in record.tags}
    assert weights["Trap"] > weights["Cloud Rap"] > weights["psychedelic"]
    places = [(t.disc_number, t.track_number) for t in record.tracks]
    assert places == [*((1, n) for n in range(1, 16)), (2, 1), (2, 2)]
    assert all(t.title and t.duration_ms and t.rating for t in record.tracks)


@pytest.mark.parametrize(("page", "cards"), [("releases__1", 60), ("upcoming__1", 60), ("discover", 30)])
def test_other_pages_of_aoty(page: str, cards: int) -> None:
    html = (REAL / "albumoftheyear" / f"{page}.html").read_text("utf-8")
    found = read_search(html)
    assert len(found) == cards
    assert all(c.artist and c.title and c.id.startswith("/album/") for c in found)
    with pytest.raises(LayoutChangedError, match="missing"):
        read_page(html)
