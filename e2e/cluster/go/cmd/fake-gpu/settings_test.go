package main

import (
	"slices"
	"strings"
	"testing"
)

func TestWrongFlagsAreAnsweredInOneLine(t *testing.T) {
	complete := []string{
		"--plugin-dir", t.TempDir(), "--control-dir", "c", "--node-name", "n", "--kubeconfig", "k",
		"--resource", "nvidia.com/gpu=4",
	}
	if _, err := parse(complete); err != nil {
		t.Fatalf("complete flags were refused: %v", err)
	}
	for _, one := range []struct {
		said  string
		wrong []string
	}{
		{"not VENDOR/DEVICE=COUNT", []string{"--resource", "gpu=4"}},
		{"not VENDOR/DEVICE=COUNT", []string{"--resource", "amd.com/gpu"}},
		{"not VENDOR/DEVICE=COUNT", []string{"--resource", "amd.com/gpu/x=3"}},
		{"a count of 1 or more", []string{"--resource", "amd.com/gpu=0"}},
		{"nvidia.com/gpu is there twice", []string{"--resource", "nvidia.com/gpu=3"}},
		{"known are NVIDIA-B200", []string{"--product", "H100"}},
		{"-1 is below zero", []string{"--memory-mib", "-1"}},
		{"--node-name", []string{"--node-name", ""}},
		{"/nowhere is no folder", []string{"--plugin-dir", "/nowhere"}},
		{"not defined: -colour", []string{"--colour", "blue"}},
		{"belongs to no flag", []string{"blue"}},
	} {
		_, err := parse(slices.Concat(complete, one.wrong))
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), one.said) {
			t.Errorf("%v was answered %v and not %q", one.wrong, err, one.said)
		}
	}
	if _, err := parse(complete[:8]); err == nil {
		t.Error("no resource was taken")
	}
}

func TestTheMemoryOfAProductCanBeSetAnew(t *testing.T) {
	s, err := parse([]string{
		"--plugin-dir", t.TempDir(), "--control-dir", "c", "--node-name", "n", "--kubeconfig", "k",
		"--resource", "nvidia.com/gpu=1", "--product", "NVIDIA-H200", "--memory-mib", "2048",
	})
	if labels := wantedLabels(s); err != nil || labels["nvidia.com/gpu.memory"] != "2048" {
		t.Fatalf("labelled %v, error %v", labels, err)
	}
}
