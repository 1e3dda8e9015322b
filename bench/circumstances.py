"""What stands beside every figure: when it was taken, and on what."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def when_and_where() -> dict[str, str]:
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "machine": f"{os.cpu_count()} cores, {memory_kib / 2**20:.0f} GiB, Linux {platform.release()}",
    }
