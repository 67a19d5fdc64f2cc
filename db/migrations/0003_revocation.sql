-- What operators revoke: a device with all its certificates and keys, for good or on hold.

alter table fleets
    -- What becomes of a revoked device that comes with its bootstrap credential and a new key.
    add column reenrollment text not null default 'approval'
        check (reenrollment in ('never', 'approval', 'after-clear'));

alter table devices
    -- Null: neither revoked nor on hold. A certificate's own revocation stays, whatever becomes of its device.
    add column revoked_at timestamptz,
    add column revocation_reason text,
    add column revoked_by text,
    add column revocation_comment text,
    -- Counts what operators did to the device's standing: an enrollment that was decided before is not recorded after.
    add column standing_changes bigint not null default 0,
    add constraint devices_revocation_check check (
        (revoked_at is null) = (revocation_reason is null) and (revoked_at is null) = (revoked_by is null));

-- Set: the key was revoked with its device, and is never certified again unless it was only on hold.
alter table device_keys add column revoked_at timestamptz;

-- Revoked certificates, by the names of RFC 5280 section 5.3.1. Those of a device that were revoked together have one
-- time, which stays the first one when the reason changes.
create table revocations (
    issuer_id bigint not null,
    serial bytea not null,
    fleet_id bigint not null,
    device_id text collate "C" not null,
    revoked_at timestamptz not null,
    reason text not null check (
        reason in ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation',
                   'certificateHold', 'privilegeWithdrawn')),
    primary key (issuer_id, serial),
    foreign key (issuer_id, serial) references certificates (issuer_id, serial),
    foreign key (fleet_id, device_id) references devices (fleet_id, device_id)
);

create index revocations_device on revocations (fleet_id, device_id);

alter table approvals drop constraint approvals_kind_check;
alter table approvals add constraint approvals_kind_check check (kind in ('first', 'key-change', 'reenrollment'));

grant select, insert, delete on revocations to muster_server;
grant update (reason) on revocations to muster_server;
grant delete on approvals to muster_server;
-- A key changes neither its owner nor itself.
revoke update on device_keys from muster_server;
grant update (bound_at, revoked_at) on device_keys to muster_server;
