#!/usr/bin/env bash
# bench/dns.sh: answers per second and CPU time (user and system) per answer for the names of SERVICES Services (default 10000), one server after the
# other on one processor, dnsperf on another, in a network namespace of their own. As root; servers that are not installed are left out. On a busy
# machine only CPU time and ratios mean something: the ratios are medians of those of each turn.
set -euo pipefail
services=${SERVICES:-10000} seconds=${SECONDS_EACH:-5} turns=${RUNS:-3} port=5300
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH=$PATH:/usr/sbin:/sbin
if [ "${1:-}" != inside ]; then exec unshare --net --pid --fork --mount-proc "${BASH_SOURCE[0]}" inside; fi
ip link set lo up
work=$(mktemp -d /dev/shm/dnsbench.XXXX)
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null || :; rm -rf "$work"' EXIT

awk -v n="$services" -v dir="$work" 'BEGIN {
    print "$ORIGIN cluster.local.\n$TTL 5\n@ SOA ns.dns hostmaster 1 7200 1800 86400 5\n@ NS ns.dns\nns.dns A 10.96.0.10" > dir "/cluster.local.zone"
    for (i = 0; i < n; i++) {
        a = "10." 96 + int(i / 65536) "." int(i / 256) % 256 "." i % 256; name = "service-" i ".default.svc.cluster.local"
        print "service-" i ".default.svc A " a "\n_http._tcp.service-" i ".default.svc SRV 0 100 80 " name "." > dir "/cluster.local.zone"
        print "local-data: \"" name ". 5 IN A " a "\"" > dir "/unbound.data"
        print "host-record=" name "," a > dir "/dnsmasq.data"
    }
    srand(7); for (i = 0; i < 100000; i++) print "service-" int(rand() * n) ".default.svc.cluster.local A" > dir "/questions"
}'
cat >"$work/nsd.conf" <<EOF
server:
  ip-address: 127.0.0.1@$port
  server-count: 1
  database: ""
  zonesdir: "$work"
  pidfile: "$work/nsd.pid"
  xfrdfile: "$work/xfrd"
  zonelistfile: "$work/zones"
  username: ""
remote-control:
  control-enable: no
zone:
  name: cluster.local
  zonefile: cluster.local.zone
EOF
cat >"$work/knot.conf" <<EOF
server:
  listen: 127.0.0.1@$port
  rundir: "$work"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "$work/knot"
zone:
  - domain: cluster.local
    file: "$work/cluster.local.zone"
EOF
{ printf 'server:\n  interface: 127.0.0.1@%s\n  num-threads: 1\n  do-daemonize: no\n  username: ""\n  chroot: ""\n  pidfile: ""\n  use-syslog: no\n  local-zone: cluster.local static\n' $port
  sed 's/^/  /' "$work/unbound.data"; printf 'remote-control:\n  control-enable: no\n'; } >"$work/unbound.conf"

serve() {
    case $1 in
        plumb) exec "$PROGRAM" dns-server "$services" $port ;;
        nsd) exec nsd -d -c "$work/nsd.conf" ;;
        knot) exec knotd -c "$work/knot.conf" ;;
        unbound) exec unbound -d -c "$work/unbound.conf" ;;
        dnsmasq) exec dnsmasq -k -p $port -a 127.0.0.1 --bind-interfaces -h -R -C "$work/dnsmasq.data" -u root --cache-size=0 --pid-file= ;;
    esac
}
program() { case $1 in plumb) echo true ;; knot) echo knotd ;; *) echo "$1" ;; esac; }

# The servers' processes: one server runs at a time, and this pid namespace has no others. Some of theirs are nobody's children any more.
processes() { pgrep '^(Plumb.Bench|nsd|knotd|unbound|dnsmasq)' || :; }
# Their processor time, in clock ticks.
ticks() { for p in $(processes); do cat "/proc/$p/stat" 2>/dev/null || :; done | sed 's/.*) //' | awk '{ sum += $12 + $13 } END { print sum }'; }

# turn NAME: answers per second and microseconds of processor time for each answer.
turn() {
    serve "$1" >"$work/said" 2>&1 &
    server=$!
    taskset -apc 0 $server >/dev/null
    until dig +short +time=1 +tries=1 @127.0.0.1 -p $port service-7.default.svc.cluster.local 2>/dev/null | grep -q ^10; do
        kill -0 $server 2>/dev/null || { cat "$work/said" >&2; return 1; }
    done
    for p in $(processes); do taskset -apc 0 "$p" >/dev/null 2>&1 || :; done
    local before after
    taskset -c 1 dnsperf -s 127.0.0.1 -p $port -d "$work/questions" -l 1 -c 4 -q 400 >/dev/null 2>&1
    before=$(ticks $server)
    taskset -c 1 dnsperf -s 127.0.0.1 -p $port -d "$work/questions" -l "$seconds" -c 4 -q 400 >"$work/perf" 2>&1
    after=$(ticks $server)
    kill $server 2>/dev/null || { cat "$work/said" "$work/perf" >&2; return 1; }
    wait $server 2>/dev/null || :
    server=
    awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '/Queries completed:/ { n = $3 } /Queries per second:/ { q = $4 } END { printf "%d %.2f\n", q, t / hz * 1e6 / n }' "$work/perf"
}

for ((i = 0; i < turns; i++)); do
    # Who comes first changes, so that no one always has the machine after the same other.
    case $((i % 2)) in 0) names='plumb nsd knot unbound dnsmasq' ;; 1) names='dnsmasq unbound knot nsd plumb' ;; esac
    for name in $names; do
        command -v "$(program $name)" >/dev/null && turn $name >>"$work/$name.result"
    done
done
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
# Plumb's, over another's of the same turn.
ratio() { paste -d' ' <(cut -d' ' -f"$2" "$work/plumb.result") <(cut -d' ' -f"$2" "$work/$1.result") | awk '{ print $1 / $2 }' | median | xargs printf '%.2f'; }
echo "| DNS, $services Services, one processor | answers/s | Plumb's over it | CPU time per answer, µs | Plumb's over it |"
echo '| --- | --- | --- | --- | --- |'
for name in plumb nsd knot unbound dnsmasq; do
    [ ! -e "$work/$name.result" ] ||
        echo "| $name | $(cut -d' ' -f1 "$work/$name.result" | median) | $(ratio $name 1) | $(cut -d' ' -f2 "$work/$name.result" | median) | $(ratio $name 2) |"
done
