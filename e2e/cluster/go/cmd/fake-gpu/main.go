// Command fake-gpu stands in for a vendor's device plugin and for GPU feature discovery: it advertises devices that
// are not there over the kubelet's real device plugin API, and labels the node as the real tools would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"k8s.io/klog/v2"
)

func main() {
	settings, err := parse(os.Args[1:])
	if err == nil {
		err = run(settings)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake-gpu:", err)
		os.Exit(2)
	}
}

// run serves until it is told to stop, or until a plugin cannot serve at all.
func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	health := newHealth(s.controlDir)
	var running sync.WaitGroup
	running.Go(func() { health.watch(ctx) })
	running.Go(func() { labelNode(ctx, s) })
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
