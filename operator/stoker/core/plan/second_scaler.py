"""Whether another scaler works on a model that Stoker scales.

Who owns a field stands in the object itself. /scale is for scalers and for `kubectl scale`: what any other program
wrote there last was another scaler's decision, and it stays in force, as the floor, when that scaler is gone.
"""

from collections.abc import Mapping

from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.scaling import ScalingMode
from stoker.core.engine import Refusal

_PEOPLES_TOOLS = ("kubectl", "k9s", "stoker")


def second_scaler(deployment: ModelDeployment) -> Refusal | None:
    if deployment.spec.scaling.mode is ScalingMode.OFF:
        return None
    for entry in deployment.metadata.managed_fields:
        if entry.get("subresource") != "scale" or not _owns_replicas(entry.get("fieldsV1")):
            continue
        manager = str(entry.get("manager") or "somebody")
        if manager.startswith(_PEOPLES_TOOLS):
            continue
        return Refusal(
            Reason.SECOND_SCALER,
            f"{manager} wrote spec.replicas ({deployment.spec.replicas}) through /scale, as an HPA or KEDA does, and"
            f" spec.scaling.mode is {deployment.spec.scaling.mode}, where it is only the floor: remove that scaler and"
            ' set the floor with kubectl scale, or set spec.scaling.mode to "Off" and leave the number to it.',
        )
    return None


def _owns_replicas(fields: object) -> bool:
    spec = fields.get("f:spec") if isinstance(fields, Mapping) else None
    return isinstance(spec, Mapping) and "f:replicas" in spec
