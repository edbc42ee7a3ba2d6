"""`wunder migrate`: show what the schema lacks, and bring it up to date."""

from typing import Any

import typer

from wunder.cli.failure import CommandFailed
from wunder.cli.gateway import loaded_config
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would be done."),
) -> None:
    """Bring the schema of the store to what this program knows. A starting gateway does the same.

    Steps only add: nodes of the version before go on while it runs. There is no way back but a backup.
    """
    from wunder.cli.safekeeping import migrate_store, schema_standing

    session = session_of(context)
    config = loaded_config(session.options)
    standing = schema_standing(config)
    if standing["schema_version"] > standing["known"]:
        raise CommandFailed(
            f"the store has schema {standing['schema_version']},"
            f" this program knows {standing['known']}",
            where=standing["path"],
            advice=("run the newer program",),
            document=standing,
        )
    reached = standing["schema_version"]
    if not dry_run and standing["missing"]:
        reached = migrate_store(config)
    if session.out.is_json:
        session.out.document({**standing, "reached": reached, "dry_run": dry_run})
        return
    _tell(session.out, standing, reached, dry_run=dry_run)


def _tell(out: Any, standing: dict[str, Any], reached: int, *, dry_run: bool) -> None:
    out.line(f"{standing['path']} ({standing['engine']}): schema {standing['schema_version']}")
    for step in standing["missing"]:
        verb = "would apply" if dry_run else "applied"
        out.line(f"{verb} {step['number']:04d} {step['name'].replace('_', ' ')}")
    if not standing["missing"]:
        out.line(f"It is what this program knows ({standing['known']}).")
    elif not dry_run:
        out.line(f"The store has schema {reached} now.")
