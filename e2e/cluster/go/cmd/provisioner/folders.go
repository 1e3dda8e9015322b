package main

import (
	"context"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/klog/v2"
)

const (
	provisionerName       = "stoker.dev/node-folder"
	claimProvisioner      = "volume.kubernetes.io/storage-provisioner"
	claimSelectedNode     = "volume.kubernetes.io/selected-node"
	volumeProvisionedBy   = "pv.kubernetes.io/provisioned-by"
	everyUserMayWriteMode = 0o777
)

type volumeFolders struct {
	root    string
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
}

func (f volumeFolders) sync(ctx context.Context, item key) error {
	if item.kind == "claim" {
		return f.provision(ctx, item)
	}
	return f.reclaim(ctx, item)
}

// provision makes folder and volume for a claim once the scheduler has chosen its node.
func (f volumeFolders) provision(ctx context.Context, item key) error {
	claim, err := f.claims.PersistentVolumeClaims(item.namespace).Get(item.name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	node := claim.Annotations[claimSelectedNode]
	ours := claim.Annotations[claimProvisioner] == provisionerName
	if !ours || node == "" || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return nil
	}
	class, err := f.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return err
	}
	volume := volumeFor(claim, node, *class.ReclaimPolicy, f.path("pvc-"+string(claim.UID)))
	if err := os.MkdirAll(volume.Spec.Local.Path, everyUserMayWriteMode); err != nil {
		return err
	}
	// The umask cuts the mode of new folders, and pods that are not root must be able to write.
	if err := os.Chmod(volume.Spec.Local.Path, everyUserMayWriteMode); err != nil {
		return err
	}
	_, err = f.client.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err == nil {
		klog.InfoS("provisioned", "volume", volume.Name, "claim", klog.KObj(claim), "node", node)
	}
	return err
}

// reclaim removes folder and volume after the claim is gone, if the volume's policy says Delete.
func (f volumeFolders) reclaim(ctx context.Context, item key) error {
	volume, err := f.volumes.Get(item.name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	released := volume.Status.Phase == core.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == core.PersistentVolumeReclaimDelete
	if volume.Annotations[volumeProvisionedBy] != provisionerName || !released || volume.DeletionTimestamp != nil {
		return nil
	}
	if err := os.RemoveAll(f.path(volume.Name)); err != nil {
		return err
	}
	err = f.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{})
	if err == nil {
		klog.InfoS("removed", "volume", volume.Name)
	}
	return client404IsFine(err)
}

func (f volumeFolders) path(volumeName string) string {
	return filepath.Join(f.root, filepath.Base(volumeName))
}

func client404IsFine(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func volumeFor(
	claim *core.PersistentVolumeClaim, node string, policy core.PersistentVolumeReclaimPolicy, path string,
) *core.PersistentVolume {
	onThatNode := core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{
		{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node}},
	}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        "pvc-" + string(claim.UID),
			Annotations: map[string]string{volumeProvisionedBy: provisionerName},
		},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			ClaimRef:                      &core.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			NodeAffinity:                  &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{onThatNode}}},
			PersistentVolumeReclaimPolicy: policy,
			PersistentVolumeSource:        core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			StorageClassName:              *claim.Spec.StorageClassName,
			VolumeMode:                    claim.Spec.VolumeMode,
		},
	}
}
