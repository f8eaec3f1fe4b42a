"""One file a provider: plain data in, a receipt or one of three exceptions out. No models, no settings, no retries."""

import sys
from importlib import import_module

from sequences.transports.base import Transport

_MODULES = {
    "twilio": "sequences.transports.twilio",
    "vapi": "sequences.transports.vapi",
    "smtp": "sequences.transports.smtp",
    "postmark": "sequences.transports.postmark",
    "sendgrid": "sequences.transports.sendgrid",
    "ses": "sequences.transports.ses",
}


def transport_for(provider: str) -> Transport:
    """The transport that speaks to this provider. Imported on first use: some SDKs take seconds and 100 MB.

    Raises KeyError for a provider that has none.
    """
    transport: Transport = import_module(_MODULES[provider]).TRANSPORT
    return transport


def hang_up() -> None:
    """Closes the connections this thread has kept open to providers; called where a thread ends."""
    for module in _MODULES.values():
        transport: Transport | None = getattr(sys.modules.get(module), "TRANSPORT", None)  # None: not imported (yet)
        if transport is not None:
            transport.hang_up()
