"""Choosing the form of an answer by the Accept header."""

from __future__ import annotations

import pytest

from backend.routes.answers import preferred

OFFERED = ("application/json", "text/html", "text/csv")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("text/*;q=0.5, application/json;q=0.4", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("text/csv ; q=1.0", "text/csv"),
        ("image/png", None),
        ("text/html;q=zero", None),
        ("application/json;q=nan, text/html;q=0.1", "text/html"),
        (";;;,,,", None),
    ],
)
def test_the_best_liked_form_is_chosen(accept: str, expected: str | None) -> None:
    assert preferred(accept, OFFERED) == expected
