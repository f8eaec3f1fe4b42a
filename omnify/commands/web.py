"""`python -m omnify.commands.web --port PORT`: the web process of `manage.py up`, on 127.0.0.1."""

import argparse

import uvicorn

from omnify.lib.server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m omnify.commands.web", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    config = uvicorn.Config(
        "omnify.asgi:application",
        host="127.0.0.1",
        port=given.port,
        log_level="warning",
        access_log=False,  # the addresses of searches and of unsubscribe links say who people are
        timeout_graceful_shutdown=3,
    )
    server = Server(config)
    server.run()
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
