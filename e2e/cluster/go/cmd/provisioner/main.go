// Command provisioner gives each claim of its storage class a folder on the node, and removes the folder
// with the volume. It is the cluster's default dynamic provisioner.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	folder := flag.String("folder", "", "existing folder that holds the volumes")
	flag.Parse()
	if err := run(*kubeconfig, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "provisioner:", err)
		os.Exit(2)
	}
}

func run(kubeconfig, folder string) error {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("--folder %q is no folder; name one that exists", folder)
	}
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

	factory := informers.NewSharedInformerFactory(client, 10*time.Minute)
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[key](100*time.Millisecond, 30*time.Second))
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	classes := factory.Storage().V1().StorageClasses()
	for kind, informer := range map[string]cache.SharedIndexInformer{"claim": claims.Informer(), "volume": volumes.Informer()} {
		if _, err := informer.AddEventHandler(enqueue(queue, kind)); err != nil {
			return err
		}
	}
	classes.Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go func() { <-ctx.Done(); queue.ShutDown() }()

	folders := volumeFolders{folder, client, claims.Lister(), volumes.Lister(), classes.Lister()}
	for {
		item, shutdown := queue.Get()
		if shutdown {
			return nil
		}
		if err := folders.sync(ctx, item); err != nil {
			klog.ErrorS(err, "will retry", "kind", item.kind, "name", item.name)
			queue.AddRateLimited(item)
		} else {
			queue.Forget(item)
		}
		queue.Done(item)
	}
}

type key struct{ kind, namespace, name string }

func enqueue(queue workqueue.TypedRateLimitingInterface[key], kind string) cache.ResourceEventHandlerFuncs {
	add := func(object any) {
		if name, err := cache.ObjectToName(object); err == nil {
			queue.Add(key{kind, name.Namespace, name.Name})
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }}
}
