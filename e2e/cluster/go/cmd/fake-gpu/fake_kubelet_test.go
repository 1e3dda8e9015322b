package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// fakeKubelet takes registrations on a real socket, as the kubelet does.
type fakeKubelet struct {
	api.UnimplementedRegistrationServer
	t          *testing.T
	folder     string
	registered chan *api.RegisterRequest
}

func (k *fakeKubelet) Register(_ context.Context, request *api.RegisterRequest) (*api.Empty, error) {
	if _, err := os.Stat(filepath.Join(k.folder, request.Endpoint)); err != nil {
		k.t.Errorf("the kubelet cannot call back: %v", err)
		return nil, err
	}
	k.registered <- request
	return &api.Empty{}, nil
}

func startKubelet(t *testing.T, folder string) (*fakeKubelet, *grpc.Server) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(folder, "kubelet.sock"))
	if err != nil {
		t.Fatal(err)
	}
	kubelet := &fakeKubelet{t: t, folder: folder, registered: make(chan *api.RegisterRequest, 10)}
	server := grpc.NewServer()
	api.RegisterRegistrationServer(server, kubelet)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return kubelet, server
}

func (k *fakeKubelet) registration(t *testing.T) *api.RegisterRequest {
	t.Helper()
	select {
	case request := <-k.registered:
		return request
	case <-time.After(10 * time.Second):
		t.Fatal("nothing registered within 10 s")
		return nil
	}
}

// startPlugins runs the program's plugins in a folder of their own and returns both folders.
func startPlugins(t *testing.T, resources ...resourceCount) (pluginDir, controlDir string) {
	t.Helper()
	// Socket paths must be short, and a test's own folder is long.
	pluginDir, err := os.MkdirTemp("", "gpu")
	if err != nil {
		t.Fatal(err)
	}
	controlDir = t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, len(resources))
	s := settings{pluginDir: pluginDir, controlDir: controlDir, nodeName: "node-1"}
	health := newHealth(controlDir)
	go health.watch(ctx)
	for _, resource := range resources {
		go func() { done <- newPlugin(resource, s, health).serve(ctx) }()
	}
	t.Cleanup(func() {
		cancel()
		for range resources {
			if err := <-done; err != nil {
				t.Errorf("a plugin ended with %v", err)
			}
		}
		if sockets, _ := filepath.Glob(filepath.Join(pluginDir, "fake-*.sock")); len(sockets) > 0 {
			t.Errorf("sockets were left: %v", sockets)
		}
		os.RemoveAll(pluginDir)
	})
	return pluginDir, controlDir
}

func connect(t *testing.T, folder string, registration *api.RegisterRequest) api.DevicePluginClient {
	t.Helper()
	connection, err := grpc.NewClient("unix://"+filepath.Join(folder, registration.Endpoint),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return api.NewDevicePluginClient(connection)
}

func watch(t *testing.T, client api.DevicePluginClient) func() []*api.Device {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := client.ListAndWatch(ctx, &api.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	return func() []*api.Device {
		t.Helper()
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return response.Devices
	}
}

func healthOf(devices []*api.Device) string {
	var states []string
	for _, device := range devices {
		states = append(states, device.Health)
	}
	return strings.Join(states, " ")
}
