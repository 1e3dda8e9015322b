package main

import (
	"reflect"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(name string, annotations map[string]string) *core.Pod {
	ports := []core.ContainerPort{{ContainerPort: 8000}}
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: "team", Name: name, Annotations: annotations, Labels: map[string]string{"stoker.dev/model": "llama"}},
		Spec:       core.PodSpec{NodeName: "node-1", Containers: []core.Container{{Ports: ports}}},
		Status:     core.PodStatus{Phase: core.PodRunning, PodIP: "100.80.0.9"},
	}
}

func TestAPodIsScrapedWhereItsAnnotationsSay(t *testing.T) {
	asked := map[string]string{"stoker.dev/scrape": "true", "stoker.dev/port": "9000", "stoker.dev/path": "/load"}
	got := targetsOf([]*core.Pod{pod("a", asked)})
	want := []target{{[]string{"100.80.0.9:9000"}, map[string]string{
		"__metrics_path__": "/load", "__scheme__": "http", "namespace": "team", "node": "node-1", "pod": "a", "stoker_dev_model": "llama",
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWithoutAPortTheFirstContainerPortIsScraped(t *testing.T) {
	got := targetsOf([]*core.Pod{pod("a", map[string]string{"prometheus.io/scrape": "true"})})
	if len(got) != 1 || got[0].Targets[0] != "100.80.0.9:8000" {
		t.Errorf("got %v", got)
	}
}

func TestAPodThatDoesNotAskOrDoesNotRunIsLeftAlone(t *testing.T) {
	pending := pod("b", map[string]string{"stoker.dev/scrape": "true"})
	pending.Status.Phase = core.PodPending
	if got := targetsOf([]*core.Pod{pod("a", nil), pending}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
