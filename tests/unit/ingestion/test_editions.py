from __future__ import annotations

import pytest

from backend.ingestion.editions import without_edition


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Abbey Road", "Abbey Road"), ("Abbey Road (Remastered)", "Abbey Road"), ("Abbey Road [2019 Mix]", "Abbey Road"),
        ("Abbey Road (Super Deluxe Edition) [Remastered]", "Abbey Road"), ("Come Together - Remastered 2009", "Come Together"),
        ("GUTS (spilled)", "GUTS (spilled)"), ("Intro - Live", "Intro - Live"), ("(Remastered)", "(Remastered)"),
        ("Led Zeppelin (Deluxe) - Live", "Led Zeppelin (Deluxe) - Live"), ("A - B", "A - B"), ("", ""),
    ],
)  # fmt: skip
def test_titles_without_their_edition(title: str, plain: str) -> None:
    assert without_edition(title) == plain
