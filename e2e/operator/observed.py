"""A Prometheus in the cluster's network that scrapes operator and agents as docs/guides/observability.md says, with the
rules that the chart installs. Debian's knows no Kubernetes, so it takes the cluster's own list of pods."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from e2e.running_cluster import RunningCluster, until
from stoker.core.plan.agent import CONTROL_PORT
from stoker.telemetry.rules.rule_file import groups

PORT = 19_090
OPERATOR_PORT = 18_080
# On a replica's pod, so that the cluster's list has the agent's page instead of the engine's.
ASK_THE_AGENT = {"prometheus.io/port": str(CONTROL_PORT), "prometheus.io/path": "/metrics"}


@dataclass(frozen=True)
class Observed:
    cluster: RunningCluster

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples of now; none where it cannot be asked yet."""
        url = f"http://127.0.0.1:{PORT}/api/v1/query?{urlencode({'query': expression})}"
        answer = self.cluster.run("curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", url)
        text, _, code = answer.stdout.rpartition("\n")
        if answer.returncode or code == "503":  # it comes up
            return []
        said = json.loads(text)
        assert said["status"] == "success", f"{expression}: {said}"
        return [sample for sample in said["data"]["result"] if sample["value"][1] != "NaN"]

    def wait_for(self, expression: str, seconds: float = 60) -> list[dict[str, Any]]:
        until(lambda: bool(self.ask(expression)), expression, seconds)
        return self.ask(expression)


def _configuration(cluster: RunningCluster) -> dict[str, Any]:
    operator = {
        "job_name": "stoker-operator",
        "honor_labels": True,
        "static_configs": [{"targets": [f"127.0.0.1:{OPERATOR_PORT}"]}],
    }
    agents = {
        "job_name": "stoker-replicas",
        "file_sd_configs": [{"files": [str(cluster.layout.scrape_targets)], "refresh_interval": "2s"}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "regex": f".*:{CONTROL_PORT}", "action": "keep"},
            {"source_labels": ["stoker_dev_model"], "target_label": "model"},
            {"regex": "__.*|namespace|pod|model|job|instance", "action": "labelkeep"},
        ],
    }
    paces = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"}
    return {"global": paces, "rule_files": ["rules.json"], "scrape_configs": [operator, agents]}


@contextmanager
def observing(cluster: RunningCluster, folder: Path, alerts_wait: str = "4s") -> Iterator[Observed]:
    """With less patience than the alerts have."""
    rules = groups()
    for group in rules["groups"]:
        group["interval"] = "2s"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = alerts_wait
    (folder / "rules.json").write_text(json.dumps(rules))
    (folder / "prometheus.json").write_text(json.dumps(_configuration(cluster)))
    command = ["prometheus", f"--config.file={folder}/prometheus.json", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{PORT}", "--log.level=warn"]
    with (
        (folder / "prometheus.log").open("w") as log,
        subprocess.Popen(cluster.tool(*command), stdout=log, stderr=log) as process,
    ):
        try:
            yield Observed(cluster)
        finally:
            process.terminate()
