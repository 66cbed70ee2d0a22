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

# await_services NUMBER [COMMAND…]: until node-1's kernel has that many.
await_services() {
    local attempts=600 list=("${@:2}")
    [ ${#list[@]} -gt 0 ] || list=(nft list map ip plumb frontends)
    until [ "$("$plumb" shell node-1 -- "${list[@]}" 2>/dev/null | grep -c service-)" -ge "$1" ]; do
        [ $((attempts -= 1)) -gt 0 ] || { echo "node-1 has not $1 Services" >&2; return 1; }
    done
}

# One run with an agent as a process: seconds until up, MB, milliseconds from event and from request to the kernel.
watch_run() {
    local size=$1 changes=$2 since=$EPOCHREALTIME up memory times
    quietly "$plumb" up --detach --nodes 1 --agent-processes --dns-upstream none -f "$XDG_RUNTIME_DIR/slices.yaml"
    await_services "$size"
    up=$(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    times=$("$plumb" shell node-1 -- "$program" watch "$(dirname "$("$plumb" kubeconfig)")/kubeconfig.wire" "$size" "$changes")
    # A second after much has changed the agent gives back what it needed for it.
    sleep 2
    memory=$(awk '/VmRSS/ { printf "%.0f", $2 / 1000 }' "/proc/$(in_status agentProcessId)/status")
    echo "$up $memory $times"
    quietly "$plumb" down
}

# One rollout of 1,000 pods on 10 nodes: seconds, changes of endpoints, milliseconds from the slice's event to the kernel of node-1: p50, p99, the longest.
rollout_run() {
    { website "${PODS:-1000}"; printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: website}\nspec: {selector: {app: website}, ports: [{name: http, port: 80}]}\n'; } >"$XDG_RUNTIME_DIR/rollout.yaml"
    quietly "$plumb" up --detach --nodes 10 --dns-upstream none -f "$XDG_RUNTIME_DIR/rollout.yaml"
    # From inside of a node the API is where agents that are processes find it: on the wire.
    sed 's#server: .*#server: https://192.168.1.1:6443#' "$("$plumb" kubeconfig)" >"$XDG_RUNTIME_DIR/kubeconfig.wire"
    "$plumb" shell node-1 -- "$program" rollout "$XDG_RUNTIME_DIR/kubeconfig.wire" website "${MOST_SECONDS:-300}"
    quietly "$plumb" down
}

measure_rollout() {
    local i
    # Each run has its longest; two of them take long enough.
    for ((i = 0; i < (runs < 2 ? runs : 2); i++)); do record rollout rollout_run; done
    echo
    echo '| rollout of a Deployment on 10 nodes | seconds | changes of endpoints | slice event to kernel, ms, p50 | p99 | longest |'
    echo '| --- | --- | --- | --- | --- | --- |'
    echo "| ${PODS:-1000} pods | $(result rollout 1) | $(result rollout 2) | $(result rollout 3) | $(result rollout 4) | $(column rollout 5 | sort -g | tail -1) |"
}

# Two pods and a Service of one of them, and SIZE Services in all, in a lab of its own; a server in the pod.
raise_talk() {
    local lab=$1 size=$2 services=$3 address attempts=100
    export PLUMB_LAB=$lab
    { sed 's/^  name: two$/&\n  labels: {app: two}/' "$bench/two-pods.yaml"; printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {selector: {app: two}, ports: [{name: ping, port: 5202}]}\n---\n'; slices $((size - 1)) 1; } >"$XDG_RUNTIME_DIR/talk.yaml"
    quietly "$plumb" up --detach --nodes 2 --dns-upstream none --services "$services" -f "$XDG_RUNTIME_DIR/talk.yaml"
    if [ "$services" = nftables ]; then await_services $((size - 1)); else await_services $((size - 1)) iptables-save -t nat; fi
    direct[$lab]=$(kubectl --kubeconfig "$("$plumb" kubeconfig)" get pod two -o 'jsonpath={.status.podIP}')
    service[$lab]=$(kubectl --kubeconfig "$("$plumb" kubeconfig)" get service two -o 'jsonpath={.spec.clusterIP}')
    "$plumb" shell two -- taskset -c 1 /usr/bin/python3 "$bench/pingpong.py" 5202 &
    answerers+=($!)
    until "$plumb" shell one -- bash -c "exec 3<>/dev/tcp/${service[$lab]}/5202" 2>/dev/null; do
        [ $((attempts -= 1)) -gt 0 ] || { echo "nothing answers on ${service[$lab]}:5202" >&2; return 1; }
    done
}

# talk_to LAB ADDRESS: connections a second and requests a second from pod one. On one processor, as bench/paths.sh says.
talk_to() {
    local what said=()
    for what in connections requests; do
        said+=("$(PLUMB_LAB=$1 "$plumb" shell one -- taskset -c 1 /usr/bin/python3 "$bench/pingpong.py" 5202 "$2" 1 $what)")
    done
    echo "${said[@]}"
}

measure_talk() {
    local labs=(nftables-10 nftables-10000 iptables-10000) lab i answerers=()
    declare -A direct service
    for lab in "${labs[@]}"; do raise_talk "$lab" "${lab#*-}" "${lab%-*}"; done
    for ((i = 0; i < ${TURNS:-$((runs * 4))}; i++)); do
        for lab in "${labs[@]}"; do
            record "direct-$lab" talk_to "$lab" "${direct[$lab]}"
            record "service-$lab" talk_to "$lab" "${service[$lab]}"
        done
        labs=("${labs[@]:1}" "${labs[0]}")
    done
    kill "${answerers[@]}" 2>/dev/null || true
    echo
    echo '| through a ClusterIP, pod to pod across nodes | 10 Services | 10,000 | ratio | of 10,000, directly | ratio | 10,000, iptables | over it directly |'
    echo '| --- | --- | --- | --- | --- | --- | --- | --- |'
    talk_row 'new connections/s' 1
    talk_row 'requests/s' 2
    unset PLUMB_LAB
}

# talk_row TITLE COLUMN
talk_row() {
    local ten=service-nftables-10 many=service-nftables-10000 bare=direct-nftables-10000
    echo "| $1 | $(result $ten "$2") | $(result $many "$2") | $(ratio $many $ten "$2") | $(result $bare "$2") | $(ratio $many $bare "$2") | $(result service-iptables-10000 "$2") | $(ratio service-iptables-10000 direct-iptables-10000 "$2") |"
}

measure_live() {
    compile
    local i size
    echo
    echo '| Services × endpoints, agent as a process | up, s | agent, MB | watch event to kernel, ms, p50 | p99 | request to kernel, ms, p50 | p99 |'
    echo '| --- | --- | --- | --- | --- | --- | --- |'
    for size in 1000x10 10000x10; do
        slices "${size%x*}" "${size#*x}" >"$XDG_RUNTIME_DIR/slices.yaml"
        for ((i = 0; i < runs; i++)); do record "watch-$size" watch_run "${size%x*}" "${CHANGES:-1000}"; done
        echo "| ${size/x/ × } | $(result "watch-$size" 1) | $(result "watch-$size" 2) | $(result "watch-$size" 3) | $(result "watch-$size" 4) | $(result "watch-$size" 5) | $(result "watch-$size" 6) |"
    done
    measure_rollout
}
