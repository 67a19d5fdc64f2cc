# shellcheck shell=bash
# The line `revocation` of ops/bench, which sources this: what one revocation costs with few and with many revoked.

revoked_few=1000
revoked_many=1000000
# A round.
revocations=100
# How long the CRLs of all that is revoked may take to be signed.
lists_seconds_max=1200

# asked SQL: what the record answers.
asked() { psql -XAtqc "$1" "$(database)"; }

# until_none SQL: waits until the record counts nothing there.
until_none() {
    local began=$SECONDS
    until [[ $(asked "$1") == 0 ]]; do
        ((SECONDS - began < lists_seconds_max)) || die "the CRLs were not signed in time; see $out/server.log"
        sleep 0.5
    done
}

# revoke_up_to FIRST LAST: puts revoked devices of these numbers into the record, and waits until all CRLs have them. They
# are signed as at any start of a server that finds them due.
revoke_up_to() {
    local shards_signed began
    # Shards are signed in the order of their numbers, and hundreds of certificates name them all over.
    until_none "select (select 1 - count(*) from crls where shard = 0) + (select count(*) from certificates c
        where c.crl_shard > 0 and not exists (
            select from crls l where l.issuer_id = c.issuer_id and l.shard = c.crl_shard))"
    shards_signed=$(asked "select count(*) from crls where shard > 0")
    run "$repository/ops/bench-fill-revoked" "$(database)" "$1" "$2" "$shards_signed" || die "the record was not filled"
    stop_server
    start_server
    began=$SECONDS
    until_none "select (select count(*) from crl_changes)
        + (select count(*) from crls where next_update < now() + interval '1 day')"
    lists_seconds=$((SECONDS - began))
    say "$2 revoked: $shards_signed shards and the list of all were signed $lists_seconds s after the server was ready"
}

# revocation_lines few|many: rounds of revocations one by one, and once the list of all.
revocation_lines() {
    local round complete
    for ((round = 1; round <= rounds; round++)); do
        measure "revocation-$1" "$round" sim revocation --dev "$state/dev.json" --devices "$revocations"
    done
    sim revocation --dev "$state/dev.json" --complete >"$state/measured" || die "the list of all was not measured"
    complete=$(<"$state/measured")
    keep "complete-$1" 1 "$(jq -c --argjson signSeconds "$lists_seconds" '. + {signSeconds: $signSeconds}' <<<"$complete")"
    say "the list of all, $(jq -r '"\(.octets / 1e5 | round / 10) MB: out after \(.loneSeconds * 100 | round / 100) s and \(.loneCPUMilliseconds | round) ms of CPU, again after \(.againSeconds | round) s, a shard behind it after \(.behindMilliseconds | round) ms"' <<<"$complete")"
}

measure_revocations() {
    step "Revocations with $revoked_few revoked"
    start_server
    # Each round revokes one more than it measures, and the list of all takes five.
    enrolled "$((2 * (rounds * (revocations + 1) + 5)))"
    revoke_up_to 1 "$revoked_few"
    revocation_lines few
    step "Revocations with $revoked_many revoked"
    revoke_up_to "$((revoked_few + 1))" "$revoked_many"
    revocation_lines many
    stop_server
}
