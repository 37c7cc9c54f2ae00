"""Tables for tests, written by hand and generated: names, tags and figures of every kind that has to be read."""

from __future__ import annotations

import io
import random
from string import ascii_letters, digits

from backend.ingestion.tables.reading import Source

HEAD = (
    "track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,track_album_release_date,playlist_genre,"
    "playlist_subgenre,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
    "duration_ms"
)


def spotify_id(number: int, kind: str = "t") -> str:
    """Something of the form of Spotify's identifiers."""
    rng = random.Random(f"{kind}{number}")
    return "".join(rng.choices(ascii_letters + digits, k=22))


def file(name: str, text: str | bytes) -> Source:
    """A table as a file."""
    written = text.encode() if isinstance(text, str) else text
    return Source(name, lambda: io.BytesIO(written))


def row(number: int, album: int, **more: object) -> str:
    """A row of a table of Spotify's features."""
    values: dict[str, object] = {
        "track_id": spotify_id(number),
        "track_name": f"Song {number}",
        "track_artist": f"Artist {album % 7}",
        "track_popularity": number % 101,
        "track_album_id": spotify_id(album, "a"),
        "track_album_name": f"Album {album}",
        "track_album_release_date": "2019-12-13",
        "playlist_genre": "pop",
        "playlist_subgenre": "dance pop",
        "danceability": 0.726, "energy": 0.815, "key": number % 12, "loudness": -4.969, "mode": number % 2, "speechiness": 0.0373,
        "acousticness": 0.0724, "instrumentalness": 2.33e-5, "liveness": 0.357, "valence": 0.693, "tempo": 99.972,
        "duration_ms": 162_600 + number * 1_000,
    }  # fmt: skip
    values |= more
    cells = [str(values[name]) for name in HEAD.split(",")]
    return ",".join('"' + c.replace('"', '""') + '"' if any(s in c for s in ',"\n') else c for c in cells)


TRACKS = "\n".join((
    HEAD,
    row(1, 1), row(2, 1), row(3, 1, playlist_genre="rock", playlist_subgenre="happy"),
    row(4, 2, track_album_release_date="2019"), row(5, 2, track_album_release_date="2019"),
    row(6, 3, track_album_release_date="1969-09", track_name="Something - Remastered 2009"),
)) + "\n"  # fmt: skip

ODD = "\n".join((
    HEAD,
    # Two albums of one name, a recording on both, a title twice on one.
    row(1, 1, track_album_name="Twice", track_artist="Ada", track_name="Tide", duration_ms=200_000),
    row(2, 2, track_album_name="Twice", track_artist="Ada", track_name="Tide", duration_ms=201_000),
    row(3, 2, track_album_name="Twice", track_artist="Ada", track_name="Tide", duration_ms=260_000),
    # Several artists on one album; a majority, and none.
    row(4, 3, track_artist="Ada"), row(5, 3, track_artist="Bo"), row(6, 3, track_artist="Ada"),
    row(7, 4, track_artist="Cy"), row(8, 4, track_artist="Di"),
    # Names that need care in COPY, JSON and arrays.
    row(9, 5, track_name='Back\\slash "quoted"', track_artist="Tab\tbed  Émile", track_album_name="C:\\new\\table {a,b}"),
    row(10, 5, track_name="Línea\nnueva", track_artist="Tab bed Émile", track_album_name="C:\\new\\table {a,b}"),
    # A tag that is the artist's or the album's own name, and one that nobody knows.
    row(11, 6, track_artist="Pop", playlist_genre="pop", playlist_subgenre="melancholy"),
    row(12, 7, track_album_name="Dance Pop", track_artist="Eve"), row(13, 8, playlist_genre="", playlist_subgenre="qwertz uiop"),
    # Figures that say nothing, or nothing that can be.
    row(14, 9, key="", mode="NA", tempo=0, danceability=7, energy="loud", track_popularity=101, duration_ms=0, liveness="-0.0"),
    row(15, 9, acousticness="1e-42", instrumentalness="", speechiness="", valence="", key=-1, track_album_release_date="0000"),
    row(16, 10, danceability="", energy="", key="", loudness="", mode="", speechiness="", acousticness="", instrumentalness="",
        liveness="", valence="", tempo="", duration_ms="", track_popularity="", playlist_genre="", playlist_subgenre=""),
    row(17, 11, track_name="Otis (feat. Otis Redding) - Live", track_artist="JAY-Z, Kanye West"),
    row(18, 11, track_name="Otis - Radio Edit", track_artist="JAY-Z"), row(19, 12, track_name="÷", track_artist="!!!"),
    row(20, 12, track_name="[untitled]", track_artist="!!!"),
)) + "\n"  # fmt: skip


def albums_table() -> str:
    """A table whose rows are albums."""
    rows = [
        f"Artist {n % 5},Album {n},{1990 + n},rock;pop,Label \\ {n % 3},{'0602445790128' if n else ''}"
        for n in range(12)
    ]
    rows.append("Pop,Rock,2000-02-30,rock;calm,,")
    return "Artist,Album,Year,Genres,Label,UPC\n" + "\n".join(rows) + "\n"


_FIRST = (
    "Amber",
    "Paper",
    "Silver",
    "Quiet",
    "Northern",
    "Broken",
    "Golden",
    "Hollow",
    "Electric",
    "Velvet",
    "Crimson",
    "Winter",
)
_LAST = (
    "Harbour",
    "Lanterns",
    "Rivers",
    "Machine",
    "Garden",
    "Signal",
    "Mirror",
    "Parade",
    "Orchard",
    "Engine",
    "Letters",
    "Tide",
)
_TAILS = ("",) * 12 + (
    " - Remastered 2011", " (feat. Ada Quay)", " - Live", " - Radio Edit", " (Deluxe Version)", " (with Bo Tern)", ", Pt. 2",
    " - Acoustic",
)  # fmt: skip
_GENRES = (
    ("pop", "dance pop"),
    ("rock", "album rock"),
    ("rap", "trap"),
    ("latin", "reggaeton"),
    ("r&b", "neo soul"),
    ("edm", "big room"),
)


def generated(rows: int, *, seed: int = 0) -> str:
    """A table of so many tracks on albums of about ten, some of them twice, titles as they are written there."""
    rng = random.Random(seed)
    lines, album, left = [HEAD], 0, 0
    genre, artist, name, date = _GENRES[0], "", "", ""
    for number in range(rows):
        if not left:
            album, left = album + 1, rng.randint(1, 19)
            genre, artist = (
                rng.choice(_GENRES),
                f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {rng.randrange(1 + rows // 100)}",
            )
            name, date = (
                f"{rng.choice(_FIRST)} {rng.choice(_LAST)}",
                rng.choice(("2003", "2011-05", "2019-12-13", "2001-02-03")),
            )
        left -= 1
        title = f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {rng.choice(('', 'Song', 'Again', str(number)))}".strip()
        features = {
            k: round(rng.random(), 4)
            for k in ("danceability", "energy", "speechiness", "acousticness", "liveness", "valence")
        }
        lines.append(
            row(number, album, track_name=title + rng.choice(_TAILS), track_artist=artist, track_album_name=name,
                track_album_release_date=date, playlist_genre=genre[0], playlist_subgenre=genre[1],
                loudness=round(-20 * rng.random(), 3),
                instrumentalness=f"{rng.random() ** 9:.3g}", tempo=round(60 + 120 * rng.random(), 3),
                duration_ms=rng.randint(90_000, 400_000), **features)
        )  # fmt: skip
    return "\n".join(lines) + "\n"
