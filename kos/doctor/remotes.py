"""Checks the remote services as the daemon would use them.

A running daemon is asked instead of a remote wherever a second caller would disturb it: another
login at Betfair, another reader of the bot's updates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.http import ANY_STATUS, HttpRemote, RetryPolicy
from kos.adapters.oddsapi.client import OddsApi
from kos.adapters.proxies import check_session, proxy_url
from kos.config.settings import Secret, Settings
from kos.doctor import judge
from kos.doctor.finding import Finding, Level, failure, ok, warning
from kos.doctor.subject import ExaminedSystem
from kos.errors import InvalidSettings, KosError

_ASK_S = 8.0
_CALL_S = (3.0, 5.0)
"""To connect, and of silence."""
_OWN_SESSION = "doctor"
"""Of the proxies; a session of its own disturbs none of the daemon's."""


def clock(subject: ExaminedSystem) -> Sequence[Finding]:
    """Against the Date header of the odds feed's host, asked without a key; any status will do."""
    odds = subject.settings.odds_api
    remote = HttpRemote(
        "odds feed",
        odds.url,
        timeout_s=_CALL_S,
        proxy=_way(subject.settings, "odds_api"),
        secrets=subject.settings.secrets(),
        retries=RetryPolicy(attempts=1, total_s=_ASK_S),
    )
    try:
        before = time.time()
        answer = remote.get("/v4/", accept=ANY_STATUS)
        after = time.time()
    except KosError as error:
        reason = f"no reference time: {error}"
        return (warning("clock", reason, "see the odds api check below"),)
    finally:
        remote.close()
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return (ok("clock", "the odds feed did not send a time"),)
    # Their second is cut off, and was theirs at some moment between ours: within that, no skew.
    skew_s = max(before - (theirs + 1), 0.0) or min(after - theirs, 0.0)
    return (judge.clock(skew_s),)


def proxies(subject: ExaminedSystem) -> Sequence[Finding]:
    """One session of the proxies, unless they are off or the daemon looks after them."""
    settings = subject.settings.proxies
    if not settings.used_by:
        return ()
    if (actor := subject.actor("proxies")) is not None:
        return (judge.actor_pulse("proxies", "pool", *actor),)
    try:
        check_session(settings, _OWN_SESSION, subject.settings.odds_api.url)
    except KosError as error:
        return (judge.proxies(error),)
    return (judge.proxies(None),)


def _way(settings: Settings, service: str) -> str | None:
    """The proxy through which the daemon would call a service."""
    used = settings.proxies.used_by
    return proxy_url(settings.proxies, _OWN_SESSION) if service in used else None


def odds_api(subject: ExaminedSystem) -> Sequence[Finding]:
    """The free list of sports, which brings the counters of the credits."""
    settings = subject.settings.odds_api
    if (actor := subject.actor("sports")) is not None and not settings.key:
        return (judge.actor_pulse("odds api", "sports", *actor),)
    if not settings.key:
        return (judge.no_odds_key(),)

    def ask() -> Finding:
        feed = OddsApi.open(
            settings.key.reveal(),
            settings.url,
            timeout_s=_CALL_S,
            proxy=_way(subject.settings, "odds_api"),
            retries=RetryPolicy(attempts=1, total_s=_ASK_S),
        )
        error: KosError | None = None
        remaining = used = None
        try:
            quota = feed.sports().quota
            remaining, used = quota.remaining, quota.used
        except KosError as failed:
            error = failed
        finally:
            feed.close()
        return judge.odds_key(
            error, remaining, used, settings.monthly_credits, settings.reserve_credits
        )

    return (_refused_settings("odds api", ask),)


def betfair(subject: ExaminedSystem) -> Sequence[Finding]:
    """A login and a logout, unless the daemon holds a session."""
    settings = subject.settings.betfair
    if (actor := subject.actor("exchange")) is not None:
        return (judge.actor_pulse("betfair", "exchange", *actor),)
    if not settings.app_key:
        return (ok("betfair", "not set up: lay prices come from the odds feed"),)

    def remote(url: str, certificate: tuple[str, str] | None) -> HttpRemote:
        return HttpRemote(
            "betfair",
            url,
            timeout_s=_CALL_S,
            proxy=_way(subject.settings, "betfair"),
            secrets=subject.settings.secrets(),
            client_cert=certificate,
            ca=settings.ca_file or None,
            retries=RetryPolicy(attempts=1, total_s=_ASK_S),
        )

    def log_in() -> Finding:
        certificate = (settings.certificate, settings.certificate_key)
        session = BetfairSession(
            Credentials(
                settings.username.reveal(), settings.password.reveal(), settings.app_key.reveal()
            ),
            remote(settings.identity_url, None),
            remote(settings.identity_cert_url, certificate) if settings.certificate else None,
        )
        try:
            session.token()
        except KosError as error:
            return judge.betfair(error)
        session.log_out()
        return judge.betfair(None)

    return (_refused_settings("betfair", log_in),)


def _refused_settings(check: str, ask: Callable[[], Finding]) -> Finding:
    """What ``ask`` finds; an invalid address or file is a finding too."""
    try:
        return ask()
    except InvalidSettings as refused:
        return failure(check, "; ".join(refused.problems), "fix the settings")


class _BotAnswer(msgspec.Struct):
    """As much of the Bot API's answers as is looked at."""

    result: msgspec.Raw = msgspec.Raw(b"{}")


class _BotName(msgspec.Struct):
    username: str = ""


class _Webhook(msgspec.Struct):
    url: str = ""


def telegram(subject: ExaminedSystem) -> Sequence[Finding]:
    """The bot's token, webhook and other readers, unless the daemon reads."""
    if (actor := subject.actor("bot")) is not None:
        return (judge.actor_pulse("telegram", "bot", *actor),)
    settings = subject.settings.telegram
    if not settings.token:
        return (ok("telegram", "not set up (optional)"),)
    try:
        remote = HttpRemote(
            "telegram",
            settings.url,
            timeout_s=_CALL_S,
            proxy=settings.proxy.reveal() or None,
            secrets=subject.settings.secrets(),
            retries=RetryPolicy(attempts=1, total_s=_ASK_S),
        )
    except InvalidSettings as refused:
        return (failure("telegram", "; ".join(refused.problems), "fix the settings"),)
    try:
        return _ask_telegram(remote, settings.token)
    except KosError as error:
        return (failure("telegram", str(error), "check the network and the address"),)
    finally:
        remote.close()


def _ask_telegram(remote: HttpRemote, token: Secret) -> Sequence[Finding]:
    """Who the bot is, whether a webhook is set, and whether another program is using it."""

    def call(method: str, **params: str) -> tuple[int, bytes]:
        answer = remote.get(f"/bot{token.reveal()}/{method}", params, accept=ANY_STATUS)
        try:
            return answer.status, bytes(msgspec.json.decode(answer.body, type=_BotAnswer).result)
        except msgspec.MsgspecError:
            return answer.status, b"{}"

    def read(body: bytes, kind: type[_BotName | _Webhook]) -> str:
        try:
            decoded = msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError:
            return ""
        return decoded.username if isinstance(decoded, _BotName) else decoded.url

    status, me = call("getMe")
    findings = [judge.telegram_token(status, read(me, _BotName))]
    if findings[0].level is not Level.OK:
        return findings
    webhook = read(call("getWebhookInfo")[1], _Webhook)
    findings.append(judge.telegram_webhook((urlsplit(webhook).hostname or "?") if webhook else ""))
    if not webhook:
        # Without an offset nothing is confirmed: every update stays for the daemon.
        findings.append(judge.telegram_poller(call("getUpdates", limit="1", timeout="2")[0]))
    return findings
