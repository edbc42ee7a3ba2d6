"""`wunder doctor`: look for what keeps a gateway from working, and say what to do for each."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from wunder.cli.doctor import data_dir, database, gateway_health, key, machine
from wunder.cli.doctor.finding import Finding, failed
from wunder.cli.failure import FAILED, CommandFailed
from wunder.cli.gateway import loaded_config, running_gateway
from wunder.cli.global_options import GlobalOptions
from wunder.cli.output import Column
from wunder.cli.session import session_of


def command(context: typer.Context) -> None:
    """Check data directory, disk, store, key, plugins, clock, port and Python; change nothing."""
    session = session_of(context)
    findings = list(_findings(session.options))
    worst = any(finding.verdict == "failed" for finding in findings)
    if session.out.is_json:
        session.out.document([finding._asdict() for finding in findings])
    else:
        columns: list[Column] = [
            ("CHECK", "name"),
            ("", "verdict"),
            ("FOUND", "found"),
            ("WHAT TO DO", "advice"),
        ]
        session.out.table([finding._asdict() for finding in findings], columns, "")
    if worst:
        raise typer.Exit(FAILED)


def _findings(options: GlobalOptions) -> Iterator[Finding]:
    yield machine.check_python()
    yield machine.check_sqlite()
    yield machine.check_clock()
    yield machine.check_open_files()
    yield machine.check_user()
    try:
        config = loaded_config(options)
    except CommandFailed as failure:
        yield failed("settings", failure.what, "correct the file or the variable")
        return
    yield from _findings_of(config, options)


def _findings_of(config: Any, options: GlobalOptions) -> Iterator[Finding]:
    place = config.data_dir
    yield data_dir.check_place(place)
    yield data_dir.check_room(place, config.store.free_floor_bytes)
    named = os.environ.get("CREDENTIALS_DIRECTORY")
    on_server = database.check_database(config.store_policy, Path(named) if named else None)
    yield from on_server or (data_dir.check_store(place),)
    try:
        client = running_gateway(options)
    except CommandFailed as failure:
        yield key.check_key(place)
        yield failed("gateway", failure.what, "; ".join(failure.advice))
        return
    if client is None:
        yield key.check_key(place)
        yield machine.check_port(config.server.host, config.server.port)
        yield gateway_health.no_gateway(place)
        return
    with client:
        yield key.check_key(place, gateway_health.key_of(client))
        yield machine.check_port(config.server.host, config.server.port, running_at=client.place)
        yield from gateway_health.check_gateway(client)
