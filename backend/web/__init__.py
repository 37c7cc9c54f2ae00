"""The pages for people: templates, a style sheet, and the assets of /docs, all served from here."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
STATIC: Final = FOLDER / "static"
TEMPLATES: Final = FOLDER / "templates"
