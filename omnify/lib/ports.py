"""Free TCP ports on loopback, for servers that keep their port between runs."""

import secrets
import socket

# Below the ports that Linux and macOS hand to outgoing connections, which could sit on ours while the server is down.
PORTS = range(20_000, 32_000)


class NoFreePort(Exception):
    """Hundreds of ports were tried on 127.0.0.1 and all were taken."""


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    for _ in range(500):
        port = secrets.choice(PORTS)
        if port_is_free(port):
            return port
    raise NoFreePort(f"No free port between {PORTS.start} and {PORTS.stop} on 127.0.0.1.")
