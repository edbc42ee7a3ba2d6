"""Changes of who somebody is: a new phone number, a new business-scoped id."""

from collections.abc import Iterable, Iterator

from wunder_channels.whatsapp.messages import Raw
from wunder_channels.whatsapp.people import Person
from wunder_sdk.loose_json import nested, string

#: Types of system messages that tell of one (Cloud API, system messages webhook, read 2026-08).
_MOVES = ("user_changed_number", "user_changed_user_id", "customer_changed_number")


def moves_in(raws: Iterable[Raw]) -> Iterator[tuple[Person, Person]]:
    """Return (before, now) of each person who changed number or id, in order."""
    for raw in raws:
        system = nested(raw.message, "system")
        if string(raw.message, "type") != "system" or string(system, "type") not in _MOVES:
            continue
        before = Person(
            phone=string(raw.message, "from"),
            user_id=string(system, "previous_user_id") or string(raw.message, "from_user_id"),
        )
        now = Person(
            phone=string(system, "wa_id") or string(system, "new_wa_id"),
            user_id=string(system, "user_id"),
        )
        if now.is_somebody and now != before:
            yield before, now
