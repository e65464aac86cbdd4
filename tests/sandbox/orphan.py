"""A parent that starts a sandbox process, says where it is, and waits to be killed."""

from __future__ import annotations

import sys

from kos.sandbox import start_process

if __name__ == "__main__":
    child = start_process(seed=5)
    sys.stdout.write(f"{child.process.pid} {child.addresses.odds_api_url}\n")
    sys.stdout.flush()
    sys.stdin.read()
