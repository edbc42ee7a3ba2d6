"""What a store asks of the machine it runs on; tests say something else."""

from collections.abc import Callable
from pathlib import Path

from wunder.store.data_dir import file_system_of
from wunder.store.disk import free_bytes


class Machine:
    """Free space and kinds of file system."""

    def __init__(
        self,
        free: Callable[[Path], int] = free_bytes,
        file_system: Callable[[Path], str] = file_system_of,
    ) -> None:
        self.free = free
        self.file_system = file_system
