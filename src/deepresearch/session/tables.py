"""The tables of sessions, collections and everything they keep.

Times are ISO 8601 in UTC with microseconds, so that text order is time order. JSON is stored as text: both
engines keep it as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

sessions = sa.Table(
    "dr_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("tenant", sa.Text, nullable=False, server_default="default"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unattended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("owner", sa.Text),
    sa.Column("claimed_at", sa.Text),
    sa.Column("takeovers", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("worked_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Index("ix_dr_sessions_queue", "state", "tenant", "priority", "created_at"),
    sa.Index("ix_dr_sessions_owner", "owner"),
)

#: What a person is asked about a session's report, and the decision once it is made.
reviews = sa.Table(
    "dr_reviews",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Text, nullable=False),
    sa.Column("decision", sa.Text),
    sa.Column("reviewer", sa.Text),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_at", sa.Text),
)

#: Who did what. It outlives the sessions it speaks of, so it holds no question and no text of theirs.
audit = sa.Table(
    "dr_audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
)

#: Large bytes by their SHA-256, where workers share a database and not a disk.
blobs = sa.Table(
    "dr_blobs",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

events = sa.Table(
    "dr_events",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

results = sa.Table(
    "dr_results",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("ix_dr_results_key", "key", "at"),
)

documents = sa.Table(
    "dr_documents",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("loader", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

session_documents = sa.Table(
    "dr_session_documents",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, index=True),
    sa.Column("loader", sa.Text, nullable=False),
)

artefacts = sa.Table(
    "dr_artefacts",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
)

#: `form` names how the passages were cut and encoded; another form has to be indexed anew.
collections = sa.Table(
    "dr_collections",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

#: `state` is ``pending`` until the passages are in the index. The bases are the file name and the title without marks
#: of version and date: versions of one document agree in one of them.
collection_documents = sa.Table(
    "dr_collection_documents",
    metadata,
    sa.Column("collection", sa.Text, sa.ForeignKey("dr_collections.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, index=True),
    sa.Column("loader", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("name_base", sa.Text, nullable=False),
    sa.Column("title_base", sa.Text, nullable=False),
    sa.Index("ix_dr_collection_documents_name", "collection", "name_base"),
    sa.Index("ix_dr_collection_documents_title", "collection", "title_base"),
)

#: `status` is ``sent`` until the end is known, then ``answered`` or ``failed``.
model_calls = sa.Table(
    "dr_model_calls",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reply", sa.Text),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", sa.Float),
    sa.Column("begun_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
    sa.Index("ix_dr_model_calls_identity", "session_id", "step", "role", "ordinal", "digest"),
)
