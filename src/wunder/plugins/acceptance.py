"""Takes a package in: everything that is checked before anything of it is written for good."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wunder.errors import FieldFault, PackageRefused
from wunder.plugins import account_schema, signature
from wunder.plugins.account_schema import SCHEMA_NAME, SchemaReading
from wunder.plugins.manifest import MANIFEST_NAME, read_manifest
from wunder.plugins.package import Package, open_package
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.refusals import WORDS, Reason, refusal
from wunder.plugins.views import Finding
from wunder_wire.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Accepted:
    """A package that breaks no rule so far; its files are checked while they are unpacked."""

    package: Package
    manifest: Manifest
    document: dict[str, Any]
    schema: dict[str, Any] | None
    findings: tuple[Finding, ...]

    @property
    def has_statement(self) -> bool:
        """True when the package carries a signature statement."""
        return signature.STATEMENT_NAME in self.package.names


def accept(path: Path, sha256: str | None, policy: PluginPolicy, scratch_dir: Path) -> Accepted:
    """Open a package and read what it says of itself; runs no code of it. Blocking.

    Args:
        path: The zip.
        sha256: What it must hash to (hex), or None.
        policy: Limits, and what unsigned packages may do.
        scratch_dir: Where the private copy lies while it is open.

    Returns:
        The open package; whoever called closes it.

    Raises: PackageRefused, StoreFull, StoreUnavailable.
    """
    package = open_package(path, limits=policy.limits, scratch_dir=scratch_dir)
    try:
        if sha256 is not None and sha256.strip().lower() != package.sha256:
            raise refusal(Reason.SHA256_MISMATCH, what=f"it has {package.sha256}")
        accepted = _read(package, policy)
        verdict, detail = signature.verify_signature(accepted.has_statement)
        if not signature.is_allowed(verdict, policy.signature):
            raise refusal(Reason.SIGNATURE_REQUIRED, what=detail)
    except BaseException:
        package.close()
        raise
    return accepted


def discard(name: str, chunks: Iterator[bytes]) -> None:
    """Read a file and keep nothing: a review checks content as an install does."""
    for _ in chunks:
        pass


def _read(package: Package, policy: PluginPolicy) -> Accepted:
    limits = policy.limits
    raw = package.read(MANIFEST_NAME, limits.manifest_bytes, Reason.MANIFEST_INVALID)
    if raw is None:
        raise refusal(Reason.MANIFEST_MISSING)
    reading = read_manifest(raw, files=frozenset(package.names))
    raw_schema = package.read(SCHEMA_NAME, limits.schema_bytes, Reason.SCHEMA_INVALID)
    schema = SchemaReading(None)
    if raw_schema is not None:
        schema = account_schema.read_account_schema(raw_schema)
    faults = list(reading.faults)
    if reading.manifest is not None and not schema.faults:
        faults += account_schema.lookup_faults(reading.manifest, schema.schema)
    if reading.manifest is not None:
        faults += _script_faults(reading.manifest, package)
    in_schema = [
        FieldFault(f"/{SCHEMA_NAME}#{fault.pointer}", fault.code, fault.message)
        for fault in schema.faults
    ]
    if reading.manifest is None or faults or in_schema:
        reason = Reason.MANIFEST_INVALID if faults else Reason.SCHEMA_INVALID
        raise PackageRefused(reason.value, "; ".join(WORDS[reason]), [*faults, *in_schema])
    findings = (*reading.findings, *schema.findings)
    return Accepted(package, reading.manifest, reading.document, schema.schema, findings)


def _script_faults(manifest: Manifest, package: Package) -> list[FieldFault]:
    """A file that is to run everywhere says by which interpreter."""
    path = manifest.entry.get("any", "")
    if path not in package.names or package.begins_with(path, b"#!"):
        return []
    message = "a file for any platform must be a script that begins with #!"
    return [FieldFault("/entry/any", "entry_no_interpreter", message)]
