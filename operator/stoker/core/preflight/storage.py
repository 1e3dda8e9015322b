"""Storage for the weights: a class that claims get, and somebody who makes volumes for it."""

from stoker.api.configuration import Configuration
from stoker.core.counted import listed
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, StorageClass, Unread

_CLASS, _BINDING, _PROVISIONER = "storage-class", "storage-binding", "storage-provisioner"
_KEY = "storage.storageClassName"
_MARK = "kubectl annotate storageclass {} storageclass.kubernetes.io/is-default-class=true"
_BY_HAND = "kubernetes.io/no-provisioner"

# Kubernetes itself makes no volumes any more: claims with the old names go to these drivers.
_DRIVER_OF = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}


def storage(facts: Facts, configuration: Configuration) -> list[Check]:
    classes = facts.storage_classes
    if isinstance(classes, Unread):
        return [classes.check(_CLASS)]
    wanted = configuration.storage.storage_class_name
    chosen = _chosen(classes, wanted)
    check = _named(wanted, chosen, classes) if wanted else _default(chosen, classes)
    return [check, _binding(chosen), _provisioner(chosen, facts.drivers)] if chosen else [check]


def _chosen(classes: tuple[StorageClass, ...], wanted: str | None) -> StorageClass | None:
    fitting = (one for one in classes if (one.name == wanted if wanted else one.default))
    return next(fitting, None)


def _named(wanted: str, chosen: StorageClass | None, classes: tuple[StorageClass, ...]) -> Check:
    if chosen:
        return Check(_CLASS, Level.OK, f"{wanted}, which {_KEY} names, exists")
    there = listed([one.name for one in classes]) or "none"
    remedy = f"create it, or set {_KEY} to one that exists: {there}"
    return Check(_CLASS, Level.FAIL, f"{wanted}, which {_KEY} names, does not exist", remedy)


def _default(chosen: StorageClass | None, classes: tuple[StorageClass, ...]) -> Check:
    if not classes:
        sentence = "there is none, so claims for weights stay Pending until somebody makes a volume by hand"
        return Check(_CLASS, Level.FAIL, sentence, "install a storage driver and a StorageClass")
    if chosen is None:
        names = [one.name for one in classes]
        sentence = f"none of {listed(names)} is the default, so every ModelDeployment has to name one"
        return Check(_CLASS, Level.WARN, sentence, f"set {_KEY}, or {_MARK.format(names[0])}")
    defaults = [one.name for one in classes if one.default]
    if len(defaults) > 1:
        sentence = f"{listed(defaults)} are all the default: Kubernetes takes the newest of them"
        return Check(_CLASS, Level.WARN, sentence, f"keep one, or set {_KEY}")
    return Check(_CLASS, Level.OK, f"{chosen.name} is the default")


def _binding(chosen: StorageClass) -> Check:
    if chosen.waits_for_consumer:
        return Check(_BINDING, Level.OK, f"{chosen.name} waits for the first pod before it places a volume")
    sentence = f"{chosen.name} places volumes at once, perhaps where no node has a free accelerator"
    return Check(
        _BINDING, Level.WARN, sentence, f"use a class with volumeBindingMode: WaitForFirstConsumer; set {_KEY}"
    )


def _provisioner(chosen: StorageClass, drivers: frozenset[str] | Unread) -> Check:
    if chosen.provisioner == _BY_HAND:
        sentence = f"nobody makes volumes for {chosen.name}: claims bind only to what somebody made before"
        return Check(_PROVISIONER, Level.WARN, sentence, "make a volume for each model, or use another class")
    if isinstance(drivers, Unread):
        return drivers.check(_PROVISIONER)
    driver = _DRIVER_OF.get(chosen.provisioner, chosen.provisioner)
    if driver in drivers:
        return Check(_PROVISIONER, Level.OK, f"{driver} makes volumes for {chosen.name}")
    if driver != chosen.provisioner:
        sentence = f"{chosen.name} needs the driver {driver}, which is not installed"
        return Check(_PROVISIONER, Level.FAIL, sentence, f"install {driver}, or use another class")
    # Only CSI drivers register; local-path and the like do not, and are none the worse for it.
    sentence = (
        f"{chosen.provisioner}, which makes volumes for {chosen.name}, is no driver that registers with Kubernetes"
    )
    return Check(_PROVISIONER, Level.UNKNOWN, sentence, "check that its pods run")
