package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestEveryProductMakesValidLabels(t *testing.T) {
	for _, gpu := range products {
		labels := labelsOf(gpu, 8, "single")
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
	labels := labelsOf(gpu, 2, "single")
	for name, want := range map[string]string{
		"nvidia.com/gpu.memory": "81559", "nvidia.com/gpu.compute.major": "9", "nvidia.com/gpu.compute.minor": "0",
		"nvidia.com/gpu.family": "hopper", "nvidia.com/mig.capable": "true",
	} {
		if labels[name] != want {
			t.Errorf("%s is %s and should be %s", name, labels[name], want)
		}
	}
}

func TestOnlyWholeGPUsAreLabelledAndSlicesBesideThemAreNamed(t *testing.T) {
	gpu, amd := resourceCount{"nvidia.com/gpu", 2}, resourceCount{"amd.com/gpu", 8}
	slices := resourceCount{"nvidia.com/mig-1g.10gb", 7}
	for _, node := range []struct {
		resources          resourceCounts
		count, migStrategy string
	}{
		{resourceCounts{gpu}, "2", "single"},
		{resourceCounts{gpu, amd}, "2", "single"},
		{resourceCounts{slices, gpu}, "2", "mixed"},
		{resourceCounts{slices, amd}, "", ""},
	} {
		labels := wantedLabels(settings{resources: node.resources, product: products[0]})
		if labels["nvidia.com/gpu.count"] != node.count || labels["nvidia.com/mig.strategy"] != node.migStrategy {
			t.Errorf("%v is labelled %v", node.resources, labels)
		}
	}
}

func TestTheNodeIsLabelledAsSoonAsTheAPIServerTakesIt(t *testing.T) {
	answers := []int{http.StatusServiceUnavailable, http.StatusNotFound, http.StatusOK}
	patches := make(chan map[string]any, len(answers))
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodPatch || request.URL.Path != "/api/v1/nodes/node-1" ||
			request.Header.Get("Content-Type") != "application/merge-patch+json" {
			t.Errorf("asked %s %s with a %s", request.Method, request.URL, request.Header.Get("Content-Type"))
		}
		var patch map[string]any
		if err := json.NewDecoder(request.Body).Decode(&patch); err != nil {
			t.Error(err)
		}
		response.Header().Set("Content-Type", "application/json")
		response.WriteHeader(answers[len(patches)])
		fmt.Fprint(response, `{"kind": "Node", "apiVersion": "v1"}`)
		patches <- patch
	}))
	defer server.Close()
	s := settings{nodeName: "node-1", product: products[0], resources: resourceCounts{{"nvidia.com/gpu", 4}}}
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	content := `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "` + server.URL + `"}}],
contexts: [{name: c, context: {cluster: c}}], current-context: c}`
	if err := os.WriteFile(s.kubeconfig, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	labelNode(t.Context(), s)
	if len(patches) != len(answers) {
		t.Fatalf("tried %d times", len(patches))
	}
	want := map[string]any{}
	for name, value := range labelsOf(products[0], 4, "single") {
		want[name] = value
	}
	if patch := <-patches; !reflect.DeepEqual(patch, map[string]any{"metadata": map[string]any{"labels": want}}) {
		t.Errorf("patched more than its labels: %v", patch)
	}
}

func TestAnUnknownProductIsAnsweredWithTheKnownOnes(t *testing.T) {
	_, err := productNamed("H100")
	if err == nil || !strings.Contains(err.Error(), "NVIDIA-H100-80GB-HBM3") {
		t.Fatalf("answered %v", err)
	}
}
