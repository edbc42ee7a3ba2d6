"""Every error of the gateway on one page: stable code, whose fault it is, whether to try again.

Expected outcomes are return values; these exceptions are for what a caller cannot be expected to
handle where it stands. The first line of each docstring is the default message. docs/operate/errors.md
has the same list for operators.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wunder.model.fault import Fault

Owner = Literal["operator", "channel author", "platform", "us"]
Retry = Literal["never", "later", "unknown"]


class WunderError(Exception):
    """Something went wrong in the gateway; look at the log line with this trace id."""

    code: ClassVar[str] = "internal"
    owner: ClassVar[Owner] = "us"
    retry: ClassVar[Retry] = "unknown"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(self.detail)


class FieldFault:
    """One wrong field: a JSON pointer, a stable code and words; never the value itself."""

    __slots__ = ("code", "message", "pointer")

    def __init__(self, pointer: str, code: str, message: str) -> None:
        self.pointer = pointer
        self.code = code
        self.message = message

    def __repr__(self) -> str:
        return f"{self.pointer or '/'}: {self.message} ({self.code})"


class Invalid(WunderError):
    """The request holds wrong fields; each is named with its place."""

    code = "invalid"
    owner: ClassVar[Owner] = "operator"
    retry = "never"
    status = 422

    def __init__(self, detail: str = "", faults: "Sequence[FieldFault]" = ()) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class NotFound(WunderError):
    """There is nothing with this id; list the collection to see what there is."""

    code = "not_found"
    owner = "operator"
    retry = "never"
    status = 404


class Conflict(WunderError):
    """The current state does not allow this; `state` says what it is and what would help."""

    code = "conflict"
    owner = "operator"
    retry = "never"
    status = 409

    def __init__(
        self,
        detail: str = "",
        *,
        reason: str = "conflict",
        state: "Mapping[str, object] | None" = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.state = dict(state or {})


class NotAllowed(WunderError):
    """Credentials are missing, wrong or lack the scope; create a token with `wunder token create`."""

    code = "not_allowed"
    owner = "operator"
    retry = "never"
    status = 403


class RequestRefused(WunderError):
    """A webhook request cannot be taken; the status and reason tell the platform's administrator why."""

    code = "request_refused"
    owner = "platform"
    retry = "never"

    def __init__(
        self, http_status: int, reason: str, detail: str = "", *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail or reason.replace("_", " "))
        self.http_status = http_status
        self.reason = reason
        self.retry_after_s = retry_after_s


class PackageRefused(Invalid):
    """The plugin package breaks a rule of the package format; nothing was installed."""

    code = "package_refused"
    owner = "channel author"
    retry = "never"

    def __init__(self, reason: str, detail: str = "", faults: "Sequence[FieldFault]" = ()) -> None:
        super().__init__(detail or reason.replace("_", " "), faults)
        self.reason = reason


class StoreUnavailable(WunderError):
    """The store cannot take writes now; nothing was accepted, so it is safe to try again later."""

    code = "store_unavailable"
    owner = "operator"
    retry = "later"
    status = 503


class StoreFull(StoreUnavailable):
    """The disk is full or nearly so: free space under the data dir; intake resumes by itself."""

    code = "store_full"


class StoreBroken(WunderError):
    """The store is damaged or of an unknown version; it is left untouched: restore a backup."""

    code = "store_broken"
    owner = "operator"
    retry = "never"
    status = 503


class DataDirRefused(WunderError):
    """The data directory cannot be used; another gateway holds it, or it is not on a local disk."""

    code = "data_dir_refused"
    owner = "operator"
    retry = "never"


class FenceLost(WunderError):
    """This work was handed to somebody else meanwhile; its result is thrown away."""

    code = "fence_lost"
    retry = "never"
    status = 409


class ProviderFault(WunderError):
    """A channel's provider could not do what was asked; `fault` has kind, outcome and advice."""

    code = "provider_fault"
    owner = "platform"
    retry = "unknown"
    status = 502

    def __init__(self, fault: "Fault") -> None:
        super().__init__(fault.message or fault.kind)
        self.fault = fault


class AgentFailed(WunderError):
    """The agent did not answer; the turn is tried again and then answered with an apology."""

    code = "agent_failed"
    owner = "operator"
    retry = "later"
    status = 502

    def __init__(self, detail: str = "", *, is_permanent: bool = False) -> None:
        super().__init__(detail)
        self.is_permanent = is_permanent


class ConfigInvalid(WunderError):
    """A setting is wrong; the message names the file or variable, the setting and what it takes."""

    code = "config_invalid"
    owner = "operator"
    retry = "never"
