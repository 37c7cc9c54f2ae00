"""The pages for people: the built studio, the style and scripts of /docs, and what stands in while it is not built."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
STATIC: Final = FOLDER / "static"
TEMPLATES: Final = FOLDER / "templates"
STUDIO: Final = FOLDER / "studio"
"""What `python -m backend.web.build` makes of `frontend/`; absent until then."""
