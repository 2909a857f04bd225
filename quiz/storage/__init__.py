"""Where everything is kept: SQLite through SQLAlchemy. Nothing above this package imports SQLAlchemy."""
