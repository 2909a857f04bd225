"""Migrations: from nothing they give the models' schema; an older database is copied first; a failed one changes nothing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from quiz.storage import upgrade
from quiz.storage.database import DatabaseUnusable
from quiz.storage.models import Base
from tests.storage.builders import opened
from tests.storage.test_database import used

NEWEST = upgrade.revisions()[-1]
NEXT = f"{int(NEWEST) + 1:04d}"
SECOND = """
from alembic import op

revision = "{next}"
down_revision = "{newest}"


def upgrade() -> None:
    op.execute("CREATE TABLE second (id INTEGER PRIMARY KEY)")
    op.execute("{statement}")
"""


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture
def next_release(tmp_path_factory, monkeypatch):
    """A function that makes this code the next release: one more migration, ending in the given statement."""

    def release(statement: str) -> None:
        folder = tmp_path_factory.mktemp("release") / "migrations"
        shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / f"v{NEXT}_second.py").write_text(SECOND.format(statement=statement, next=NEXT, newest=NEWEST))
        monkeypatch.setattr(upgrade, "MIGRATIONS", folder)

    return release


def test_migrations_from_nothing_give_exactly_the_models(tmp_path):
    opened(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'carousel.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_newest_file_is_alembics_only_head_and_names_match_revisions():
    scripts = ScriptDirectory(str(upgrade.MIGRATIONS))
    assert scripts.get_heads() == [upgrade.revisions()[-1]]
    assert [script.revision for script in scripts.walk_revisions()][::-1] == upgrade.revisions()


def test_an_older_database_is_copied_beside_itself_and_migrated(tmp_path, next_release):
    path = used(tmp_path)
    before = rows(path, "SELECT * FROM attempt")
    next_release("INSERT INTO second VALUES (7)")
    opened(tmp_path).close()
    assert rows(path, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert (rows(path, "SELECT * FROM second"), rows(path, "SELECT * FROM attempt")) == ([(7,)], before)
    copy = tmp_path / f"carousel.before-upgrade-{NEWEST}.db"
    assert rows(copy, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
    assert rows(copy, "SELECT * FROM attempt") == before
    opened(tmp_path).close()
    assert len(list(tmp_path.glob("*before-upgrade*"))) == 1


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, next_release):
    path = used(tmp_path)
    before = rows(path, "SELECT * FROM sqlite_master"), rows(path, "SELECT * FROM attempt")
    next_release("INSERT INTO missing VALUES (1)")
    with pytest.raises(DatabaseUnusable, match="no such table: missing"):
        opened(tmp_path)
    assert (rows(path, "SELECT * FROM sqlite_master"), rows(path, "SELECT * FROM attempt")) == before
    assert rows(path, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_a_first_migration_that_fails_leaves_no_tables(tmp_path, next_release):
    next_release("INSERT INTO missing VALUES (1)")
    with pytest.raises(DatabaseUnusable, match="no such table: missing"):
        opened(tmp_path)
    assert rows(tmp_path / "carousel.db", "SELECT * FROM sqlite_master") == []


def test_an_earlier_copy_is_never_overwritten(tmp_path):
    path = used(tmp_path)
    names = [upgrade.back_up(path, "before-upgrade-0001").name for _ in range(3)]
    assert names == ["carousel.before-upgrade-0001.db", "carousel.before-upgrade-0001-1.db", "carousel.before-upgrade-0001-2.db"]
