"""A database of an earlier schema is brought up to date with everything in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from deepresearch.corpus import load
from deepresearch.model.session import SessionOptions
from deepresearch.session import migrations
from deepresearch.session.archive import Archive
from deepresearch.session.database import SCHEMA_VERSION
from deepresearch.session.holdings import Holdings
from deepresearch.settings import Settings


def test_a_database_of_schema_0001_keeps_its_data(home: Path, corpus: Path) -> None:
    document = load(corpus / "figures" / "passengers-by-year.csv")
    engine = sa.create_engine(f"sqlite:///{home / 'sessions.sqlite'}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        options = SessionOptions(question="How many?", sources=(document.source,)).model_dump_json()
        at = "2026-01-01T00:00:00.000000Z"
        connection.execute(
            sa.text("INSERT INTO dr_sessions VALUES ('old', 'completed', :options, :at, :at, NULL)"),
            {"options": options, "at": at},
        )
        connection.execute(
            sa.text("INSERT INTO dr_documents VALUES (:sha, '1', :body)"),
            {"sha": document.sha256, "body": document.model_dump_json()},
        )
        connection.execute(
            sa.text("INSERT INTO dr_session_documents VALUES ('old', :source, :sha, '1')"),
            {"source": document.source, "sha": document.sha256},
        )
        assert not sa.inspect(connection).has_table("dr_collections")
    engine.dispose()
    with closing(Archive(Settings(home=home))) as archive:
        assert archive.session("old").options.question == "How many?"
        assert archive.documents("old") == [document]
        assert Holdings(archive.store).records() == []
        with archive.store.engine.connect() as connection:
            version = connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar()
    assert version == SCHEMA_VERSION
