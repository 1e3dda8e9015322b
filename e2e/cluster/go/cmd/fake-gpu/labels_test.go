package main

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestEveryProductMakesValidLabels(t *testing.T) {
	for _, gpu := range products {
		labels := labelsOf(gpu, 8)
		for name, value := range labels {
			if problems := validation.IsQualifiedName(name); len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
				t.Errorf("%s=%s: %v", name, value, problems)
			}
		}
		if labels["nvidia.com/gpu.product"] != gpu.name || labels["nvidia.com/gpu.count"] != "8" {
			t.Errorf("%s is labelled %v", gpu.name, labels)
		}
	}
}

func TestAnH100SaysWhatARealOneSays(t *testing.T) {
	gpu, err := productNamed("NVIDIA-H100-80GB-HBM3")
	if err != nil {
		t.Fatal(err)
	}
	labels := labelsOf(gpu, 2)
	for name, want := range map[string]string{
		"nvidia.com/gpu.memory": "81559", "nvidia.com/gpu.compute.major": "9", "nvidia.com/gpu.compute.minor": "0",
		"nvidia.com/gpu.family": "hopper", "nvidia.com/mig.capable": "true",
	} {
		if labels[name] != want {
			t.Errorf("%s is %s and should be %s", name, labels[name], want)
		}
	}
}

func TestAnUnknownProductIsAnsweredWithTheKnownOnes(t *testing.T) {
	_, err := productNamed("H100")
	if err == nil || !strings.Contains(err.Error(), "NVIDIA-H100-80GB-HBM3") {
		t.Fatalf("answered %v", err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, text := range []string{"gpu=4", "nvidia.com/gpu", "nvidia.com/gpu=four", "nvidia.com/gpu=0"} {
		if err := new(resourceCounts).Set(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	twice := resourceCounts{{"nvidia.com/gpu", 2}}
	if err := twice.Set("nvidia.com/gpu=3"); err == nil {
		t.Error("one resource was taken twice")
	}
	complete := settings{controlDir: "c", nodeName: "n", kubeconfig: "k", product: "NVIDIA-L4", resources: resourceCounts{{"nvidia.com/gpu", 1}}}
	if err := complete.check(); err != nil {
		t.Errorf("complete settings were refused: %v", err)
	}
	incomplete := complete
	incomplete.nodeName = ""
	if incomplete.check() == nil {
		t.Error("settings without a node were taken")
	}
}
