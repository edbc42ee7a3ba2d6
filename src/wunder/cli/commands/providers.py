"""`wunder providers`: the channels that this gateway can speak."""

import typer

from wunder.cli.output import Column
from wunder.cli.session import session_of

PATH = "/wunder/admin/channels/providers"


def command(context: typer.Context) -> None:
    """List the channels, built-in and installed, and who serves each."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(PATH)
    if session.out.is_json:
        session.out.document(found)
        return
    lang = session.options.lang
    columns: list[Column] = [
        ("CHANNEL", "channel"),
        ("NAME", lambda row: row["i18n"].get(lang, {}).get("name") or row["name"]),
        ("SERVED BY", lambda row: f"{row['source']} {row['plugin_id']} {row['version']}"),
        ("STATE", "state"),
        ("HEALTH", "health"),
        ("CAN", lambda row: sorted(name for name, has in row["capabilities"].items() if has)),
        ("WEBHOOK", "webhook_path"),
    ]
    session.out.table(found, columns, "This gateway knows no channel.")
