"""The doctor's look at the key of the secrets: a file, or a credential of systemd; the right one, and nobody else's."""

import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from wunder.accounts.keyring import CREDENTIAL, key_at
from wunder.cli.doctor.finding import Finding, failed, ok
from wunder.errors import ConfigInvalid
from wunder.store.sqlite.backup import DB_FILE

#: Where systemd keeps the credentials of each unit that runs; root and the unit's user may read.
CREDENTIALS = Path("/run/credentials")
#: Set inside a unit: the folder of its own credentials, and of nobody else's.
OWN = "CREDENTIALS_DIRECTORY"
_CHECK_VALUE = "SELECT value FROM meta WHERE key = 'key_check'"


def check_key(
    data_dir: Path, running_says: str | None = None, credentials: Path = CREDENTIALS
) -> Finding:
    """Look whether the key is there, nobody else's, and the one that sealed this store.

    Args:
        data_dir: may hold the key, and the store that knows the key's check value.
        running_says: what the gateway that runs here says of its key, None where none runs.
        credentials: systemd's folder of credentials.
    """
    expected = _expected(data_dir)
    wrong: Finding | None = None  # it may be that of another gateway on this machine
    for folder in (*_credential_folders(credentials), None):
        try:
            place, keyring = key_at(data_dir, folder)
        except ConfigInvalid as error:
            return failed("key", error.detail, "see what is said on the left")
        except PermissionError:
            continue
        if keyring is None:
            continue
        if expected is not None and not hmac.compare_digest(expected, keyring.check_value()):
            advice = (
                "put the key there that belongs to this store, or restore the store of this key"
            )
            here = failed("key", f"{place} is not the one that sealed this store", advice)
            if os.environ.get(OWN):
                return here
            wrong = wrong or here
            continue
        proof = ", the one that sealed this store" if expected is not None else ""
        return ok("key", f"{place}, readable by its owner only{proof}")
    if running_says == "ok":
        return ok("key", "the running gateway has it, as a credential that this user cannot read")
    if wrong is not None:
        return wrong
    if expected is None and not (data_dir / DB_FILE).exists():
        return ok("key", "will be made at the first start")
    place, _ = key_at(data_dir, None)
    advice = (
        f"put the key that belongs to this store at {place}, or give it to the service with "
        f"LoadCredential={CREDENTIAL}:..; without it secrets are lost"
    )
    return failed("key", "there is a store and no key", advice)


def _credential_folders(credentials: Path) -> Iterator[Path]:
    """Where the key may be as a credential: this unit's own, else that of a unit that runs."""
    own = os.environ.get(OWN)
    if own:
        yield Path(own)
        return
    try:
        yield from (place.parent for place in sorted(credentials.glob(f"*/{CREDENTIAL}")))
    except OSError:
        return


def _expected(data_dir: Path) -> bytes | None:
    """The check value that the store in this folder keeps; None where it cannot be asked."""
    path = data_dir / DB_FILE
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as store:
            found = store.execute(_CHECK_VALUE).fetchone()
    except sqlite3.Error:
        return None
    return None if found is None else bytes.fromhex(found[0])
