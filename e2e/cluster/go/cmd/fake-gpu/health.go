package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

const healthPoll = 100 * time.Millisecond

// health knows which devices somebody declared unhealthy, by a file named after the index of each.
type health struct {
	folder string

	mutex     sync.Mutex
	unhealthy map[int]bool
	changed   chan struct{} // closed and replaced at each change
}

func newHealth(controlDir string) *health {
	h := &health{folder: filepath.Join(controlDir, "unhealthy"), changed: make(chan struct{})}
	h.unhealthy = h.read()
	return h
}

// current tells which devices are unhealthy, and a channel that closes when that is no longer so.
func (h *health) current() (map[int]bool, <-chan struct{}) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.unhealthy, h.changed
}

func (h *health) watch(ctx context.Context) {
	ticker := time.NewTicker(healthPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.replace(h.read())
		}
	}
}

func (h *health) replace(found map[int]bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if sameKeys(found, h.unhealthy) {
		return
	}
	klog.InfoS("health changed", "unhealthy", found)
	h.unhealthy = found
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *health) read() map[int]bool {
	found := map[int]bool{}
	entries, err := os.ReadDir(h.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // no folder: nobody declared anything
		klog.ErrorS(err, "cannot read who is unhealthy; nobody changes")
		return h.unhealthy
	}
	for _, entry := range entries {
		if index, err := strconv.Atoi(entry.Name()); err == nil {
			found[index] = true
		}
	}
	return found
}

func sameKeys(a, b map[int]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if !b[key] {
			return false
		}
	}
	return true
}
