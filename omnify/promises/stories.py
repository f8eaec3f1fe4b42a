"""The stories of tests/promises/test_stateful.py, many and long ones: every promise about sending at once, in any order of events."""

import os
import subprocess
import sys

from django.conf import settings

from omnify.promises.outcome import Outcome

STORIES = settings.BASE_DIR / "tests" / "promises" / "test_stateful.py"
TOLD = {"quick": 25, "full": 100}


def prove_stories(scale: str, seed: int) -> Outcome:
    """Tried: stories. Failed: 1 when one of them breaks a promise; the proof's words have its shortest form. Needs pytest."""
    environment = {**os.environ, "OMNIFY_STORIES": scale, "OMNIFY_STORY_SEED": str(seed), "OMNIFY_DB_ROLE": "owner"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-s", "--timeout", "0", str(STORIES)]
    environment["OMNIFY_TEST_DATABASE"] = f"test_stories_{os.getpid()}"
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}; its words are above.")
    return Outcome(TOLD[scale], done.returncode, f"stories drawn by Hypothesis with seed {seed}")
