-- The two roles that Muster needs; run once a cluster, as a superuser, before `muster db migrate`:
--   psql -f db/roles.sql; createdb --owner muster_owner muster
-- muster_owner owns the tables and runs migrations; muster_server serves. Neither is a superuser. Give each a way to
-- log in that suits the site (a password, a certificate, peer): nothing here does.
do $$
begin
    if not exists (select from pg_roles where rolname = 'muster_owner') then
        create role muster_owner login nosuperuser nocreatedb nocreaterole;
    end if;
    if not exists (select from pg_roles where rolname = 'muster_server') then
        create role muster_server login nosuperuser nocreatedb nocreaterole;
    end if;
end
$$;
