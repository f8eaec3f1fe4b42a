"""The ASGI app: all providers and the control API, for callers on this machine only."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from omnify.simulator import calls, control, mail, openai, postmark, sendgrid, ses, sms, smtp, twilio, vapi
from omnify.simulator.accounts import Accounts
from omnify.simulator.callbacks import Courier, is_loopback
from omnify.simulator.faults import FaultBook
from omnify.simulator.ledger import Ledger
from omnify.simulator.people import People
from omnify.simulator.resources import Resources
from omnify.simulator.sns import Topics
from omnify.simulator.world import World


class LoopbackOnly:
    """Refuse callers from elsewhere, and browsers lured here under another host name (DNS rebinding)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            client = (scope.get("client") or ("",))[0]
            if not is_loopback(client) or not is_loopback(urlsplit(f"//{host}").hostname or ""):
                await PlainTextResponse("This simulator answers on loopback only.", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def create_app(
    ledger_path: Path,
    *,
    smtp_port: int = 0,
    public_base: str = "",
    seed: int = 1,
    pace: float = 1.0,
    own_base: str = "",
) -> Starlette:
    """The app over the ledger at `ledger_path`; accounts and manners live in a .config.json beside it.

    own_base: where this app is reached, which SNS names in what it signs. smtp_port 0 leaves the mail server out.
    Raises `LedgerBusy` if another simulator uses this ledger.
    """
    ledger = Ledger(ledger_path)
    accounts = Accounts(ledger_path.with_suffix(".config.json"))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        world = World(
            ledger=ledger,
            accounts=accounts,
            resources=Resources(ledger),
            people=People(accounts, ledger, seed),
            faults=FaultBook(seed),
            courier=Courier(public_base=public_base, pace=pace),
            pace=pace,
            topics=Topics(own_base),
        )
        app.state.world = world
        async with smtp.listening(world, smtp_port):
            for lives in (sms, calls, mail):
                lives.resume(world)
            yield
        await world.courier.stop()
        ledger.close()

    routes = [*control.routes, *twilio.routes, *vapi.routes, *postmark.routes, *sendgrid.routes, *ses.routes]
    routes += openai.routes
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(LoopbackOnly)])
