package main

import "k8s.io/klog/v2"

// repeated is a problem that is met again and again, and said only when it is a new one.
type repeated struct {
	message string
	details []any
	said    string
}

func (r *repeated) say(problem error) {
	reason := ""
	if problem != nil {
		reason = problem.Error()
	}
	if reason != "" && reason != r.said {
		klog.InfoSDepth(1, r.message, append(r.details, "reason", reason)...)
	}
	r.said = reason
}
