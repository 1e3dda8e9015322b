"""Command lines out of settings."""

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def flags(*settings: tuple[str, object]) -> list[str]:
    """A setting that is None or False is left out, one that is True is a flag without a value."""
    words: list[str] = []
    for flag, value in settings:
        if value is None or value is False:
            continue
        words += [flag] if value is True else [flag, str(value)]
    return words


def above_one(count: int) -> int | None:
    """Engines take 1 for granted."""
    return count if count > 1 else None


def share(percent: int) -> str:
    """90 as 0.90."""
    return f"{percent / 100:.2f}"
