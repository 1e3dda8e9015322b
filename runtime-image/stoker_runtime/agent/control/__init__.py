"""The control port: what kubelet and operator ask, on a thread of its own."""
