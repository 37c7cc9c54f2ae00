"""When each record and each model became known and ceased to be, and what was taken out: for reading the past exactly."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None

_INSTANT: Final = postgresql.TIMESTAMP(timezone=True)
_CLOCK: Final = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("source_records", sa.Column("known_from", _INSTANT, nullable=True))
    op.add_column("source_records", sa.Column("known_to", _INSTANT, nullable=True))
    # Of what was stored before nobody noted when: when it was asked for is the nearest that there is.
    op.execute("UPDATE source_records SET known_from = valid_from, known_to = valid_to")
    op.alter_column("source_records", "known_from", nullable=False, server_default=_CLOCK)
    op.create_table(
        "removals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", _INSTANT, server_default=_CLOCK, nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("albums", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("known_from", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
    )
    op.drop_constraint("pk_feature_models", "feature_models", type_="primary")
    op.add_column("feature_models", sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.create_primary_key("pk_feature_models", "feature_models", ["id"])
    op.add_column("feature_models", sa.Column("replaced_at", _INSTANT, nullable=True))
    op.alter_column("feature_models", "model", nullable=True)
    op.alter_column("feature_models", "fitted_at", server_default=_CLOCK)
    op.create_index(
        "uq_feature_models_current",
        "feature_models",
        ["rights"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_feature_models_current", table_name="feature_models")
    op.execute("DELETE FROM feature_models WHERE replaced_at IS NOT NULL OR model IS NULL")
    op.alter_column("feature_models", "fitted_at", server_default=sa.text("now()"))
    op.alter_column("feature_models", "model", nullable=False)
    op.drop_column("feature_models", "replaced_at")
    op.drop_constraint("pk_feature_models", "feature_models", type_="primary")
    op.drop_column("feature_models", "id")
    op.create_primary_key("pk_feature_models", "feature_models", ["rights"])
    op.drop_table("removals")
    op.drop_column("source_records", "known_to")
    op.drop_column("source_records", "known_from")
