"""Album of the Year: what may be asked, where, and what keeps us out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.ingestion.aoty_page import PARSER_VERSION, LayoutChangedError
from backend.ingestion.aoty_scraper import AotySettings, AotySource
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import (
    BlockedError,
    ConfigurationError,
    HintError,
    MalformedReplyError,
    RecordNotFoundError,
    RejectedError,
    UnconfiguredError,
)
from tests.fakes.aoty import SITE, FakeAoty, challenge, page, path
from tests.fakes.music import ARTIST, DELUXE, HARBOUR, SIGN, SIXTY
from tests.fakes.server import says
from tests.integration.sources.conftest import Wire, Wired

Aoty = Wired[FakeAoty]


@pytest.fixture
async def aoty(wire: Wire[FakeAoty]) -> AsyncIterator[Aoty]:
    async with wire(FakeAoty(), AotySource) as wired:
        yield wired


@pytest.fixture
def no_search(aoty: Aoty, monkeypatch: pytest.MonkeyPatch) -> Aoty:
    monkeypatch.setenv("AOTY_ALLOW_SEARCH", "false")
    aoty.source = AotySource()
    return aoty


async def test_an_album_by_the_search(aoty: Aoty) -> None:
    album = await aoty.album("paper harbour", "amber lanterns")
    assert album.ids == {"aoty": "1", "spotify": HARBOUR.id}
    assert (album.critic_score, album.user_score) == (81.25, 74.5)
    assert (album.match_method, album.parser) == ("name", PARSER_VERSION)
    assert aoty.fake.paths() == ["/search/albums/", "/robots.txt", path(HARBOUR)]
    await aoty.album(SIXTY.title, ARTIST)
    assert aoty.fake.paths().count("/robots.txt") == 1


async def test_what_is_known_guides_the_search(aoty: Aoty) -> None:
    known = AlbumRecord(title=DELUXE.title, artist=ARTIST)
    assert (await aoty.album("paper harbour", "lanterns", known=known)).ids["aoty"] == "2"
    assert aoty.fake.asked[0].query["q"] == f"{ARTIST} {HARBOUR.title}"  # every word must be there, the edition's too


async def test_without_leave_nothing_is_searched(no_search: Aoty) -> None:
    with pytest.raises(UnconfiguredError, match=r"robots\.txt.*aoty_url.*AOTY_ALLOW_SEARCH=true"):
        await no_search.album(HARBOUR.title, ARTIST)
    assert not no_search.fake.asked


async def test_a_saved_page_needs_no_asking(no_search: Aoty) -> None:
    album = await no_search.album("paper harbour", "amber lanterns", hints={"aoty_html": page(HARBOUR)})
    assert album.title == HARBOUR.title
    assert (album.match_method, album.parser) == ("page", PARSER_VERSION)
    assert not no_search.fake.asked


@pytest.mark.parametrize(
    ("album", "html", "said"),
    [
        ("Another Album", page(HARBOUR), "is of 'Paper Harbour' by 'The Amber Lanterns', not of 'Another Album'"),
        (HARBOUR.title, "<html>a shopping list</html>", "not an album page"),
    ],
)
async def test_a_page_that_is_not_the_albums_is_the_callers_to_mend(
    no_search: Aoty, album: str, html: str, said: str
) -> None:
    with pytest.raises(HintError, match=said):
        await no_search.album(album, ARTIST, hints={"aoty_html": html})


async def test_a_page_by_its_address(no_search: Aoty) -> None:
    for address in (f"{no_search.base}{path(HARBOUR)}", f"{SITE}{path(HARBOUR)}", f" {SITE}{path(HARBOUR)}?x=1#top "):
        album = await no_search.album(HARBOUR.title, ARTIST, hints={"aoty_url": address})
        assert album.title == HARBOUR.title
    assert set(no_search.fake.paths()) == {"/robots.txt", path(HARBOUR)}


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/album/1-x.php", "http://localhost/album/1-x.php", "file:///album/1-x.php", "/album/1-x.php",
        "{base}/scripts/showAlbumCredits.php", "{base}/album/../search/albums/", "{base}/album/1-x/../../user/me",
        "{base}/album/", "{base}/albums/1-x.php", "http://user@{host}/album/1-x.php", "http://{host}.evil.invalid/album/1-x.php",
        "http://127.0.0.1:1/album/1-x.php", "http://[::1/album/1-x.php", "", "https://www.albumoftheyear.org:8443/album/1-x.php",
    ],
)  # fmt: skip
async def test_no_other_address_is_asked(address: str, no_search: Aoty) -> None:
    hint = address.format(base=no_search.base, host=no_search.base.removeprefix("http://"))
    with pytest.raises(RejectedError, match="album's page"):
        await no_search.album("x", "y", hints={"aoty_url": hint})
    assert not no_search.fake.asked


async def test_robots_txt_is_obeyed(aoty: Aoty) -> None:
    with pytest.raises(BlockedError, match=r"robots\.txt of .* bars /album/4-"):
        await aoty.album(SIGN.title, ARTIST)
    assert path(SIGN) not in aoty.fake.paths()


async def test_no_robots_txt_allows_everything(aoty: Aoty) -> None:
    missing = says("<html>not there</html>", 404)
    aoty.fake.answer = lambda r: missing(r) if r.path == "/robots.txt" else aoty.fake.usual(r)
    assert (await aoty.album(SIGN.title, ARTIST)).title == SIGN.title


async def test_robots_txt_for_us_alone(aoty: Aoty) -> None:
    aoty.fake.robots = "User-agent: tensoe\nDisallow: /\n\nUser-agent: *\nAllow: /\n"
    with pytest.raises(BlockedError, match="bars"):
        await aoty.album(HARBOUR.title, ARTIST)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_closed_robots_txt_keeps_us_out(status: int, aoty: Aoty) -> None:
    closed = says("no", status, content_type="text/plain")
    aoty.fake.answer = lambda r: closed(r) if r.path == "/robots.txt" else aoty.fake.usual(r)
    with pytest.raises(BlockedError, match="keeps programs out"):
        await aoty.album(HARBOUR.title, ARTIST)


@pytest.mark.parametrize(
    "answer",
    [
        challenge,
        says("<html></html>", 503, content_type="text/html", cf_mitigated="challenge"),
        says("<html>Just a moment...</html>", 403, content_type="text/html"),
    ],
)
async def test_a_challenge_is_named_and_not_asked_again(answer: object, aoty: Aoty) -> None:
    aoty.fake.answer = answer  # type: ignore[assignment]  # pytest shows it better as an object
    for _ in range(3):
        with pytest.raises(BlockedError, match="save the album's page in your browser"):
            await aoty.album(HARBOUR.title, ARTIST)
    assert len(aoty.fake.asked) == 1


async def test_an_album_that_is_not_there(aoty: Aoty) -> None:
    with pytest.raises(RecordNotFoundError):
        await aoty.album("x", "y", hints={"aoty_url": f"{aoty.base}/album/99-nothing.php"})


async def test_an_unfinished_page_is_asked_for_again(aoty: Aoty) -> None:
    half = page(HARBOUR)[:900]
    aoty.fake.plan(says(half, content_type="text/html"))
    assert (await aoty.album(HARBOUR.title, ARTIST)).title == HARBOUR.title
    aoty.fake.answer = says(half, content_type="text/html")
    with pytest.raises(MalformedReplyError, match="unfinished"):
        await aoty.album(SIXTY.title, ARTIST)


async def test_another_layout_is_not_asked_for_again(aoty: Aoty) -> None:
    other = says("<html><body><h1>New look!</h1></body></html>", content_type="text/html")
    aoty.fake.answer = lambda r: other(r) if r.path.startswith("/album/") else aoty.fake.usual(r)
    with pytest.raises(LayoutChangedError, match="score boxes"):
        await aoty.album(HARBOUR.title, ARTIST)
    assert len(aoty.fake.paths("/album/")) == 1


async def test_a_page_too_large_is_refused(no_search: Aoty) -> None:
    with pytest.raises(RejectedError, match="5,000,001"):
        await no_search.album("x", "y", hints={"aoty_html": "x" * 5_000_001})


@pytest.mark.parametrize("url", [SITE, f"{SITE}/", "http://albumoftheyear.org", f"{SITE}/x/.."])
def test_the_site_itself_is_never_hurried(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTY_URL", url)
    monkeypatch.setenv("AOTY_SECONDS_BETWEEN", "0")
    with pytest.raises(ConfigurationError, match="AOTY_SECONDS_BETWEEN"):
        AotySettings.read()
    monkeypatch.delenv("AOTY_SECONDS_BETWEEN")
    assert AotySource().profile.limits.rate == pytest.approx(1 / 3)


# -- how a page is laid onto an album ------------------------------------------------------------


KNOWN = AlbumRecord(title=HARBOUR.title, artist=ARTIST, ids={"spotify": HARBOUR.id})


async def test_the_same_page_however_it_came_says_the_same(aoty: Aoty) -> None:
    ways: dict[str, dict[str, object]] = {
        "searched": {},
        "fetched": {"hints": {"aoty_url": SITE + path(HARBOUR)}},
        "saved": {"hints": {"aoty_html": page(HARBOUR)}},
    }
    found = {way: await aoty.album(HARBOUR.title, ARTIST, known=KNOWN, **more) for way, more in ways.items()}
    assert found["searched"] == found["fetched"] == found["saved"]
    assert (found["saved"].match_method, found["saved"].match_score) == ("link", 1.0)


async def test_the_link_to_spotify_settles_what_names_do_not(no_search: Aoty) -> None:
    html = page(HARBOUR).replace(HARBOUR.title, "紙の港")
    with pytest.raises(HintError, match="紙の港"):
        await no_search.album(HARBOUR.title, ARTIST, hints={"aoty_html": html})
    album = await no_search.album(HARBOUR.title, ARTIST, hints={"aoty_html": html}, known=KNOWN)
    assert (album.title, album.match_method, album.match_score) == ("紙の港", "link", 1.0)


async def test_a_link_to_another_edition_says_nothing(no_search: Aoty) -> None:
    other = AlbumRecord(title=HARBOUR.title, artist=ARTIST, ids={"spotify": DELUXE.id})
    album = await no_search.album(HARBOUR.title, ARTIST, hints={"aoty_html": page(HARBOUR)}, known=other)
    assert (album.match_method, album.match_score) == ("page", 1.0)


async def test_a_page_fits_by_the_names_that_other_services_know(no_search: Aoty) -> None:
    known = AlbumRecord(title=HARBOUR.title, artist=ARTIST)
    album = await no_search.album("Kartonhafen", "Lampen", hints={"aoty_html": page(HARBOUR)}, known=known)
    assert album.match_method == "page"


async def test_albums_not_taken_are_shown_by_addresses_that_may_be_given_back(aoty: Aoty) -> None:
    with pytest.raises(RecordNotFoundError) as found:
        await aoty.album("Paper Cathedral of Salt", ARTIST)
    nearest = found.value.candidates[0]
    assert (nearest.source, nearest.hint) == ("aoty", "aoty_url")
    assert nearest.id.startswith(f"{SITE}/album/")
    assert (await aoty.album(nearest.title, ARTIST, hints={nearest.hint: nearest.id})).title == nearest.title


async def test_a_crawl_delay_is_kept(aoty: Aoty) -> None:
    aoty.fake.robots = "User-agent: *\nCrawl-delay: 1\n"
    await asyncio.gather(*(aoty.album(a.title, ARTIST) for a in (HARBOUR, SIXTY)))
    one, other = (a.at for a in aoty.fake.asked if a.path.startswith("/album/"))
    assert other - one > 0.9


async def test_a_crawl_delay_of_hours_keeps_us_out(aoty: Aoty) -> None:
    aoty.fake.robots = "User-agent: *\nCrawl-delay: 3600\n"
    with pytest.raises(BlockedError, match="wants 3600 s between pages"):
        await aoty.album(HARBOUR.title, ARTIST)
    assert not aoty.fake.paths("/album/")


async def test_a_saved_challenge_is_named(no_search: Aoty) -> None:
    html = "<html><head><title>Just a moment...</title></head></html>"
    with pytest.raises(HintError, match="the challenge that stands before the site"):
        await no_search.album(HARBOUR.title, ARTIST, hints={"aoty_html": html})


async def test_editions_that_share_a_page_ask_for_it_once(aoty: Aoty) -> None:
    titles = (HARBOUR.title, "Paper Harbour (Remastered)", "Paper Harbour")
    albums = await asyncio.gather(*(aoty.album(title, ARTIST) for title in titles))
    assert {a.ids["aoty"] for a in albums} == {"1"}
    assert aoty.fake.paths() == ["/search/albums/", "/robots.txt", path(HARBOUR)]
