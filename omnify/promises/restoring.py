"""A backup of the database this process is connected to, and its restore: whole copies, made by PostgreSQL itself.

Databases are dropped without FORCE: PostgreSQL then waits for sessions that are just ending, and sends its own autovacuum away,
which the owner of a database may not.
"""

from django.db import connection
from psycopg import sql

from omnify.bench.scratch import beside


def back_up() -> str:
    """Copies the database as it is now; returns the copy's name. Nobody else may be connected to it."""
    name = str(connection.settings_dict["NAME"])
    copy = f"{name}_backup"
    _at_the_side(
        sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(copy)),
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(name)),
    )
    return copy


def restore(copy: str) -> None:
    """Puts the copy in the place of the database; what was done since it was made is gone."""
    name = str(connection.settings_dict["NAME"])
    _at_the_side(
        sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)),
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(copy), sql.Identifier(name)),
    )


def forget(copy: str) -> None:
    """Drops a copy that was not put back."""
    _at_the_side(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(copy)))


def _at_the_side(*statements: sql.Composed) -> None:
    """Runs these as the owner, connected to another database, with no connection of Django's open."""
    with beside() as cursor:
        for statement in statements:
            cursor.execute(statement)
