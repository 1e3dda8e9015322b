"""values.schema.json: the chart's own values, and below `configuration` what the operator's models say."""

import json
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.schema.structural import object_schema
from stoker.api.v1alpha1.engine import EngineName
from tests.unit.chart.generation.documented_values import VALUES, documented_values

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_TEXTS: Json = {"type": "object", "additionalProperties": _TEXT}
_FREE: Json = {"type": "object"}  # as in Kubernetes' own API, which checks it
_NAME: Json = {"type": "string", "maxLength": 63, "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"}
_LABEL_KEY: Json = {"type": "string", "minLength": 1, "maxLength": 317}
_DURATION: Json = {"type": "string", "pattern": "^[1-9][0-9]*(ms|s|m|h)$"}
_PORT: Json = {"type": "integer", "minimum": 1, "maximum": 65_535}


def _object(**properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _list(item: Json) -> Json:
    return {"type": "array", "items": item}


def _image(**more: Json) -> Json:
    return _object(
        repository={"type": "string", "pattern": "^[a-z0-9]+([._/-]+[a-z0-9]+)*$"},
        tag={"type": "string", "pattern": "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"},
        digest={"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
        **more,
    )


def _operator() -> Json:
    return _object(
        image=_image(pullPolicy={"enum": ["Always", "IfNotPresent", "Never"]}),
        replicas={"type": "integer", "minimum": 0, "maximum": 16},
        resources=_object(requests=_FREE, limits=_FREE),
        nodeSelector=_TEXTS,
        tolerations=_list(_FREE),
        affinity=_FREE,
        topologySpread=_list(_LABEL_KEY),
        priorityClassName={"type": "string", "maxLength": 253},
        podAnnotations=_TEXTS,
        podLabels=_TEXTS,
        secretFiles=_list({"type": "string", "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", "maxLength": 253}),
        env=_list(_FREE),
    )


def _engine_images() -> Json:
    return _object(**{str(name): _image() | {"required": ["repository"]} for name in EngineName})


def _configuration() -> Json:
    schema = _for_helm(object_schema(Configuration))
    # The chart mounts the key itself, and a node must know where to ask for health.
    del schema["properties"]["agent"]["properties"]["keyFile"]
    schema["properties"]["probes"]["properties"]["port"]["minimum"] = 1
    return schema


def values_schema() -> str:
    schema = _object(
        registry={"type": "string", "pattern": "^([a-zA-Z0-9][a-zA-Z0-9.:_/-]*[a-zA-Z0-9])?$"},
        imagePullSecrets=_list({"type": "string", "minLength": 1, "maxLength": 253}),
        caBundle=_TEXT,
        fullnameOverride=_NAME | {"maxLength": 40},
        operator=_operator(),
        runtime=_object(enabled=_FLAG, image=_image()),
        engineImages=_engine_images(),
        configuration=_configuration(),
        agentKey=_object(
            existingSecret={"type": "string", "maxLength": 253},
            key={"type": "string", "pattern": "^[-._a-zA-Z0-9]+$", "maxLength": 253},
        ),
        crds=_object(enabled=_FLAG, keep=_FLAG),
        rbac=_object(create=_FLAG, clusterReads=_FLAG),
        serviceAccount=_object(create=_FLAG, name={"type": "string", "maxLength": 253}, annotations=_TEXTS),
        networkPolicy=_object(enabled=_FLAG, apiServerPorts=_list(_PORT) | {"minItems": 1}, extraEgress=_list(_FREE)),
        monitoring=_object(
            serviceMonitor=_object(enabled=_FLAG, interval=_DURATION, labels=_TEXTS),
            podMonitor=_object(enabled=_FLAG, engines=_FLAG, interval=_DURATION, labels=_TEXTS),
            rules=_object(enabled=_FLAG, labels=_TEXTS, runbooks={"type": "string", "pattern": "[^/]$"}),
            dashboards=_object(enabled=_FLAG, labels=_TEXTS, annotations=_TEXTS),
        ),
        podDisruptionBudget=_object(enabled=_FLAG),
        test=_object(
            simulated=_object(enabled=_FLAG, storageClassName={"type": "string", "maxLength": 253}),
            model=_object(name=_NAME, namespace=_NAME, servedName=_TEXT),
        ),
    )
    for value in documented_values(VALUES.read_text(encoding="utf-8")):
        _describe(schema, value.path, value.meaning)
    # Helm passes it to every chart that is part of another one.
    schema["properties"]["global"] = _FREE
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#"} | schema, indent=2) + "\n"


def _describe(schema: Json, path: tuple[str, ...], meaning: str) -> None:
    *parents, name = path
    for parent in parents:
        schema = schema["properties"][parent]
    if name not in schema["properties"]:
        raise ValueError(f"values.yaml: {'.'.join(path)} is not in the schema: add it to values_schema.py")
    schema["properties"][name] = {"description": meaning} | schema["properties"][name]


def _for_helm(schema: Json) -> Json:
    """Without what only an API server understands, and closed."""
    kept = {
        key: value
        for key, value in schema.items()
        if value is not None and not key.startswith("x-") and key not in _ONLY_IN_THE_API
    }
    if "anyOf" in kept:
        del kept["anyOf"]
        kept["type"] = ["string", "integer"]
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = _for_helm(kept[key])
    if "properties" in kept:
        kept["properties"] = {name: _for_helm(inner) for name, inner in kept["properties"].items()}
        kept["additionalProperties"] = False
    return kept


# A default would be shown by editors as what the chart sets; the operator's own reference has it.
_ONLY_IN_THE_API = ("default", "format")
