// Command fake-gpu stands in for a vendor's device plugin and for GPU feature discovery: it advertises devices that
// are not there over the kubelet's real device plugin API, and labels the node as the real tools would.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"k8s.io/klog/v2"
)

func main() {
	var settings settings
	flag.StringVar(&settings.pluginDir, "plugin-dir", "/var/lib/kubelet/device-plugins", "folder with kubelet.sock")
	flag.StringVar(&settings.controlDir, "control-dir", "", "folder in which a file unhealthy/<index> makes that device of every resource unhealthy")
	flag.StringVar(&settings.nodeName, "node-name", "", "node that the devices are on")
	flag.StringVar(&settings.kubeconfig, "kubeconfig", "", "kubeconfig that may label the node")
	flag.StringVar(&settings.product, "product", "NVIDIA-L4", "what the GPUs say they are")
	flag.Var(&settings.resources, "resource", "NAME=COUNT, such as nvidia.com/gpu=4; may be given several times")
	flag.Parse()
	if err := run(settings); err != nil {
		fmt.Fprintln(os.Stderr, "fake-gpu:", err)
		os.Exit(2)
	}
}

type settings struct {
	pluginDir, controlDir, nodeName, kubeconfig, product string
	resources                                            resourceCounts
}

func (s settings) check() error {
	switch {
	case len(s.resources) == 0:
		return errors.New("nothing to advertise; give --resource NAME=COUNT")
	case s.nodeName == "" || s.kubeconfig == "" || s.controlDir == "":
		return errors.New("--node-name, --kubeconfig and --control-dir are all needed")
	}
	_, err := productNamed(s.product)
	return err
}

// run serves until it is told to stop, or until a plugin cannot serve at all.
func run(s settings) error {
	if err := s.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	health := newHealth(s.controlDir)
	var running sync.WaitGroup
	running.Go(func() { health.watch(ctx) })
	running.Go(func() { keepLabelled(ctx, s) })
	for _, resource := range s.resources {
		plugin := newPlugin(resource, s, health)
		running.Go(func() {
			if err := plugin.serve(ctx); err != nil {
				cancel(fmt.Errorf("%s: %w", resource.name, err))
			}
		})
	}
	running.Wait()
	klog.InfoS("stopped")
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

type resourceCount struct {
	name  string
	count int
}

// resourceCounts collects the repeated flag --resource.
type resourceCounts []resourceCount

func (r *resourceCounts) String() string { return fmt.Sprint(*r) }

func (r *resourceCounts) Set(text string) error {
	name, digits, found := strings.Cut(text, "=")
	count, err := strconv.Atoi(digits)
	if !found || err != nil || count < 1 || !strings.Contains(name, "/") {
		return fmt.Errorf("%q is not VENDOR/DEVICE=COUNT with a count of 1 or more", text)
	}
	if slices.ContainsFunc(*r, func(known resourceCount) bool { return known.name == name }) {
		return fmt.Errorf("%s is there twice; give it once with the whole count", name)
	}
	*r = append(*r, resourceCount{name, count})
	return nil
}
