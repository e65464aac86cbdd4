"""The systemd unit that runs KOS, as text, for where KOS is installed.

``packaging/kos.service`` is the copy to read, and a test holds it to this module. Every hardening
line is there because KOS needs nothing of what it takes away: it opens network connections and
Unix sockets, writes its state directory, starts processes of its own program, and that is all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kos import NAME
from kos.config.load import SERVICE_CONFIG, credential_name
from kos.config.settings import SERVICE_STATE

USER = NAME
CONFIG_DIR = SERVICE_CONFIG.parent
UNIT_FILE = Path("/etc/systemd/system/kos.service")
CREDENTIALS_DIR = CONFIG_DIR / "credentials"
REFERENCE_EXECUTABLE = "/opt/kos/bin/kos"
"""What the copy in the repository starts."""
REFERENCE_SECRETS = ("odds_api.key",)
"""The secrets that the copy in the repository names."""

SYSUSERS = f'u {USER} - "KOS matched-betting daemon" {SERVICE_STATE}\n'
"""The service's own account, for systemd-sysusers."""

_DESCRIPTION = """\
[Unit]
Description=KOS matched-betting daemon
Documentation=man:systemd.service(5)
{network}StartLimitIntervalSec=300
StartLimitBurst=5
"""

_PROCESS = """
[Service]
Type=notify
NotifyAccess=main
ExecStart={executable} run
ExecReload=/bin/kill -HUP $MAINPID
# Fed by the supervisor, and only while every critical actor is fresh.
WatchdogSec=60
Restart=on-failure
RestartSec=5
# 78: a person has to change something first, such as a setting or the database.
RestartPreventExitStatus=78
TimeoutStartSec=120
TimeoutStopSec=30
# The main process stops its children in order; what is left after that is killed.
KillMode=mixed
"""

_SYSTEM_IDENTITY = f"""
User={USER}
Group={USER}
StateDirectory=kos
StateDirectoryMode=0700
ConfigurationDirectory=kos
ConfigurationDirectoryMode=0755
"""

_USER_IDENTITY = """
StateDirectory=kos
StateDirectoryMode=0700
"""

_LIMITS = """
UMask=0077
MemoryMax=2G
TasksMax=512
LimitNOFILE=8192
# No core file: memory holds secrets.
LimitCORE=0
"""

_HARDENING = """
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""

_SYSTEM_HARDENING = """
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
"""

_INSTALL = """
[Install]
WantedBy={target}
"""


def unit(executable: str, *, is_user: bool = False, secrets: Iterable[str] = ()) -> str:
    """The unit.

    Args:
        executable: The absolute path of the ``kos`` command, with arguments before ``run`` if any.
        is_user: For ``systemctl --user``: what only the system's manager may do is left out.
        secrets: Keys of the settings, such as ``odds_api.key``, whose files stand in
            :data:`CREDENTIALS_DIR`; naming one that is not there keeps the service from starting.
    """
    network = "Wants=network-online.target\nAfter=network-online.target\n"
    parts = [
        _DESCRIPTION.format(network="" if is_user else network),
        _PROCESS.format(executable=executable),
    ]
    if is_user:
        parts += [_USER_IDENTITY, _LIMITS, _HARDENING, _INSTALL.format(target="default.target")]
        return "".join(parts)
    names = [credential_name(key) for key in secrets]
    loaded = "".join(f"LoadCredential={name}:{CREDENTIALS_DIR / name}\n" for name in names)
    parts += [
        _SYSTEM_IDENTITY,
        f"# One line for each secret that `kos service install` finds in {CREDENTIALS_DIR}.\n",
        loaded,
        _LIMITS,
        _HARDENING,
        _SYSTEM_HARDENING,
        _INSTALL.format(target="multi-user.target"),
    ]
    return "".join(parts)


def is_current(text: str) -> bool:
    """Whether an installed unit is what :func:`unit` gives today for its command and secrets."""
    executable = re.search(r"(?m)^ExecStart=(.+) run$", text)
    loaded = re.findall(r"(?m)^LoadCredential=([^:]+):", text)
    if executable is None:
        return False
    return text == unit(executable[1], secrets=[name.replace("-", ".", 1) for name in loaded])


def reference() -> str:
    """The unit as ``packaging/kos.service`` has it."""
    return unit(REFERENCE_EXECUTABLE, secrets=REFERENCE_SECRETS)
