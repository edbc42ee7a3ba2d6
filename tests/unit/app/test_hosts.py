"""Which names a gateway answers to: those it was told, and always this machine's own."""

from wunder.app.console import api_policy
from wunder.config import load_config


def test_the_command_line_reaches_a_gateway_whose_names_were_set() -> None:
    settings = {
        "WUNDER_SERVER_HOST": "0.0.0.0",
        "WUNDER_SERVER_PUBLIC_URL": "https://chat.example.org",
        "WUNDER_API_ALLOWED_HOSTS": "gateway.example.org",
    }
    hosts = set(api_policy(load_config(None, settings)).allowed_hosts)
    assert hosts == {"chat.example.org", "gateway.example.org", "localhost", "127.0.0.1", "::1"}
