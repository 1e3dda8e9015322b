"""What `helm test` does: asks the operator, has a simulated model made and called, and calls one that is named."""
# ruff: noqa: INP001, S310 - it is no module, and the addresses are the chart's

import json
import os
import ssl
import struct
import time
import urllib.error
import urllib.request
from pathlib import Path

SECONDS = 240
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MODELS = "https://kubernetes.default.svc/apis/stoker.dev/v1alpha1/namespaces/{}/modeldeployments"


def ask(url, body=None, method=None, patience=12):
    """What is answered. Several tries, since routes and names come a moment after readiness."""
    headers, trust = {"Content-Type": "application/json"}, None
    if url.startswith("https:"):
        headers["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text()}"
        trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    until = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
                return answer.read().decode()
        except OSError as failed:
            if time.monotonic() > until or getattr(failed, "code", 0) in (401, 403, 404, 409, 422):
                said = failed.read().decode() if isinstance(failed, urllib.error.HTTPError) else failed
                raise SystemExit(f"{method or ''} {url}: {failed}: {said}") from failed
            time.sleep(2)


def complete(name, url):
    print(f"model {name}:", ask(url, {"model": name, "prompt": "Hello", "max_tokens": 8}), flush=True)


def write_weights(folder):
    """As small as weights can be: a description, and one tensor of four numbers."""
    sizes = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 32}
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]} | sizes)
    )
    head = json.dumps({"model.norm.weight": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + bytes(8))


def trial(name, namespace, claim):
    write_weights(Path("/weights/tiny"))
    model = {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"source": f"pvc://{claim}/tiny"},
            "engine": {"name": "simulated"},
            "accelerator": {"count": 0},
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
            "drain": {"graceSeconds": 5},
            "scaling": {"maxReplicas": 1},
        },
    }
    address = f"{MODELS.format(namespace)}/{name}"
    ask(MODELS.format(namespace), model, "POST")
    try:
        wait_until_ready(address)
        complete(name, f"http://{name}.{namespace}/v1/completions")
    finally:
        ask(address, method="DELETE")


def wait_until_ready(address):
    until, before = time.monotonic() + SECONDS, ""
    while True:
        found = json.loads(ask(address))
        (ready,) = (one for one in found["status"]["conditions"] if one["type"] == "Ready")
        said = f"{ready['reason']}: {ready['message']}"
        if said != before:
            print("simulated model:", said, flush=True)
        if ready["status"] == "True":
            return
        if time.monotonic() > until:
            raise SystemExit(f"the simulated model is not Ready after {SECONDS} s: {said}")
        before = said
        time.sleep(1)


print("operator:", ask(os.environ["OPERATOR_URL"]), flush=True)
if "TRIAL" in os.environ:
    trial(os.environ["TRIAL"], os.environ["NAMESPACE"], os.environ["CLAIM"])
if "MODEL" in os.environ:
    complete(os.environ["MODEL"], os.environ["MODEL_URL"])
