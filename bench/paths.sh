# Packets from a pod on one node to a pod on another; sourced by bench/run.

# talk: one measurement with $IN_CLIENT, $IN_SERVER and $SERVER: bits a second, and requests a second.
talk() {
    local server seconds=${SECONDS_EACH:-3}
    $IN_SERVER iperf3 -s -p 5201 >/dev/null 2>&1 &
    server=$!
    $IN_SERVER python3 "$BENCH/pingpong.py" 5202 &
    local answerer=$!
    until $IN_CLIENT bash -c "exec 3<>/dev/tcp/$SERVER/5202" 2>/dev/null; do :; done
    local bits requests
    until bits=$($IN_CLIENT iperf3 -c "$SERVER" -p 5201 -t "$seconds" -J); do :; done
    bits=$(sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[ \t]*\([0-9.]*\).*/\1/p' <<<"$bits")
    requests=$($IN_CLIENT python3 "$BENCH/pingpong.py" 5202 "$SERVER" "$seconds")
    kill $server $answerer 2>/dev/null
    wait $server $answerer 2>/dev/null || true
    awk -v b="$bits" -v r="$requests" 'BEGIN { printf "%.3f %d\n", b / 1e9, r }'
}

# The same two pods in a lab of two nodes.
talk_in_lab() {
    local overlay=$1
    "$plumb" up --detach --nodes 2 --overlay "$overlay" -f "$bench/two-pods.yaml" >/dev/null 2>&1
    export IN_CLIENT="$plumb shell one --" IN_SERVER="$plumb shell two --"
    SERVER=$("$plumb" status -o json | tr -d '\n' | sed 's/.*"name": "two",[^}]*"address": "\([0-9.]*\)".*/\1/')
    export SERVER
    talk
    "$plumb" down >/dev/null
}

measure_paths() {
    export BENCH=$bench
    export -f talk
    local overlay i
    for ((i = 0; i < runs; i++)); do
        for overlay in routed vxlan; do
            record "path-$overlay-plumb" talk_in_lab $overlay
            record "path-$overlay-hooks" "$bench/handmade.sh" $overlay hooks bash -c talk
            record "path-$overlay-bare" "$bench/handmade.sh" $overlay bare bash -c talk
        done
    done
    echo
    echo '| pod to pod across nodes | Plumb | by hand, same hooks | ratio | by hand, no hooks | ratio |'
    echo '| --- | --- | --- | --- | --- | --- |'
    local field what
    for overlay in routed vxlan; do
        for field in 1 2; do
            what='iperf3, Gbit/s'
            [ $field = 1 ] || what='requests/s'
            echo "| $overlay, $what | $(path_result $overlay plumb $field) | $(path_result $overlay hooks $field) | $(ratio "$(path_result $overlay plumb $field)" "$(path_result $overlay hooks $field)") | $(path_result $overlay bare $field) | $(ratio "$(path_result $overlay plumb $field)" "$(path_result $overlay bare $field)") |"
        done
    done
}

path_result() { cut -d' ' -f"$3" "$XDG_RUNTIME_DIR/path-$1-$2.result" | median; }
