"""Sessions, their events, stage results, documents and artefacts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "dr_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "dr_events",
        sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_results",
        sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_documents",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("loader", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_session_documents",
        sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False, index=True),
        sa.Column("loader", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_artefacts",
        sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
    )
