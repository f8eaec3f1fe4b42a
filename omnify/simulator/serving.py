"""Answering one API request under a fault plan: refuse it, lose it, do it, or do it and not say so."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from omnify.simulator.connections import reset_peer
from omnify.simulator.faults import Plan

Refusal = Callable[[int, str], Response]


async def serve(request: Request, plan: Plan, act: Callable[[], Awaitable[Response]], refusal: Refusal) -> Response:
    """Run `act` (which accepts the request) and give its answer, unless the plan says otherwise.

    `refusal(status, code)` makes the provider's own error body.
    """
    if plan.latency_ms:
        await asyncio.sleep(plan.latency_ms / 1000)
    if plan.status:
        return refusal(plan.status, "")
    if plan.refuse:
        return refusal(0, plan.refuse)
    if plan.before:
        return await _fail(request, plan.before, plan.hang_s)
    answer = await act()
    if plan.after == "500":
        return refusal(500, "")
    if plan.after == "truncate":
        return Response(
            bytes(answer.body)[: max(1, len(answer.body) // 2)], answer.status_code, media_type=answer.media_type
        )
    if plan.after:
        return await _fail(request, plan.after, plan.hang_s)
    return answer


async def _fail(request: Request, how: str, hang_s: float) -> Response:
    if how == "timeout":
        await _hang(request, hang_s)
        return Response("", 504)
    reset_peer(request)
    return Response("", 499)  # written into a closed connection: nobody reads it


async def _hang(request: Request, seconds: float) -> None:
    """Say nothing until the client gives up or `seconds` have passed."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return
