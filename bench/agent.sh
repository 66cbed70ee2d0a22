# One node's agent as a process: what it needs while nothing happens, and how soon it is back on a node that is full; sourced by bench/run.

# Ticks of processor time that a process has had.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
of_status() { awk -v field="$1:" '$1 == field { printf "%.1f\n", $2 / 1000 }' "/proc/$2/status"; }

# One run of an agent that has nothing to do: MB resident, of them its own, its files' and code's; percent of a processor.
idle_run() {
    local agent before
    quietly "$plumb" up --detach --nodes 1 --agent-processes --dns-upstream none
    agent=$(in_status agentProcessId)
    # What was needed to start is given back by then.
    sleep 10
    before=$(ticks "$agent")
    sleep "${IDLE_SECONDS:-30}"
    echo "$(of_status VmRSS "$agent") $(of_status RssAnon "$agent") $(of_status RssFile "$agent") $(of_status RssShmem "$agent") $(awk '/^Pss:/ { printf "%.1f", $2 / 1000 }' "/proc/$agent/smaps_rollup") $(awk -v t=$(($(ticks "$agent") - before)) -v s="${IDLE_SECONDS:-30}" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", 100 * t / hz / s }')"
    quietly "$plumb" down
}

# answers SOCKET: whether pods can be served there.
answers() { CNI_COMMAND=STATUS "$root/artifacts/plumb/current/plumb-cni" <<<"{\"cniVersion\":\"1.1.0\",\"name\":\"plumb\",\"type\":\"plumb-cni\",\"socket\":\"$1\"}" >/dev/null 2>&1; }

# One run of an agent that is killed on a node with PODS pods and SERVICES Services: seconds until the next serves pods, its processor time until then, and what
# `nft monitor` and `ip monitor` saw of the kernel until it had compared everything.
restart_run() {
    local agent next socket since seconds before seen watching=() attempts=3000
    { website "${PODS:-200}"; echo ---; slices "${SERVICES:-10000}" 2; } >"$XDG_RUNTIME_DIR/full.yaml"
    quietly "$plumb" up --detach --nodes 1 --agent-processes --dns-upstream none -f "$XDG_RUNTIME_DIR/full.yaml"
    await_services "${SERVICES:-10000}"
    # For some seconds after pods came `ip monitor` shows a notice of each pod's link: the bridge's, as it seems.
    sleep "${REST_SECONDS:-25}"
    agent=$(in_status agentProcessId)
    socket=$(tr '\0' '\n' <"/proc/$agent/cmdline" | grep -A1 -x -e --socket | tail -1)
    "$plumb" shell node-1 -- timeout 600 stdbuf -oL nft monitor >"$XDG_RUNTIME_DIR/written" 2>/dev/null &
    watching+=($!)
    "$plumb" shell node-1 -- timeout 600 stdbuf -oL ip monitor link address route rule >>"$XDG_RUNTIME_DIR/written" 2>/dev/null &
    watching+=($!)
    sleep 2
    : >"$XDG_RUNTIME_DIR/written"
    since=$EPOCHREALTIME
    kill -9 "$agent"
    until answers "$socket"; do [ $((attempts -= 1)) -gt 0 ] || { echo "no agent serves pods again" >&2; return 1; }; sleep 0.02; done
    seconds=$(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
    next=$(in_status agentProcessId)
    [ "$next" != "$agent" ]
    before=$(ticks "$next")
    sleep "${SETTLE_SECONDS:-10}"
    seen=$(wc -l <"$XDG_RUNTIME_DIR/written")
    # Who hears nothing at all does not hear that nothing is written either.
    quietly "$plumb" shell node-1 -- nft add table ip witness
    quietly "$plumb" shell node-1 -- ip route add 198.51.100.1 dev lo
    sleep 1
    grep -q witness "$XDG_RUNTIME_DIR/written" && grep -q '198\.51\.100\.1' "$XDG_RUNTIME_DIR/written" || { echo "the monitors hear nothing" >&2; return 1; }
    echo "$seconds $(awk -v t="$before" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", t / hz }') $(awk -v t="$(ticks "$next")" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", t / hz }') $seen"
    kill "${watching[@]}" 2>/dev/null || :
    quietly "$plumb" down
}

measure_agent() {
    . "$bench/live.sh"
    local i
    for ((i = 0; i < runs; i++)); do
        record idle idle_run
        record restart restart_run
    done
    echo
    echo '| an agent, idle | MB resident | its own | of files | of code that was compiled | MB, what it shares divided | % of a processor |'
    echo '| --- | --- | --- | --- | --- | --- | --- |'
    echo "| 1 node, no pods | $(result idle 1) | $(result idle 2) | $(result idle 3) | $(result idle 4) | $(result idle 5) | $(result idle 6) |"
    echo
    echo '| an agent killed and started again | s until it serves pods | s of CPU until then | s of CPU in all | lines of `nft monitor` and `ip monitor` |'
    echo '| --- | --- | --- | --- | --- |'
    echo "| ${PODS:-200} pods, ${SERVICES:-10000} Services | $(result restart 1) | $(result restart 2) | $(result restart 3) | $(result restart 4) |"
}
