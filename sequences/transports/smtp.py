"""Mail through any SMTP server. Nobody can be asked afterwards, so the moment of the final dot is watched instead.

Before the final dot has left, the server cannot have the mail: a broken connection is proof that it was not accepted. After
it, silence counts as sent: RFC 5321 §4.5.3.2.6 lets the server take ten minutes to answer, and it has the mail by then.
"""

import contextlib
import smtplib
from collections.abc import Callable
from datetime import datetime
from email.errors import MessageError
from typing import Any

from django.conf import settings

from omnify.lib import outbound as outbound_address
from sequences.codes import Verdict, mail
from sequences.transports.base import (
    Busy,
    CannotSay,
    Found,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
)
from sequences.transports.mail import compose, message_id

TLS_PORT, SSL_PORT = 587, 465
# Seconds for each of the four or five answers of one mail: all of them together end before the worker's own time is up.
REPLY_TIMEOUT = 10.0


class _Watched:
    """Mixed into smtplib's connections: remembers whether the whole mail, its final dot included, is out."""

    dot_left = False
    trusted = False
    sock: Any
    _host: str

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        """The address of a server that a tenant named is checked on the socket that is opened; the simulator's needs none."""
        if self.trusted:
            return super()._get_socket(host, port, timeout)  # type: ignore[misc]
        private = settings.PRIVATE_MAIL_SERVERS
        return self.dressed(outbound_address.dial(host.strip("[]"), port, timeout, private=private))

    def dressed(self, plain: Any) -> Any:
        return plain

    def data(self, msg: Any) -> Any:
        self._in_data = True
        return super().data(msg)  # type: ignore[misc]

    def send(self, s: Any) -> None:
        super().send(s)  # type: ignore[misc]
        if getattr(self, "_in_data", False) and isinstance(s, bytes | bytearray) and s.endswith(b"\r\n.\r\n"):
            self.dot_left = True


class _Plain(_Watched, smtplib.SMTP):
    pass


class _Secure(_Watched, smtplib.SMTP_SSL):
    def dressed(self, plain: Any) -> Any:
        return self.context.wrap_socket(plain, server_hostname=self._host)


class _Simulated(_Plain):
    trusted = True


def send(outbound: Outbound) -> Receipt:
    """One mail over one connection. See base for what may be raised."""
    backend = _backend(outbound)
    accepted = Receipt(provider_id=message_id(outbound), status="sent")
    try:
        try:
            backend.open()
        except smtplib.SMTPAuthenticationError as error:
            raise Refused(
                str(error.smtp_code), _text(error.smtp_error), failure_type="email_failed", pause_sender=True
            ) from error
        except outbound_address.Unresolved as error:
            raise Busy("No name server answered about the mail server.", retry_after=60) from error
        except outbound_address.Refused as error:
            raise Refused("private_server", str(error), failure_type="email_failed", pause_sender=True) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Busy(f"The mail server could not be reached ({type(error).__name__}).", retry_after=60) from error
        try:
            backend.send_messages([compose(outbound, backend)])
        except smtplib.SMTPRecipientsRefused as error:
            code, refusal = next(iter(error.recipients.values()))
            raise _answer(code, _text(refusal), mail.smtp) from error
        except smtplib.SMTPSenderRefused as error:
            raise _answer(error.smtp_code, _text(error.smtp_error), mail.smtp_sender) from error
        except smtplib.SMTPResponseException as error:
            said, left = error.smtp_error, _dot_left(backend)
            raise _answer(error.smtp_code, _text(said), mail.smtp_mail, after_dot=left) from error
        except (smtplib.SMTPException, OSError) as error:
            if not _dot_left(backend):
                raise Busy(f"The mail server hung up before it had the mail ({type(error).__name__}).") from error
            return Receipt(accepted.provider_id, accepted.status, note="no_final_answer")
        except (
            ValueError,
            MessageError,
        ) as error:  # an address or header that no mail can carry: raised before anything is sent
            raise Refused("unsendable", str(error)[:200], failure_type="email_failed") from error
    finally:
        # The mail's fate is known by now; how the server takes our good-bye changes nothing.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            backend.close()
    return accepted


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | CannotSay:
    """SMTP has no memory that could be asked."""
    return CannotSay("A mail server cannot be asked what became of a mail.", final=True)


def _answer(code: int, text: str, meaning: Callable[[int, str], Verdict], *, after_dot: bool = False) -> Exception:
    known = meaning(code, text)
    if 500 <= code < 600:
        return Refused(
            str(code), text, failure_type=known.failure_type, permanent=known.permanent, pause_sender=known.pause_sender
        )
    if after_dot:
        # By the RFC not accepted; in practice some servers have it all the same (data_processing_timeout).
        return Uncertain(f"The mail server answered {code} when it already had the whole mail.")
    if mail.smtp_full(text) and known.failure_type == "email_bounced":
        return Refused(str(code), text, failure_type=known.failure_type)
    return Busy(f"The mail server asked us to come back ({code}).", retry_after=300)


def _dot_left(backend: Any) -> bool:
    return bool(getattr(backend.connection, "dot_left", False))


def _text(said: Any) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _backend(outbound: Outbound) -> Any:
    """Django's SMTP backend for this sender, with the watched connection. config: host, port, username, use_tls, use_ssl."""
    from django.core.mail import get_connection

    config, secrets = outbound.config, outbound.credentials
    host, port = outbound.server or (str(config.get("host") or ""), int(config.get("port") or TLS_PORT))
    if not host:
        raise Refused(
            "no_server",
            "This sender has no mail server. Enter its host in the sender's settings.",
            failure_type="email_failed",
            pause_sender=True,
        )
    simulated = outbound.server is not None
    implicit = not simulated and bool(config.get("use_ssl", port == SSL_PORT))
    backend: Any = get_connection(
        "sequences.transports.smtp.backend",
        host=host,
        port=port,
        username="" if simulated else str(config.get("username") or outbound.sender),
        password="" if simulated else str(secrets.get("password") or ""),
        use_ssl=implicit,
        use_tls=not simulated and not implicit and bool(config.get("use_tls", True)),
        timeout=REPLY_TIMEOUT,
        simulated=simulated,
    )
    return backend


def backend(*, simulated: bool = False, **options: Any) -> Any:
    """Django's SMTP backend whose connections are watched; a function, because importing Django's at the top would be early."""
    from django.core.mail.backends.smtp import EmailBackend

    class WatchedBackend(EmailBackend):
        @property
        def connection_class(self) -> Any:
            return _Simulated if simulated else _Secure if self.use_ssl else _Plain

    return WatchedBackend(**options)


TRANSPORT = Transport(send=send, find=find, may_resend=True)
