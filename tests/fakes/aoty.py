"""Album of the Year in the structure of its pages of May 2026: robots.txt, search, album pages, and its challenge."""

from __future__ import annotations

import html
import json
import re

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, Album, found
from tests.fakes.server import Fake, says

SITE = "https://www.albumoftheyear.org"
ROBOTS = "User-agent: *\nDisallow: /search/\nDisallow: /scripts/\nDisallow: /album/4-\n"
challenge = says(
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>",
    403,
    content_type="text/html",
    cf_mitigated="challenge",
)


class FakeAoty(Fake):
    """Knows `music`; its numbers there are the albums' places from 1."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.robots = ROBOTS

    def environment(self, base: str) -> dict[str, str]:
        return {"AOTY_URL": base, "AOTY_ALLOW_SEARCH": "true", "AOTY_SECONDS_BETWEEN": "0"}

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(text=self.robots)
        if request.path == "/search/albums/":
            return _html(search(request.query["q"]))
        if match := re.match(r"/album/(\d+)", request.path):
            number = int(match[1])
            if number <= len(ALBUMS):
                return _html(page(ALBUMS[number - 1]))
        return _html("<html><body>Page not found</body></html>", 404)


def path(album: Album) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", f"{ARTIST} {album.title}".lower()).strip("-")
    return f"/album/{ALBUMS.index(album) + 1}-{slug}.php"


def search(q: str) -> str:
    cards = "".join(
        f'<div class="albumBlock" data-type="lp"><div class="image"><a href="{path(a)}"></a></div>'
        f'<a href="/artist/7-x/"><div class="artistTitle">{html.escape(ARTIST)}</div></a>'
        f'<a href="{path(a)}"><div class="albumTitle">{html.escape(a.title)}</div></a>'
        f'<div class="type">{a.date[:4]} • LP</div><div class="ratingRowContainer"><div class="ratingRow">'
        '<div class="ratingBlock"><div class="rating">81</div></div><div class="ratingText">critic score</div>'
        '<div class="ratingText">(24)</div></div></div></div>'
        for a in found(q)
    )
    return f"<!DOCTYPE html><html><body><div>Albums</div>{cards}</body></html>"


def page(album: Album, *, linked: bool = True, critic: str = "81.25", user: str = "74.5") -> str:
    """An album's page; without JSON-LD, or unrated ("NR"), as wanted."""
    e = html.escape
    data = {
        "@context": "http://schema.org", "@type": "MusicAlbum", "@id": SITE + path(album), "url": SITE + path(album),
        "name": album.title, "byArtist": {"@type": "MusicGroup", "name": ARTIST}, "datePublished": album.date,
        "genre": ["Harbour Folk", "Chamber Pop"],
    }  # fmt: skip
    script = f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>' if linked else ""
    boxes = "".join(
        f'<div class="album{who}ScoreBox"><div class="heading">{who} Score</div><div class="album{who}Score">'
        f'<a href="#" title="{score if score != "NR" else ""}">{score.split(".")[0]}</a></div>'
        f'<div class="text numReviews">Based on <strong>{count}</strong> ratings</div></div>'
        for who, score, count in (("Critic", critic, "24"), ("User", user, "12,489"))
    )
    rows = "".join(
        (f'<tr><td colspan="3"><div class="discNumber">Disc {s.disc}</div></td></tr>' if s.number == 1 else "")
        + f'<tr><td class="trackNumber">{s.number}</td><td class="trackTitle"><a href="/song/{s.id}/">{e(s.title)}</a>'
        f'<div class="length">{s.seconds // 60}:{s.seconds % 60:02d}</div></td><td class="trackRating">'
        f'<span title="43 Ratings">{50 + s.number}</span></td></tr>'
        for s in album.songs
    )
    return (
        f'<!DOCTYPE html><html><head><meta property="og:title" content="{e(ARTIST)} - {e(album.title)}">'
        f'<link rel="canonical" href="{SITE}{path(album)}">{script}</head><body><div class="albumTopBox">{boxes}</div>'
        '<div class="albumTopBox info"><div class="detailRow"><a href="/1987/releases/october-01/">October</a>'
        " 5, <a href=/1987/releases/>1987</a><span>/&nbsp;Release Date</span></div>"
        '<div class="detailRow">LP <span>/&nbsp;Format</span></div>'
        '<div class="detailRow"><a href="/label/3-quayside/">Quayside</a><span>/&nbsp;Label</span></div>'
        '<div class="detailRow"><a href="/genre/1-harbour-folk/">Harbour Folk</a>, <a href="/genre/2-chamber-pop/">'
        'Chamber Pop</a><br><a href="/genre/3-slowcore/"><div class="secondary">Slowcore</div></a>'
        "<span>/&nbsp;Genre</span></div>"
        '<div class="detailRow"><a href="/tag/calm/albums/"><div class="secondary">calm</div></a>'
        '<span>/&nbsp;<i class="fa-solid fa-tags"></i></span></div></div>'
        f'<div class="albumLinksFlex"><a href="https://open.spotify.com/album/{album.id}" title="Spotify"></a></div>'
        f'<div id="tracklist"><table class="trackListTable">{rows}</table></div></body></html>'
    )


def _html(text: str, status: int = 200) -> web.StreamResponse:
    # No charset in the header, as there.
    return web.Response(body=text.encode(), status=status, headers={"content-type": "text/html"})


def make() -> FakeAoty:
    return FakeAoty()
