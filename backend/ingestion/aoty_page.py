"""Reading Album of the Year's pages: JSON-LD first, CSS by label second. Pure.

Layout as of May 2026. The details are told by where their links lead or by the label at their end, never by position;
scores stand exactly in `title` attributes; "NR" and 0 mean none.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from backend.ingestion.matcher import Candidate
from backend.models.ingestion_models import AlbumRecord, Tag, TrackRecord
from backend.utils.errors import RejectedError

PARSER_VERSION: Final = "2026-05"
"""Of the layout that this module reads; stored with every record."""

_ID: Final = re.compile(r"/album/(\d+)(?:[-./]|$)")
_SPOTIFY: Final = re.compile(r"open\.spotify\.com/album/([0-9A-Za-z]{22})")
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MINUTES: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})")
_SECONDARY: Final = 0.6  # weight of a secondary genre
_TAG: Final = 0.5


class LayoutChangedError(RejectedError):
    """A page lacks parts that must be there: it has another layout, or is no album's page. Asking again changes nothing."""


def read_search(html: str) -> list[Candidate]:
    """The album cards of a search page; the candidate's id is the page's path."""
    found = []
    for card in LexborHTMLParser(html).css("div.albumBlock"):
        title, artist = card.css_first(".albumTitle"), card.css_first(".artistTitle")
        path = next((a for link in card.css("a") if _ID.search(a := link.attributes.get("href") or "")), None)
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
    """The record of an album's page.

    Raises:
        LayoutChangedError: parts that must be there are missing; the message names them.
    """
    page = _Page.parse(html)
    data = page.data
    artist = data.get("byArtist") or {}
    title, name = _text(data.get("name")), _text(artist.get("name") if isinstance(artist, Mapping) else None)
    if not title or not name:
        shown = page.attribute('meta[property="og:title"]', "content") or ""
        name, _, title = (name, "", title) if title and name else shown.partition(" - ")
    number = page.number()
    missing = [
        what
        for what, there in (
            ("the album's name (JSON-LD name, og:title)", title),
            ("the artist's name (JSON-LD byArtist)", name),
            ("the album's number (its address)", number),
            ("the score boxes (.albumCriticScoreBox, .albumUserScoreBox)", page.has_boxes()),
        )
        if not there
    ]
    if missing:
        raise LayoutChangedError(f"not an album page as of {PARSER_VERSION}: {', '.join(missing)} missing")
    critic, critics = page.score("Critic", data)
    user, users = page.score("User", {})
    ids = {"aoty": str(number)}
    if spotify := page.spotify():
        ids["spotify"] = spotify
    return AlbumRecord(
        title=str(title).strip(),
        artist=str(name).strip(),
        release_date=_text(data.get("datePublished")) or page.release_date(),
        label=page.label(),
        critic_score=critic,
        critic_count=critics,
        user_score=user,
        user_count=users,
        tags=tuple(page.tags()),
        tracks=tuple(page.tracks()),
        ids=ids,
        url=page.attribute('link[rel="canonical"]', "href") or _text(data.get("url")),
        match_method=f"page, parser {PARSER_VERSION}",
    )


@dataclass(frozen=True, slots=True)
class _Page:
    tree: LexborHTMLParser
    data: Mapping[str, Any]  # the JSON-LD of the album

    @classmethod
    def parse(cls, html: str) -> _Page:
        tree = LexborHTMLParser(html)
        for script in tree.css('script[type="application/ld+json"]'):
            try:
                found = orjson.loads(script.text())
            except orjson.JSONDecodeError:
                continue  # other scripts of the page; what is missing then is named by read_page
            for thing in found if isinstance(found, list) else [found]:
                if isinstance(thing, Mapping) and thing.get("@type") == "MusicAlbum":
                    return cls(tree, thing)
        return cls(tree, {})

    def attribute(self, selector: str, name: str) -> str | None:
        node = self.tree.css_first(selector)
        return node.attributes.get(name) if node is not None else None

    def number(self) -> str | None:
        places = (
            self.attribute('button.showImage[data-type="album"]', "data-id"),
            *(
                match[1]
                for address in (
                    _text(self.data.get("url")),
                    _text(self.data.get("@id")),
                    self.attribute('link[rel="canonical"]', "href"),
                    self.attribute('meta[property="og:url"]', "content"),
                )
                if address and (match := _ID.search(address))
            ),
        )
        return next((place for place in places if place), None)

    def has_boxes(self) -> bool:
        return any(self.tree.css_first(f".album{who}ScoreBox") is not None for who in ("Critic", "User"))

    def score(self, who: str, data: Mapping[str, Any]) -> tuple[float | None, int | None]:
        """Score and count of a box; the exact score stands in the link's title. JSON-LD has the critics' only."""
        box = self.tree.css_first(f".album{who}ScoreBox")
        link = strong = None
        if box is not None:
            link = box.css_first(f".album{who}Score a") or box.css_first(f".album{who}Score")
            strong = box.css_first(".numReviews strong")
        rating = data.get("aggregateRating")
        rating = rating if isinstance(rating, Mapping) else {}
        score = count = None
        if link is not None:
            score = _number(link.attributes.get("title")) or _number(link.text())
        if strong is not None:
            count = _number(strong.text())
        score = score or _number(str(rating.get("ratingValue") or ""))
        count = count or _number(str(rating.get("ratingCount") or ""))
        return (score, int(count) if count else None) if score else (None, None)

    def row(self, label: str) -> LexborNode | None:
        """The details' row of a label, which stands last in it: "/ Release Date"."""
        for node in self.tree.css(".albumTopBox.info .detailRow"):
            spans = node.css("span")
            if spans and spans[-1].text().strip("/\xa0 \t\r\n").casefold() == label:
                return node
        return None

    def links(self, kind: str) -> Iterator[tuple[str, bool]]:
        """The names in the details that link to pages of a kind, and whether each is a secondary one.

        By where they lead rather than by label, as the label of the tags is a picture.
        """
        for link in self.tree.css(f'.albumTopBox.info .detailRow a[href*="/{kind}/"]'):
            if name := link.text().strip():
                yield name, link.css_first(".secondary") is not None

    def tags(self) -> Iterator[Tag]:
        genres = dict(self.links("genre"))
        spoken = self.data.get("genre") or []
        for name in [spoken] if isinstance(spoken, str) else spoken if isinstance(spoken, list) else []:
            if isinstance(name, str) and name.strip():
                genres.setdefault(name.strip(), False)
        for name, is_secondary in genres.items():
            yield Tag(name=name, weight=_SECONDARY if is_secondary else 1.0, level="album")
        for name, _ in self.links("tag"):
            yield Tag(name=name, weight=_TAG, level="album")

    def label(self) -> str | None:
        return next((name for name, _ in self.links("label")), None)

    def release_date(self) -> str | None:
        """As precise as the row says: "January 16, 2026", "January 2026" or "2026"."""
        row = self.row("release date")
        words = " ".join(row.text().partition("/")[0].replace(",", " ").split()) if row is not None else ""
        for form, shown in (("%B %d %Y", "%Y-%m-%d"), ("%B %Y", "%Y-%m"), ("%Y", "%Y")):
            with contextlib.suppress(ValueError):
                return datetime.strptime(words, form).replace(tzinfo=UTC).strftime(shown)
        return None

    def spotify(self) -> str | None:
        for link in self.tree.css('a[href*="open.spotify.com/album/"]'):
            if match := _SPOTIFY.search(link.attributes.get("href") or ""):
                return match[1]
        return None

    def tracks(self) -> Iterator[TrackRecord]:
        box = self.tree.css_first("#tracklist")
        if box is None:
            return
        disc = 0
        for node in box.css(".discNumber, .trackListTable tr"):
            if "discNumber" in (node.attributes.get("class") or ""):
                disc += 1
                continue
            title = node.css_first('.trackTitle a[href^="/song/"]') or node.css_first(".trackTitle a")
            if title is None:
                continue
            rating = node.css_first(".trackRating span")
            length = node.css_first(".length")
            number = node.css_first(".trackNumber")
            n = _number(number.text()) if number is not None else None
            yield TrackRecord(
                title=title.text().strip(),
                disc_number=max(1, disc),
                track_number=int(n) if n else None,
                duration_ms=_milliseconds(length.text()) if length is not None else None,
                rating=_number(rating.text()) if rating is not None else None,
            )


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(text: str | None) -> float | None:
    """The number in a text such as "70.3794", "20,489" or "NR"; 0 means none."""
    match = _NUMBER.search(text or "")
    return (float(match[0].replace(",", "")) or None) if match else None


def _milliseconds(text: str) -> int | None:
    match = _MINUTES.search(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000
