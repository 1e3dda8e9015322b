package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

const healthPoll = 100 * time.Millisecond

// health knows which devices somebody declared unhealthy, by a file named after the index of each.
type health struct {
	folder  string
	problem repeated

	mutex     sync.Mutex
	unhealthy map[int]bool
	changed   chan struct{} // closed and replaced at each change
}

func newHealth(controlDir string) *health {
	h := &health{
		folder:  filepath.Join(controlDir, "unhealthy"),
		problem: repeated{message: "cannot tell all that are unhealthy"},
		changed: make(chan struct{}),
	}
	h.refresh()
	return h
}

// current tells which devices are unhealthy, and a channel that closes when that is no longer so.
func (h *health) current() (map[int]bool, <-chan struct{}) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.unhealthy, h.changed
}

func (h *health) watch(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, healthPoll)
		h.refresh()
	}
}

func (h *health) refresh() {
	found, err := h.read()
	if found != nil {
		h.replace(found)
	}
	h.problem.say(err)
}

// read tells what it found even beside an error, unless there is nothing to be told.
func (h *health) read() (found map[int]bool, problem error) {
	entries, err := os.ReadDir(h.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // no folder: nobody declared anything
		return nil, err
	}
	found = map[int]bool{}
	for _, entry := range entries {
		index, err := strconv.Atoi(entry.Name())
		if err != nil {
			problem = errors.New(filepath.Join(h.folder, entry.Name()) + " is not named after a device's index")
			continue
		}
		found[index] = true
	}
	return found, problem
}

func (h *health) replace(found map[int]bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if maps.Equal(found, h.unhealthy) {
		return
	}
	klog.InfoS("health changed", "unhealthy", fmt.Sprint(slices.Sorted(maps.Keys(found))))
	h.unhealthy = found
	close(h.changed)
	h.changed = make(chan struct{})
}
