# Pods with a limit, and what TCP makes of it; sourced by bench/run. A lab of Plumb's and one that the reference plugins wire take turns.

rates=(1M 10M 100M 1G)

limited_pods() {
    local rate
    for rate in "${rates[@]}"; do
        printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p%s, annotations: {kubernetes.io/ingress-bandwidth: %s, kubernetes.io/egress-bandwidth: %s}}\n' "${rate,,}" "$rate" "$rate"
        printf 'spec: {nodeName: node-1, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}\n---\n'
    done
}

# bandwidth_of LAB RATE [-R]: what arrives of ten seconds, as a part of the limit; with headers (Ethernet's, IP's and TCP's 66 of each 1,514 bytes).
bandwidth_of() {
    local bits attempts=20
    # Where the stream has left its own control connection no room it may end without a word of what arrived.
    until bits=$("$plumb" shell --name "$1" "p${2,,}" -- iperf3 -c 10.244.1.1 -t "${SECONDS_EACH:-10}" -J ${3:-}) && grep -q '"sum_received"' <<<"$bits" && ! sed -n '/"sum_received"/,/}/p' <<<"$bits" | grep -q '"bytes":[[:space:]]*0,'; do
        [ $((attempts -= 1)) -gt 0 ] || { echo "$bits" >&2; return 1; }
        sleep 0.2
    done
    sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[ \t]*\([0-9.]*\).*/\1/p' <<<"$bits" |
        awk -v limit="$(sed 's/M/e6/; s/G/e9/' <<<"$2")" '{ printf "%.3f\n", $1 * 1514 / 1448 / limit }'
}

measure_bandwidth() {
    local i rate lab servers=()
    limited_pods >"$XDG_RUNTIME_DIR/limited.yaml"
    cat >"$XDG_RUNTIME_DIR/10-reference.conflist" <<'END'
{"cniVersion": "1.0.0", "name": "lan", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "mtu": 1500,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "{{.PodCIDR}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
END
    quietly "$plumb" up --detach --name ours --nodes 1 --overlay routed --dns-upstream none -f "$XDG_RUNTIME_DIR/limited.yaml"
    quietly "$plumb" up --detach --name theirs --nodes 1 --cni-conf "$XDG_RUNTIME_DIR/10-reference.conflist" --dns-upstream none -f "$XDG_RUNTIME_DIR/limited.yaml"
    for lab in ours theirs; do
        "$plumb" shell --name "$lab" node-1 -- iperf3 -s >/dev/null 2>&1 &
        servers+=($!)
    done
    for ((i = 0; i < runs; i++)); do
        for rate in "${rates[@]}"; do
            for lab in ours theirs; do
                record "egress-$rate-$lab" bandwidth_of "$lab" "$rate"
                record "ingress-$rate-$lab" bandwidth_of "$lab" "$rate" -R
            done
        done
    done
    kill "${servers[@]}" 2>/dev/null || true
    quietly "$plumb" down --name ours
    quietly "$plumb" down --name theirs
    echo
    echo '| limit | the pod sends, of the limit | receives | reference plugin `bandwidth`: sends | receives |'
    echo '| --- | --- | --- | --- | --- |'
    for rate in "${rates[@]}"; do
        echo "| ${rate}bit/s | $(result "egress-$rate-ours") | $(result "ingress-$rate-ours") | $(result "egress-$rate-theirs") | $(result "ingress-$rate-theirs") |"
    done
}
