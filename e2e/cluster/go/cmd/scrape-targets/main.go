// Command scrape-targets tells Prometheus which pods to scrape, by their annotations, through a file that
// Prometheus watches: Debian builds Prometheus without its discovery of Kubernetes.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Fleets start in bursts; one write for all pods that changed within this time.
const settle = 200 * time.Millisecond

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	node := flag.String("node", "", "whose pods to scrape: those of nodes that exist in the API alone never answer")
	output := flag.String("output", "", "file to keep up to date")
	flag.Parse()
	if err := run(*kubeconfig, *node, *output); err != nil {
		fmt.Fprintln(os.Stderr, "scrape-targets:", err)
		os.Exit(2)
	}
}

func run(kubeconfig, node, output string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	ofNode := informers.WithTweakListOptions(func(options *meta.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	})
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, ofNode)
	pods := factory.Core().V1().Pods()
	changed := make(chan struct{}, 1)
	note := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { note() },
		UpdateFunc: func(any, any) { note() },
		DeleteFunc: func(any) { note() },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	note()
	var written string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		time.Sleep(settle)
		all, err := pods.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		if written, err = writeIfNew(output, all, written); err != nil {
			return err
		}
	}
}

func writeIfNew(output string, pods []*core.Pod, written string) (string, error) {
	content, err := json.MarshalIndent(targetsOf(pods), "", " ")
	if err != nil || string(content) == written {
		return written, err
	}
	if err := os.WriteFile(output+".new", content, 0o644); err != nil {
		return written, err
	}
	return string(content), os.Rename(output+".new", output)
}
