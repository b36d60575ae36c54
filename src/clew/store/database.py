"""The state database: SQLite in the workspace, or PostgreSQL by URL, and its tables.

This module imports SQLAlchemy at its top: import it, and `store.findings`, inside functions.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from clew.errors import MissingExtraError, WorkspaceError

try:
    import sqlalchemy as sa
except ImportError as error:
    raise MissingExtraError("lake", "sqlalchemy") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION = 2
_BUSY_MS = 15_000

metadata = sa.MetaData()
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
# Times are ISO 8601 texts in UTC of one width, so that their order is the order of time on every database.
findings = sa.Table(
    "findings",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *(
        sa.Column(name, sa.Text, nullable=False)
        for name in ("producer", "rule", "subject", "actor", "severity")
    ),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("first_seen", "last_seen")),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("first_detected", "last_detected")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("findings_of_subject", "producer", "rule", "subject"),
)
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("finding", "at", "change", "detail")),
    sa.Index("changes_of_finding", "finding"),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "producer")),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("found", "new", "reopened", "resolved")),
    sa.Column("active", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
)
suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "owner", "created_at")),
    sa.Column("expires_at", sa.Text),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("finding", "rule", "actor", "resource")),
    sa.Column("removed_at", sa.Text),
    *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in ("account", "tags", "combine")),
)
# What version 2 added to the tables of version 1.
_ADDED = (
    ("runs", "detail"),
    ("suppressions", "account"),
    ("suppressions", "tags"),
    ("suppressions", "combine"),
)


class Database:
    """An open state database; use it as a context manager, and one transaction for what belongs together."""

    def __init__(self, location: Path | str, *, create: bool = True, durable: bool = False) -> None:
        """Open the SQLite file at a path, or the database at a URL; WorkspaceError when it is absent or damaged.

        `durable`: what is committed outlives the machine too, not only the process.
        """
        self.location = str(location)
        if isinstance(location, Path):
            _check_file(location, create=create)
            url = sa.URL.create("sqlite", database=str(location))
        else:
            url = sa.make_url(location)
        self._engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        if url.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _configure)
            if durable:
                sa.event.listen(self._engine, "connect", _sync_each_commit)
            sa.event.listen(self._engine, "begin", _begin)
        self._prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sa.Connection]:
        """A connection in one transaction: all of it is kept, or none; WorkspaceError when the database fails."""
        try:
            with self._engine.connect().execution_options(clew_write=write) as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise WorkspaceError(
                f"{self.location}: the state cannot be used: {cause}; restore it or move it away"
            ) from error

    def _prepare(self) -> None:
        with self.transaction(write=False) as connection:
            present = sa.inspect(connection).has_table("meta")
        if not present:
            with self.transaction(write=True) as connection:
                metadata.create_all(connection)
                if connection.execute(sa.select(meta.c.value)).first() is None:
                    connection.execute(sa.insert(meta).values(name="version", value=str(SCHEMA_VERSION)))
        version = self._version()
        if version == "1":
            self._upgrade()
            version = self._version()
        if version != str(SCHEMA_VERSION):
            raise WorkspaceError(
                f"{self.location}: the state has version `{version}`, expected `{SCHEMA_VERSION}`; "
                "it was written by another version of Clew"
            )

    def _version(self) -> str | None:
        with self.transaction(write=False) as connection:
            found = connection.execute(sa.select(meta.c.value).where(meta.c.name == "version")).scalar()
        return None if found is None else str(found)

    def _upgrade(self) -> None:
        """Bring the tables of version 1 to version 2, in one transaction; another process may have done it."""
        with self.transaction(write=True) as connection:
            for table, column in _ADDED:
                present = {each["name"] for each in sa.inspect(connection).get_columns(table)}
                if column not in present:
                    added = f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''"
                    connection.execute(sa.text(added))
            connection.execute(
                sa.update(meta).where(meta.c.name == "version").values(value=str(SCHEMA_VERSION))
            )


def _check_file(path: Path, *, create: bool) -> None:
    if path.exists():
        return
    if not create:
        raise WorkspaceError(f"{path}: no findings yet; run `clew detect` first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WorkspaceError(f"{path.parent}: cannot be created: {error.strerror}") from error


def _configure(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    # The driver must not begin transactions of its own: `_begin` does, and says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
    finally:
        cursor.close()


def _sync_each_commit(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA synchronous = FULL")
    finally:
        cursor.close()


def _begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("clew_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
