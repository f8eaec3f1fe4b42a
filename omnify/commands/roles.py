"""The two log-in roles of Omnify's processes: omnify_web (row-level security forced) and omnify_system (workers)."""

import psycopg
from psycopg import sql

from omnify.lib.database import ROLES, role_password


class RoleRefused(Exception):
    """A role is not what Omnify's safety rests on. The message says which and why."""


def make_roles(owner_url: str, secret_key: str) -> list[str]:
    """Creates or updates both roles as the owner, lets them connect, and returns their names. Idempotent.

    Their passwords come from `secret_key` (omnify.lib.database.role_password); only SCRAM verifiers travel.
    Raises RoleRefused when a role of that name could step around row-level security.
    """
    names = [name for name in ROLES.values() if name]
    with psycopg.connect(owner_url, connect_timeout=10) as conn:
        # Several machines may deploy at once; ALTER ROLE on one row twice at a time is an error in PostgreSQL.
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('omnify roles'))")
        for name in names:
            verifier = conn.pgconn.encrypt_password(
                role_password(name, secret_key).encode(), name.encode(), b"scram-sha-256"
            )
            known = conn.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [name]).fetchone()
            if known and known[0]:
                raise RoleRefused(
                    f"The database role {name} is a superuser or bypasses row-level security. Take that from it first."
                )
            # ALTER names the password alone: before PostgreSQL 16 even NOSUPERUSER may be said only by a superuser.
            verb = (
                "ALTER ROLE {} LOGIN PASSWORD {}"
                if known
                else "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}"
            )
            conn.execute(sql.SQL(verb).format(sql.Identifier(name), sql.Literal(verifier.decode())))
            conn.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(conn.info.dbname), sql.Identifier(name)
                )
            )
    return names
