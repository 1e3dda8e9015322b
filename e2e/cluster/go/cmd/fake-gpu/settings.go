package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

type settings struct {
	pluginDir, controlDir, nodeName, kubeconfig string
	product                                     product
	resources                                   resourceCounts
}

// parse reads the flags. Its errors are one line: the flag package's own come with all flags below them.
func parse(arguments []string) (settings, error) {
	var s settings
	var productName string
	var memoryMiB int
	flags := flag.NewFlagSet("fake-gpu", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.pluginDir, "plugin-dir", "/var/lib/kubelet/device-plugins", "folder with kubelet.sock")
	flags.StringVar(&s.controlDir, "control-dir", "",
		"folder in which a file unhealthy/<index> makes that device of every resource unhealthy")
	flags.StringVar(&s.nodeName, "node-name", "", "node that the devices are on")
	flags.StringVar(&s.kubeconfig, "kubeconfig", "", "kubeconfig that may label the node")
	flags.StringVar(&productName, "product", "NVIDIA-L4", "what the GPUs say they are")
	flags.IntVar(&memoryMiB, "memory-mib", 0, "memory of each GPU instead of the product's own")
	flags.Var(&s.resources, "resource", "NAME=COUNT, such as nvidia.com/gpu=4; may be given several times")
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		os.Exit(0)
	}
	if err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q belongs to no flag", flags.Arg(0))
	}
	if s.product, err = productNamed(productName); err != nil {
		return s, err
	}
	if memoryMiB < 0 {
		return s, fmt.Errorf("--memory-mib %d is below zero", memoryMiB)
	}
	if memoryMiB > 0 {
		s.product.memoryMiB = memoryMiB
	}
	return s, s.check()
}

func (s settings) check() error {
	if len(s.resources) == 0 {
		return errors.New("nothing to advertise; give --resource NAME=COUNT")
	}
	if s.nodeName == "" || s.kubeconfig == "" || s.controlDir == "" {
		return errors.New("--node-name, --kubeconfig and --control-dir are all needed")
	}
	if folder, err := os.Stat(s.pluginDir); err != nil || !folder.IsDir() {
		return fmt.Errorf("%s is no folder; give --plugin-dir the device-plugins folder of a kubelet", s.pluginDir)
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
	name, digits, _ := strings.Cut(text, "=")
	count, err := strconv.Atoi(digits)
	if err != nil || count < 1 || !strings.Contains(name, "/") || len(validation.IsQualifiedName(name)) > 0 {
		return errors.New("not VENDOR/DEVICE=COUNT with a count of 1 or more")
	}
	if slices.ContainsFunc(*r, func(known resourceCount) bool { return known.name == name }) {
		return fmt.Errorf("%s is there twice; give it once with the whole count", name)
	}
	*r = append(*r, resourceCount{name, count})
	return nil
}
