#!/bin/sh
# Started inside new network and mount namespaces, which live as long as a process is in them. Lays out
# the cluster's view of the machine, says so by the file $READY, and holds the namespaces open.
set -eu

# The kubelet, containerd and CNI have folders that no flag moves: each cluster sees its own there.
mount -n --bind "$STATE/kubelet" /var/lib/kubelet
mount -n --bind "$STATE/cni-state" /var/lib/cni
mount -n --bind "$STATE/container-logs" /var/log/containers

# An empty /run with nothing of the machine's but this cluster's runtime folder.
resolv_conf=$(readlink -f /etc/resolv.conf)
mkdir -p "$RUNTIME/run"
mount -n -t tmpfs -o mode=755 tmpfs "$RUNTIME/run"
mkdir -p "$RUNTIME/run$(dirname "${RUNTIME#/run}")" "$RUNTIME/run${RUNTIME#/run}"
mount -n --bind "$RUNTIME" "$RUNTIME/run${RUNTIME#/run}"
mount -n --move "$RUNTIME/run" /run

mkdir -p "$(dirname "$resolv_conf")"
[ -e "$resolv_conf" ] || : > "$resolv_conf"
mount -n --bind "$STATE/resolv.conf" "$resolv_conf"

# What the kubelet mounts must show up in containers that containerd made.
mount -n --make-rshared /

ip link set lo up
# A bridge without ports stands in for the network card: it needs no peer outside, and there is none.
ip link add node0 type bridge
ip addr add "$NODE_IP/24" dev node0
ip link set node0 up
ip route add default via "$NODE_IP" dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward

: > "$READY"
# No process of the cluster is a child of this one, so there is nothing to reap.
exec sleep infinity
