-- The record: who may enroll, what was issued, what was tried, what is to be published, and who did what.
-- Roles come first (db/roles.sql): muster_owner owns all of this, muster_server may only do what is granted below.

create table issuers (
    id bigint generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z0-9-]{1,40}$'),
    certificate bytea not null unique,
    -- The CAs above it, issuing side first, root last (DER).
    chain bytea[] not null check (cardinality(chain) between 1 and 3),
    -- OldWithOld, OldWithNew and NewWithOld of a root rollover (RFC 7030 section 4.1.3), where there are any.
    rollover bytea[] not null default '{}' check (cardinality(rollover) <= 6),
    created_at timestamptz not null default now()
);

create table fleets (
    id bigint generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z0-9-]{1,23}$'),
    -- The CA that signs for this fleet now.
    issuer_id bigint not null references issuers,
    policy text not null check (policy in ('open')),
    profile jsonb not null,
    created_at timestamptz not null default now()
);

-- Every CA whose certificates the fleet trusts: the present issuer and those still to be trusted beside it.
create table fleet_issuers (
    fleet_id bigint not null references fleets on delete cascade,
    issuer_id bigint not null references issuers,
    primary key (fleet_id, issuer_id)
);

create table anchors (
    id bigint generated always as identity primary key,
    fleet_id bigint not null references fleets on delete cascade,
    name text not null check (name ~ '^[a-z0-9-]{1,40}$'),
    certificate bytea not null,
    -- Where the DeviceID is found: in an IDevID's subject, or, for a claim shared by a batch, in the CSR.
    device_id_rule text not null check (device_id_rule in ('subject-serial-number', 'request-common-name')),
    created_at timestamptz not null default now(),
    unique (fleet_id, name)
);

-- Devices that an operator announced beforehand.
create table registrations (
    fleet_id bigint not null references fleets on delete cascade,
    device_id text not null check (device_id ~ '^[A-Za-z0-9._-]{1,40}$'),
    created_at timestamptz not null default now(),
    primary key (fleet_id, device_id)
);

create table devices (
    fleet_id bigint not null references fleets,
    device_id text not null check (device_id ~ '^[A-Za-z0-9._-]{1,40}$'),
    first_enrolled_at timestamptz not null,
    enrolled_at timestamptz not null,
    current_issuer_id bigint not null references issuers,
    current_serial bytea not null,
    current_key_sha256 bytea not null check (octet_length(current_key_sha256) = 32),
    -- The certificate that the current one renewed. It may renew once more until the current one was used, since a
    -- device may lose power between receiving and saving.
    renewable_serial bytea,
    current_used_at timestamptz,
    -- The anchor of the IDevID that last proved this device; null while only claims did.
    idevid_anchor_id bigint references anchors,
    trust_store_version bigint,
    trust_store_acknowledged_at timestamptz,
    primary key (fleet_id, device_id)
) with (fillfactor = 80);

-- Which device a public key belongs to, for good: no key ever serves two devices.
create table device_keys (
    key_sha256 bytea primary key check (octet_length(key_sha256) = 32),
    fleet_id bigint not null references fleets,
    device_id text not null,
    bound_at timestamptz not null
);

-- Serial numbers begin with the time of issue, so that rows of one day lie side by side in each partition's indexes
-- however many there are.
create table certificates (
    issuer_id bigint not null references issuers,
    serial bytea not null check (octet_length(serial) between 8 and 20),
    fleet_id bigint not null references fleets,
    device_id text not null,
    key_sha256 bytea not null check (octet_length(key_sha256) = 32),
    not_before timestamptz not null,
    not_after timestamptz not null,
    issued_at timestamptz not null,
    status text not null default 'valid' check (status in ('valid', 'superseded', 'revoked')),
    der bytea not null,
    primary key (issuer_id, serial)
) partition by hash (serial);

create table certificates_0 partition of certificates for values with (modulus 8, remainder 0);
create table certificates_1 partition of certificates for values with (modulus 8, remainder 1);
create table certificates_2 partition of certificates for values with (modulus 8, remainder 2);
create table certificates_3 partition of certificates for values with (modulus 8, remainder 3);
create table certificates_4 partition of certificates for values with (modulus 8, remainder 4);
create table certificates_5 partition of certificates for values with (modulus 8, remainder 5);
create table certificates_6 partition of certificates for values with (modulus 8, remainder 6);
create table certificates_7 partition of certificates for values with (modulus 8, remainder 7);

create index certificates_device on certificates (fleet_id, device_id);

-- Every enrollment try, accepted or not. One partition a month; old months are dropped whole.
create table attempts (
    id bigint generated always as identity,
    at timestamptz not null,
    request_id uuid not null,
    fleet_id bigint,
    device_id text,
    operation text not null check (operation in ('simpleenroll', 'simplereenroll')),
    source text not null,
    credential_kind text check (credential_kind in ('idevid', 'claim', 'ldevid')),
    credential_sha256 bytea,
    credential_subject text,
    anchor_id bigint,
    key_sha256 bytea,
    stage text not null,
    rule text not null,
    outcome text not null check (outcome in ('issued', 'repeated', 'pending', 'refused')),
    reason text,
    detail text,
    issuer_id bigint,
    serial bytea,
    primary key (at, id)
) partition by range (at);

create table attempts_default partition of attempts default;
create index attempts_device on attempts (fleet_id, device_id, at desc);

-- Makes the partitions of this month and of the months ahead. The server calls it, but owns nothing: it runs as owner.
create function create_attempt_partitions(months_ahead integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first_day timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    starts timestamptz;
    ends timestamptz;
    name text;
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
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

select create_attempt_partitions(3);

create table trust_stores (
    fleet_id bigint not null references fleets on delete cascade,
    version bigint not null check (version > 0),
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    -- The CMS message as published, and the SHA-256 of it that the next version names.
    message bytea not null,
    message_sha256 bytea not null check (octet_length(message_sha256) = 32),
    -- The CAs in it (DER), issuing side first, root last.
    certificates bytea[] not null,
    primary key (fleet_id, version)
);

-- Events written by the transaction that caused them, published in order per fleet, at least once.
create table outbox (
    id bigint generated always as identity primary key,
    fleet_id bigint not null references fleets on delete cascade,
    topic text not null,
    payload bytea not null,
    retained boolean not null,
    created_at timestamptz not null default now(),
    published_at timestamptz
);

create index outbox_waiting on outbox (fleet_id, id) where published_at is null;

-- Who did what, chained: each entry's hash covers the entry and the hash before it.
create table audit (
    seq bigint primary key check (seq > 0),
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    hash bytea not null check (octet_length(hash) = 32)
);

-- The end of the chain; writers take turns by locking its one row.
create table audit_head (
    singleton boolean primary key default true check (singleton),
    seq bigint not null,
    hash bytea not null
);

insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

grant usage on schema public to muster_server;
grant select on all tables in schema public to muster_server;
grant insert on issuers, fleets, fleet_issuers, anchors, registrations, devices, device_keys, certificates, attempts,
    trust_stores, outbox, audit to muster_server;
grant update on fleets, anchors, devices, device_keys to muster_server;
grant update (rollover) on issuers to muster_server;
grant update (status) on certificates to muster_server;
grant update (published_at) on outbox to muster_server;
grant update (seq, hash) on audit_head to muster_server;
grant delete on registrations, fleet_issuers to muster_server;
revoke execute on function create_attempt_partitions(integer) from public;
grant execute on function create_attempt_partitions(integer) to muster_server;
