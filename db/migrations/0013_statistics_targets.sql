-- A shorter look at the tables that each enrollment adds to. Autovacuum comes once a minute while a fleet arrives, and by
-- default sorts 30,000 rows of each table by every column: 0.4 s of a processor in which nobody is answered in time. With
-- 3,000 rows, and none of them sorted by what no question asks for, it is a fifth of that. Keys and names are distinct,
-- states are few, and times are spread evenly: no plan needs to know more.
do $$
declare
    one record;
begin
    for one in
        select c.oid::regclass as name, a.attname as column,
            case when (c.relname, a.attname) in (
                ('attempts', 'source'), ('attempts', 'credential_subject'), ('attempts', 'detail'),
                ('attempts', 'key_sha256'), ('attempts', 'serial'),
                ('audit', 'actor'), ('audit', 'action'), ('audit', 'detail'), ('audit', 'hash'),
                ('certificates', 'key_sha256'), ('certificates', 'der'),
                ('devices', 'revoked_by'), ('devices', 'revocation_comment')
            ) then 0 else 10 end as target
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace
            and c.relname in ('attempts', 'audit', 'certificates', 'device_keys', 'devices')
        order by c.relname, a.attnum
    loop
        -- Partitions that are there follow.
        execute format('alter table %s alter column %I set statistics %s', one.name, one.column, one.target);
    end loop;
end
$$;

-- The same, and a new partition of attempts gets its targets too, which PostgreSQL does not hand down.
create or replace function create_attempt_partitions(months_ahead integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first_day timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    starts timestamptz;
    ends timestamptz;
    name text;
    one record;
    made integer := 0;
begin
    if months_ahead not between 0 and 24 then
        raise exception 'months_ahead is %, but must be 0 to 24', months_ahead;
    end if;
    for month in 0..months_ahead loop
        starts := first_day + make_interval(months => month);
        ends := first_day + make_interval(months => month + 1);
        name := 'attempts_' || to_char(starts at time zone 'UTC', 'YYYY_MM');
        if to_regclass(name) is null then
            execute format('create table %I partition of attempts for values from (%L) to (%L)', name, starts, ends);
            for one in
                select attname as column, attstattarget as target from pg_attribute
                where attrelid = 'attempts'::regclass and attnum > 0 and not attisdropped and attstattarget >= 0
            loop
                execute format('alter table %I alter column %I set statistics %s', name, one.column, one.target);
            end loop;
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;
