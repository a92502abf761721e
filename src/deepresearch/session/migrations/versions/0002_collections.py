"""Named collections and the documents in them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of collections."""
    op.create_table(
        "dr_collections",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_collection_documents",
        sa.Column("collection", sa.Text, sa.ForeignKey("dr_collections.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False, index=True),
        sa.Column("loader", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("name_base", sa.Text, nullable=False),
        sa.Column("title_base", sa.Text, nullable=False),
    )
    op.create_index("ix_dr_collection_documents_name", "dr_collection_documents", ["collection", "name_base"])
    op.create_index("ix_dr_collection_documents_title", "dr_collection_documents", ["collection", "title_base"])
