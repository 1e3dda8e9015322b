"""Every reason that a condition may give, with its meaning and what to do about it. The list is closed."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Explanation:
    """What the documentation says of a reason."""

    meaning: str
    remedy: str


class Reason(StrEnum):
    """One word each, stable, for alerts and scripts."""

    explanation: Explanation

    def __new__(cls, value: str, meaning: str = "", remedy: str = "Nothing to do.") -> "Reason":
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = Explanation(meaning, remedy)
        return member

    # What goes as it should.
    WAITING_FOR_OPERATOR = (
        "WaitingForOperator",
        "No operator has looked at the object yet.",
        "If it stays, check that Stoker runs and watches the namespace.",
    )
    SERVING = "Serving", "At least one replica takes traffic."
    AT_ZERO = "AtZero", "No replica is wanted, so none runs."
    SUSPENDED = (
        "Suspended",
        "spec.suspend is true, so no replica runs.",
        "Set spec.suspend to false to start the model again.",
    )
    STARTING = "Starting", "Replicas are ordered and load the model."
    SCALING = "Scaling", "Replicas are being added or removed."
    ROLLING_OUT = "RollingOut", "Replicas of a new revision replace those of an old one."
    ROLLOUT_PAUSED = (
        "RolloutPaused",
        "spec.rollout.paused is true, so replicas of both revisions stay as they are.",
        "Set spec.rollout.paused to false to go on.",
    )
    ROLLOUT_WAITING = (
        "RolloutWaiting",
        "As many other models roll out as the operator's configuration allows, so this one waits for its turn.",
        "Wait, or raise rollouts.modelsAtOnce. Where a rollout that was named never ends, `stoker explain` says why.",
    )
    SETTLED = "Settled", "Everything is as the spec wants it."
    NO_PROBLEM = "NoProblem", "Nothing is known to be wrong."
    WEIGHTS_FOUND = "WeightsFound", "The weights are on the volume."
    INSPECTING = "Inspecting", "A job resolves the source and reads what the model is, without downloading it."
    DOWNLOADING = "Downloading", "A job fetches the weights to the volume."
    FITS = "Fits", "The model fits the memory of its accelerators."
    ALL_SCHEDULED = "AllScheduled", "Every replica has a node."
    UP_TO_DATE = "UpToDate", "The revision was made with the defaults that this operator has now."
    NEWER_DEFAULTS = (
        "NewerDefaults",
        "The operator or its configuration would render the pods otherwise today. Nothing restarts by itself.",
        "Run `stoker upgrade NAME`, or set the annotation stoker.dev/restarted-at to the time of day.",
    )
    NOT_CHECKED = "NotChecked", "Nobody has looked yet."
    FOLLOWS_SPEC = "FollowsSpec", "scaling.mode is Off: spec.replicas is the exact number."
    HOLDING_FLOOR = (
        "HoldingFloor",
        "No load is known, so spec.replicas serve.",
    )
    FOLLOWING_LOAD = "FollowingLoad", "The load of every replica is known, and their number follows it."
    OBSERVING_LOAD = (
        "ObservingLoad",
        "scaling.mode is Observe: what would be done is recorded, and spec.replicas serve.",
        "Set scaling.mode to Auto to let Stoker do it.",
    )
    LOAD_UNKNOWN = (
        "LoadUnknown",
        "Some replicas do not tell their load, so no replica is removed until they do.",
        "Look at the agent of those replicas, and at NetworkPolicies between them and the operator.",
    )
    LOAD_SATURATED = (
        "LoadSaturated",
        "Some replicas answer too late to be counted: they are taken for full, never for idle.",
        "If it stays, give the agent or the engine more CPU.",
    )
    LOAD_SOURCE_DOWN = (
        "LoadSourceDown",
        "The Prometheus that the load is read from does not answer as it should, so no replica is removed.",
        "Look at the Prometheus, and at signals.prometheus in the operator's configuration.",
    )
    TARGET_UNKNOWN = (
        "TargetUnknown",
        "The workload of scaling.targetRef does not exist, or its pods cannot be read.",
        "Correct scaling.targetRef, or let the operator read such workloads.",
    )
    NO_READY_REPLICA = "NoReadyReplica", "No replica is ready, so there is no load to follow yet."
    WITHIN_LIMITS = "WithinLimits", "No limit holds the number of replicas back."

    # Limits.
    AT_MAXIMUM = (
        "AtMaximum",
        "The load needs more replicas than scaling.maxReplicas allows.",
        "Raise scaling.maxReplicas, or accept longer waits.",
    )
    NO_CAPACITY_LEFT = (
        "NoCapacityLeft",
        "The load needs more replicas than there are free accelerators, or than the quota allows.",
        "Add nodes, raise the quota, lower what other models keep warm, or raise spec.priority.",
    )
    REPLICAS_PENDING = (
        "ReplicasPending",
        "Replicas wait for a node, and no more are ordered before these have one.",
        "Look at the node autoscaler, or raise scaling.maxPendingReplicas in the operator's configuration.",
    )
    SECOND_SCALER = (
        "SecondScaler",
        "Another scaler writes spec.replicas through /scale. Where scaling.mode is not Off, that is only the floor.",
        "Remove the other scaler (an HPA, KEDA) and write spec.replicas anew, or set scaling.mode to Off.",
    )
    NO_ROOM_TO_SLEEP = (
        "NoRoomToSleep",
        "The memory limit of the server's container cannot hold the weights of an asleep replica.",
        "Raise resources.limits.memory, or set scaling.asleepReplicas to 0.",
    )
    SCALING_FROZEN = (
        "ScalingFrozen",
        "A rollout or a freeze holds the number of replicas.",
        "Wait for the rollout, or mend what holds it up; `stoker thaw` ends a freeze.",
    )
    LIMITED_BY_CONFIGURATION = (
        "LimitedByConfiguration",
        "The operator's configuration allows fewer replicas than are wanted.",
        "Raise limits.maxReplicas in the operator's configuration, or lower spec.replicas.",
    )
    VOLUME_ON_ONE_NODE = (
        "VolumeOnOneNode",
        "The volume can be mounted on one node at a time, so replicas on other nodes cannot start.",
        "Use a claim with the access mode ReadWriteMany or ReadOnlyMany.",
    )

    # What is wrong with the object itself.
    INVALID_SPEC = (
        "InvalidSpec",
        "The object cannot be understood, though the API server stored it.",
        "Correct the fields that the message names; check that CRD and operator have the same version.",
    )
    NAME_TOO_LONG = (
        "NameTooLong",
        "The object's name leaves no room for the names of its pods.",
        "Make the object anew under a name of at most 40 characters, 34 where a replica spans several pods.",
    )
    NOT_ALLOWED = (
        "NotAllowed",
        "The operator's configuration does not allow what the spec asks for.",
        "Ask the platform team to allow it, or remove what the message names.",
    )
    INVALID_TEMPLATE = (
        "InvalidTemplate",
        "spec.template cannot be merged into a pod.",
        "Correct the path that the message names.",
    )
    NO_ENGINE_IMAGE = (
        "NoEngineImage",
        "Neither the spec nor the operator's configuration has an image for the engine.",
        "Set spec.engine.image, or engines[].image in the operator's configuration.",
    )
    ENGINE_NOT_SUPPORTED = (
        "EngineNotSupported",
        "This version of the operator does not run the engine, or not with these settings.",
        "Choose another engine or setting, as the message says.",
    )
    MULTI_NODE_NOT_AVAILABLE = (
        "MultiNodeNotAvailable",
        "A replica spans several pods, and the cluster has no LeaderWorkerSet API, or the engine runs in one pod only.",
        "Install LeaderWorkerSet, or fit the replica into one pod by accelerator.count.",
    )
    UNKNOWN_REVISION = (
        "UnknownRevision",
        "rollout.revision pins a revision that does not exist.",
        "Pin one of status.revisions, or remove rollout.revision.",
    )

    # Rollouts.
    ROLLED_BACK = (
        "RolledBack",
        "A new revision failed, so the last good one serves. The failed one is not tried again until the spec changes.",
        "Mend what the message says; to try the same spec again, set the annotation stoker.dev/restarted-at.",
    )
    ROLLOUT_FAILED = (
        "RolloutFailed",
        "A new revision failed, and spec.rollout.autoRollback is false or there is no good revision to go back to.",
        "Mend the spec, or go back with `stoker rollback`.",
    )
    LOAD_DEADLINE_EXCEEDED = (
        "LoadDeadlineExceeded",
        "A replica of a new revision had a node for spec.rollout.deadlineSeconds and was not ready then.",
        "Read the engine's log; raise rollout.deadlineSeconds if it only needs longer.",
    )

    # Weights.
    SOURCE_UNAUTHORIZED = (
        "SourceUnauthorized",
        "The source wants credentials, or refuses those that it got.",
        "Name a Secret with a valid token in spec.model.secretRef: for hf:// its key is HF_TOKEN.",
    )
    SOURCE_FORBIDDEN = (
        "SourceForbidden",
        "The credentials may not read the source.",
        "Grant the access; for a gated model, accept its licence with the account that the token belongs to.",
    )
    SOURCE_NOT_FOUND = (
        "SourceNotFound",
        "The source has no such repository, revision or file.",
        "Correct spec.model.source; some sources say so, too, when credentials are missing.",
    )
    SOURCE_UNREACHABLE = (
        "SourceUnreachable",
        "The source gave no usable answer for a long time.",
        "Check network, proxy and the source itself. Stoker tries again by itself.",
    )
    UNSAFE_SOURCE = (
        "UnsafeSource",
        "The source answers with addresses, paths, links or sizes that no honest one has.",
        "Look at what the message names before you trust this source.",
    )
    UNSAFE_FORMAT = (
        "UnsafeFormat",
        "The weights can run code when they are loaded.",
        "Use safetensors or GGUF weights, or set trustRemoteCode where the operator's configuration allows the source.",
    )
    NO_WEIGHTS_FOUND = (
        "NoWeightsFound",
        "The source has nothing that the engine can load.",
        "Correct spec.model.source or spec.model.files, or choose an engine for this format.",
    )
    DIGEST_MISMATCH = (
        "DigestMismatch",
        "What was received is not what the source lists. Nothing was published.",
        "The source is damaged, or something between changes bytes: mend that. Stoker tries again by itself.",
    )
    SIZE_MISMATCH = (
        "SizeMismatch",
        "A file is longer or shorter than the source lists. Nothing was published.",
        "The source is damaged, or it changes while it is read: mend that. Stoker tries again by itself.",
    )
    WEIGHTS_UNREADABLE = (
        "WeightsUnreadable",
        "Headers or configuration of the model make no sense.",
        "Fetch the model anew into the source, or use another revision of it.",
    )
    DISK_FULL = (
        "DiskFull",
        "The volume has no room for the weights.",
        "Raise weights.storage.claim.size, lower weights.keepRevisions, or free room on the claim.",
    )
    VOLUME_NOT_WRITABLE = (
        "VolumeNotWritable",
        "The job may not write to the volume.",
        "Use a volume that is writable for group 65532, or whose class supports fsGroup.",
    )
    WEIGHTS_BUSY = (
        "WeightsBusy",
        "Another job writes the same weights and did not end in time.",
        "Nothing, if another model downloads them. Stoker tries again by itself.",
    )
    JOB_FAILED = (
        "JobFailed",
        "The job that inspects or fetches the weights ended without saying why.",
        "Read the job's log and events. Stoker tries again by itself.",
    )
    NO_FETCH_IMAGE = (
        "NoFetchImage",
        "The operator's configuration has no image for the jobs that inspect and fetch weights.",
        "Set runtime.image in the operator's configuration, or put the weights on a claim and write pvc://.",
    )
    DOES_NOT_FIT = (
        "DoesNotFit",
        "The model does not fit the memory of its accelerators, so no replica is started.",
        "Take one of the remedies in the message, or set accelerator.fitCheck to Warn to start it all the same.",
    )
    CLAIM_MISSING = (
        "ClaimMissing",
        "The PersistentVolumeClaim does not exist.",
        "Create the claim, or correct its name.",
    )
    CLAIM_PENDING = (
        "ClaimPending",
        "The PersistentVolumeClaim has no volume.",
        "Look at the claim's events; a claim that waits for its first consumer is bound by the first replica.",
    )
    CLAIM_LOST = (
        "ClaimLost",
        "The volume of the PersistentVolumeClaim is gone.",
        "Restore the volume, or make a new claim.",
    )
    STORAGE_CLASS_MISSING = (
        "StorageClassMissing",
        "The claim names a StorageClass that does not exist.",
        "Create the class, or name one that `kubectl get storageclass` lists.",
    )

    # Pods.
    UNSCHEDULABLE = (
        "Unschedulable",
        "No node can take a replica.",
        "Free or add what is short.",
    )
    VOLUME_ZONE_HAS_NO_GPU = (
        "VolumeZoneHasNoGPU",
        "The nodes that can mount the volume cannot take a replica.",
        "Add nodes where the volume is, or move the weights to a volume that more nodes can mount.",
    )
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        "A node cannot pull the image.",
        "Correct the image's name, or give the nodes a pull secret.",
    )
    CONFIGURATION_MISSING = (
        "ConfigurationMissing",
        "A Secret or ConfigMap that a replica needs does not exist or lacks a key.",
        "Create it, or remove the reference.",
    )
    VOLUME_NOT_MOUNTED = (
        "VolumeNotMounted",
        "A node cannot mount a volume of a replica.",
        "Free the volume where it is still attached, or make the object that is missing.",
    )
    OUT_OF_HOST_MEMORY = (
        "OutOfHostMemory",
        "The kernel ended the engine because it used more memory than its limit or its node has.",
        "Raise resources.limits.memory, or lower what the engine keeps in memory.",
    )
    OUT_OF_GPU_MEMORY = (
        "OutOfGPUMemory",
        "The engine ended because the GPU's memory was full.",
        "Lower engine.contextLength, engine.maxConcurrency or engine.gpuMemoryPercent, or use more or larger GPUs.",
    )
    DEVICE_FAULT = (
        "DeviceFault",
        "The GPU or its driver failed under the engine. The pod is replaced, and its node is named.",
        "Look at the GPUs of that node, and cordon it if it happens there again.",
    )
    CRASH_LOOP = (
        "CrashLoop",
        "The engine ends again and again.",
        "Mend what its last lines name: a flag, the weights, the image.",
    )
    NEVER_HEALTHY = (
        "NeverHealthy",
        "The engine runs but did not become healthy in time.",
        "Read its log; raise pods.startupSeconds in the operator's configuration if it only needs longer.",
    )
    EVICTED = (
        "Evicted",
        "A node evicted the replica.",
        "Raise the requests of what it was short of, so that a node with enough is chosen.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "A ResourceQuota of the namespace does not allow another pod.",
        "Raise the quota, or lower the number of replicas.",
    )
    PRIORITY_CLASS_UNKNOWN = (
        "PriorityClassUnknown",
        "The pods name a PriorityClass that does not exist.",
        "Create it, or correct its name.",
    )
    ADMISSION_REFUSED = (
        "AdmissionRefused",
        "An admission rule of the cluster refuses the pods.",
        "Change what the rule names, or ask who keeps it.",
    )

    # The operator's own work.
    OBJECT_IN_THE_WAY = (
        "ObjectInTheWay",
        "An object that somebody else made has a name that Stoker needs.",
        "Rename or remove that object, or give the ModelDeployment another name.",
    )
    CONTESTED = (
        "Contested",
        "Somebody else keeps changing an object that Stoker owns. Stoker put it back once and now leaves it.",
        "Stop the other writer; scale through the ModelDeployment and not through its objects.",
    )
    WRITE_REFUSED = (
        "WriteRefused",
        "The API server refuses an object that Stoker wants to write.",
        "Change what it names; where a permission is missing, compare the role with docs/reference/permissions.md.",
    )
