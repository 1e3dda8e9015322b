"""How many replicas take traffic: the ready addresses in the slices of a model's Service, at each change of them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from e2e.cluster.kubectl import command
from e2e.running_cluster import Namespace

# Unlike a JSONPath, columns do not end at a slice that has no endpoints.
READY = "custom-columns=READY:.endpoints[*].conditions.ready"


@contextmanager
def counted_in_traffic(namespace: Namespace, name: str = "web") -> Iterator[list[int]]:
    """One number for the beginning and one for each change, as the API server told of it."""
    selector = f"--selector=kubernetes.io/service-name={name}"
    watch = ["get", "endpointslices", selector, "--watch", "--no-headers", f"--output={READY}"]
    layout = namespace.cluster.layout
    asked = namespace.cluster.tool(*command(layout, f"--namespace={namespace.name}", *watch))
    counts: list[int] = []
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = process.stdout
        reading = Thread(target=lambda: counts.extend(line.count("true") for line in lines))
        reading.start()
        try:
            yield counts
            assert process.poll() is None, "the watch has ended, so nobody counted"
        finally:
            process.terminate()
            reading.join()
    assert counts, "nothing was told of the Service's slices"
