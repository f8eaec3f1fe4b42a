"""A folder for servers and processes, which PostgreSQL's unprivileged account may enter too."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="omnify-test-")).resolve()
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
