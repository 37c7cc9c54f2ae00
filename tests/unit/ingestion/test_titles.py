"""What titles say: editions, performances, guests, subtitles, in the languages and spellings of labels."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion import artists, numerals, scripts, search, title_words, titles, works
from backend.ingestion.titles import in_latin, take_apart, without_artist


@pytest.mark.parametrize("module", [artists, numerals, scripts, search, title_words, titles, works])
def test_examples_in_the_modules(module: object) -> None:
    tried = doctest.testmod(module)  # type: ignore[arg-type]  # a module; typeshed wants ModuleType of object
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("title", "core", "editions"),
    [
        ("Hot Pink (Japan Version)", "hot pink", {"market"}),
        ("Hozier (Specail Editon)", "hozier", {"deluxe"}),
        ("ZABA Deluxe) [Explicit]", "zaba", {"deluxe", "explicit"}),
        ("Dream Your Life Away (DeluxeEdition)", "dream your life away", {"deluxe"}),
        ("Album (Jubiläumsausgabe)", "album", {"deluxe"}),
        ("El Disco (Edición Especial)", "el disco", {"deluxe"}),
        ("無罪モラトリアム [初回限定盤]", "無罪モラトリアム", {"deluxe"}),
        ("Abbey Road: Remastered 2009", "abbey road", {"remaster"}),
        ("Supermarket (Soundtrack)", "supermarket", {"soundtrack"}),
        ("Positions - Single", "positions", {"single"}),
        ("Crosby, Stills & Nash [with Bonus Tracks]", "crosby stills and nash", {"deluxe"}),
        ("(Pronounced 'Lĕh-'nérd) [Expanded Edition]", "pronounced leh nerd", {"deluxe"}),
    ],
)  # fmt: skip
def test_editions(title: str, core: str, editions: set[str]) -> None:
    name = take_apart(title)
    assert (name.core, set(name.editions), set(name.performances)) == (core, editions, set())


@pytest.mark.parametrize(
    ("title", "core", "performances"),
    [
        ("Viva México (En Vivo)", "viva mexico", {"live"}),
        ("Ao Meu Lado (Ao Vivo)", "ao meu lado", {"live"}),
        ("Steven Universe (Kaaroke)", "steven universe", {"karaoke"}),
        ("Delicate Sound (2019 Remix) [Live]", "delicate sound", {"live"}),
        ("Circus - Remix EP", "circus", {"remix"}),
        ("Kids in Love (Remixes)", "kids in love", {"remix"}),
        ("Abbey Road: Live", "abbey road", {"live"}),
        ("Red (TV)", "red", {"version"}),
    ],
)
def test_performances(title: str, core: str, performances: set[str]) -> None:
    name = take_apart(title)
    assert (name.core, set(name.performances)) == (core, performances)


@pytest.mark.parametrize(
    ("title", "main", "subtitle"),
    [
        ("Hamilton: An American Musical", "hamilton", "an american musical"),
        ("Actually: Further Listening 1987-1988", "actually", "further listening 1987 1988"),
        ("I Used to Know Her: Part 2", "", ""), ("Girl - The Best Of", "", ""), ("Star Wars: IV", "", ""), ("Abbey Road", "", ""),
        ("In Colour - Preview White Label", "", ""),
        ("The 20/20 Experience - 2 of 2 D(eluxe)", "", ""), ("TRON: Legacy", "tron", "legacy"),
    ],
)  # fmt: skip
def test_subtitles(title: str, main: str, subtitle: str) -> None:
    name = take_apart(title)
    assert (name.main, name.subtitle) == (main, subtitle)


@pytest.mark.parametrize(
    ("title", "cuts"),
    [
        ("Blue Monday - Radio Edit", {"radio"}), ("Blue Monday (12'' Version)", {"12"}),
        ("Blue Monday (Extended Mix)", {"extended"}),
        ("Blue Monday", set()), ("Blue Monday - Single Version", set()),
    ],
)  # fmt: skip
def test_other_lengths(title: str, cuts: set[str]) -> None:
    assert take_apart(title).cuts == cuts


def test_guests_and_misread_text() -> None:
    assert take_apart("Sugar (feat. Francesco Yates)").has_guests
    assert take_apart("Sugar feat. Francesco Yates").has_guests
    assert not take_apart("Sugar [with Bonus Tracks]").has_guests
    assert take_apart("PiÃ±ata").core == take_apart("Piñata").core == "pinata"


@pytest.mark.parametrize(
    ("title", "artist", "plain"),
    [
        ("Katy Perry - Teenage Dream", "Katy Perry", "Teenage Dream"),
        ("Steven Universe: Season 5", "Steven Universe", "Season 5"),
        ("Alice Cooper Goes to Hell", "Alice Cooper", "Goes to Hell"),
        ("Something Else by The Kinks", "Kinks", "Something Else"),
        ("Queen Live", "Queen", "Live"), ("Self-Titled", "Blur", "Blur"), ("Chicago 1", "Chicago", "Chicago"),
        ("Weezer (Deluxe)", "Weezer", "Weezer (Deluxe)"), ("Weezer", "Weezer", "Weezer"), ("(", "(", "("),
    ],
)  # fmt: skip
def test_titles_without_their_artist(title: str, artist: str, plain: str) -> None:
    assert without_artist(title, artist) == plain


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_title_can_be_taken_apart(title: str, artist: str) -> None:
    name = take_apart(title)
    assert name.core or not name.folded
    assert isinstance(without_artist(title, artist), str)
    assert isinstance(in_latin(title), str)
