"""What was found unfinished and taken up again."""

import msgspec

from wunder.model.ids import DeliveryId, MessageId


class Recovered(msgspec.Struct, frozen=True):
    """What was found and what became of it, by id."""

    again: tuple[MessageId, ...] = ()  # turns that will be run again
    poisoned: tuple[MessageId, ...] = ()  # messages that failed alone; their apologies are queued
    resent: tuple[DeliveryId, ...] = ()  # deliveries that will be sent again under the same key
    unknown: tuple[DeliveryId, ...] = ()  # deliveries that were parked
