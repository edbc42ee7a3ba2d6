"""Who uses the console: one of each role, made through the API, signed in as the sign-in page does."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.e2e.browser import Watched
from tests.journeys.gateway_process import GatewayProcess, Refused

PASSWORD = "correct horse battery"
ROLES = ("admin", "operator", "viewer", "user")
Make = Callable[..., Watched]
#: The console asks for its session where it remembers that there may be one.
REMEMBERED = (
    "try { localStorage.setItem('wunder.maybe-signed-in', '1') } catch { /* an empty page */ }"
)


def name_of(role: str) -> str:
    return f"{role}-ann"


def admit(gateway: GatewayProcess, role: str) -> None:
    """Make the user of a role, once."""
    body = {"name": name_of(role), "role": role, "password": PASSWORD}
    try:
        gateway.call("POST", "users", body)
    except Refused as refused:
        if refused.status != 409:
            raise


def signed_in(gateway: GatewayProcess, watched: Watched, role: str = "admin") -> Page:
    """A page of somebody with this role, signed in; not yet anywhere."""
    admit(gateway, role)
    body = {"name": name_of(role), "password": PASSWORD}
    answer = watched.context.request.post(f"{gateway.url}/wunder/session", data=body)
    assert answer.ok, answer.text()
    watched.context.add_init_script(REMEMBERED)
    return watched.page()
