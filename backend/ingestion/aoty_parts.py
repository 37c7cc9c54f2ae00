"""The parts of an album's page at Album of the Year, each by its selector. Pure.

JSON-LD first, CSS second. The details are told by where their links lead or by the label at their end, never by position;
scores stand exactly in `title` attributes; "NR" and 0 mean none.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from backend.models.ingestion_models import Tag, TrackRecord

ALBUM_NUMBER: Final = re.compile(r"/album/(\d+)(?:[-./]|$)")
_SPOTIFY: Final = re.compile(r"open\.spotify\.com/album/([0-9A-Za-z]{22})")
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MINUTES: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})")
_SECONDARY: Final = 0.6  # weight of a secondary genre
_TAG: Final = 0.5
_BEST: Final = 100.0


@dataclass(frozen=True, slots=True)
class Page:
    """An album's page and the JSON-LD in it; each part by its selector."""

    tree: LexborHTMLParser
    data: Mapping[str, Any]  # the JSON-LD of the album

    @classmethod
    def parse(cls, page: str) -> Page:
        """The page; without JSON-LD of an album its data are empty."""
        tree = LexborHTMLParser(page)
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
        """An attribute of the first node of a selector."""
        node = self.tree.css_first(selector)
        return node.attributes.get(name) if node is not None else None

    def number(self) -> str | None:
        """The album's number at the site, from wherever its address stands."""
        places = (
            self.attribute('button.showImage[data-type="album"]', "data-id"),
            *(
                match[1]
                for address in (
                    text(self.data.get("url")),
                    text(self.data.get("@id")),
                    self.attribute('link[rel="canonical"]', "href"),
                    self.attribute('meta[property="og:url"]', "content"),
                )
                if address and (match := ALBUM_NUMBER.search(address))
            ),
        )
        return next((place for place in places if place), None)

    def names(self) -> tuple[str | None, str | None]:
        """Title and artist."""
        said = self.data.get("byArtist")
        credited = [text(a.get("name")) for a in (said if isinstance(said, list) else [said]) if isinstance(a, Mapping)]
        title, artist = text(self.data.get("name")), ", ".join(name for name in credited if name)
        if not title or not artist:
            shown = self.attribute('meta[property="og:title"]', "content") or ""
            artist, _, title = (artist, "", title) if title and artist else shown.partition(" - ")
        return (html.unescape(str(title)).strip() or None, html.unescape(artist).strip() or None)

    def missing(self) -> list[str]:
        """The parts that every album's page has, by their selectors, and that this one lacks."""
        title, artist = self.names()
        boxes = {who: self.box(who) for who in ("Critic", "User")}
        there = {
            "the album's name (JSON-LD name, og:title)": title,
            "the artist's name (JSON-LD byArtist)": artist,
            "the album's number (its address)": self.number(),
            "the score boxes (.albumCriticScoreBox, .albumUserScoreBox)": any(boxes.values()),
            "the details (.albumTopBox.info .detailRow)": self.tree.css_first(".albumTopBox.info .detailRow"),
        }
        for who, box in boxes.items():
            if box is not None:
                there[f"the score in its box (.album{who}Score)"] = box.css_first(f".album{who}Score")
                rated = self.score(who)
                there[f"the number of ratings (.album{who}ScoreBox .numReviews)"] = rated[0] is None or bool(rated[1])
        if self.tree.css_first("#tracklist tr") is not None:
            there["the tracks (#tracklist .trackListTable tr .trackTitle a)"] = any(True for _ in self.tracks())
        return [what for what, found in there.items() if not found]

    def box(self, who: str) -> LexborNode | None:
        """The score box of the critics or the users."""
        return self.tree.css_first(f".album{who}ScoreBox")

    def score(self, who: str) -> tuple[float | None, int | None]:
        """Score and count of a box; the exact score stands in the link's title. JSON-LD has the critics' only."""
        box = self.box(who)
        link = strong = None
        if box is not None:
            link = box.css_first(f".album{who}Score a") or box.css_first(f".album{who}Score")
            strong = box.css_first(".numReviews strong")
        rating = self.data.get("aggregateRating") if who == "Critic" else None
        rating = rating if isinstance(rating, Mapping) else {}
        score = count = None
        if link is not None:
            score = number_in(link.attributes.get("title")) or number_in(link.text())
        if strong is not None:
            count = number_in(strong.text())
        score = score or number_in(str(rating.get("ratingValue") or ""))
        count = count or number_in(str(rating.get("ratingCount") or ""))
        return (score, int(count) if count else None) if score and score <= _BEST else (None, None)

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
        """Primary genres with weight 1, secondary ones and tags with less."""
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
        """The first label."""
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
        """The album's id at Spotify, which the page links to."""
        for link in self.tree.css('a[href*="open.spotify.com/album/"]'):
            if match := _SPOTIFY.search(link.attributes.get("href") or ""):
                return match[1]
        return None

    def tracks(self) -> Iterator[TrackRecord]:
        """The tracks by disc; a featured artist stands after the album's."""
        artist = self.names()[1]
        box = self.tree.css_first("#tracklist")
        if box is None:
            return
        disc = 0
        for node in box.css(".discNumber, .trackListTable tr"):
            if "discNumber" in (node.attributes.get("class") or ""):
                disc += 1
                continue
            title = node.css_first('.trackTitle a[href*="/song/"]') or node.css_first(".trackTitle a")
            if title is None:
                continue
            rating = node.css_first(".trackRating span")
            length = node.css_first(".length")
            number = node.css_first(".trackNumber")
            n = number_in(number.text()) if number is not None else None
            rated = number_in(rating.text()) if rating is not None else None
            featured = [name for a in node.css(".featuredArtists a") if (name := a.text().strip())]
            yield TrackRecord(
                title=title.text().strip(),
                artists=tuple(dict.fromkeys((artist, *featured))) if artist and featured else (),
                disc_number=max(1, disc),
                track_number=int(n) if n else None,
                duration_ms=_milliseconds(length.text()) if length is not None else None,
                rating=rated if rated and rated <= _BEST else None,
            )


def is_challenge(page: str) -> bool:
    """Whether a page is what keeps programs out, and no album's."""
    return "Just a moment..." in page and "ScoreBox" not in page


def text(value: object) -> str | None:
    """A text that is not blank."""
    return value.strip() or None if isinstance(value, str) else None


def number_in(text: str | None) -> float | None:
    """The number in a text such as "70.3794", "20,489" or "NR"; 0 means none."""
    match = _NUMBER.search(text or "")
    return (float(match[0].replace(",", "")) or None) if match else None


def _milliseconds(text: str) -> int | None:
    match = _MINUTES.search(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000
