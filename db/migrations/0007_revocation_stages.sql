-- How far a revocation has come. Each is known by the sequence number of its audit entry: those are in the order of the
-- commits, so that whoever has one has all before it.

alter table devices
    -- Of the last change to its standing that relying parties are told. Null: none, or a server that knew no stages made it.
    add column revocation_seq bigint;
create index devices_revocation_seq on devices (revocation_seq) where revocation_seq is not null;

alter table crl_changes add column seq bigint;
-- The last audit entry whose change is in the list.
alter table crls add column through bigint not null default 0;

alter table outbox add column audit_seq bigint;
create index outbox_audit_seq on outbox (audit_seq) where audit_seq is not null;

-- Lists that took changes in, for as long as one asks when.
create table crl_signings (
    issuer_id bigint not null references issuers (id),
    shard integer not null check (shard >= 0),
    number bigint not null check (number > 0),
    through bigint not null,
    signed_at timestamptz not null,
    primary key (issuer_id, shard, number)
);
create index crl_signings_through on crl_signings (issuer_id, shard, through);
create index crl_signings_signed_at on crl_signings (signed_at);

-- Agents beside brokers and gateways: devices that report what they have put in force.
create table agents (
    fleet_id bigint not null,
    device_id text collate "C" not null,
    reported_at timestamptz not null,
    -- Null: none yet.
    trust_store_version bigint,
    -- Sessions of devices that were revoked up to this audit entry are ended. Null: it ends none.
    sessions_through bigint,
    sessions_at timestamptz,
    -- What is wrong there now.
    faults integer not null check (faults >= 0),
    primary key (fleet_id, device_id),
    foreign key (fleet_id, device_id) references devices (fleet_id, device_id)
);

-- The CRL of each CA that is in force there.
create table agent_lists (
    fleet_id bigint not null,
    device_id text collate "C" not null,
    -- SHA-256 of the CA's certificate.
    authority_sha256 bytea not null check (octet_length(authority_sha256) = 32),
    number bigint not null check (number >= 0),
    in_force_at timestamptz not null,
    primary key (fleet_id, device_id, authority_sha256),
    foreign key (fleet_id, device_id) references agents (fleet_id, device_id)
);

grant select, insert, delete on crl_signings to muster_server;
grant select, insert, update on agents, agent_lists to muster_server;
