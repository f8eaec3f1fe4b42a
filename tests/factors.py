"""What an authenticator app shows."""

import time

from allauth.mfa import app_settings
from allauth.mfa.totp.internal import auth as totp


def code_of(secret: str, *, steps: int = 0) -> str:
    """The app's code for this secret, now or so many periods later (before: negative)."""
    period = int(time.time()) // app_settings.TOTP_PERIOD
    return str(totp.format_hotp_value(totp.hotp_value(secret, period + steps)))
