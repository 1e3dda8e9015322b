package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	wholeGPU            = "nvidia.com/gpu"
	registrationPoll    = 200 * time.Millisecond
	registrationTimeout = 5 * time.Second
)

func isMIG(resource string) bool { return strings.HasPrefix(resource, "nvidia.com/mig-") }

// plugin serves one resource name, as one device plugin of a real node would.
type plugin struct {
	api.UnimplementedDevicePluginServer
	resource  resourceCount
	pluginDir string
	socket    string
	ids       []string
	health    *health
}

func newPlugin(resource resourceCount, s settings, health *health) *plugin {
	p := &plugin{resource: resource, pluginDir: s.pluginDir, health: health}
	p.socket = filepath.Join(s.pluginDir, "fake-"+strings.ReplaceAll(resource.name, "/", "_")+".sock")
	for index := range resource.count {
		p.ids = append(p.ids, deviceID(s.nodeName, resource.name, index))
	}
	return p
}

// deviceID looks like a GPU's UUID and is the same after every restart, as a real one is.
func deviceID(node, resource string, index int) string {
	prefix := "GPU-"
	if isMIG(resource) {
		prefix = "MIG-"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", node, resource, index))
	return fmt.Sprintf("%s%x-%x-%x-%x-%x", prefix, sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// serve listens, registers, and does both anew whenever the kubelet starts anew: it empties its folder then.
func (p *plugin) serve(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.serveOnce(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *plugin) serveOnce(ctx context.Context) error {
	if err := os.RemoveAll(p.socket); err != nil {
		return err
	}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, p)
	go server.Serve(listener) //nolint:errcheck // it ends when Stop is called, and registering fails if it never began
	defer server.Stop()       // removes the socket, too

	kubelet := p.registerUntilTaken(ctx)
	for ctx.Err() == nil && sameFile(kubelet, filepath.Join(p.pluginDir, "kubelet.sock")) && exists(p.socket) {
		sleep(ctx, registrationPoll)
	}
	return nil
}

// registerUntilTaken returns the kubelet socket that took the registration, so that another one can be told apart.
func (p *plugin) registerUntilTaken(ctx context.Context) os.FileInfo {
	waiting := repeated{message: "waiting for the kubelet", details: []any{"resource", p.resource.name}}
	for ctx.Err() == nil {
		kubelet, err := os.Stat(filepath.Join(p.pluginDir, "kubelet.sock"))
		if !exists(p.socket) {
			// A kubelet that starts empties the folder, and then calls back for seconds where nobody listens.
			return nil
		}
		if err == nil {
			err = p.register(ctx)
		}
		if err == nil {
			klog.InfoS("registered", "resource", p.resource.name, "devices", p.resource.count)
			return kubelet
		}
		waiting.say(err)
		sleep(ctx, registrationPoll)
	}
	return nil
}

func (p *plugin) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, registrationTimeout)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+filepath.Join(p.pluginDir, "kubelet.sock"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = api.NewRegistrationClient(connection).Register(ctx, &api.RegisterRequest{
		Version:      api.Version,
		Endpoint:     filepath.Base(p.socket),
		ResourceName: p.resource.name,
	})
	return err
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

// ListAndWatch sends all devices, and sends them again whenever the health of one changes.
func (p *plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	for {
		unhealthy, changed := p.health.current()
		if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices(unhealthy)}); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (p *plugin) devices(unhealthy map[int]bool) []*api.Device {
	devices := make([]*api.Device, len(p.ids))
	for index, id := range p.ids {
		state := api.Healthy
		if unhealthy[index] {
			state = api.Unhealthy
		}
		devices[index] = &api.Device{ID: id, Health: state}
	}
	return devices
}

// Allocate tells the container its devices as NVIDIA's plugin does by default: in one variable, and nothing else.
// Another vendor's containers are told nothing: those plugins pass device nodes, and there are none.
func (p *plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		for _, id := range container.DevicesIds {
			if !slices.Contains(p.ids, id) {
				return nil, status.Errorf(codes.InvalidArgument, "%s has no device %s", p.resource.name, id)
			}
		}
		allocated := &api.ContainerAllocateResponse{}
		if strings.HasPrefix(p.resource.name, "nvidia.com/") {
			allocated.Envs = map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(container.DevicesIds, ",")}
		}
		response.ContainerResponses = append(response.ContainerResponses, allocated)
	}
	return response, nil
}

func sameFile(known os.FileInfo, path string) bool {
	found, err := os.Stat(path)
	// A new socket may get the number of the old one, but not its time.
	return known != nil && err == nil && os.SameFile(known, found) && known.ModTime().Equal(found.ModTime())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func sleep(ctx context.Context, duration time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
}
