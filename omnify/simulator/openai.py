"""An OpenAI-compatible API under /openai/v1: small deterministic answers, or scripted ones.

An account's `answers` list scripts what it says: `{"contains": text, "content": answer}`, the first whose text occurs
in the conversation wins; `content` may be an object, sent as JSON.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator.accounts import Account
from omnify.simulator.schema_example import example
from omnify.simulator.serving import serve
from omnify.simulator.world import World

MODELS = ("sim-small", "sim-large", "gpt-4o-mini", "gpt-4o")
_TYPES = {401: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}


def error(status: int, message: str, code: str | None = None) -> Response:
    kind = _TYPES.get(status, "invalid_request_error")
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def refusal(status: int, code: str) -> Response:
    return error(status or 400, f"The request was refused ({code or status}).", code or None)


def _account(world: World, request: Request) -> Account | None:
    return world.accounts.get("openai", request.headers.get("authorization", "").removeprefix("Bearer "))


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return str(content)


def answer(account: Account, body: dict[str, Any]) -> str:
    """What the model says. Raises ValueError for a schema no value can satisfy."""
    conversation = "\n".join(_text(message) for message in body["messages"])
    for scripted in account.get("answers", []):
        if scripted["contains"] in conversation:
            content = scripted["content"]
            return content if isinstance(content, str) else json.dumps(content)
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(example(wanted["json_schema"]["schema"]))
    if wanted.get("type") == "json_object":
        return "{}"
    last = _text(body["messages"][-1]).strip()
    return f"Simulated answer to: {last[:120]}" if last else "Simulated answer."


def usage(body: dict[str, Any], content: str) -> dict[str, int]:
    """About four characters to a token."""
    prompt = sum(len(_text(message)) for message in body["messages"]) // 4 + 1
    completion = len(content) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def chat(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        body = json.loads(await request.body())
        messages = body["messages"]
        if not isinstance(messages, list) or not messages:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return error(400, "the body is not a JSON object with messages")
    plan = world.faults.draw("openai", "chat")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(401, "Incorrect API key provided.", "invalid_api_key")
        try:
            content = answer(account, body)
        except (ValueError, KeyError, TypeError) as wrong:
            return error(400, f"Invalid schema for response_format: {wrong}", "invalid_json_schema")
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:24]
        head = {"id": f"chatcmpl-{digest}", "created": int(now().timestamp()), "model": body.get("model") or MODELS[0]}
        if body.get("stream"):
            return StreamingResponse(_stream(head, body, content), media_type="text/event-stream")
        choice = {
            "index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": content, "refusal": None},
        }  # fmt: skip
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage(body, content)})

    return await serve(request, plan, act, refusal)


async def _stream(head: dict[str, Any], body: dict[str, Any], content: str) -> AsyncIterator[str]:
    """The same answer in server-sent pieces of a few words."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(content), 20):
        yield chunk({"content": content[start : start + 20]})
    yield chunk({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        last = {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage(body, content)}
        yield f"data: {json.dumps(last)}\n\n"
    yield "data: [DONE]\n\n"


async def models(request: Request) -> Response:
    world: World = request.app.state.world
    plan = world.faults.draw("openai", "models")

    async def act() -> Response:
        if _account(world, request) is None:
            return error(401, "Incorrect API key provided.", "invalid_api_key")
        known = [{"id": name, "object": "model", "created": 0, "owned_by": "simulator"} for name in MODELS]
        return JSONResponse({"object": "list", "data": known})

    return await serve(request, plan, act, refusal)


routes = [
    Route("/openai/v1/chat/completions", chat, methods=["POST"]),
    Route("/openai/v1/models", models, methods=["GET"]),
]
