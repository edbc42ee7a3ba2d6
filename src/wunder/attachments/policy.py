"""How large attachments may be, how long they are kept, and how patiently they are fetched."""

import msgspec

MIB = 1024 * 1024


class AttachmentPolicy(msgspec.Struct, frozen=True):
    """Limits of the attachment store; all of them choices.

    `kept_s` counts from the last use. When an account's limit is reached, what it has not used for
    `settled_s` makes room, longest unused first. `give_up_s` bounds how long an outage of a platform
    is waited for. `url_s` is how long a signed link is good.
    """

    max_file_bytes: int = 32 * MIB
    max_account_bytes: int = 1024 * MIB
    free_floor_bytes: int = 512 * MIB
    kept_s: int = 30 * 86_400
    settled_s: int = 3_600
    url_s: int = 3_600
    fetches_at_once: int = 16
    fetches_per_account: int = 4
    tries: int = 5
    retry_base_s: float = 2.0
    retry_cap_s: float = 60.0
    give_up_s: int = 86_400
    transfer_s: float = 120.0
    poll_s: float = 1.0
    sweep_s: float = 60.0
