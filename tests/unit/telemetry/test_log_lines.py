"""One JSON object a line, which says whom it is about."""

import asyncio
import io
import json
import logging

from stoker.handlers.log import JsonLines
from stoker.telemetry.log_context import looks_at


def lines_of(*looks: str) -> list[dict[str, str]]:
    """What is logged where each look runs in a task of its own, with a wait in between."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("tests.log_lines")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    async def look(model: str) -> None:
        looks_at("models", model)
        logger.info("%s begins", model)
        await asyncio.sleep(0)
        logger.info("%s ends", model)

    async def all_of_them() -> None:
        await asyncio.gather(*(look(model) for model in looks))
        logger.info("nobody")

    try:
        asyncio.run(all_of_them())
    finally:
        logger.removeHandler(handler)
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_says_which_model_and_which_look_it_is_about_though_looks_run_side_by_side() -> None:
    lines = lines_of("llama", "gemma")
    about = {line["message"]: line for line in lines}
    for model in ("llama", "gemma"):
        assert about[f"{model} begins"]["model"] == about[f"{model} ends"]["model"] == model
        assert about[f"{model} begins"]["reconcile"] == about[f"{model} ends"]["reconcile"]
        assert about[f"{model} begins"]["namespace"] == "models"
    assert about["llama begins"]["reconcile"] != about["gemma begins"]["reconcile"]


def test_a_line_about_no_model_names_none() -> None:
    (*_, last) = lines_of("llama")
    assert last["message"] == "nobody"
    assert not {"model", "namespace", "reconcile"} & set(last)
