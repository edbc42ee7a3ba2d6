"""What all tests share: the log begins as it does in a process, and PostgreSQL ends with the session."""

import pytest

from tests.postgres_server import stop_postgres
from wunder.observe import logs


@pytest.fixture(autouse=True)
def _log_as_a_process_begins() -> None:
    """A test that configured the log must not decide what the next one sees."""
    logs._Output.rank = logs._RANK["info"]
    logs._Output.is_json = True
    logs._Output.stream = None


def pytest_sessionfinish(session: pytest.Session) -> None:
    stop_postgres()
