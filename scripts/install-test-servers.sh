#!/usr/bin/env bash
# Installs from Debian packages what tests and benchmarks run beside ThemisDB: etcd, PostgreSQL, and the
# tools of the fault runs. Says what it did. Always ends with 0: without root, apt or a network the
# tests that need these programs skip with a reason of their own.
set -uo pipefail

say() { echo "test servers: $*"; }

# Program that must be there, package that brings it, what needs it.
wanted=(
  'etcd etcd-server W12 and W13 of the benchmarks'
  'etcdctl etcd-client looking into etcd'
  'initdb postgresql W1 to W6 of the benchmarks'
  'cc gcc the shim for disk faults'
  'mkfs.ext4 e2fsprogs power cuts on a disk image'
  'ip iproute2 network namespaces'
)

is_there() {
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

missing=()
for line in "${wanted[@]}"; do
  read -r program package purpose <<<"$line"
  if is_there "$program"; then say "$program is there ($purpose)"; else missing+=("$package"); fi
done
[ "${#missing[@]}" -eq 0 ] && exit 0

skip() {
  say "NOT installed: ${missing[*]}, because $*"
  exit 0
}
[ "$(id -u)" -eq 0 ] || skip 'this user is not root'
command -v apt-get >/dev/null 2>&1 || skip 'there is no apt-get'

# The packages would start their servers; tests start their own, on private ports and folders.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { timeout 300 apt-get install -y --no-install-recommends "$@" >"$log" 2>&1; }
if ! install "${missing[@]}"; then
  # The lists of packages may be old or empty.
  timeout 120 apt-get update >"$log" 2>&1
  for package in "${missing[@]}"; do
    install "$package" || say "NOT installed: $package; apt-get says: $(tail -n 1 "$log")"
  done
fi
for package in "${missing[@]}"; do
  version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null)
  [ -n "$version" ] && say "installed $package $version"
done
rm -f "$log"
exit 0
