"""`python -m omnify.simulator`: run until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from omnify.lib.server import Server
from omnify.simulator.app import create_app
from omnify.simulator.connections import KnownConnections
from omnify.simulator.ledger import LedgerBusy


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m omnify.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="HTTP port on 127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=0, help="mail port on 127.0.0.1; 0 = no mail server")
    parser.add_argument("--ledger", type=Path, required=True, help="append-only JSON-lines file")
    parser.add_argument("--public-base", default="", help="where webhooks for a public address are delivered instead")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same people")
    parser.add_argument("--pace", type=float, default=1.0, help="factor on every delay; 0 = at once")
    given = parser.parse_args()
    # uvicorn stops gracefully on SIGTERM and then raises the signal again: this makes that a clean exit.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        app = create_app(
            given.ledger,
            smtp_port=given.smtp_port,
            public_base=given.public_base,
            seed=given.seed,
            pace=given.pace,
            own_base=f"http://127.0.0.1:{given.port}",
        )
    except LedgerBusy as busy:
        sys.exit(f"simulator: {busy}")
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=given.port,
        http=KnownConnections,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    Server(config).run()


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
