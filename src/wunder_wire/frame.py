"""Framing: one UTF-8 JSON object per line, and the limits that bound it."""

#: One ChannelMessage or OutboundMessage as encoded JSON (spec: plugin protocol 1, Framing).
MAX_MESSAGE_BYTES = 524_288
#: One line by default; a manifest may raise it to MAX_FRAME_CEILING_BYTES.
MAX_FRAME_BYTES = 1_048_576
MAX_FRAME_CEILING_BYTES = 8 * 1_048_576
#: How much of an over-long line is kept, to find the id of the call it answered.
OVERLONG_KEPT_BYTES = 4_096
MAX_JSON_DEPTH = 64
PROTOCOL_VERSIONS = (1,)


def least_frame_bytes(body_bytes: int) -> int:
    """The smallest frame that carries a webhook body of `body_bytes` as base64 with its headers."""
    return -(-body_bytes * 4 // 3) + 131_072
