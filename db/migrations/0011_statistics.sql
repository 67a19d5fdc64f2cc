-- Statistics for the planner in step with a record that grows fast. On an empty table all indexes look alike to it, and
-- a plan made then is kept by its connection: autovacuum would mend that after a minute, in which a whole fleet may
-- have come, with each device looked for among all those before it.

-- Analyzes the tables that have doubled since they were last looked at. The server calls it, but owns nothing: it runs as
-- owner. Tables that somebody else is working on are left for the next time.
create function refresh_statistics() returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- Fewer rows than this are read as fast by any plan.
    few constant integer := 200;
    name regclass;
    refreshed integer := 0;
begin
    for name in
        select c.oid from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relowner = current_user::regrole
            and pg_stat_get_live_tuples(c.oid) > few + 2 * greatest(c.reltuples, 0)
    loop
        execute format('analyze (skip_locked) %s', name);
        refreshed := refreshed + 1;
    end loop;
    return refreshed;
end
$$;

revoke execute on function refresh_statistics() from public;
grant execute on function refresh_statistics() to muster_server;
