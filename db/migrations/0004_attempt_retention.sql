-- Attempts are kept for a number of months; audit log and certificates stay.

-- Drops the partitions of whole months before the last months_kept ones and the present one. Called by the server, which
-- may not drop tables itself. Whoever reads attempts for longer than the lock waits is not disturbed: it is tried again.
create function drop_attempt_partitions(months_kept integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    first_month timestamp := date_trunc('month', now() at time zone 'UTC') - make_interval(months => months_kept);
    name text;
    dropped integer := 0;
begin
    if months_kept not between 1 and 1200 then
        raise exception 'months_kept is %, but must be 1 to 1200', months_kept;
    end if;
    -- One server at a time, so that each partition is counted once.
    perform pg_advisory_xact_lock(hashtext('drop_attempt_partitions'));
    for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'attempts'::regclass and c.relname ~ '^attempts_[0-9]{4}_[0-9]{2}$'
            and to_date(right(c.relname, 7), 'YYYY_MM') < first_month
        order by 1
    loop
        execute format('drop table %I', name);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;

revoke execute on function drop_attempt_partitions(integer) from public;
grant execute on function drop_attempt_partitions(integer) to muster_server;
