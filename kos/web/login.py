"""The login form, where the page asks for a token."""

from __future__ import annotations

import time

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kos.web.guard import FailedLogins, Sessions
from kos.web.pages import FormFields, Pages, form_of

log = structlog.get_logger()


class LoginPages:
    """Log in, log out."""

    def __init__(self, pages: Pages, sessions: Sessions) -> None:
        self._pages = pages
        self._sessions = sessions
        self._attempts = FailedLogins()

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/login", self._form),
            # No form token: there is no session yet that it could belong to.
            Route("/login", self._log_in, methods=["POST"]),
            self._pages.post("/logout", self._log_out),
        ]

    async def _form(self, request: Request) -> Response:
        if not self._sessions.is_needed:
            return RedirectResponse("/opportunities", 303)
        return self._pages.page(request, "login.html", refusal="")

    async def _log_in(self, request: Request) -> Response:
        form = await form_of(request)
        who = request.client.host if request.client else ""
        now_s = time.monotonic()
        if not self._attempts.may_try(who, now_s):
            words = "Too many attempts. Wait a minute, then try again."
            answer = self._pages.page(request, "login.html", 429, refusal=words)
            answer.headers["retry-after"] = "60"
            return answer
        if not self._sessions.is_token(form.get("token", "")):
            self._attempts.failed(who, now_s)
            log.warning("dashboard.login_refused", client=who)
            words = "Wrong token. Use the one in your settings (web.token)."
            return self._pages.page(request, "login.html", 401, refusal=words)
        self._sessions.begin(request.session)
        return RedirectResponse("/opportunities", 303)

    async def _log_out(self, request: Request, _form: FormFields) -> Response:
        request.session.clear()
        return RedirectResponse("/login", 303)
