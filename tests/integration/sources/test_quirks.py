"""Quirks of Spotify, Last.fm and Album of the Year that no other test is about; `tests/quirks.md` says which test has which."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from backend.ingestion.aoty_page import read_page
from backend.ingestion.aoty_scraper import AotySource
from backend.ingestion.lastfm_fetcher import LastfmSource
from backend.ingestion.spotify_fetcher import SpotifySource
from backend.models.ingestion_models import Rights
from backend.utils.errors import RecordNotFoundError, ThrottledError
from tests.fakes.aoty import FakeAoty, page
from tests.fakes.lastfm import FakeLastfm
from tests.fakes.music import ALBUMS, ARTIST, HARBOUR, SIGN
from tests.fakes.server import says
from tests.fakes.spotify import FORBIDDEN, FakeSpotify
from tests.integration.sources.conftest import Wire, Wired

Spotify = Wired[FakeSpotify]
Lastfm = Wired[FakeLastfm]
Aoty = Wired[FakeAoty]
TESTS = Path(__file__).parents[2]
LIST = TESTS / "quirks.md"


@pytest.fixture
async def spotify(wire: Wire[FakeSpotify]) -> AsyncIterator[Spotify]:
    async with wire(FakeSpotify(), SpotifySource) as wired:
        yield wired


@pytest.fixture
async def lastfm(wire: Wire[FakeLastfm]) -> AsyncIterator[Lastfm]:
    async with wire(FakeLastfm(), LastfmSource) as wired:
        yield wired


@pytest.fixture
async def aoty(wire: Wire[FakeAoty]) -> AsyncIterator[Aoty]:
    async with wire(FakeAoty(), AotySource) as wired:
        yield wired


# -- the list ------------------------------------------------------------------------------------


def test_every_quirk_of_the_list_has_its_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", LIST.read_text("utf-8")))
    written = {
        node.name
        for file in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(named) > 80
    assert sorted(named - written) == []


# -- Spotify -------------------------------------------------------------------------------------


async def test_each_endpoint_is_found_out_by_itself(spotify: Spotify) -> None:
    """Client ids from before November 2024 have both, some of before February 2026 batch gets alone."""
    refused = says(json.dumps(FORBIDDEN), 403)
    spotify.fake.answer = lambda r: refused(r) if "audio-features" in r.path else spotify.fake.usual(r)
    for _ in range(2):
        album = await spotify.album(HARBOUR.title, ARTIST)
        assert album.tracks[0].isrc == "ZZTST0010101"
        assert album.tracks[0].audio_features == {}
        assert [t.name for t in album.tags] == ["harbour folk", "sea shanty"]
    assert len(spotify.fake.paths("/v1/audio-features")) == 1
    assert len(spotify.fake.paths("/v1/tracks")) == 2


async def test_development_mode_still_has_the_upc(spotify: Spotify) -> None:
    spotify.fake.extended = False
    assert (await spotify.album(HARBOUR.title, ARTIST)).upc == "4000000000013"


async def test_searches_ask_for_ten_at_the_most(spotify: Spotify) -> None:
    await spotify.album("Paper Harbor", ARTIST)
    limits = {a.query["limit"] for a in spotify.fake.asked if a.path == "/v1/search"}
    assert limits == {"10"}


async def test_a_used_up_quota_holds_for_every_endpoint(spotify: Spotify) -> None:
    """It is counted for the developer's account, whatever is asked."""
    quota = '{"error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}}'
    used_up = says(quota, 429, Retry_After="48925")
    spotify.fake.answer = lambda r: used_up(r) if "/albums/" in r.path else spotify.fake.usual(r)
    for album in ALBUMS:
        with pytest.raises(ThrottledError, match="QUOTA_EXCEEDED"):
            await spotify.album(album.title, ARTIST)
    assert len(spotify.fake.paths("/v1")) == 2


async def test_hours_of_retry_after_are_not_slept_through(spotify: Spotify) -> None:
    rolling = says('{"error": {"status": 429, "message": "Too many requests"}}', 429, Retry_After="52531")
    spotify.fake.answer = lambda r: rolling(r) if "/v1/" in r.path else spotify.fake.usual(r)
    with pytest.raises(ThrottledError, match="asks us to wait until"):
        await spotify.album(HARBOUR.title, ARTIST)


async def test_tracks_are_never_asked_for_one_by_one(spotify: Spotify) -> None:
    """A request a track, for an ISRC alone."""
    spotify.fake.extended = False
    await spotify.album(HARBOUR.title, ARTIST)
    assert not [a for a in spotify.fake.asked if a.path.startswith("/v1/tracks/")]


async def test_an_error_that_is_no_json_is_no_crash(spotify: Spotify) -> None:
    spotify.fake.plan(spotify.fake.usual, says("upstream connect error", 400, content_type="text/plain"))
    assert (await spotify.album(SIGN.title, ARTIST)).title == SIGN.title


def test_nothing_of_spotify_is_free_for_machine_learning() -> None:
    profile = SpotifySource().profile
    assert {profile.rights_to(name) for name in profile.gives} == {Rights.RESTRICTED}


# -- Last.fm -------------------------------------------------------------------------------------


async def test_tags_without_weights_are_not_taken(lastfm: Lastfm) -> None:
    """album.getInfo has five at the most, which no count tells apart."""

    async def tagged(request: web.BaseRequest) -> web.StreamResponse:
        found = await lastfm.fake.usual(request)
        assert isinstance(found, web.Response)
        value: dict[str, Any] = json.loads(found.text or "")
        if "album" in value:
            value["album"]["tags"] = {"tag": [{"name": "unweighted", "url": ""}]}
        return web.Response(text=json.dumps(value))

    lastfm.fake.answer = tagged
    album = await lastfm.album(HARBOUR.title, ARTIST)
    assert "unweighted" not in {t.name for t in album.tags}
    assert "harbour folk" in {t.name for t in album.tags}


async def test_something_without_tags_is_no_error(lastfm: Lastfm) -> None:
    empty = says('{"toptags": {"tag": [], "@attr": {"artist": "The Amber Lanterns"}}}')
    lastfm.fake.answer = lambda r: empty(r) if r.query["method"].endswith("TopTags") else lastfm.fake.usual(r)
    album = await lastfm.album(HARBOUR.title, ARTIST)
    assert (album.tags, len(album.tracks)) == ((), len(HARBOUR.songs))


async def test_nothing_is_called_without_a_key(lastfm: Lastfm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one Last.fm answers as if it did not know the album."""
    monkeypatch.delenv("LASTFM_API_KEY")
    assert LastfmSource().unconfigured() == "LASTFM_API_KEY not set"


@pytest.mark.parametrize("code", [6, 7])
async def test_not_found_is_not_asked_again(code: int, lastfm: Lastfm) -> None:
    lastfm.fake.answer = says(f'{{"error": {code}, "message": "Album not found", "links": []}}')
    with pytest.raises(RecordNotFoundError):
        await lastfm.album(SIGN.title, ARTIST)
    asked = [tuple(sorted(a.query.items())) for a in lastfm.fake.asked]
    assert len(asked) == len(set(asked))


async def test_spellings_are_corrected_there(lastfm: Lastfm) -> None:
    await lastfm.album(HARBOUR.title, ARTIST)
    assert {a.query["autocorrect"] for a in lastfm.fake.asked} == {"1"}


# -- Album of the Year ---------------------------------------------------------------------------


async def test_it_is_only_ever_read(aoty: Aoty) -> None:
    """robots.txt bars POST."""
    await aoty.album(HARBOUR.title, ARTIST)
    assert {a.method for a in aoty.fake.asked} == {"GET"}


async def test_it_says_who_asks(aoty: Aoty) -> None:
    await aoty.album(HARBOUR.title, ARTIST)
    assert all(a.headers["user-agent"].startswith("tensoe/") for a in aoty.fake.asked)


def test_its_search_is_not_used_unless_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AOTY_ALLOW_SEARCH", raising=False)
    assert AotySource().settings.shown()["AOTY_ALLOW_SEARCH"] is False


def test_details_are_told_by_their_labels_not_their_places() -> None:
    html = page(HARBOUR, linked=False)
    rows = re.findall(r'<div class="detailRow">.*?</span></div>', html)
    assert len(rows) == 5
    turned = html.replace("".join(rows), "".join(reversed(rows)))
    assert turned != html
    one, other = read_page(html), read_page(turned)
    assert (one.label, one.release_date, one.tags) == (other.label, other.release_date, other.tags)


def test_a_broken_entity_after_a_count_is_passed_over() -> None:
    html = page(HARBOUR).replace("</strong> ratings", "</strong>&nbspratings")
    assert "&nbspratings" in html
    assert read_page(html).user_count == 12489


def test_the_critics_score_of_json_ld_is_not_the_users() -> None:
    rating = '"aggregateRating": {"name": "Critic Score", "ratingValue": "70", "ratingCount": 17}, "name"'
    html = page(HARBOUR, critic="NR", user="NR").replace('"name"', rating, 1).replace("<strong>24</strong>", "")
    album = read_page(html)
    assert (album.critic_score, album.critic_count, album.user_score) == (70.0, 17, None)


def test_the_exact_score_goes_before_the_rounded_one() -> None:
    album = read_page(page(HARBOUR, critic="70.3794", user="74.5"))
    assert (album.critic_score, album.user_score) == (70.3794, 74.5)


def test_no_microdata_is_needed() -> None:
    assert "itemprop" not in page(HARBOUR)
    assert read_page(page(HARBOUR)).user_score == 74.5
