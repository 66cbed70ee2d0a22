# Packets from a pod on one node to a pod on another; sourced by bench/run.

# talk: one measurement with $IN_CLIENT, $IN_SERVER and $SERVER: Gbit/s, and requests a second.
talk() {
    local seconds=${SECONDS_EACH:-3} bits requests
    $IN_SERVER iperf3 -s -p 5201 >/dev/null 2>&1 &
    local server=$! attempts port
    $IN_SERVER /usr/bin/python3 "$BENCH/pingpong.py" 5202 &
    local answerer=$!
    for port in 5201 5202; do
        attempts=200
        until $IN_CLIENT bash -c "exec 3<>/dev/tcp/$SERVER/$port" 2>/dev/null; do
            [ $((attempts -= 1)) -gt 0 ] || { echo "nothing answers on $SERVER:$port" >&2; return 1; }
        done
    done
    # iperf3 serves one client at a time, and that look was one.
    attempts=20
    until bits=$($IN_CLIENT iperf3 -c "$SERVER" -p 5201 -t "$seconds" -J); do
        [ $((attempts -= 1)) -gt 0 ] || { echo "$bits" >&2; return 1; }
    done
    bits=$(sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[ \t]*\([0-9.]*\).*/\1/p' <<<"$bits")
    requests=$($IN_CLIENT /usr/bin/python3 "$BENCH/pingpong.py" 5202 "$SERVER" "$seconds")
    kill $server $answerer 2>/dev/null
    wait $server $answerer 2>/dev/null || true
    awk -v b="$bits" -v r="$requests" 'BEGIN { printf "%.3f %d\n", b / 1e9, r }'
}

# The same two pods in a lab of two nodes.
talk_in_lab() {
    local overlay=$1
    quietly "$plumb" up --detach --nodes 2 --overlay "$overlay" -f "$bench/two-pods.yaml"
    export IN_CLIENT="$plumb shell one --" IN_SERVER="$plumb shell two --"
    SERVER=$("$plumb" status -o json | tr -d '\n' | sed 's/.*"name": "two",[^}]*"addresses": \[ *"\([0-9.]*\)".*/\1/')
    export SERVER
    talk
    quietly "$plumb" down
}

measure_paths() {
    export BENCH=$bench
    export -f talk
    local overlay i peers peer
    for ((i = 0; i < runs; i++)); do
        # Who comes first changes, so that no one always has the machine after the same other.
        case $((i % 3)) in
            0) peers='plumb hooks bare' ;;
            1) peers='hooks bare plumb' ;;
            2) peers='bare plumb hooks' ;;
        esac
        for overlay in routed vxlan; do
            for peer in $peers; do
                case $peer in
                    plumb) record "$overlay-plumb" talk_in_lab $overlay ;;
                    *) record "$overlay-$peer" "$bench/handmade.sh" $overlay $peer bash -c talk ;;
                esac
            done
        done
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
