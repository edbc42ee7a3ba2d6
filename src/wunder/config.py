"""Every setting of the gateway: read once from a TOML file and WUNDER_* variables.

A section is the policy struct of the room that uses it, so a setting's name is the field's name:
`[retry] base_s = 2.0` is `WUNDER_RETRY_BASE_S=2`. docs/operate/settings.md lists them all.
"""

import math
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from wunder.api.parts import ApiPolicy
from wunder.attachments.policy import AttachmentPolicy
from wunder.chat.policy import ChatPolicy
from wunder.conversation.turn import TurnPolicy
from wunder.conversation.worker import WorkerPolicy
from wunder.errors import ConfigInvalid
from wunder.inbound.inline import InlinePolicy
from wunder.inbound.spool import SpoolPolicy
from wunder.outbound.dispatcher import DispatcherPolicy
from wunder.outbound.parking import ParkingPolicy
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import SlotPolicy
from wunder.people.policy import OidcPolicy, PeoplePolicy
from wunder.runtime.policy import RuntimePolicy
from wunder.store.policy import StorePolicy
from wunder.streaming.policy import StreamPolicy
from wunder.upkeep.admission import AdmissionPolicy
from wunder.upkeep.pairing import PairingPolicy
from wunder.upkeep.replay import JobPolicy
from wunder.upkeep.retention import RetentionPolicy

PREFIX = "WUNDER_"
#: What the store must know of other rooms' settings: no settings of its own.
FOLLOWS = frozenset(
    {
        ("store", name)
        for name in ("max_retries", "backoff_s", "max_backoff_s", "tombstone_s", "apology")
    }
)
#: Variables of ours that are no settings.
NOT_SETTINGS = frozenset({"WUNDER_CONFIG"})


class GatewaySettings(msgspec.Struct, frozen=True):
    """The gateway itself.

    `data_dir` holds everything it keeps. `stop_grace_s` bounds how long running turns and sends may
    take to end. `max_message_bytes` is the largest message a channel may hand in or be handed; `max_body_bytes` the largest
    webhook body, whatever a channel's manifest allows.
    """

    data_dir: str = "data"
    log_level: str = "info"
    log_json: bool = True
    stop_grace_s: float = 15.0
    max_message_bytes: int = 524_288
    max_body_bytes: int = 5 * 1_048_576


#: What a number may be; all others are 0 or more.
BOUNDS: Mapping[tuple[str, ...], tuple[int, int]] = {
    ("server", "port"): (0, 65_535),
    ("runtime", "limits", "oom_score_adj"): (-1_000, 1_000),
}


class ServerSettings(msgspec.Struct, frozen=True):
    """Where it listens. `public_url` is what platforms call: webhook URLs are shown with it.

    `notice_s`: told to stop, it says so at /readyz for so long while it still takes everything; longer than
    a load balancer that asks there takes to notice.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    notice_s: float = 0.0


class EgressSettings(msgspec.Struct, frozen=True):
    """What the gateway itself may fetch.

    `allow_hosts` names private or loopback `host` or `host:port` that agents and built-in channels
    may reach; everything public is allowed (security rule 10).
    """

    allow_hosts: tuple[str, ...] = ()


class PluginSettings(msgspec.Struct, frozen=True):
    """Plugins. `signature` is off, warn or enforce; `parallel_starts` at start of the gateway."""

    signature: Literal["off", "warn", "enforce"] = "warn"
    parallel_starts: int = 4


class Config(msgspec.Struct, frozen=True):
    """All settings, by section."""

    gateway: GatewaySettings = GatewaySettings()
    server: ServerSettings = ServerSettings()
    api: ApiPolicy = ApiPolicy()
    people: PeoplePolicy = PeoplePolicy()
    oidc: OidcPolicy = OidcPolicy()
    egress: EgressSettings = EgressSettings()
    store: StorePolicy = StorePolicy()
    plugins: PluginSettings = PluginSettings()
    runtime: RuntimePolicy = RuntimePolicy()
    attachments: AttachmentPolicy = AttachmentPolicy()
    chat: ChatPolicy = ChatPolicy()
    spool: SpoolPolicy = SpoolPolicy()
    inline: InlinePolicy = InlinePolicy()
    turn: TurnPolicy = TurnPolicy()
    worker: WorkerPolicy = WorkerPolicy()
    dispatcher: DispatcherPolicy = DispatcherPolicy()
    slots: SlotPolicy = SlotPolicy()
    retry: RetryPolicy = RetryPolicy()
    parking: ParkingPolicy = ParkingPolicy()
    streaming: StreamPolicy = StreamPolicy()
    pairing: PairingPolicy = PairingPolicy()
    jobs: JobPolicy = JobPolicy()
    admission: AdmissionPolicy = AdmissionPolicy()
    retention: RetentionPolicy = RetentionPolicy()

    @property
    def store_policy(self) -> StorePolicy:
        """The store's settings, with what follows from those of rooms 2 and 3 (crash recovery)."""
        return msgspec.structs.replace(
            self.store,
            max_retries=self.retry.retries,
            backoff_s=self.retry.base_s,
            max_backoff_s=self.retry.cap_s,
            tombstone_s=self.retry.tombstone_s,
            apology=self.turn.apology,
        )

    @property
    def data_dir(self) -> Path:
        """The data directory, absolute."""
        return Path(self.gateway.data_dir).absolute()


class Setting(msgspec.Struct, frozen=True):
    """One setting: where it stands in the file, its variable, its type and default."""

    path: tuple[str, ...]
    kind: type
    default: Any

    @property
    def variable(self) -> str:
        """The environment variable that sets it; `[gateway]` is left out of the name."""
        parts = self.path[1:] if self.path[0] == "gateway" else self.path
        return PREFIX + "_".join(parts).upper()


def settings(shape: type[msgspec.Struct] = Config, path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """List every setting, in the order of the sections."""
    for field in msgspec.structs.fields(shape):
        here = (*path, field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings(field.type, here)
        elif here not in FOLLOWS:
            yield Setting(here, field.type, field.default)


def load_config(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, str] | None = None
) -> Config:
    """Read the settings: defaults, then the file, then variables, then command-line overrides.

    Args:
        path: a TOML file; None reads none.
        environ: the process's environment.
        overrides: variable name -> value, from the command line.

    Raises:
        ConfigInvalid: naming the file or variable, the setting, and what it takes.
    """
    known = {setting.variable: setting for setting in settings()}
    document: dict[str, Any] = {}
    origin: dict[tuple[str, ...], str] = {}
    if path is not None:
        document = _read(path)
        _refuse_unknown(document, Config, (), path)
    variables = {**_own(environ), **(overrides or {})}
    for name, value in variables.items():
        if name not in known:
            raise ConfigInvalid(f"{name} is no setting; docs/operate/settings.md lists them.")
        setting = known[name]
        _put(document, setting.path, _parsed(setting, value))
        origin[setting.path] = name
    config = _converted(document, origin, path)
    _refuse_impossible(config, origin, path)
    return config


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(PREFIX) and k not in NOT_SETTINGS}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"{path}: cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path}: is not TOML: {error}.") from error


def _refuse_unknown(
    document: Mapping[str, Any], shape: type[msgspec.Struct], at: tuple[str, ...], path: Path
) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(shape)}
    for name, value in document.items():
        here = (*at, name)
        if name not in fields or here in FOLLOWS:
            known = ", ".join(fields)
            raise ConfigInvalid(f"{path}: {'.'.join(here)} is no setting; there are: {known}.")
        inner = fields[name]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if not isinstance(value, dict):
                raise ConfigInvalid(f"{path}: {'.'.join(here)} is a section: [{'.'.join(here)}].")
            _refuse_unknown(value, inner, here, path)


def _parsed(setting: Setting, value: str) -> Any:
    """Read a variable's text as what the setting takes; lists are separated by commas."""
    kinds = {get_origin(kind) or kind for kind in _alternatives(setting.kind)}
    if tuple in kinds:
        return [part.strip() for part in value.split(",") if part.strip()]
    if bool in kinds:
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    for number in (int, float):
        if number in kinds:
            try:
                return number(value)
            except ValueError:
                continue
    return value


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _put(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for section in path[:-1]:
        document = document.setdefault(section, {})
    document[path[-1]] = value


def _converted(
    document: dict[str, Any], origin: Mapping[tuple[str, ...], str], path: Path | None
) -> Config:
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at `$.")
        where = tuple(place.rstrip("`").split("."))
        source = origin.get(where, f"{path}: {'.'.join(where)}")
        raise ConfigInvalid(f"{source}: {words}.") from error


def _refuse_impossible(
    config: Config, origin: Mapping[tuple[str, ...], str], path: Path | None
) -> None:
    """Refuse what is no amount. Raises: ConfigInvalid."""
    for setting in settings():
        value: Any = config
        for name in setting.path:
            value = getattr(value, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least, most = BOUNDS.get(setting.path, (0, math.inf))
        if not least <= value <= most or not math.isfinite(value):
            source = origin.get(setting.path, f"{path}: {'.'.join(setting.path)}")
            wanted = f"from {least} to {most}" if math.isfinite(most) else "that is not below 0"
            raise ConfigInvalid(f"{source}: Expected a number {wanted}, got {value}.")
