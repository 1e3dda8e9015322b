package main

import (
	"cmp"
	"net"
	"regexp"
	"slices"
	"strconv"

	core "k8s.io/api/core/v1"
)

var notInLabelNames = regexp.MustCompile(`[^a-zA-Z0-9_]`)

type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// targetsOf lists running pods that ask to be scraped, in a fixed order. A pod asks by the annotation
// stoker.dev/scrape or prometheus.io/scrape; the latter's port, path and scheme are understood alike.
func targetsOf(pods []*core.Pod) []target {
	found := []target{}
	for _, pod := range pods {
		for _, prefix := range []string{"stoker.dev/", "prometheus.io/"} {
			if pod.Annotations[prefix+"scrape"] == "true" && pod.Status.Phase == core.PodRunning && pod.Status.PodIP != "" {
				found = append(found, targetOf(pod, prefix))
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b target) int {
		return cmp.Or(cmp.Compare(a.Labels["namespace"], b.Labels["namespace"]), cmp.Compare(a.Labels["pod"], b.Labels["pod"]))
	})
	return found
}

func targetOf(pod *core.Pod, prefix string) target {
	described := map[string]string{}
	for name, value := range pod.Labels {
		described[notInLabelNames.ReplaceAllString(name, "_")] = value
	}
	described["namespace"], described["pod"], described["node"] = pod.Namespace, pod.Name, pod.Spec.NodeName
	described["__metrics_path__"] = cmp.Or(pod.Annotations[prefix+"path"], "/metrics")
	described["__scheme__"] = cmp.Or(pod.Annotations[prefix+"scheme"], "http")
	port := cmp.Or(pod.Annotations[prefix+"port"], firstPort(pod), "80")
	return target{[]string{net.JoinHostPort(pod.Status.PodIP, port)}, described}
}

func firstPort(pod *core.Pod) string {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			return strconv.Itoa(int(port.ContainerPort))
		}
	}
	return ""
}
