"""Titles of tracks are found as they are typed: parts and near spellings by trigrams."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None

_TABLES: Final = ("enhanced_tracks", "tracks_noncommercial", "tracks_open")


def upgrade() -> None:
    for table in _TABLES:
        op.create_index(
            f"ix_{table}_title", table, [sa.literal_column("lower(title) gin_trgm_ops")], postgresql_using="gin"
        )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"ix_{table}_title", table_name=table)
