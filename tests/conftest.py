"""What a whole session of tests shares: the PostgreSQL it may have started is gone when it ends."""

import pytest

from tests.postgres_server import stop_postgres


def pytest_sessionfinish(session: pytest.Session) -> None:
    stop_postgres()
