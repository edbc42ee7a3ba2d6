"""Heavy libraries of this room, loaded when first used: 7 MB of crypto, 4.5 MB of JSON Schema."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wunder.accounts.aes_gcm import AesGcm
    from wunder.accounts.json_schema import CompiledSchema


def aes_gcm(key: bytes) -> "AesGcm":
    """Return AES-256-GCM under a key of 32 bytes."""
    from wunder.accounts.aes_gcm import AesGcm  # noqa: PLC0415 - see line 1

    return AesGcm(key)


def compile_schema(schema: dict[str, Any]) -> "CompiledSchema":
    """Compile an account schema that `schema_rules` found no fault in. Blocks: use a thread."""
    from wunder.accounts.json_schema import CompiledSchema  # noqa: PLC0415 - see line 1

    return CompiledSchema(schema)
