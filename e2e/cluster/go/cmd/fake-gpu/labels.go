package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const labelRetry = time.Second

// product is what a GPU says of itself.
type product struct {
	name       string
	family     string
	memoryMiB  int
	compute    string
	migCapable bool
}

// The memory is what the driver reports in total, which is less than the name says.
var products = []product{
	{"NVIDIA-B200", "blackwell", 183359, "10.0", true},
	{"NVIDIA-H200", "hopper", 143771, "9.0", true},
	{"NVIDIA-H100-80GB-HBM3", "hopper", 81559, "9.0", true},
	{"NVIDIA-A100-SXM4-80GB", "ampere", 81920, "8.0", true},
	{"NVIDIA-A100-SXM4-40GB", "ampere", 40960, "8.0", true},
	{"NVIDIA-L40S", "ada-lovelace", 46068, "8.9", false},
	{"NVIDIA-L4", "ada-lovelace", 23034, "8.9", false},
	{"NVIDIA-A10G", "ampere", 23028, "8.6", false},
	{"Tesla-T4", "turing", 15360, "7.5", false},
}

func productNamed(name string) (product, error) {
	var known []string
	for _, product := range products {
		if product.name == name {
			return product, nil
		}
		known = append(known, product.name)
	}
	return product{}, fmt.Errorf("unknown product %q; known are %s", name, strings.Join(known, ", "))
}

// labelsOf are the labels that GPU feature discovery gives a node with these GPUs, with whole GPUs and driver 570.
func labelsOf(gpu product, count int) map[string]string {
	major, minor, _ := strings.Cut(gpu.compute, ".")
	return map[string]string{
		"nvidia.com/gpu.present":                  "true",
		"nvidia.com/gpu.product":                  gpu.name,
		"nvidia.com/gpu.family":                   gpu.family,
		"nvidia.com/gpu.count":                    strconv.Itoa(count),
		"nvidia.com/gpu.memory":                   strconv.Itoa(gpu.memoryMiB),
		"nvidia.com/gpu.compute.major":            major,
		"nvidia.com/gpu.compute.minor":            minor,
		"nvidia.com/gpu.mode":                     "compute",
		"nvidia.com/gpu.replicas":                 "1",
		"nvidia.com/gpu.sharing-strategy":         "none",
		"nvidia.com/mig.capable":                  strconv.FormatBool(gpu.migCapable),
		"nvidia.com/mig.strategy":                 "single",
		"nvidia.com/mps.capable":                  "false",
		"nvidia.com/vgpu.present":                 "false",
		"nvidia.com/cuda.driver.major":            "570",
		"nvidia.com/cuda.driver.minor":            "124",
		"nvidia.com/cuda.driver.rev":              "06",
		"nvidia.com/cuda.driver-version.full":     "570.124.06",
		"nvidia.com/cuda.driver-version.major":    "570",
		"nvidia.com/cuda.driver-version.minor":    "124",
		"nvidia.com/cuda.driver-version.revision": "06",
		"nvidia.com/cuda.runtime.major":           "12",
		"nvidia.com/cuda.runtime.minor":           "8",
		"nvidia.com/cuda.runtime-version.full":    "12.8",
		"nvidia.com/cuda.runtime-version.major":   "12",
		"nvidia.com/cuda.runtime-version.minor":   "8",
	}
}

// keepLabelled labels the node once, as soon as there is one. Only whole NVIDIA GPUs are labelled: the labels of MIG
// slices and of other vendors' tools are left out.
func keepLabelled(ctx context.Context, s settings) {
	index := slices.IndexFunc(s.resources, func(r resourceCount) bool { return r.name == "nvidia.com/gpu" })
	if index < 0 {
		return
	}
	gpu, _ := productNamed(s.product)
	labels := labelsOf(gpu, s.resources[index].count)
	said := ""
	for ctx.Err() == nil {
		err := label(ctx, s, labels)
		if err == nil {
			klog.InfoS("labelled the node", "node", s.nodeName, "product", gpu.name)
			return
		}
		if err.Error() != said {
			said = err.Error()
			klog.InfoS("will label the node later", "node", s.nodeName, "reason", said)
		}
		sleep(ctx, labelRetry)
	}
}

func label(ctx context.Context, s settings, labels map[string]string) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, s.nodeName, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}
