"""Reading Album of the Year's pages into records; `aoty_parts` knows where each part stands. Pure.

Layout as of May 2026. It changes about yearly: a page that lacks a part which every album's page has is refused by name.
"""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from backend.ingestion.aoty_parts import ALBUM_NUMBER, Page, is_challenge, text
from backend.ingestion.matcher import Candidate
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import RejectedError

PARSER_VERSION: Final = "2026-05"
"""Of the layout that this module reads; stored with every record."""


class LayoutChangedError(RejectedError):
    """A page lacks parts that must be there: it has another layout, or is no album's page. Asking again changes nothing."""


def read_search(html: str) -> list[Candidate]:
    """The album cards of a search page; the candidate's id is the page's path."""
    found = []
    for card in LexborHTMLParser(html).css("div.albumBlock"):
        title, artist = card.css_first(".albumTitle"), card.css_first(".artistTitle")
        path = next((a for link in card.css("a") if ALBUM_NUMBER.search(a := link.attributes.get("href") or "")), None)
        if title is None or artist is None or path is None:
            continue
        kind = card.css_first(".type")
        year = re.search(r"\b(19|20)\d\d\b", kind.text()) if kind else None
        found.append(
            Candidate(
                id=path, artist=artist.text().strip(), title=title.text().strip(), year=int(year[0]) if year else None
            )
        )
    return found


def read_page(html: str) -> AlbumRecord:
    """The record of an album's page: fetched or saved, it is the same.

    Raises:
        LayoutChangedError: parts that must be there are missing; the message names them.
    """
    if is_challenge(html):
        raise LayoutChangedError(
            "the challenge that stands before the site, not an album page; save it once it has passed"
        )
    page = Page.parse(html)
    missing = page.missing()
    if missing:
        raise LayoutChangedError(f"not an album page as of {PARSER_VERSION}: {', '.join(missing)} missing")
    title, artist = page.names()
    critic, critics = page.score("Critic")
    user, users = page.score("User")
    ids = {"aoty": str(page.number())}
    if spotify := page.spotify():
        ids["spotify"] = spotify
    return AlbumRecord(
        title=str(title),
        artist=str(artist),
        release_date=text(page.data.get("datePublished")) or page.release_date(),
        label=page.label(),
        critic_score=critic,
        critic_count=critics,
        user_score=user,
        user_count=users,
        tags=tuple(page.tags()),
        tracks=tuple(page.tracks()),
        ids=ids,
        url=page.attribute('link[rel="canonical"]', "href") or text(page.data.get("url")),
        match_method="page",
        parser=PARSER_VERSION,
    )
