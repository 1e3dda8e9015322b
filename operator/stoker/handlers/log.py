"""The operator's log: lines for people, or one JSON object a line for machines."""

import json
import logging
from datetime import UTC, datetime

from stoker.api.configuration import Log, LogFormat
from stoker.telemetry.log_context import about


class JsonLines(logging.Formatter):
    """What is being looked at stands in every line that is written meanwhile."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **about(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(log: Log) -> None:
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if log.format is LogFormat.JSON else text)
    logging.basicConfig(level=log.level.upper(), handlers=[handler], force=True)
    # kopf tells of every event that it hands on.
    logging.getLogger("kopf").setLevel(logging.WARNING)
