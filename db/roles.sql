-- The two roles that Muster needs; run once a cluster, as a superuser, before `muster db migrate`:
--   psql -f db/roles.sql; createdb --owner muster_owner muster
-- muster_owner owns the tables and runs migrations; muster_server serves. Neither is a superuser. Give each a way to
-- log in that suits the site (a password, a certificate, peer): nothing here does.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['muster_owner', 'muster_server'] loop
        continue when exists (select from pg_roles where rolname = wanted);
        begin
            execute format('create role %I login nosuperuser nocreatedb nocreaterole', wanted);
        exception when duplicate_object or unique_violation then
            null; -- Somebody else has just made it.
        end;
    end loop;
end
$$;
