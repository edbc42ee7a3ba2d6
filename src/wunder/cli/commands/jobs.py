"""`wunder job`: how far ordered work is, and stopping it."""

import time
from typing import Any

import typer

from wunder.cli.client import Client, path_of
from wunder.cli.output import Column, Output, when
from wunder.cli.session import new_group, session_of

app = new_group("Jobs: work that goes on in small steps.")
ROOT = "/wunder/admin/jobs"
OVER = {"done", "cancelled", "failed"}
_LOOK_EVERY_S = 0.3


@app.command("list")
def list_jobs(
    context: typer.Context, limit: int = typer.Option(20, "--limit", min=1, max=1_000)
) -> None:
    """List jobs, newest first."""
    session = session_of(context)
    with session.client() as client:
        found = list(client.items(ROOT, None, limit))
    columns: list[Column] = [
        ("JOB", "job_id"),
        ("KIND", "kind"),
        ("STATE", "state"),
        ("DONE", lambda row: f"{row['done'] + row['skipped']} of {row['total']}"),
        ("BY", "created_by"),
        ("ORDERED", lambda row: when(row["created_at"])),
        ("ENDED", lambda row: when(row["finished_at"])),
    ]
    session.out.listing(found, columns, "No jobs.")


@app.command("show")
def show(
    context: typer.Context,
    job_id: str,
    wait: bool = typer.Option(False, "--wait", help="Watch it until it is over."),
) -> None:
    """Show how far a job is."""
    session = session_of(context)
    with session.client() as client:
        job = client.get(ROOT + path_of(job_id))
        if wait:
            job = watched(client, session.out, job)
    if session.out.is_json:
        session.out.document(job)
        return
    session.out.facts(
        (name.replace("_", " "), when(value) if name.endswith("_at") else value)
        for name, value in job.items()
        if name != "spec"
    )


@app.command("cancel")
def cancel(context: typer.Context, job_id: str) -> None:
    """Stop a job; what it did stays done."""
    session = session_of(context)
    with session.client() as client:
        job = client.post(ROOT + path_of(job_id, "cancel"))
    if session.out.is_json:
        session.out.document(job)
    session.out.line(f"Stopped; {job['done']} of {job['total']} were done.")


def watched(client: Client, out: Output, job: Any) -> Any:
    """Follow a job with a bar until it is over; what it ended as."""
    with out.progress(job["kind"], job["total"], is_slow=True) as step:
        shown = 0
        while True:
            came = job["done"] + job["skipped"]
            step(came - shown)
            shown = came
            if job["state"] in OVER:
                return job
            time.sleep(_LOOK_EVERY_S)
            job = client.get(ROOT + path_of(job["job_id"]))
