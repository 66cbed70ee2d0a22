# Services in a running lab: an agent that is a process, what it needs, how quick it is, and what a packet pays; sourced by bench/run.

# slices N E: N Services with E endpoints each that nobody answers, written by hand as objects.
slices() {
    awk -v n="$1" -v e="$2" 'BEGIN {
        for (i = 0; i < n; i++) {
            printf "apiVersion: v1\nkind: Service\nmetadata: {name: service-%d}\nspec: {ports: [{name: http, port: 80}]}\n---\n", i
            printf "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: service-%d-a, labels: {kubernetes.io/service-name: service-%d}}\naddressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints: [", i, i
            for (j = 0; j < e; j++) { k = i * e + j; printf "%s{addresses: [10.%d.%d.%d]}", j ? ", " : "", 202 + int(k / 65536), int(k / 256) % 256, k % 256 }
            print "]\n---"
        }
    }'
}

# in_status FIELD: of the first node.
in_status() { "$plumb" status -o json | sed -n "s/^ *\"$1\": \([0-9]*\).*/\1/p" | head -1; }

# Until node-1's kernel has that many frontends.
await_frontends() {
    local attempts=600
    until [ "$("$plumb" shell node-1 -- nft list map ip plumb frontends 2>/dev/null | grep -c service-)" -ge "$1" ]; do
        [ $((attempts -= 1)) -gt 0 ] || { echo "node-1 has not $1 Services" >&2; return 1; }
    done
}

# One run with an agent as a process: seconds until up, MB, milliseconds from event and from request to the kernel.
watch_run() {
    local size=$1 changes=$2 since=$EPOCHREALTIME up memory times
    quietly "$plumb" up --detach --nodes 1 --agent-processes --dns-upstream none -f "$XDG_RUNTIME_DIR/slices.yaml"
    await_frontends "$size"
    up=$(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    times=$("$plumb" shell node-1 -- "$root/artifacts/bin/Plumb.Benchmarks/release/Plumb.Benchmarks" watch "$(dirname "$("$plumb" kubeconfig)")/kubeconfig.wire" "$size" "$changes")
    # A second after much has changed the agent gives back what it needed for it.
    sleep 2
    memory=$(awk '/VmRSS/ { printf "%.0f", $2 / 1000 }' "/proc/$(in_status agentProcessId)/status")
    echo "$up $memory $times"
    quietly "$plumb" down
}

# connect TARGET PORT: connections a second and requests a second from pod one.
connect() { "$plumb" shell one -- /usr/bin/python3 "$bench/pingpong.py" "$2" "$1" "${SECONDS_EACH:-3}" "$3"; }

# Direct to the pod, then through its ClusterIP, in turns: connections/s, requests/s of each.
talk_live() {
    local pod address
    pod=$(kubectl --kubeconfig "$("$plumb" kubeconfig)" get pod two -o 'jsonpath={.status.podIP}')
    address=$(kubectl --kubeconfig "$("$plumb" kubeconfig)" get service two -o 'jsonpath={.spec.clusterIP}')
    "$plumb" shell two -- /usr/bin/python3 "$bench/pingpong.py" 5202 &
    local answerer=$! attempts=100
    until "$plumb" shell one -- bash -c "exec 3<>/dev/tcp/$address/5202" 2>/dev/null; do
        [ $((attempts -= 1)) -gt 0 ] || { echo "nothing answers on $address:5202" >&2; return 1; }
    done
    echo "$(connect "$pod" 5202 connections) $(connect "$address" 5202 connections) $(connect "$pod" 5202 requests) $(connect "$address" 5202 requests)"
    kill $answerer 2>/dev/null || true
    wait $answerer 2>/dev/null || true
}

measure_live() {
    dotnet build -c Release -v q -nologo "$bench/Plumb.Benchmarks" >&2
    local i size
    echo
    echo '| Services × endpoints, agent as a process | up, s | agent, MB | watch event to kernel, ms, p50 | p99 | request to kernel, ms, p50 | p99 |'
    echo '| --- | --- | --- | --- | --- | --- | --- |'
    for size in 1000x10 10000x10; do
        slices "${size%x*}" "${size#*x}" >"$XDG_RUNTIME_DIR/slices.yaml"
        for ((i = 0; i < runs; i++)); do record "watch-$size" watch_run "${size%x*}" "${CHANGES:-1000}"; done
        echo "| ${size/x/ × } | $(result "watch-$size" 1) | $(result "watch-$size" 2) | $(result "watch-$size" 3) | $(result "watch-$size" 4) | $(result "watch-$size" 5) | $(result "watch-$size" 6) |"
    done
    for size in 10 10000; do
        { sed 's/^  name: two$/&\n  labels: {app: two}/' "$bench/two-pods.yaml"; printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {selector: {app: two}, ports: [{name: ping, port: 5202}]}\n---\n'; slices $((size - 1)) 1; } >"$XDG_RUNTIME_DIR/talk.yaml"
        quietly "$plumb" up --detach --nodes 2 --dns-upstream none -f "$XDG_RUNTIME_DIR/talk.yaml"
        await_frontends $((size - 1))
        for ((i = 0; i < runs; i++)); do record "talk-$size" talk_live; done
        quietly "$plumb" down
    done
    echo
    echo '| pod to pod across nodes, through a ClusterIP | of 10 Services | of 10,000 | ratio | directly | 10,000 over it |'
    echo '| --- | --- | --- | --- | --- | --- |'
    live_row 'new connections/s' 1 2
    live_row 'requests/s' 3 4
}

# live_row TITLE DIRECT-COLUMN SERVICE-COLUMN
live_row() {
    local c
    for c in "$2" "$3"; do for size in 10 10000; do column talk-$size "$c" >"$XDG_RUNTIME_DIR/live-$size-$c.result"; done; done
    echo "| $1 | $(result "live-10-$3") | $(result "live-10000-$3") | $(ratio "live-10000-$3" "live-10-$3") | $(result "live-10000-$2") | $(ratio "live-10000-$3" "live-10000-$2") |"
}
