"""A server of our own in processes of its own, for as long as a measurement lasts."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings

from omnify.lib.ports import free_port

READY_SECONDS = 60.0


@contextmanager
def serving(application: str, environ: Mapping[str, str], *, workers: int, port: int = 0) -> Iterator[int]:
    """uvicorn with so many processes of this ASGI application; gives its port on 127.0.0.1 once it answers."""
    port = port or free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--log-level", "warning", "--no-access-log"]
    given = {**environ, "DJANGO_SETTINGS_MODULE": "omnify.settings", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=given, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode} before it answered.")
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.request("GET", "/")
            asked.getresponse().read()
            asked.close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not answer within {READY_SECONDS:g} s.")
