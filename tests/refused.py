"""Wrong manifests, each with the field that is to blame and the words that tell its author what to do.

The API server must refuse every one with these words, and so must the command line, which reads the same models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.manifests import ABSENT

_SHA = 64 * "a"


@dataclass(frozen=True)
class Refused:
    """One wrong manifest: the smallest good one with these changes."""

    why: str
    changes: Mapping[str, Any]
    field: str
    sentence: str


def _source(why: str, source: object, sentence: str) -> Refused:
    return Refused(why, {"spec.model.source": source}, "spec.model.source", sentence)


NAMES = (
    Refused("a name of 41 characters", {"metadata.name": 41 * "a"}, "metadata.name", "use at most 40 characters"),
    Refused("a name that starts with a digit", {"metadata.name": "8b-llama"}, "metadata.name", "start with a letter"),
    Refused("a name with a dot", {"metadata.name": "llama.8b"}, "metadata.name", "cannot be the name of a Service"),
)

SOURCES = (
    Refused("no source", {"spec.model.source": ABSENT}, "spec.model.source", "Required value"),
    Refused("no model", {"spec.model": ABSENT}, "spec.model", "Required value"),
    _source("a source without a scheme", "meta-llama/Llama-3.1-8B", "start it with one of hf://, s3://"),
    _source("a source with http", "http://models.example.com/a.gguf", "start it with one of hf://, s3://"),
    _source("a source that is a number", 8, "must be of type string"),
    _source("an empty source", "", "should be at least 1 chars long"),
    _source("a hub source without a name", "hf://", "write hf://ORG/NAME or hf://ORG/NAME@REVISION"),
    _source("a hub source with three parts", "hf://a/b/c", "write hf://ORG/NAME or hf://ORG/NAME@REVISION"),
    _source("a hub source with an empty revision", "hf://a/b@", "write hf://ORG/NAME or hf://ORG/NAME@REVISION"),
    _source("a hub source with a space", "hf://a/b c", "write hf://ORG/NAME or hf://ORG/NAME@REVISION"),
    _source("a bucket in capitals", "s3://Models/llama", "write s3://BUCKET/PREFIX"),
    _source("a bucket that is too short", "gs://a/llama", "write gs://BUCKET/PREFIX"),
    _source("an azure source without a container", "az://contoso", "write az://ACCOUNT/CONTAINER/PREFIX"),
    _source("an image digest that is too short", "oci://r.example.com/a@sha256:abc", "64 lowercase hexadecimal digits"),
    _source("an image digest of another kind", f"oci://r.example.com/a@md5:{_SHA}", "64 lowercase hexadecimal digits"),
    _source("a web source with a password", "https://me:secret@h.example.com/a.gguf", "without a user name"),
    _source(
        "a web source with a short checksum", "https://h.example.com/a#sha256=ab", "64 lowercase hexadecimal digits"
    ),
    _source("a claim source without a claim", "pvc:///llama", "write pvc://CLAIM/PATH"),
    _source("an ollama source without a name", "ollama://", "write ollama://NAME:TAG"),
    _source("a source that climbs", "s3://models/../secrets", "climbs with . or ..: write the path itself"),
    _source("a claim source that climbs", "pvc://models/a/../../b", "climbs with . or ..: write the path itself"),
    _source("a source of 513 characters", "hf://a/" + 506 * "b", "may not be more than 512"),
)

MODEL = (
    Refused("a misspelt field", {"spec.model.sorce": "hf://a/b"}, "spec.model.sorce", "unknown field"),
    Refused(
        "a served name with a space", {"spec.model.servedName": "a b"}, "spec.model.servedName", "use letters, digits"
    ),
    Refused("a secret by text", {"spec.model.secretRef": "hf-token"}, "spec.model.secretRef", "must be of type object"),
    Refused("a secret without a name", {"spec.model.secretRef": {}}, "spec.model.secretRef.name", "Required value"),
    Refused(
        "a secret with capitals",
        {"spec.model.secretRef": {"name": "HF_TOKEN"}},
        "spec.model.secretRef.name",
        "cannot be the name of an object: use lowercase letters",
    ),
    Refused(
        "remote code by word",
        {"spec.model.trustRemoteCode": "yes"},
        "spec.model.trustRemoteCode",
        "must be of type boolean",
    ),
    Refused(
        "a file pattern twice",
        {"spec.model.files": {"include": ["*.json", "*.json"]}},
        "spec.model.files.include[1]",
        "Duplicate value",
    ),
)

ENGINE = (
    Refused("an unknown engine", {"spec.engine.name": "vlm"}, "spec.engine.name", 'supported values: "vllm", "sglang"'),
    Refused(
        "an image with a space", {"spec.engine.image": "a b"}, "spec.engine.image", "write NAME:TAG, NAME@sha256:DIGEST"
    ),
    Refused(
        "an image with a short digest",
        {"spec.engine.image": "vllm@sha256:abc"},
        "spec.engine.image",
        "64 lowercase hexadecimal digits",
    ),
    Refused(
        "a context length with a unit",
        {"spec.engine.contextLength": "8k"},
        "spec.engine.contextLength",
        "must be of type integer",
    ),
    Refused("no context", {"spec.engine.contextLength": 0}, "spec.engine.contextLength", "greater than or equal to 16"),
    Refused(
        "no tensor parallel",
        {"spec.engine.tensorParallel": 0},
        "spec.engine.tensorParallel",
        "greater than or equal to 1",
    ),
    Refused(
        "a data type in capitals",
        {"spec.engine.dtype": "BF16"},
        "spec.engine.dtype",
        'supported values: "auto", "bfloat16"',
    ),
    Refused(
        "all GPU memory",
        {"spec.engine.gpuMemoryPercent": 100},
        "spec.engine.gpuMemoryPercent",
        "less than or equal to 99",
    ),
    Refused(
        "memory as a share",
        {"spec.engine.gpuMemoryPercent": 0.9},
        "spec.engine.gpuMemoryPercent",
        "must be of type integer",
    ),
    Refused(
        "no concurrency", {"spec.engine.maxConcurrency": 0}, "spec.engine.maxConcurrency", "greater than or equal to 1"
    ),
    Refused(
        "quantization by phrase", {"spec.engine.quantization": "4 bit"}, "spec.engine.quantization", "such as fp8, awq"
    ),
    Refused("arguments as text", {"spec.engine.args": "--a --b"}, "spec.engine.args", "must be of type array"),
    Refused("an empty argument", {"spec.engine.args": [""]}, "spec.engine.args[0]", "should be at least 1 chars long"),
    Refused("65 arguments", {"spec.engine.args": 65 * ["--a"]}, "spec.engine.args", "must have at most 64 items"),
    Refused(
        "a flag that Stoker sets",
        {"spec.engine.args": ["--enable-prefix-caching", "--max-model-len", "8192"]},
        "spec.engine.args",
        "args has --max-model-len, which Stoker sets itself: use engine.contextLength instead",
    ),
    Refused(
        "a flag that Stoker sets, with = and _",
        {"spec.engine.args": ["--tensor_parallel_size=2"]},
        "spec.engine.args",
        "args has --tensor-parallel-size, which Stoker sets itself: use engine.tensorParallel instead",
    ),
    Refused(
        "a port of one's own",
        {"spec.engine.args": ["--port=80"]},
        "spec.engine.args",
        "args has --port, which Stoker sets itself: remove it",
    ),
    Refused(
        "a flag that Stoker sets, of another engine",
        {"spec.engine.name": "llamacpp", "spec.engine.args": ["-c", "4096"]},
        "spec.engine.args",
        "args has -c, which Stoker sets itself: use engine.contextLength instead",
    ),
    Refused(
        "tensor parallel for an engine without it",
        {"spec.engine.name": "llamacpp", "spec.engine.tensorParallel": 2, "spec.accelerator.count": 2},
        "spec.engine.tensorParallel",
        "llamacpp does not split layers over GPUs by tensorParallel 2: remove tensorParallel",
    ),
    Refused(
        "pipeline stages for an engine without them",
        {"spec.engine.name": "tgi", "spec.engine.pipelineParallel": 2},
        "spec.engine.pipelineParallel",
        "tgi has no pipeline stages: remove pipelineParallel 2, or use one of vllm, sglang",
    ),
    Refused("a custom engine without an image", {"spec.engine.name": "custom"}, "spec.engine", "set engine.image"),
    Refused(
        "custom settings for a known engine",
        {"spec.engine.custom": {"port": 9000}},
        "spec.engine.custom",
        "the engine is vllm: remove custom, or set engine.name to custom",
    ),
    Refused(
        "a health path without a slash",
        {"spec.engine.name": "custom", "spec.engine.image": "a:b", "spec.engine.custom": {"healthPath": "health"}},
        "spec.engine.custom.healthPath",
        "start it with /",
    ),
    Refused(
        "a variable with a dash",
        {"spec.engine.env": [{"name": "LOG-LEVEL"}]},
        "spec.engine.env[0].name",
        "cannot be the name of a variable: use letters, digits and '_'",
    ),
    Refused(
        "a variable with two values",
        {"spec.engine.env": [{"name": "A", "value": "b", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
        "spec.engine.env[0]",
        "A has both value and valueFrom: keep one of them",
    ),
    Refused(
        "a variable from nowhere",
        {"spec.engine.env": [{"name": "A", "valueFrom": {}}]},
        "spec.engine.env[0].valueFrom",
        "exactly one of secretKeyRef and configMapKeyRef must be set",
    ),
    Refused(
        "a variable twice",
        {"spec.engine.env": [{"name": "A", "value": "b"}, {"name": "A", "value": "c"}]},
        "spec.engine.env[1]",
        "Duplicate value",
    ),
    Refused(
        "a variable that is a number",
        {"spec.engine.env": [{"name": "A", "value": 1}]},
        "spec.engine.env[0].value",
        "string",
    ),
)

ACCELERATOR = (
    Refused(
        "a resource without a vendor",
        {"spec.accelerator.resourceName": "gpu"},
        "spec.accelerator.resourceName",
        "write VENDOR/DEVICE, such as nvidia.com/gpu",
    ),
    Refused("minus one GPU", {"spec.accelerator.count": -1}, "spec.accelerator.count", "greater than or equal to 0"),
    Refused("65 GPUs", {"spec.accelerator.count": 65}, "spec.accelerator.count", "less than or equal to 64"),
    Refused(
        "four ranks on one GPU", {"spec.engine.tensorParallel": 4}, "spec.accelerator.count", "set accelerator.count to"
    ),
    Refused(
        "one rank on four GPUs",
        {"spec.accelerator.count": 4},
        "spec.accelerator.count",
        "accelerator.count 4 does not go",
    ),
    Refused(
        "ranks that divide no pod",
        {"spec.engine.tensorParallel": 4, "spec.engine.pipelineParallel": 2, "spec.accelerator.count": 2},
        "spec.accelerator.count",
        "accelerator.count 2 does not go with engine.tensorParallel 4 times engine.pipelineParallel 2",
    ),
    Refused(
        "two ranks on the CPU",
        {"spec.engine.tensorParallel": 2, "spec.accelerator.count": 0},
        "spec.accelerator.count",
        "accelerator.count 0 does not go with engine.tensorParallel 2",
    ),
    Refused(
        "a product with a space",
        {"spec.accelerator.products": ["NVIDIA H100"]},
        "spec.accelerator.products[0]",
        "cannot be the value of a label",
    ),
    Refused(
        "a fit check of another word",
        {"spec.accelerator.fitCheck": "Off"},
        "spec.accelerator.fitCheck",
        'supported values: "Enforce", "Warn"',
    ),
    Refused(
        "memory with a space",
        {"spec.resources": {"requests": {"memory": "32 Gi"}}},
        "spec.resources.requests",
        "32 Gi is not a quantity: write a number with an optional unit and no space",
    ),
    Refused(
        "negative memory",
        {"spec.resources": {"limits": {"memory": "-1Gi"}}},
        "spec.resources.limits",
        "-1Gi is not a quantity",
    ),
    Refused(
        "a request above its limit",
        {"spec.resources": {"requests": {"memory": "32Gi"}, "limits": {"memory": "16Gi"}}},
        "spec.resources",
        "the request for memory is above its limit: lower requests or raise limits",
    ),
    Refused(
        "the GPU among the resources",
        {"spec.resources": {"limits": {"nvidia.com/gpu": 1}}},
        "spec.resources",
        "resources repeats nvidia.com/gpu: remove it there, accelerator.count asks for it",
    ),
)

WEIGHTS = (
    Refused(
        "two kinds of storage",
        {"spec.weights.storage": {"claim": {}, "existingClaim": {"name": "a"}}},
        "spec.weights.storage",
        "exactly one of claim and existingClaim must be set: keep one",
    ),
    Refused(
        "no kind of storage",
        {"spec.weights.storage": {}},
        "spec.weights.storage",
        "exactly one of claim and existingClaim must be set: keep one",
    ),
    Refused(
        "storage that is reserved",
        {"spec.weights.storage": {"nodeLocal": {}}},
        "spec.weights.storage.nodeLocal",
        "unknown field",
    ),
    Refused(
        "a size in another spelling",
        {"spec.weights.storage": {"claim": {"size": "100GB"}}},
        "spec.weights.storage.claim.size",
        "100GB is not a quantity",
    ),
    Refused(
        "an access mode of another word",
        {"spec.weights.storage": {"claim": {"accessModes": ["RWX"]}}},
        "spec.weights.storage.claim.accessModes[0]",
        "supported values",
    ),
    Refused(
        "no revision kept",
        {"spec.weights.keepRevisions": 0},
        "spec.weights.keepRevisions",
        "greater than or equal to 1",
    ),
    Refused(
        "a deletion policy of another word",
        {"spec.weights.deletionPolicy": "Keep"},
        "spec.weights.deletionPolicy",
        'supported values: "Retain", "Delete"',
    ),
)

SCALING = (
    Refused("no scaling", {"spec.scaling": ABSENT}, "spec.scaling", "Required value"),
    Refused("no most", {"spec.scaling": {}}, "spec.scaling.maxReplicas", "Required value"),
    Refused(
        "a most of zero", {"spec.scaling.maxReplicas": 0}, "spec.scaling.maxReplicas", "greater than or equal to 1"
    ),
    Refused(
        "a floor above the most",
        {"spec.replicas": 9},
        "spec.replicas",
        "replicas 9 is above scaling.maxReplicas 4: lower replicas or raise scaling.maxReplicas",
    ),
    Refused("a negative floor", {"spec.replicas": -1}, "spec.replicas", "greater than or equal to 0"),
    Refused("a floor in quotes", {"spec.replicas": "2"}, "spec.replicas", "must be of type integer"),
    Refused(
        "more warm than most",
        {"spec.scaling.warmReplicas": 3, "spec.scaling.asleepReplicas": 2},
        "spec.scaling.warmReplicas",
        "warmReplicas 3 and asleepReplicas 2 together are above maxReplicas 4",
    ),
    Refused(
        "an unknown mode",
        {"spec.scaling.mode": "auto"},
        "spec.scaling.mode",
        'supported values: "Auto", "Observe", "Off"',
    ),
    Refused(
        "a bare Off, which YAML reads as false",
        {"spec.scaling.mode": False},
        "spec.scaling.mode",
        "must be of type string",
    ),
    Refused(
        "an objective with a unit",
        {"spec.scaling.objective": {"ttftMilliseconds": "2s"}},
        "spec.scaling.objective.ttftMilliseconds",
        "must be of type integer",
    ),
    Refused(
        "the hundredth percentile",
        {"spec.scaling.objective": {"percentile": 100}},
        "spec.scaling.objective.percentile",
        "less than or equal to 99",
    ),
    Refused(
        "six cron fields",
        {"spec.scaling.schedule": [{"cron": "0 0 8 * * *", "replicas": 2}]},
        "spec.scaling.schedule[0].cron",
        "write five fields, minute hour day-of-month month day-of-week",
    ),
    Refused(
        "the sixtieth minute",
        {"spec.scaling.schedule": [{"cron": "60 8 * * *", "replicas": 2}]},
        "spec.scaling.schedule[0].cron",
        "60 8 * * * is not a cron expression",
    ),
    Refused(
        "a time zone with a space",
        {"spec.scaling.schedule": [{"cron": "0 8 * * *", "timeZone": "Berlin time", "replicas": 2}]},
        "spec.scaling.schedule[0].timeZone",
        "write an IANA name, such as Europe/Berlin",
    ),
    Refused(
        "a schedule above the most",
        {"spec.scaling.schedule": [{"cron": "0 8 * * *", "replicas": 9}]},
        "spec.scaling.schedule",
        "asks for more replicas than maxReplicas 4",
    ),
    Refused(
        "one moment twice",
        {"spec.scaling.schedule": [{"cron": "0 8 * * *", "replicas": 1}, {"cron": "0 8 * * *", "replicas": 2}]},
        "spec.scaling.schedule[1]",
        "Duplicate value",
    ),
    Refused(
        "another's workload, but not only watched",
        {"spec.scaling.targetRef": {"name": "other"}},
        "spec.scaling.targetRef",
        "set mode to Observe, or remove targetRef",
    ),
)

ROLLOUT = (
    Refused(
        "an unknown strategy", {"spec.rollout.strategy": "RollingUpdate"}, "spec.rollout.strategy", "supported values"
    ),
    Refused(
        "a deadline of a second", {"spec.rollout.deadlineSeconds": 1}, "spec.rollout.deadlineSeconds", "equal to 60"
    ),
    Refused(
        "a revision by number",
        {"spec.rollout.revision": "3"},
        "spec.rollout.revision",
        "copy one of ten hexadecimal digits",
    ),
    Refused(
        "a negative drain", {"spec.drain.graceSeconds": -1}, "spec.drain.graceSeconds", "greater than or equal to 0"
    ),
    Refused("a high priority", {"spec.priority": 1001}, "spec.priority", "less than or equal to 1000"),
    Refused("suspension by word", {"spec.suspend": "true"}, "spec.suspend", "must be of type boolean"),
    Refused(
        "a label of Stoker's own",
        {"spec.template": {"metadata": {"labels": {"stoker.dev/tier": "serving"}}}},
        "spec.template.metadata",
        "remove them or use another prefix",
    ),
    Refused("a template as text", {"spec.template.spec": "x"}, "spec.template.spec", "must be of type object"),
    Refused("a field of a later version", {"spec.adapters": []}, "spec.adapters", "unknown field"),
)

REFUSED = (*NAMES, *SOURCES, *MODEL, *ENGINE, *ACCELERATOR, *WEIGHTS, *SCALING, *ROLLOUT)
