# Packets from a pod on one node to a pod on another; sourced by bench/run. Plumb and its peers are up at the same time, and take turns of a second.

declare -A in_client in_server at
children() { tr -d ' ' <"/proc/$1/task/$1/children"; }

# In whose pods the measuring programs run: how a command gets into each, and the server's address.
raise_peer() {
    local overlay=$1 peer=$2 said
    if [ "$peer" = plumb ]; then
        quietly "$plumb" up --detach --nodes 2 --overlay "$overlay" -f "$bench/two-pods.yaml"
        in_client[$peer]="$plumb shell one --" in_server[$peer]="$plumb shell two --"
        at[$peer]=$(kubectl --kubeconfig "$("$plumb" kubeconfig)" get pod two -o 'jsonpath={.status.podIP}')
        return
    fi
    exec {said}< <(exec "$bench/handmade.sh" "$overlay" "$peer" sh -c 'echo up; exec sleep 3600')
    read -r -t 20 <&$said || { echo "the $peer peer is not up" >&2; return 1; }
    held[$peer]=$(children $!)
    local inside="nsenter --preserve-credentials --user --mount --target ${held[$peer]}"
    in_client[$peer]="$inside ip netns exec p1" in_server[$peer]="$inside ip netns exec p2" at[$peer]=10.244.2.2
}

end_peer() {
    local peer=$1
    if [ "$peer" = plumb ]; then quietly "$plumb" down; else kill -PIPE $(children "${held[$peer]}") && unset "held[$peer]"; fi
}

# Both on one processor, always: what a packet costs shows, and not where the kernel put whom, which moves the result by a third.
client() { ${in_client[$1]} taskset -c 1 "${@:2}"; }
server() { ${in_server[$1]} taskset -c 1 "${@:2}" >/dev/null 2>&1 & }

start_servers() {
    local peer=$1 port attempts
    server "$peer" iperf3 -s -p 5201
    servers+=($!)
    server "$peer" /usr/bin/python3 "$bench/pingpong.py" 5202
    servers+=($!)
    for port in 5201 5202; do
        attempts=200
        until client "$peer" bash -c "exec 3<>/dev/tcp/${at[$peer]}/$port" 2>/dev/null; do
            [ $((attempts -= 1)) -gt 0 ] || { echo "nothing answers on ${at[$peer]}:$port" >&2; return 1; }
        done
    done
}

# One turn: Gbit/s, and requests a second.
talk() {
    local peer=$1 bits requests attempts=20
    # iperf3 serves one client at a time, and may still be busy with the last.
    until bits=$(client "$peer" iperf3 -c "${at[$peer]}" -p 5201 -t 1 -J); do
        [ $((attempts -= 1)) -gt 0 ] || { echo "$bits" >&2; return 1; }
    done
    bits=$(sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[ \t]*\([0-9.]*\).*/\1/p' <<<"$bits")
    requests=$(client "$peer" /usr/bin/python3 "$bench/pingpong.py" 5202 "${at[$peer]}" 1)
    awk -v b="$bits" -v r="$requests" 'BEGIN { printf "%.3f %d\n", b / 1e9, r }'
}

measure_paths() {
    local overlay peer i servers=() peers=(plumb hooks bare)
    for overlay in routed vxlan; do
        for peer in "${peers[@]}"; do raise_peer $overlay "$peer"; start_servers "$peer"; done
        for ((i = 0; i < ${TURNS:-$((runs * 5))}; i++)); do
            for peer in "${peers[@]}"; do record "$overlay-$peer" talk "$peer"; done
            # Who comes first changes, so that no one always has the machine after the same other.
            peers=("${peers[@]:1}" "${peers[0]}")
        done
        kill "${servers[@]}" 2>/dev/null || true
        for peer in "${peers[@]}"; do end_peer "$peer"; done
        servers=()
    done
    echo
    echo '| pod to pod across nodes | Plumb | by hand, same hooks | ratio | by hand, no hooks | ratio |'
    echo '| --- | --- | --- | --- | --- | --- |'
    for overlay in routed vxlan; do
        path_row "$overlay, iperf3, Gbit/s" $overlay 1
        path_row "$overlay, requests/s" $overlay 2
    done
}

# path_row TITLE OVERLAY COLUMN
path_row() {
    echo "| $1 | $(result "$2-plumb" "$3") | $(result "$2-hooks" "$3") | $(ratio "$2-plumb" "$2-hooks" "$3") | $(result "$2-bare" "$3") | $(ratio "$2-plumb" "$2-bare" "$3") |"
}
