"""Alembic's entry point. The connection is handed in by quiz/storage/upgrade.py, in a transaction of its own."""

from alembic import context

from quiz.storage.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True)
context.run_migrations()
