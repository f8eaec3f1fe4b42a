"""One request to a mail provider's HTTP API that reaches no person: a look-up, a page of a list, a change of the provider's list."""

from collections.abc import Collection, Mapping
from typing import Any

from sequences.transports.base import CONNECT_TIMEOUT, READ_TIMEOUT, Unreadable


def ask(
    url: str,
    headers: Mapping[str, str],
    *,
    whose: str,
    simulated: bool,
    method: str = "GET",
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    fine: Collection[int] = (200,),
) -> Any:
    """What a 200 says, parsed from its JSON; {} for any other answer in `fine`. Raises Unreadable, which begins with `whose`.

    `simulated`: the simulator on loopback, which no proxy of the environment stands before. Asked once; nothing is followed.
    """
    import requests

    with requests.Session() as session:
        session.trust_env = not simulated
        try:
            answer = session.request(
                method,
                url,
                params=query,
                json=body,
                headers={**headers, "Accept": "application/json"},
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
            )
            if answer.status_code not in fine:
                raise Unreadable(f"{whose} answered {answer.status_code}.")
            return answer.json() if answer.status_code == 200 and answer.content else {}
        except (requests.RequestException, ValueError) as error:
            raise Unreadable(f"{whose} could not be read ({type(error).__name__}).") from error
