"""Searching in steps: what is asked, when it ends, and what is chosen from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from backend.ingestion.matcher import Candidate, Match
from backend.ingestion.search import plain_phrases, search
from backend.models.ingestion_models import AlbumQuery
from backend.utils.errors import AmbiguousError, RecordNotFoundError

QUERY = AlbumQuery(album="Teenage Dream", artist="Katy Perry")
RIGHT = Candidate("right", "Katy Perry", "Teenage Dream")
DECORATED = Candidate("more", "Katy Perry", "Teenage Dream (Deluxe) [Remastered]")
LIVE = Candidate("live", "Katy Perry", "Teenage Dream (Live)")


class Service:
    """Offers what a test has it offer, by phrase."""

    def __init__(self, offers: Mapping[str, Sequence[Candidate]]) -> None:
        self.offers = offers
        self.asked: list[str] = []

    async def ask(self, words: str) -> Sequence[Candidate]:
        self.asked.append(words)
        return self.offers.get(words, ())

    async def find(self, *phrases: str) -> Match:
        return await search(QUERY, phrases, self.ask, source="s", hint="s_id", missing="nothing there")


async def test_a_sure_match_ends_the_search() -> None:
    service = Service({"a": [RIGHT], "b": [DECORATED]})
    assert (await service.find("a", "b")).candidate == RIGHT
    assert service.asked == ["a"]


async def test_a_passable_match_is_kept_while_others_are_looked_for() -> None:
    service = Service({"a": [DECORATED], "b": [RIGHT]})
    assert (await service.find("a", "b")).candidate == RIGHT
    assert (await Service({"a": [DECORATED]}).find("a", "b")).candidate == DECORATED


async def test_equal_and_empty_phrases_are_sent_once_or_never() -> None:
    service = Service({})
    with pytest.raises(RecordNotFoundError, match="nothing there"):
        await service.find("a", " ", "a", "", "b")
    assert service.asked == ["a", "b"]


async def test_all_that_was_offered_is_kept_with_the_error() -> None:
    service = Service({"a": [LIVE], "b": [Candidate("other", "Katy Perry", "Prism"), LIVE]})
    with pytest.raises(RecordNotFoundError) as refused:
        await service.find("a", "b", "c")
    assert [(c.id, c.source, c.hint) for c in refused.value.candidates] == [
        ("live", "s", "s_id"),
        ("other", "s", "s_id"),
    ]


async def test_a_later_search_settles_an_ambiguity() -> None:
    blue, green = (Candidate(c, "Katy Perry", f"Teenage Dream ({c} Album)") for c in ("Blue", "Green"))
    with pytest.raises(AmbiguousError):
        await Service({"a": [blue, green]}).find("a")
    assert (await Service({"a": [blue, green], "b": [RIGHT]}).find("a", "b")).candidate == RIGHT


def test_phrases_leave_out_more_and_more() -> None:
    assert list(plain_phrases("Abbey Road [2019 Mix]", "Beatles")) == [
        "Abbey Road [2019 Mix] Beatles",
        "Abbey Road",
        "Beatles",
    ]
