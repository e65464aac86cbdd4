"""Templates with everything that all pages share, forms with their tokens, and errors."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from kos.domain.books.calendar import uk_time
from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.errors import InvalidInput
from kos.web.changes import Picture, picture_of
from kos.web.guard import Sessions
from kos.web.live import Hub

PAGES = (
    ("/opportunities", "Opportunities"),
    ("/offers", "Offers"),
    ("/books", "Books"),
    ("/system", "System"),
)
"""Address and name of each page, in the order of the menu."""
_MAX_FORM = 64 * 1024
_MAX_FIELDS = 200
_PARTS_INTERVAL_S = 2.0
_KEY = re.compile(r"[0-9a-f-]{8,64}")

FormFields = dict[str, str]
PageHandler = Callable[[Request], Awaitable[Response]]
FormHandler = Callable[[Request, FormFields], Awaitable[Response]]

log = structlog.get_logger()


class Pages:
    """Renders templates.

    Args:
        sessions: The logins.
        is_simulated: Whether every page shows that the markets are simulated.
    """

    def __init__(self, sessions: Sessions, *, is_simulated: bool) -> None:
        self._sessions = sessions
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
        self._environment.globals.update(
            pages=PAGES,
            is_simulated=is_simulated,
            has_login=sessions.is_needed,
            place_name=place_name,
            pounds=pounds,
            uk_time=uk_time,
        )

    def render(self, template: str, **facts: Any) -> str:
        """A template as text."""
        return self._environment.get_template(template).render(**facts)

    def part(self, request: Request, template: str, **facts: Any) -> str:
        """A part of a page that holds a form."""
        token = self._sessions.form_token(request.session)
        return self.render(template, form_token=token, **facts)

    def page(self, request: Request, template: str, status: int = 200, **facts: Any) -> Response:
        """A whole page."""
        now = f"{time.time():.3f}"
        text = self.part(request, template, path=request.url.path, server_now=now, **facts)
        return HTMLResponse(text, status)

    def post(self, path: str, answer: FormHandler) -> Route:
        """An address for forms: each must carry the token of its page."""

        async def guarded(request: Request) -> Response:
            form = await form_of(request)
            if not self._sessions.is_form_token(request.session, form.pop("form_token", "")):
                raise HTTPException(403, "This page is out of date. Reload it and try again.")
            return await answer(request, form)

        return Route(path, guarded, methods=["POST"])

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        """An address without a page, or a refused request."""
        assert isinstance(error, HTTPException)  # noqa: S101 - as it is registered
        words = "There is no page at this address." if error.status_code == 404 else error.detail  # noqa: PLR2004
        return self._sorry(request, error.status_code, words)

    def saying(self, status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
        """The answer to errors that say themselves what is wrong."""

        async def answer(request: Request, error: Exception) -> Response:
            return self._sorry(request, status, str(error))

        return answer

    async def on_failure(self, request: Request, _: Exception) -> Response:
        """A fault in KOS."""
        log.error("dashboard.request_failed", path=request.url.path)
        return self._sorry(request, 500, "Something went wrong. The log has the details.")

    def _sorry(self, request: Request, status: int, words: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return self.page(request, "error.html", status, words=words, code=status)
        return Response(words + "\n", status, media_type="text/plain")


async def form_of(request: Request) -> FormFields:
    """A form's fields, each once.

    Raises:
        HTTPException: It is not a form, is too large, or has a field twice.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms can be sent here.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise HTTPException(
                413, f"This form is too large. The limit is {_MAX_FORM // 1024} kB."
            )
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(
            400, "KOS could not read this form. Reload the page and try again."
        ) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise HTTPException(400, "This form has a field twice. Reload the page and try again.")
    return form


def events(stream: AsyncIterator[bytes]) -> Response:
    """Server-sent events, marked so that no proxy delays them."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def routes_of_parts(
    pages: Pages, hub: Hub, actor: str, path: str, parts: Callable[[], Awaitable[dict[str, str]]]
) -> list[Route]:
    """The addresses of a page that is made of parts, and of the stream that keeps them up to date.

    Args:
        pages: The templates; the page's own has the name of its path.
        hub: The live queries.
        actor: The actor that the parts are asked of.
        path: The page's; its stream is below it.
        parts: Makes the parts, by the id of their place.
    """

    async def page(request: Request) -> Response:
        return pages.page(request, f"{path[1:]}.html", parts=await parts())

    async def stream(_: Request) -> Response:
        return events(hub.stream(actor, path, picture, _PARTS_INTERVAL_S))

    async def picture() -> Picture:
        return picture_of(await parts())

    return [Route(path, page), Route(f"{path}/stream", stream)]


def words_of(request: Request) -> Mapping[str, str]:
    """The query string, the last of each word."""
    return dict(request.query_params)


def new_key() -> str:
    """A form's idempotency key."""
    return str(uuid.uuid4())


def key_of(form: FormFields) -> str:
    """The idempotency key of a form.

    Raises:
        InvalidInput: There is none.
    """
    key = form.get("key", "")
    if _KEY.fullmatch(key) is None:
        raise InvalidInput("key", key[:80], "the key of the form (reload the page)")
    return key
