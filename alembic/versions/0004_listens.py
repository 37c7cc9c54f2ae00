"""What listeners heard, by their own exports."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "listens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("listener", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("listened_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_the_minute", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("album", sa.Text(), nullable=True),
        sa.Column("track_key", sa.Text(), nullable=False),
        sa.Column("artist_key", sa.Text(), nullable=False),
        sa.Column("album_key", sa.Text(), server_default="", nullable=False),
        sa.Column("spotify_id", sa.Text(), nullable=True),
        sa.Column("recording_mbid", sa.Text(), nullable=True),
        sa.Column("isrc", sa.Text(), nullable=True),
        sa.Column("ms_played", sa.Integer(), nullable=True),
        sa.Column("skipped", sa.Boolean(), nullable=True),
        sa.Column("track_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["track_id"], ["enhanced_tracks.id"], name=op.f("fk_listens_track_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listens")),
    )
    op.create_index("uq_listens_heard", "listens", ["listener", "source", "listened_at", "track_key"], unique=True)
    op.create_index(
        "ix_listens_track_id", "listens", ["track_id"], unique=False, postgresql_where=sa.text("track_id IS NOT NULL")
    )
    op.create_index(
        "ix_listens_to_the_minute",
        "listens",
        ["listener", "track_key"],
        unique=False,
        postgresql_where=sa.text("to_the_minute"),
    )


def downgrade() -> None:
    op.drop_table("listens")
