"""The plugin's side of `plugin.handshake`: which protocol, and who we are."""

from typing import ClassVar

from wunder_sdk.errors import ChannelError
from wunder_wire.frame import PROTOCOL_VERSIONS
from wunder_wire.methods import HandshakeParams, HandshakeResult, PluginIdentity, SdkIdentity
from wunder_wire.record import dataclass

SDK_VERSION = "0.1.0"


class ProtocolUnsupported(ChannelError):
    """No protocol version in common; a restart cannot cure that."""

    kind: ClassVar[str] = "protocol_unsupported"
    scope = "plugin"


class NotOurHost(ChannelError):
    """The cookie is not the one this process was started with."""

    kind: ClassVar[str] = "forbidden"
    scope = "plugin"


@dataclass(frozen=True, slots=True)
class PluginFacts:
    """What this process knows about itself; "" for id and version means: what the host says."""

    cookie: str
    plugin_id: str = ""
    version: str = ""


def answer(
    params: HandshakeParams, facts: PluginFacts, capabilities: dict[str, bool]
) -> HandshakeResult:
    """Return the handshake's result.

    Raises:
        ProtocolUnsupported: No version in common; the message names ours.
        NotOurHost: The cookie differs from `WUNDER_COOKIE`.
    """
    common = set(params.protocols) & set(PROTOCOL_VERSIONS)
    if not common:
        ours = ", ".join(str(version) for version in PROTOCOL_VERSIONS)
        raise ProtocolUnsupported(f"this plugin speaks protocol {ours}")
    if params.cookie != facts.cookie:  # tells two starts apart, guards nothing: plain comparison
        raise NotOurHost
    return HandshakeResult(
        protocol=max(common),
        cookie=facts.cookie,
        plugin=PluginIdentity(
            facts.plugin_id or params.plugin.plugin_id,
            facts.version or params.plugin.version,
            params.plugin.package_sha256,
            params.plugin.generation,
        ),
        sdk=SdkIdentity("wunder-sdk-python", SDK_VERSION),
        capabilities=capabilities,
    )
