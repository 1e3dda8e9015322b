package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const (
	labelRetry   = 250 * time.Millisecond
	labelTimeout = 10 * time.Second
)

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

// labelsOf are the labels that GPU feature discovery gives a node with these GPUs under the GPU operator's defaults,
// with driver 570, less the time at which it wrote them.
func labelsOf(gpu product, count int, migStrategy string) map[string]string {
	major, minor, _ := strings.Cut(gpu.compute, ".")
	return map[string]string{
		"nvidia.com/gpu.present":                  "true",
		"nvidia.com/gpu.product":                  gpu.name,
		"nvidia.com/gpu.family":                   gpu.family,
		"nvidia.com/gpu.machine":                  "unknown",
		"nvidia.com/gpu.count":                    strconv.Itoa(count),
		"nvidia.com/gpu.memory":                   strconv.Itoa(gpu.memoryMiB),
		"nvidia.com/gpu.compute.major":            major,
		"nvidia.com/gpu.compute.minor":            minor,
		"nvidia.com/gpu.mode":                     "compute",
		"nvidia.com/gpu.replicas":                 "1",
		"nvidia.com/gpu.sharing-strategy":         "none",
		"nvidia.com/mig.capable":                  strconv.FormatBool(gpu.migCapable),
		"nvidia.com/mig.strategy":                 migStrategy,
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

// wantedLabels are those of whole NVIDIA GPUs; MIG slices and other vendors' devices get none.
func wantedLabels(s settings) map[string]string {
	gpus, migStrategy := 0, "single"
	for _, resource := range s.resources {
		switch {
		case resource.name == wholeGPU:
			gpus = resource.count
		case isMIG(resource.name):
			migStrategy = "mixed"
		}
	}
	if gpus == 0 {
		return nil
	}
	return labelsOf(s.product, gpus, migStrategy)
}

// labelNode labels the node once, as soon as there is one. A label that somebody changes afterwards stays changed.
func labelNode(ctx context.Context, s settings) {
	labels := wantedLabels(s)
	if labels == nil {
		klog.InfoS("the node gets no labels: only those of nvidia.com/gpu are known", "node", s.nodeName)
		return
	}
	waiting := repeated{message: "will label the node later", details: []any{"node", s.nodeName}}
	for ctx.Err() == nil {
		err := patchLabels(ctx, s, labels)
		if err == nil {
			klog.InfoS("labelled the node", "node", s.nodeName, "product", s.product.name)
			return
		}
		waiting.say(err)
		sleep(ctx, labelRetry)
	}
}

func patchLabels(ctx context.Context, s settings, labels map[string]string) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return err
	}
	config.Timeout = labelTimeout
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
