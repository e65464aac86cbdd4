"""The one vocabulary of the log: every event and every key that a line may have.

An event that is not here, at another level or with a key that is not declared for it, fails a
test: read over the source (``tests/observability/test_vocabulary.py``) and over every line that
a real daemon writes. The reference page of the docs is made from :func:`event_rows` and
:func:`key_rows`.

To add one: say what happened (``subject.past_verb``), at which level by the house's meaning
(debug: for the author; info: a state changed; warning: degraded and handled; error: someone
should look; critical: money or data at risk), and which keys go with it. A key has one meaning
everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

LEVELS = ("debug", "info", "warning", "error", "critical")
"""In rising order."""


class Key(msgspec.Struct, frozen=True):
    """What one key means, wherever it stands."""

    meaning: str
    unit: str = ""
    is_measure: bool = False
    """It varies from one line to the next of the very same trouble; not compared when repeats
    are folded."""


class LogEvent(msgspec.Struct, frozen=True):
    """What one event means."""

    levels: tuple[str, ...]
    """Where it may be logged; nearly always one."""
    meaning: str
    keys: tuple[str, ...] = ()
    """What it may carry beside the common keys; not all need be there each time."""
    is_folded: bool = False
    """Repeats are folded, as those of every warning and worse are."""


def _debug(meaning: str, *keys: str) -> LogEvent:
    return LogEvent(("debug",), meaning, keys)


def _info(meaning: str, *keys: str) -> LogEvent:
    return LogEvent(("info",), meaning, keys)


def _warning(meaning: str, *keys: str) -> LogEvent:
    return LogEvent(("warning",), meaning, keys)


def _error(meaning: str, *keys: str) -> LogEvent:
    return LogEvent(("error",), meaning, keys)


def _critical(meaning: str, *keys: str) -> LogEvent:
    return LogEvent(("critical",), meaning, keys)


def _measure(meaning: str, unit: str = "") -> Key:
    return Key(meaning, unit, is_measure=True)


COMMON_KEYS: Mapping[str, Key] = {
    "ts": _measure("when it was written", "UTC, ISO 8601"),
    "level": Key("level: " + ", ".join(LEVELS)),
    "event": Key("what happened"),
    "node": Key("the process it happened in; main is the one that supervises the others"),
    "actor": Key("the actor it happened in"),
    "pid": _measure("number of the process"),
    "incarnation": _measure("how often the actor or node has been started, this time included"),
    "job_id": _measure("links everything one job caused, in all processes"),
    "sport_key": Key("The Odds API's name of a sport or league"),
    "exception": _measure("traceback, without the values of variables"),
    "stack": _measure("where in the code, when asked for"),
    "repeats": _measure("number of repeats since its last line, including this line"),
    "span_s": _measure("from the first to the last of the repeats", "seconds"),
    "cut": _measure("characters cut because the line was too long; kos.log has more of it"),
}
"""Keys that any line may have."""

KEYS: Mapping[str, Key] = {
    "about": Key("what they are about"),
    "address": Key("where something listens"),
    "attempt": _measure("the attempt number of the request, from 1"),
    "banned": _measure("aliases rejected by hand"),
    "bot": Key("the bot's user name"),
    "by_certificate": Key("whether a client certificate took part in the login"),
    "by_reason": _measure("how many, by reason"),
    "changed": Key("settings that have changed"),
    "chat": Key("number of a Telegram chat"),
    "client": Key("the network address of the client"),
    "code": Key("a remote's own code"),
    "commands": _measure("commands concerned"),
    "confirmed": _measure("aliases confirmed by hand"),
    "count": _measure("how many"),
    "credits_left": _measure("credits left this month, as reported by the odds feed", "credits"),
    "delay_s": _measure("wait before the next start", "seconds"),
    "detail": Key("more, in words"),
    "doubts": _measure("events whose exchange market is uncertain"),
    "drop_reasons": Key("why parts of a response were excluded"),
    "drops": _measure("parts of a response excluded as unreadable"),
    "elapsed_ms": _measure("how long it took", "milliseconds"),
    "error": Key("what went wrong, in words"),
    "event_type": Key("the exchange's name of a sport"),
    "events": _measure("sporting events"),
    "fetcher": Key("name of a fetcher"),
    "is_final": Key("whether it is not tried again"),
    "is_near": Key("for the next hours only, not the whole horizon"),
    "is_paused": Key("whether a person has paused KOS"),
    "is_restarting": Key("whether it is stopped in order and restarted"),
    "is_resumed": Key("whether the stream goes on where it was"),
    "job_ids": _measure("the jobs of what was stored together, the first twenty"),
    "kind": Key("name of a command's or a message's type"),
    "kinds": Key("names of commands' or messages' types, each once"),
    "library": Key("name of a library's own logger"),
    "markets": _measure("exchange markets"),
    "matched": _measure("events that have their exchange market"),
    "message": Key("name of the type of the message that was being handled"),
    "message_fate": Key("what became of that message"),
    "messages": _measure("messages to people"),
    "new_chat": Key("number of a Telegram chat"),
    "nodes": Key("names of nodes"),
    "operation": Key("name of a remote's operation"),
    "params": Key("what was asked of a remote, cut short"),
    "path": Key("a file, an address without its query, or where in an answer"),
    "phase": Key("state of the stream"),
    "problems": Key("every invalid setting, in words"),
    "reason": Key("why, in words"),
    "reasons": Key("why, in words, each once"),
    "reference": _measure("the reference shown to the person, to find this line"),
    "refused": _measure("how many of them were refused"),
    "remedy": Key("what to do about it"),
    "remote": Key("name of a remote service, as in the settings"),
    "retry_after_s": _measure("wait before the next try", "seconds"),
    "retry_s": _measure("wait before the next try", "seconds"),
    "seat": Key("the person's role"),
    "sequence": _measure("number of the ledger's last entry"),
    "siblings": Key("actors stopped and started with it"),
    "slot": Key("number of a session of the proxies"),
    "spent": _measure("spent this month", "credits"),
    "sport_keys": _measure("how many sport keys"),
    "stacks": _measure("where each thread of a process was"),
    "state": Key("the state it is in now"),
    "status": Key("its status, in its own words"),
    "streak": _measure("failures in a row"),
    "text": Key("what a library said"),
    "total": _measure("how many in all"),
    "until": _measure("when it ends", "UTC"),
    "user": Key("the person it is about, as the desk identifies people"),
    "wait_s": _measure("wait before the next try", "seconds"),
    "what": Key("which of several things"),
}
"""Keys that events declare, one meaning each."""

EVENTS: Mapping[str, LogEvent] = {
    # --- the runtime
    "system.started": _info("All nodes are up.", "nodes"),
    "system.stopped": _info("All nodes have ended, in order."),
    "system.gave_up": _critical("A node failed too often; KOS stops.", "error"),
    "hook.failed": _error("Periodic work of the main process failed; it is tried again.", "error"),
    "node.changed": _info("A node has changed state.", "state"),
    "node.ended": _info("A node ended and will not be restarted.", "error"),
    "node.gave_up": _error("An actor failed too often; its node ends and is replaced.", "reason"),
    "node.parked": _error("A node failed too often; it is tried rarely.", "error", "retry_after_s"),
    "node.not_respecified": _warning(
        "A node is not responding; it gets new args only after a restart.", "reason"
    ),
    "node.restarting": _warning("A node ended; it is being restarted.", "error", "delay_s"),
    "node.stacks_told": _info("Someone asked for the stack traces of all nodes.", "stacks"),
    "node.stacks_dumped": _error("A node hung; its stack traces.", "stacks"),
    "actor.started": _info("An actor runs."),
    "actor.renewed": _info("An actor has new args; it may restart.", "is_restarting"),
    "actor.not_started": _debug("A stopping node starts no actors.", "reason"),
    "actor.start_failed": _error("An actor failed before its first message.", "error"),
    "actor.failed": _error(
        "An actor failed; the message is not tried again.", "error", "message", "message_fate"
    ),
    "actor.stop_failed": _error("An actor failed while it was stopping.", "error"),
    "actor.ended": _info("An actor ended and will not be restarted.", "error"),
    "actor.parked": _error(
        "An actor failed too often; it is tried rarely.", "error", "retry_after_s"
    ),
    "actor.restarting": _warning(
        "An actor failed; it is being restarted.", "error", "streak", "delay_s", "siblings"
    ),
    "actor.left_behind": _error("An actor did not stop in time; its process is ended.", "reason"),
    "ask.failed": _warning("A question was answered by an error.", "message", "error"),
    "answer.not_encoded": _error("An answer could not be sent.", "error"),
    "letters.dead": _warning("Messages were never handled.", "total", "by_reason"),
    "letters.lost": _warning("Messages waited for an actor that ended.", "count", "reason"),
    "timer.failed": _error("An appointment could not be delivered.", "error"),
    "library.logged": LogEvent(LEVELS, "A message from a library.", ("library", "text")),
    "service.ready": _info("The service manager was told that KOS is ready.", "status"),
    # --- settings read again at SIGHUP
    "settings.reloaded": _info("The settings were read again.", "changed"),
    "settings.await_restart": _warning("These changes take effect at the next start.", "changed"),
    "settings.refused": _error("The settings are invalid; nothing has changed.", "problems"),
    # --- the web page
    "dashboard.opened": _info("The web page is available.", "address"),
    "dashboard.refused": _warning(
        "The web page's address is not available now.", "address", "reason"
    ),
    "dashboard.failed": _error("The web page's server stopped; it is being restarted.", "address"),
    "dashboard.question_failed": _error("An answer for the web page could not be built."),
    "dashboard.request_failed": _error("A request to the web page hit a fault in KOS.", "path"),
    "dashboard.login_refused": _warning("Someone entered a wrong token.", "client"),
    # --- the odds feed
    "sports.listed": _info("The list of sports was read; each has a fetcher.", "sport_keys"),
    "sports.not_listed": _warning("The list of sports was not read; tried again.", "error"),
    "fetcher.not_reached": _debug("A fetcher is starting or stopping.", "fetcher", "error"),
    "quotes.fetched": _info(
        "One sport key was polled.",
        *("events", "drops", "drop_reasons", "credits_left", "elapsed_ms", "reason"),
    ),
    "quotes.not_fetched": _warning(
        "A poll failed; the next waits longer.", "error", "retry_s", "reason"
    ),
    "snapshot.not_saved": _warning("A poll was not kept for a restart.", "error"),
    "budget.opened": _info("This month's credit use is known.", "spent", "sport_keys"),
    "budget.not_opened": _warning(
        "The ledger did not report this month's credit use; asking again.", "error", "retry_s"
    ),
    "budget.not_reached": _debug("The budget did not respond; asking again.", "error"),
    "credits.not_recorded": _debug("The ledger did not respond; sending again.", "error"),
    "http.repeated": _warning(
        "A request failed and is sent again.", "remote", "path", "attempt", "wait_s", "reason"
    ),
    # --- proxies
    "proxy.retired": _warning(
        "A proxy session failed repeatedly and is on hold.", "slot", "error", "until"
    ),
    "proxy.returned": _info("A proxy session is working again.", "slot"),
    "proxies.not_reached": _debug("The pool was not told the result of a call.", "error"),
    # --- Telegram
    "telegram.connected": _info("The token is right and a webhook, if any, is gone.", "bot"),
    "telegram.changed": _info("The bot's connection has changed state.", "state"),
    "telegram.not_polled": _warning(
        "Telegram cannot be reached; trying again.", "state", "error", "retry_s"
    ),
    "telegram.not_made": _error(
        "The Telegram settings are invalid; the rest of KOS carries on.", "error"
    ),
    "telegram.strangers_ignored": _warning(
        "People without access wrote to the bot and got no reply. At most once an hour.",
        "count",
        "user",
    ),
    "telegram.word_failed": _error("A command failed because of a fault in KOS."),
    "telegram.not_answered": _error("An actor failed on a request from the bot.", "error"),
    "telegram.press_not_answered": _debug("A pressed button got no reply.", "error"),
    "telegram.menu_not_set": _debug("A person's menu could not be updated.", "error"),
    "telegram.message_refused": _error(
        "Telegram refused a message; trying once more without formatting, then never.",
        "reason",
        "is_final",
    ),
    "telegram.chat_closed": _warning("A chat has blocked the bot.", "chat", "reason"),
    "telegram.chat_migrated": _warning("A group has a new ID.", "chat", "new_chat"),
    "telegram.outbox_not_read": _debug("The ledger did not respond; asking again.", "error"),
    "telegram.outbox_not_marked": _debug("The ledger did not respond; sending again.", "error"),
    # --- alerts
    "alerts.promised": _info(
        "Messages for a person were saved for sending.", "user", "messages", "about"
    ),
    "alerts.not_asked": _debug("No response; asking again at the next check.", "error"),
    "alerts.not_told": _warning("Alerts could not be sent yet.", "error"),
    # --- the exchange
    "catalogue.read": _info(
        "A part of the exchange's catalogue was read.", "event_type", "markets", "is_near"
    ),
    "exchange.dropped": _info(
        "Parts of a response from the exchange were excluded.", "what", "count", "reasons"
    ),
    "exchange.not_read": _warning("A call to the exchange failed; tried again.", "error"),
    "session.not_kept": _warning("The exchange session was not extended.", "error"),
    "betfair.logged_in": _info("A session is open.", "status", "by_certificate"),
    "betfair.login_refused": _error(
        "Betfair refused the login; KOS will not try again.", "code", "remedy"
    ),
    "betfair.logout_failed": _warning("The session was not closed.", "reason"),
    "betfair.session_closed": _info("The session was closed.", "status", "code"),
    "betfair.session_ended": _info("The session had ended; a new one is opened when needed."),
    "betfair.session_extended": _debug("The session was extended."),
    "betfair.session_refused": _info("The session is no longer valid; logging in.", "code"),
    "betfair.batch_halved": _warning("The exchange found a batch too large.", "markets"),
    "betfair.call_repeated": _warning(
        "A call failed and is sent again.", "operation", "code", "attempt", "wait_s"
    ),
    "betfair.request_refused": _error(
        "Betfair says a request from KOS is wrong; report it.", "operation", "code", "params"
    ),
    "betfair.stream_broken": _warning("The stream broke; reconnecting.", "reason", "wait_s"),
    "betfair.stream_changed": _info("The stream has changed state.", "phase", "detail"),
    "betfair.stream_dropped": _warning(
        "Parts of a stream message were excluded.", "count", "path", "reason"
    ),
    "betfair.stream_failed": _error("The stream failed because of a fault in KOS; reconnecting."),
    "betfair.stream_healed": _info("Markets that had missed a change were read again.", "markets"),
    "betfair.stream_listener_failed": _error("A listener to the stream failed."),
    "betfair.stream_status": _warning("The stream replied with a refusal.", "code"),
    "betfair.stream_subscribed": _info("Markets were subscribed to.", "markets", "is_resumed"),
    # --- the engine
    "aliases.read": _info("People's decisions about names were read.", "confirmed", "banned"),
    "aliases.not_read": _debug("The ledger did not respond; asking again.", "error"),
    "events.matched": _info(
        "The matches of a sport key have changed.", "events", "matched", "doubts"
    ),
    # --- the ledger
    "ledger.opened": _info(
        "The database is open; only this process writes to it.", "path", "sequence"
    ),
    "ledger.committed": LogEvent(
        ("debug", "info"),
        "Commands were saved (at debug if they only record credits).",
        ("commands", "kinds", "refused", "sequence", "elapsed_ms", "job_ids"),
    ),
    "ledger.closed": _info("The database is closed.", "sequence"),
    "ledger.commit_failed": _critical(
        "Nothing of a commit was saved; every sender got the reason.", "commands", "reason"
    ),
    "command.crashed": _error("A command hit a fault in KOS and was refused.", "kind"),
    # --- how KOS is
    "metrics.served": _info("Metrics are served.", "address"),
    "metrics.not_served": _error(
        "Metrics cannot be served there; KOS carries on.", "address", "error"
    ),
    "heartbeat.not_sent": _warning("The address that watches KOS was not reached.", "error"),
    # --- the pause
    "pause.changed": _info("A person paused KOS, or the pause ended.", "is_paused"),
    "pause.not_read": _debug(
        "The ledger did not report whether KOS is paused; asking again.", "error"
    ),
    # --- the desk
    "word.answered": _info("A person's command was answered.", "what", "user", "elapsed_ms"),
    "word.failed": _error(
        "A person's command hit a fault in KOS; they were given the reference.", "what", "reference"
    ),
    "invitation.accepted": _info("Someone new used a valid code.", "user", "seat"),
    "invitation.refused": _warning("Someone new used an invalid code.", "user"),
    "invitation.not_read": _warning("The ledger did not respond about a code.", "reason"),
}
"""Every event, by its text."""


def is_folded(event: str, level: str) -> bool:
    """Whether repeats of it are folded: from a warning upwards, and where it says so."""
    declared = EVENTS.get(event)
    return LEVELS.index(level) >= LEVELS.index("warning") or (
        declared is not None and declared.is_folded
    )


def is_measure(key: str) -> bool:
    """Whether the key varies without making it another trouble."""
    declared = COMMON_KEYS.get(key) or KEYS.get(key)
    return declared is not None and declared.is_measure
