# The API by itself, and agents of a cluster that is larger than this machine; sourced by bench/run.

# serve_api [NODES PODS SERVICES]: the API as a process, until end_api; its kubeconfig is in $api.
serve_api() {
    api=$XDG_RUNTIME_DIR/api.kubeconfig
    rm -f "$api"
    exec {serving}> >(exec "$program" api-server "$api" "$@")
    held[api]=$!
    await_file "$api" "${held[api]}"
}

# await_file FILE PID: until there is something in it.
await_file() {
    until [ -s "$1" ]; do
        kill -0 "$2" 2>/dev/null || { echo "$1 will not come: the program has ended" >&2; return 1; }
        sleep 0.1
    done
}

# Both end with their standard input.
end_api() { exec {serving}>&-; wait "${held[api]}" || true; unset "held[api]"; }

# Seconds of processor time that a process has had.
cpu_of() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"; }

# configmaps N: objects for `kubectl create -f`.
configmaps() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-kubectl-%d}\ndata: {settings: \"some\"}\n---\n", i }'; }

# One run of kubectl: seconds, its processor time, the server's.
kubectl_run() {
    local before since=$EPOCHREALTIME own
    before=$(cpu_of "${held[api]}")
    own=$({ TIMEFORMAT='%U %S'; time kubectl --kubeconfig "$api" create -f "$XDG_RUNTIME_DIR/maps.yaml" >"$XDG_RUNTIME_DIR/said"; } 2>&1)
    awk -v a="$since" -v b="$EPOCHREALTIME" -v own="$own" -v before="$before" -v after="$(cpu_of "${held[api]}")" 'BEGIN { split(own, of, " "); printf "%.1f %.2f %.2f\n", b - a, of[1] + of[2], after - before }'
}

measure_api() {
    local i
    configmaps "${MAPS:-4000}" >"$XDG_RUNTIME_DIR/maps.yaml"
    for ((i = 0; i < runs; i++)); do
        serve_api
        record api "$program" api "$api" "${held[api]}" "${OBJECTS:-5000}" "${WATCHERS:-10}"
        if command -v kubectl >/dev/null; then record kubectl kubectl_run; fi
        end_api
    done
    echo
    echo '| the API over TLS, from another process | creates/s | `/readyz`/s | ratio | server, ms of CPU for a create | request to event, ms, p50 | p99 | `/readyz`, ms, p50 | p99 | server, ms of CPU for a create with its events |'
    echo '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |'
    echo "| ${OBJECTS:-5000} objects, ${WATCHERS:-10} watchers | $(result api 1) | $(result api 2) | $(ratio_within api 1 2) | $(result api 3) | $(result api 4) | $(result api 5) | $(result api 6) | $(result api 7) | $(result api 8) |"
    [ -e "$XDG_RUNTIME_DIR/kubectl.result" ] || return 0
    echo
    echo '| kubectl | seconds | its own CPU, s | the server'"'"'s, s | ratio |'
    echo '| --- | --- | --- | --- | --- |'
    echo "| \`create -f\` of ${MAPS:-4000} objects | $(result kubectl 1) | $(result kubectl 2) | $(result kubectl 3) | $(ratio_within kubectl 3 2) |"
}

# ratio_within RESULT A B: the median of one column over another, run by run.
ratio_within() { paste -d' ' <(column "$1" "$2") <(column "$1" "$3") | awk '{ print $1 / $2 }' | median | xargs printf '%.2f'; }

# One size: NODES PODS SERVICES AGENTS.
scale_run() {
    local others=$(($1 - $4))
    serve_api "$1" "$2" "$3"
    rm -f "$XDG_RUNTIME_DIR/watching"
    exec {listening}> >(exec "$program" scale-others "$api" "$others" >"$XDG_RUNTIME_DIR/watching")
    held[others]=$!
    await_file "$XDG_RUNTIME_DIR/watching" "${held[others]}"
    "$program" scale "$api" "${held[api]}" "$1" "$3" "$4"
    exec {listening}>&-
    wait "${held[others]}" || true
    unset "held[others]"
    end_api
}

measure_scale() {
    local size nodes agents
    for size in ${SIZES:-50 200 500}; do
        nodes=$size agents=${AGENTS:-20}
        scale_run "$nodes" $((nodes * 40)) $((nodes * 10)) "$agents" >"$XDG_RUNTIME_DIR/scale-$size"
    done
    echo
    echo "| nodes, 40 pods and 10 Services each | $(echo "${SIZES:-50 200 500}" | sed 's/ / | /g') |"
    echo "| --- |$(for size in ${SIZES:-50 200 500}; do printf ' --- |'; done)"
    paste -d'|' $(for size in ${SIZES:-50 200 500}; do echo "$XDG_RUNTIME_DIR/scale-$size"; done) | awk -F'|' '{ printf "| %s|", $1; for (i = 2; i <= NF; i += 2) printf "%s |", $i; print "" }'
}
