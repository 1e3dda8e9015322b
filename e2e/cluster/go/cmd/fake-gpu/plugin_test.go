package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

func TestDevicesAreAdvertisedAndAllocatedByName(t *testing.T) {
	folder, _ := startPlugins(t, resourceCount{"nvidia.com/gpu", 4})
	kubelet, _ := startKubelet(t, folder)
	registration := kubelet.registration(t)
	if registration.ResourceName != "nvidia.com/gpu" || registration.Version != "v1beta1" {
		t.Fatalf("registered as %v", registration)
	}
	client := connect(t, folder, registration)
	devices := watch(t, client)()
	if healthOf(devices) != "Healthy Healthy Healthy Healthy" {
		t.Fatalf("advertised %v", devices)
	}
	ids := []string{devices[1].ID, devices[3].ID}
	answer, err := client.Allocate(context.Background(), &api.AllocateRequest{
		ContainerRequests: []*api.ContainerAllocateRequest{{DevicesIds: ids}},
	})
	if err != nil {
		t.Fatal(err)
	}
	container := answer.ContainerResponses[0]
	told := container.Envs["NVIDIA_VISIBLE_DEVICES"]
	if told != strings.Join(ids, ",") || len(container.Envs) != 1 || len(container.Devices) != 0 {
		t.Fatalf("the container got %v", container)
	}
}

func TestADeviceTurnsUnhealthyAndHeals(t *testing.T) {
	folder, control := startPlugins(t, resourceCount{"nvidia.com/gpu", 3})
	kubelet, _ := startKubelet(t, folder)
	next := watch(t, connect(t, folder, kubelet.registration(t)))
	next()
	file := filepath.Join(control, "unhealthy", "1")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if states := healthOf(next()); states != "Healthy Unhealthy Healthy" {
		t.Fatalf("after the file was made: %s", states)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if states := healthOf(next()); states != "Healthy Healthy Healthy" {
		t.Fatalf("after the file was removed: %s", states)
	}
}

func TestAPluginRegistersAgainWithAKubeletThatStartsAnew(t *testing.T) {
	for name, restart := range map[string]struct {
		away    time.Duration
		removed string
	}{
		"that empties its folder":                  {0, "*.sock"},
		"that is away and then empties its folder": {3 * registrationPoll, "*.sock"},
		"that replaces its own socket":             {0, "kubelet.sock"},
		"that is away and then has its own socket": {3 * registrationPoll, "kubelet.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			folder, _ := startPlugins(t, resourceCount{"nvidia.com/gpu", 1})
			first, server := startKubelet(t, folder)
			before := watch(t, connect(t, folder, first.registration(t)))()
			server.Stop()
			time.Sleep(restart.away)
			sockets, _ := filepath.Glob(filepath.Join(folder, restart.removed))
			for _, socket := range sockets {
				os.Remove(socket)
			}
			second, _ := startKubelet(t, folder)
			after := watch(t, connect(t, folder, second.registration(t)))()
			if before[0].ID != after[0].ID {
				t.Fatalf("the device was %s and is %s", before[0].ID, after[0].ID)
			}
		})
	}
}

func TestADeviceThatIsNotThereCannotBeAllocated(t *testing.T) {
	folder, _ := startPlugins(t, resourceCount{"nvidia.com/gpu", 1})
	kubelet, _ := startKubelet(t, folder)
	client := connect(t, folder, kubelet.registration(t))
	_, err := client.Allocate(t.Context(), &api.AllocateRequest{
		ContainerRequests: []*api.ContainerAllocateRequest{{DevicesIds: []string{"GPU-x"}}},
	})
	if err == nil || !strings.Contains(err.Error(), "nvidia.com/gpu has no device GPU-x") {
		t.Fatalf("answered %v", err)
	}
}

func TestAnUnhealthyDeviceIsSoFromTheFirstListOnAndAStrayFileChangesNothing(t *testing.T) {
	control := t.TempDir()
	if err := os.Mkdir(filepath.Join(control, "unhealthy"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0", "stray"} {
		if err := os.WriteFile(filepath.Join(control, "unhealthy", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	health := newHealth(control)
	plugin := newPlugin(resourceCount{"nvidia.com/gpu", 2}, settings{nodeName: "node-1"}, health)
	unhealthy, _ := health.current()
	if states := healthOf(plugin.devices(unhealthy)); states != "Unhealthy Healthy" {
		t.Fatalf("it starts with %s", states)
	}
	if !strings.HasSuffix(health.problem.said, "stray is not named after a device's index") {
		t.Fatalf("the stray file was answered %q", health.problem.said)
	}
}

func TestATerminatedProgramEndsCleanly(t *testing.T) {
	folder, err := os.MkdirTemp("", "gpu")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	kubelet, _ := startKubelet(t, folder)
	ended := make(chan error, 1)
	go func() {
		ended <- run(settings{
			pluginDir: folder, controlDir: t.TempDir(), nodeName: "node-1", kubeconfig: filepath.Join(folder, "none"),
			product: products[0], resources: resourceCounts{{"nvidia.com/gpu", 1}},
		})
	}()
	kubelet.registration(t)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still running after 10 s")
	}
	if sockets, _ := filepath.Glob(filepath.Join(folder, "fake-*.sock")); len(sockets) > 0 {
		t.Fatalf("left %v", sockets)
	}
}

func TestEveryResourceHasAPluginOfItsOwn(t *testing.T) {
	folder, _ := startPlugins(t, resourceCount{"nvidia.com/mig-1g.10gb", 7}, resourceCount{"amd.com/gpu", 2})
	kubelet, _ := startKubelet(t, folder)
	counts := map[string]int{}
	for range 2 {
		registration := kubelet.registration(t)
		client := connect(t, folder, registration)
		devices := watch(t, client)()
		counts[registration.ResourceName] = len(devices)
		answer, err := client.Allocate(context.Background(), &api.AllocateRequest{
			ContainerRequests: []*api.ContainerAllocateRequest{{DevicesIds: []string{devices[0].ID}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, told := answer.ContainerResponses[0].Envs["NVIDIA_VISIBLE_DEVICES"]
		if told != strings.HasPrefix(registration.ResourceName, "nvidia.com/") {
			t.Errorf("a container with %s was told %v", registration.ResourceName, answer)
		}
	}
	if counts["nvidia.com/mig-1g.10gb"] != 7 || counts["amd.com/gpu"] != 2 {
		t.Fatalf("advertised %v", counts)
	}
}

func TestDeviceNamesAreStableAndDiffer(t *testing.T) {
	ids := []string{
		deviceID("node-1", "nvidia.com/gpu", 0), deviceID("node-1", "nvidia.com/gpu", 1),
		deviceID("node-2", "nvidia.com/gpu", 0), deviceID("node-1", "nvidia.com/mig-1g.10gb", 0),
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Fatalf("names repeat: %v", ids)
	}
	if deviceID("node-1", "nvidia.com/gpu", 0) != deviceID("node-1", "nvidia.com/gpu", 0) {
		t.Fatal("a name changed")
	}
}
