-- How many devices one operator may revoke an hour, and the second operator's approval of more.

-- Devices revoked, minute by minute, beside those that a second operator approved.
create table revocation_minutes (
    actor text not null,
    minute timestamptz not null,
    devices bigint not null check (devices > 0),
    primary key (actor, minute)
);

create table revocation_requests (
    id bigint generated always as identity primary key,
    fleet_id bigint not null references fleets on delete cascade,
    reason text not null,
    comment text,
    requested_at timestamptz not null,
    requested_by text not null,
    approved_at timestamptz,
    approved_by text,
    -- After it, it can be approved or used no more.
    expires_at timestamptz not null,
    check ((approved_at is null) = (approved_by is null)),
    -- Whatever a server does: nobody approves what he asked for.
    check (approved_by <> requested_by)
);

create index revocation_requests_fleet on revocation_requests (fleet_id, id);

create table revocation_request_devices (
    request_id bigint not null references revocation_requests on delete cascade,
    device_id text collate "C" not null check (device_id ~ '^[A-Za-z0-9._-]{1,40}$'),
    -- Set when it was revoked by this request.
    used_at timestamptz,
    primary key (request_id, device_id)
);

create index revocation_request_devices_device on revocation_request_devices (device_id) where used_at is null;

grant select, insert, delete on revocation_minutes to muster_server;
grant update (devices) on revocation_minutes to muster_server;
grant select, insert, delete on revocation_requests to muster_server;
grant update (approved_at, approved_by, expires_at) on revocation_requests to muster_server;
grant select, insert on revocation_request_devices to muster_server;
grant update (used_at) on revocation_request_devices to muster_server;
